"""How wide a text will be, so that labels do not meet, and dates and numbers as charts write them.

The server does not know the reader's font. The widths are those of Helvetica (Adobe's metrics, in thousandths of the
size), to which the sans of the usual systems are near; 4% are added for those that run wider.
"""

import unicodedata
from datetime import UTC, datetime, timedelta

from broadstreet.surfaces.text import LONGEST_VALUE, safe

SIZE = 12.0  # pixels; chart text is never smaller
_ALLOWANCE = 1.04
_BOLD = 1.07
_WIDTHS = {
    191: "'", 222: "ijl", 260: "|", 278: " !,./:;I[\\]ft", 333: "()-`r", 355: '"', 389: "*", 469: "^",
    500: "Jcksvxyz", 556: "#$0123456789?L_abdeghnopqu", 584: "+<=>~−", 611: "FTZ", 667: "&ABEKPSVXY", 722: "CDHNRUw",
    778: "GOQ", 833: "Mm", 889: "%", 944: "W", 1000: "…—", 1015: "@",
}  # fmt: skip
_WIDTH = {letter: width for width, letters in _WIDTHS.items() for letter in letters}
_OTHER = 600
_FULL = 1000
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def plain(words: str) -> str:
    """Text as it will be shown: control characters as codes, cut at 200 characters, a megabyte looked at no further."""
    return safe(words[: LONGEST_VALUE + 1])


def text_width(words: str, bold: bool = False, size: float = SIZE) -> float:
    """Pixels that a line of sans will take, at most."""
    return sum(map(_letter, plain(words))) / 1000 * size * _ALLOWANCE * (_BOLD if bold else 1)


def fitted(words: str, width: float, bold: bool = False, size: float = SIZE) -> str:
    """The text, cut at its end where it is wider than the room for it."""
    words = plain(words)
    if text_width(words, bold, size) <= width:
        return words
    while words and text_width(words + "…", bold, size) > width:
        words = words[:-1]
    return words.rstrip() + "…"


def wrapped(words: str, width: float, lines: int, bold: bool = False) -> list[str]:
    """The text in at most so many lines, broken at spaces, the last one cut."""
    shown: list[str] = []
    rest = plain(words).split()
    while rest and len(shown) < lines - 1:
        taken = 1
        while taken < len(rest) and text_width(" ".join(rest[: taken + 1]), bold) <= width:
            taken += 1
        shown.append(fitted(" ".join(rest[:taken]), width, bold))
        rest = rest[taken:]
    return [*shown, fitted(" ".join(rest), width, bold)] if rest else shown


def day(at: datetime, year: bool = False) -> str:
    """12 Mar, or 12 Mar 2026."""
    at = at.astimezone(UTC)
    return f"{at.day} {_MONTHS[at.month - 1]}" + (f" {at.year}" if year else "")


def until(end: datetime) -> str:
    """The last moment before an end that is not counted: of midnight, the day before."""
    at = end.astimezone(UTC)
    return moment(at) if (at.hour or at.minute) else day(at - timedelta(microseconds=1))


def moment(at: datetime) -> str:
    """12 Mar, or 12 Mar 14:00 where the time is not midnight."""
    at = at.astimezone(UTC)
    return day(at) if not (at.hour or at.minute) else f"{day(at)} {at:%H:%M}"


def iso(at: datetime) -> str:
    """A time in UTC for a script: 2026-03-12T14:00:00Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def figure(value: float) -> str:
    """Two figures: 0.012, 2.6, 34, 1,200."""
    if value == 0:
        return "0"
    if abs(value) >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 0.95 else f"{value:.2g}"


def _letter(letter: str) -> int:
    if letter in _WIDTH:
        return _WIDTH[letter]
    return _FULL if unicodedata.east_asian_width(letter) in "WF" else _OTHER
