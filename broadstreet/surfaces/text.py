"""Words and numbers for people; and bytes from a core dump made safe to print."""

import os
import shutil
import sys
from typing import TextIO

import click

LONGEST_VALUE = 200
UNITS = ("B", "KB", "MB", "GB", "TB")
# All that the pages use beyond ASCII, for an output that takes no more.
_SHAPES = {
    **dict(zip("●○◌┃║┊│▶▏█×←−", "o-?|=:'>|#x<-", strict=True)),
    **dict(zip("■◇◦◀─–▁▂▃▄▅▆▇", "#?.<--.:-=+*%", strict=True)),
    "…": "...",
}
IN_ASCII = str.maketrans(_SHAPES)


def size(count: int) -> str:
    """A number of bytes: 41 KB, 1.9 GB."""
    value = float(count)
    for unit in UNITS:
        if value < 999.5 or unit == UNITS[-1]:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"
        value /= 1000
    return str(count)


def safe(value: str, longest: int = LONGEST_VALUE) -> str:
    """Text from a core dump or a name: control characters as codes, cut to a length."""
    some = encodable(value[: longest + 1])  # each character takes one or more; a value may have megabytes
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in some)
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def encodable(text: str) -> str:
    """Text that UTF-8 can hold: of a file name that is none, the odd bytes as codes."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shortened(text: str, longest: int) -> str:
    """Text cut in its middle, where file names differ least."""
    if len(text) <= longest:
        return text
    head = (longest - 1) // 2
    return text[:head] + "…" + text[len(text) - (longest - 1 - head) :]


def first_up(text: str) -> str:
    """Its first letter as at the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """With a capital and a full stop."""
    return f"{first_up(text.rstrip('.'))}."


def plural(count: int, one: str, many: str | None = None) -> str:
    """1 core dump, 1,234 core dumps."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def width() -> int:
    """Columns to write in: the terminal's, between 80 and 120; 80 where there is none."""
    return max(80, min(120, shutil.get_terminal_size((80, 24)).columns))


def page_width() -> int:
    """Columns of a page that is made for 80: fewer where the terminal has fewer, but not below 60."""
    return max(60, min(80, shutil.get_terminal_size((80, 24)).columns))


def echo(line: str, err: bool = False) -> None:
    """Write a line to a terminal or a pipe: as much of it as that can show."""
    stream = sys.stderr if err else sys.stdout
    click.echo(in_ascii(line) if plain_ascii(stream) else line, err=err, color=False if _no_color() else None)


def in_ascii(text: str) -> str:
    """The text with its shapes in ASCII and every other character as a code."""
    return text.translate(IN_ASCII).encode("ascii", "backslashreplace").decode()


def plain_ascii(stream: TextIO) -> bool:
    """Whether the output takes only ASCII. Python writes UTF-8 in the C locale; who sets it by hand wants ASCII."""
    stream = getattr(stream, "rich_proxied_file", stream)  # while a bar lives, rich stands before standard error
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    encoding = (stream.encoding or "ascii").lower()
    return "utf" not in encoding or locale in ("C", "POSIX") or os.environ.get("TERM") == "linux"


def _no_color() -> bool:
    return bool(os.environ.get("NO_COLOR"))  # https://no-color.org: any value but the empty one
