"""What the commands about a casebook say."""

from collections.abc import Iterator

from broadstreet.records.columns import EVIDENCE
from broadstreet.store.coverage import Contents
from broadstreet.store.forgetting import Forgotten
from broadstreet.store.tidying import Tidied
from broadstreet.surfaces.casebook_options import SIMULATED
from broadstreet.surfaces.text import plural, safe, size

_STALE = {
    "stale_rules": ("judged by other rules", "broadstreet relabel"),
    "stale_reader": ("read by an older reader", "broadstreet scan SOURCE --casebook URL --reread stale"),
    "unreadable": (
        "could not be read",
        'broadstreet sql "select location, reason from specimens where unreadable is not null"',
    ),
}


def info_lines(held: Contents, coverage: dict[str, int]) -> Iterator[str]:
    """A casebook at a glance."""
    yield f"  {safe(held.url)}, version {held.version}"
    if held.simulated:
        yield SIMULATED
    yield ""
    span = f", {held.first:%Y-%m-%d} to {held.last:%Y-%m-%d}" if held.first and held.last else ""
    yield f"  {plural(held.cases, 'case')}{span}, of {plural(held.specimens, 'specimen')}"
    for name, (said, remedy) in _STALE.items():
        if coverage[name]:
            yield f"  {coverage[name]:,} {said}; {remedy}"
    if held.pinned:
        yield f"  versions that verdicts cite: {', '.join(map(str, held.pinned))}"
    yield ""
    yield f"  {'table':14}{'rows':>12}{'files':>8}{'size':>10}{'a case':>10}"
    for table in held.tables:
        cost = f"{table.size / held.cases:,.0f} B" if held.cases else ""
        yield f"  {table.name:14}{table.rows:12,}{table.files:8,}{size(table.size):>10}{cost:>10}"
    without, everything = held.bytes_per_case(False), held.bytes_per_case(True)
    if without is not None and everything is not None:
        yield ""
        yield f"  {without:,.0f} bytes a case without {EVIDENCE.name}, {everything:,.0f} with it"


def tidied_lines(tidied: Tidied) -> Iterator[str]:
    """What tidying came to."""
    yield f"  {plural(tidied.readings, 'reading')} and {plural(tidied.evidence, 'piece')} of evidence dropped."
    yield f"  {size(tidied.bytes_before)} -> {size(tidied.bytes_after)}"
    if tidied.files_left:
        yield f"  {plural(tidied.files_left, 'file')} of earlier versions may be open in a reader, and go with the next"
        yield "  tidying, an hour later. --now removes them at once."


def forgotten_lines(done: Forgotten) -> Iterator[str]:
    """What was forgotten, and the proof."""
    if not done.readings and not done.fleet_rows:
        yield "  Nothing of that was here."
    else:
        rows = f", {plural(done.fleet_rows, 'row')} of the fleet's tables" if done.fleet_rows else ""
        yield f"  {plural(done.cases, 'case')} forgotten ({plural(done.readings, 'reading')}{rows})."
    searched = f"{size(done.bytes_searched)} in {plural(done.files, 'file')}"
    if not done.found:
        yield f"  Searched {searched} for {plural(done.names, 'name')}: none is left."
        return
    yield f"  Searched {searched} for {plural(done.names, 'name')}. STILL FOUND:"
    for place in done.found:
        yield f"    {safe(place)}"
    yield "  A name may belong to another case too: look at these."
