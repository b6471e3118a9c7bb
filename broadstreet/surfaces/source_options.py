"""Options of commands that read sources: a layout of paths, which specimens, and what it would cost to read them."""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from broadstreet.errors import UsageError
from broadstreet.records.specimen import Specimen
from broadstreet.surfaces.durations import MOMENTS, moment

if TYPE_CHECKING:
    from broadstreet.sources.dry_run import Expected
    from broadstreet.sources.selection import Selection

UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
BINARY_UNITS = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
NAMES = ("layout", "since", "until", "name", "smallest", "largest", "sample", "dry_run")


@dataclass(frozen=True)
class AskedSources:
    """What these options say. `layout` and `selection` are null where nothing was asked for."""

    layout: str | None
    selection: "Selection"
    dry_run: bool

    def specimens(self, places: tuple[str, ...]) -> Iterator[Specimen]:
        """Those that are asked for, as they are listed; of places that overlap, each file counts once."""
        from broadstreet.formats.path_layout import path_layout
        from broadstreet.sources.specimens import specimens

        layout = path_layout(self.layout) if self.layout is not None else None
        seen: set[str] = set()
        for place in places:
            for specimen in self.selection.chosen(specimens(place, layout)):
                if len(places) > 1:
                    real = os.path.realpath(specimen.location) if "://" not in specimen.location else specimen.location
                    if real in seen:
                        continue
                    seen.add(real)
                yield specimen


def source_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Which of a source's core dumps are read, and how its paths are laid out; the command gets one `asked`."""

    @wraps(command)
    def with_asked(*values: Any, **named: Any) -> Any:
        given = {name: named.pop(name) for name in NAMES}
        return command(*values, asked=asked_sources(**given), **named)

    for option in reversed(_OPTIONS):
        with_asked = option(with_asked)
    return with_asked


_OPTIONS = (
    click.option(
        "--layout", metavar="PATTERN", help="Take where and when from paths: '{region}/{host}/{time:%Y-%m-%d}-*'."
    ),
    click.option("--since", metavar="TIME", help=f"Only those from then on: {MOMENTS}."),
    click.option("--until", metavar="TIME", help="Only those before."),
    click.option("--name", multiple=True, metavar="GLOB", help="Only those with such a name. Repeatable."),
    click.option("--smallest", metavar="SIZE", help="Only those of this size at least: 64KiB, 1MB."),
    click.option("--largest", metavar="SIZE", help="Only those of this size at most."),
    click.option("--sample", metavar="SHARE", help="Only this share of them, the same each time: 1%."),
    click.option("--dry-run", is_flag=True, help="Read nothing; say what would be read and what it would cost."),
)


def asked_sources(
    layout: str | None = None,
    since: str | None = None,
    until: str | None = None,
    name: tuple[str, ...] = (),
    smallest: str | None = None,
    largest: str | None = None,
    sample: str | None = None,
    dry_run: bool = False,
    now: datetime | None = None,
) -> AskedSources:
    """What the texts of these options mean; a UsageError where they mean nothing."""
    from broadstreet.formats.path_layout import path_layout
    from broadstreet.sources.selection import Selection

    now = now or datetime.now(UTC)
    if layout is not None:
        path_layout(layout)
    selection = Selection(
        since=_time("--since", since, now),
        until=_time("--until", until, now),
        names=tuple(name),
        smallest=_size("--smallest", smallest),
        largest=_size("--largest", largest),
        sample=_share(sample),
    )
    return AskedSources(layout, selection, dry_run)


def dry_run_lines(found: "Expected") -> list[str]:
    """What a scan of these would read and cost, for a human."""
    from broadstreet.sources.dry_run import KINDS

    kinds = ", ".join(f"{found.count[kind]:,} {kind}" for kind in KINDS if found.count[kind])
    lines = [f"{found.specimens:,} core dumps would be read{f': {kinds}' if kinds else ''}"]
    if not found.specimens:
        return lines
    share = 100 * found.bytes_read / max(1, found.bytes_present)
    percent = f"{share:.0f}" if share >= 10 else f"{share:.2g}"
    lines.append(f"present   {_bytes(found.bytes_present)}")
    lines.append(f"to read   at most {_bytes(found.bytes_read)} ({percent} %), from measured means")
    if found.remote:
        cost = f"{found.dollars:,.2f}" if found.dollars >= 0.005 else "less than 0.01"
        lines.append(
            f"requests  about {found.requests:,.0f}, for {cost} USD at the price of S3 Standard, in its region"
        )
    return lines


def _time(option: str, text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        return moment(text, now)
    except ValueError as error:
        raise UsageError(f"{option} {text} is no time", f"{option} 2026-06-30T12:00, in UTC, or {option} 7d") from error


def _size(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    size = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?) ?([kmgt]?)(i?)b?", text.lower())
    if size is None or (size[3] and not size[2]):
        raise UsageError(f"{option} {text} is no size", f"{option} 64KiB, or {option} 1.5GB")
    return int(float(size[1]) * (BINARY_UNITS if size[3] else UNITS)[size[2]])


def _share(text: str | None) -> float:
    if text is None:
        return 1.0
    share = re.fullmatch(r"(\d{1,3}(?:\.\d{1,9})?)(%?)", text.replace(" ", ""))
    value = float(share[1]) / (100 if share[2] else 1) if share else 0.0
    if not 0.0 < value <= 1.0:
        raise UsageError(f"--sample {text} is no share", "--sample 1%, or --sample 0.01")
    return value


def _bytes(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} TiB"
