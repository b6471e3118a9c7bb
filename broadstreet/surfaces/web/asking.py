"""What a request asks for, and the one way in which it is written: equal questions are one question."""

from urllib.parse import parse_qsl

from starlette.convertors import PathConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.requests import Request

from broadstreet.records.selection import EVERYTHING
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.page import Asked, Page
from broadstreet.surfaces.web.rendering import part, unparted
from broadstreet.surfaces.web.selection import pairs_of, selection_of

MOST_FIELDS = 100
Pairs = tuple[tuple[str, str], ...]


class _AnyText(PathConvertor):
    """A name of others that stands in a path may have line ends."""

    regex = r"[\s\S]*"


register_url_convertor("path", _AnyText())


def asked_of(page: Page, request: Request, atlas: Atlas) -> Asked:
    """What a request asks of a page."""
    pairs = request.query_params.multi_items()
    declared = {one.name for one in page.parameters}
    return Asked(
        atlas=atlas,
        selection=selection_of(pairs) if "" in page.selects else EVERYTHING,
        path=given(request),
        query=tuple(pair for pair in pairs if pair[0] in declared),
        sides={prefix[0]: selection_of(pairs, prefix) for prefix in page.selects if prefix},
    )


def given(request: Request) -> dict[str, str]:
    """What stands in the braces of a path."""
    return {name: unparted(value) for name, value in request.path_params.items()}


def filled(path: str, asked: Asked) -> str:
    """The path of a page with what was asked for in it."""
    for name, value in asked.path.items():
        path = path.replace(f"{{{name}}}", part(value)).replace(f"{{{name}:path}}", part(value))
    return path


def beside(asked: Asked) -> Pairs:
    """All that the address says but the page's own selection."""
    sides = [pair for name, side in sorted(asked.sides.items()) for pair in pairs_of(side, f"{name}.")]
    return (*sides, *asked.query)


def canonical(page: Page, asked: Asked) -> tuple[str, Pairs]:
    """What was asked, equal for equal questions."""
    return filled(page.path, asked), (*pairs_of(asked.selection), *sorted(beside(asked), key=lambda pair: pair[0]))


def form_of(kind: str, body: bytes) -> dict[str, str]:
    """The fields of a form, the last value of each."""
    if kind.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only a form of these pages is taken.")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error


def wants_json(request: Request) -> bool:
    """Whether a program asks; a browser takes anything, but HTML first."""
    accepted = request.headers.get("accept", "")
    return "application/json" in accepted and "text/html" not in accepted


def as_json(request: Request) -> bool:
    """Whether the answer is JSON."""
    return request.url.path.endswith(".json") or wants_json(request)
