"""Templates: how what a page says becomes HTML.

Everything that a template writes is text: escaped, control characters and marks of direction shown as codes, and cut.
So a name out of a core dump can neither run, nor hide, nor turn a line around.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import jinja2
from markupsafe import Markup

from broadstreet.records.selection import EVERYTHING, Selection
from broadstreet.surfaces.charts import marks
from broadstreet.surfaces.text import encodable, first_up, plural, safe, sentence
from broadstreet.surfaces.text import size as bytes_shown
from broadstreet.surfaces.web.safety import LONGEST_ADDRESS
from broadstreet.surfaces.web.selection import narrowed, pairs_of
from broadstreet.verdict.figures import small
from broadstreet.verdict.words import exposure

LONGEST_PART = 6000  # characters of one part of an address; a server takes 32 KiB of all
# An address that is cut leads elsewhere. These are the pages whose addresses carry what others wrote, or a question.
ADDRESS = re.compile(r"/(?:\?|(?:cases|compare|hosts|index|machines|map|outbreaks|sql|syndromes)[./?])[!-~]*")
TILDE = "~"
FORMS = (".json", ".csv", ".parquet", ".html", ".md")  # by which other forms of a page are asked for
LONGEST_TEXT = 2000  # characters of anything; a sentence of ours is shorter, a hostile name is not
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


class _Whole(str):
    """Text that is safe already and was cut where it may be."""

    __slots__ = ()


def environment() -> jinja2.Environment:
    """The templates of all pages."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("broadstreet.surfaces.web", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalized,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    filters: dict[str, Callable[..., Any]] = {
        "short": safe,
        "sentence": sentence,
        "words": exposure,
        "iso_day": iso_day,
        "q_value": q_value,
        "whole": whole,
        "first_up": first_up,
        "lines": lines,
        "number": number,
        "percent": percent,
        "moment": moment_shown,
        "day": day,
        "part": lambda value: _Whole(part(value)),
        "bytes": bytes_shown,
        "field": field,
    }
    made.filters.update(filters)
    made.globals.update(
        longest_address=LONGEST_ADDRESS,
        marks=marks,
        pairs_of=pairs_of,
        plural=plural,
        period=period,
        link=link,
        narrowed=narrowed,
    )
    return made


def lines(text: str, longest: int = 200_000) -> str:
    """Text of several lines, such as a question: line ends stay, other control characters are codes."""
    kept = text.replace("\r\n", "\n").split("\n")
    shown = "\n".join("\t".join(safe(one, longest) for one in line.split("\t")) for line in kept)
    return _Whole(shown[:longest])


def number(value: float | None, digits: int = 0) -> str:
    """1,234; with a true minus; nothing where it is not known."""
    return "" if value is None else f"{value:,.{digits}f}".replace("-", "−")


def percent(share: float | None, digits: int = 0) -> str:
    """97%; nothing where it is not known."""
    return "" if share is None else f"{share:.{digits}%}"


def moment_shown(time: datetime | str | None) -> str:
    """12 Mar 2026 14:02 UTC; nothing where it is not known."""
    when = _time(time)
    return "" if when is None else f"{day(when)} {when:%H:%M} UTC"


def day(time: datetime | str | None) -> str:
    """12 Mar 2026; nothing where it is not known."""
    when = _time(time)
    return "" if when is None else f"{when.day} {MONTHS[when.month - 1]} {when.year}"


def field(time: datetime | None) -> str:
    """A time in UTC as the value of a field of a form."""
    return "" if time is None else f"{time.astimezone(UTC):%Y-%m-%dT%H:%M}"


def period(start: datetime | str | None, end: datetime | str | None) -> str:
    """15 Jan to 14 Apr 2026; nothing where it is not known."""
    first, last = _time(start), _time(end)
    if first is None or last is None:
        return ""
    if last > first and not (last.hour or last.minute or last.second):
        last -= timedelta(seconds=1)  # until a midnight: the day that begins there is not in it
    if first.date() == last.date():
        return day(last)
    return f"{day(first).removesuffix(f' {last.year}')} to {day(last)}"


def iso_day(time: datetime | None) -> str:
    """2026-03-12, as a field for dates has it; nothing where it is not known."""
    return "" if time is None else time.astimezone(UTC).date().isoformat()


def q_value(q: float | None) -> Markup:
    """A small probability as a power of ten; a dot where it is not known."""
    said = "·" if q is None else small(q)
    before, power, exponent = said.partition("10^")
    return Markup("{}10<sup>{}</sup>").format(before, exponent.replace("-", "−")) if power else Markup.escape(said)


def whole(value: str) -> Markup:
    """A value as it is, for a field that is sent again: escaped, and nothing of it changed."""
    return Markup.escape(encodable(value))


def part(value: object) -> str:
    """A value as one part of an address: `unparted` reads it again.

    What a browser would take for a way up (`..`), or a server for another form of the page (`web.json`), has a tilde
    behind it. A name that no address can hold is cut, and then leads to no page.
    """
    text = encodable(str(value)[:LONGEST_PART])
    mistaken = text in ("", ".", "..") or text.endswith((TILDE, *FORMS))
    return quote(text, safe="") + (TILDE if mistaken else "")


def unparted(text: str) -> str:
    """The value that a part of an address says."""
    return text.removesuffix(TILDE)


def link(path: str, selection: Selection = EVERYTHING, pairs: Iterable[tuple[str, str]] = (), **query: object) -> str:
    """The address of a page that shows a selection; parameters that are null are left out."""
    pairs = [*pairs_of(selection), *pairs]
    pairs += [(name.rstrip("_"), str(value)) for name, value in query.items() if value is not None]
    return path + ("?" + urlencode([(name, encodable(value)) for name, value in pairs]) if pairs else "")


def hidden_token(name: str, value: str) -> Markup:
    """The field without which no form is taken."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(name, value)


def _finalized(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, (Markup, _Whole, jinja2.Undefined)):
        return value
    text = str(value)
    if LONGEST_TEXT < len(text) <= LONGEST_ADDRESS and ADDRESS.fullmatch(text):
        return text
    return safe(text, LONGEST_TEXT)


def _time(time: datetime | str | None) -> datetime | None:
    when = datetime.fromisoformat(time) if isinstance(time, str) and time else time
    if not isinstance(when, datetime):
        return None
    return when.astimezone(UTC) if when.tzinfo else when
