"""Bytes read of a core dump: what the crash needs, whatever the size of the process."""

from bench.cost import cpu_here, spread
from bench.crashes import Workshop
from bench.part import Asked, Part, Table
from broadstreet.pipeline import BinarySources, case_at

RUNS = 50
NOISE = 0.10  # of the bytes: mappings and places of libraries differ from run to run
PREFIX, BEYOND = 64 << 10, 96 << 10


def measure(workshop: Workshop) -> Part:
    """Compare 10 MB with 2 GB, and show the other programs beside them."""
    table = Table(
        "Bytes read for the crashing thread",
        ("program", "core dump, bytes", "on disk", "read, least-greatest", "CPU ms, warm"),
    )
    binaries = BinarySources().open()
    read: dict[str, int] = {}
    for crashes in (workshop.deep(), workshop.deep_large(), workshop.numpy(), workshop.threads()):
        sizes = [case_at(str(core), binaries).bytes_read for core in crashes.cores]
        path = str(crashes.cores[0])
        cost = spread([cpu_here(lambda path=path: case_at(path, binaries)) for _ in range(RUNS)])
        status = crashes.cores[0].stat()
        read[crashes.title] = sorted(sizes)[len(sizes) // 2]
        table.rows.append(
            (
                crashes.title,
                f"{status.st_size:,}",
                f"{status.st_blocks * 512:,}",
                f"{min(sizes):,}-{max(sizes):,}",
                str(cost),
            )
        )
    small, large = read[workshop.deep().title], read[workshop.deep_large().title]
    change = (large - small) / small
    asked = Asked("bytes read, 2 GB against 10 MB", "the same", f"{100 * change:+.1f} %", abs(change) <= NOISE)
    return Part("size", (table,), (asked,))
