"""A page of the web as data: where it is, what it says, how it is drawn.

What a page says is a record, `told`; the same record is the page's JSON and, by its schema, its description in
OpenAPI. So nothing can stand on a page that a program cannot ask for.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from broadstreet.errors import UsageError
from broadstreet.records.selection import EVERYTHING, Selection
from broadstreet.store.atlas import Atlas


class Asked(NamedTuple):
    """What a reader asked for: of which atlas, which crashes, and what the address says besides.

    `path` holds what stands in the braces of the page's path. `sides` holds the selections of two populations that are
    compared, by "a" and "b".
    """

    atlas: Atlas
    selection: Selection = EVERYTHING
    path: Mapping[str, str] = {}
    query: tuple[tuple[str, str], ...] = ()
    sides: Mapping[str, Selection] = {}

    def one(self, name: str, otherwise: str = "") -> str:
        """The last value of a parameter."""
        return next((value for key, value in reversed(self.query) if key == name), otherwise)

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a parameter that may be repeated."""
        return tuple(value for key, value in self.query if key == name)

    def number(self, name: str, otherwise: int, least: int, most: int) -> int:
        """A parameter that is a whole number within limits."""
        text = self.one(name)
        if not text:
            return otherwise
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most):
            raise UsageError(f"{name} is no number from {least} to {most}: {text!r}", f"{name}={otherwise}")
        return int(text)


class Parameter(NamedTuple):
    """One query parameter of a page, beside those of a selection."""

    name: str
    meaning: str


class Download(NamedTuple):
    """A file that a page gives: its name, its media type, and its bytes as they come."""

    name: str
    kind: str
    chunks: Iterable[bytes]


def _well(told: Any) -> int:
    return 200


def _nothing(told: Any, asked: Asked) -> Mapping[str, object]:
    return {}


class Page(NamedTuple):
    """One page.

    `path` may have names in braces (`/case/{case_id}`; `{host:path}` takes slashes too). `tab` is the tab under which
    it stands. `selects` says which selections the address may carry: "" the page's own, "a." and "b." two populations.
    Parameters that are not declared are not seen by `tell`. `draw` makes the charts of what is told, by the names under
    which the template has them in `drawn`; the JSON needs none. `forms` are the other forms that it has: `csv` is at
    the path with `.csv`. `needs_cases`: of an empty casebook it has nothing to say. What it says of a version is kept
    and told again, unless `kept` is false; then `status` says which of HTTP it has.
    """

    path: str
    name: str
    tab: str
    told: type[msgspec.Struct]
    tell: Callable[[Asked], Any]
    template: str
    summary: str
    selects: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    draw: Callable[[Any, Asked], Mapping[str, object]] = _nothing
    forms: Mapping[str, Callable[[Asked], Download]] = {}
    needs_cases: bool = True
    kept: bool = True
    status: Callable[[Any], int] = _well


class Change(NamedTuple):
    """Something that a reader can do to the casebook, by a form on a page.

    `change` is given what was asked and the fields of the form, and says to which address to go on. The template of
    the form has `{{ token() }}` in it. A version by its number (`--at`) cannot be changed.
    """

    path: str
    name: str
    change: Callable[[Asked, Mapping[str, str]], str]
    summary: str
