"""Tables for the terminal, and docs/benchmarks.md: the figures, the machine, the versions, the command."""

import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from importlib.metadata import version as distribution_version
from pathlib import Path

from bench.part import Part, Table
from bench.peers import DRGN, EU_STACK, GDB, available, version

DOCUMENT = Path(__file__).parent.parent / "docs" / "benchmarks.md"
ASKED_HEAD = ("part", "figure", "asked", "found", "")
DISTRIBUTIONS = ("capstone", "deltalake", "distributed", "duckdb", "msgspec", "obstore", "pyarrow")


def text(table: Table) -> str:
    """A table for a terminal."""
    rows = [table.head, *table.rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(table.head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([f"\n{table.title}", *(f"  {line}" for line in lines), *(f"  {note}" for note in table.notes)])


def asked_table(parts: Iterable[Part]) -> Table:
    """Every figure that was asked for, the ones that fall short marked."""
    rows: list[tuple[str, ...]] = []
    for part in parts:
        rows += [(part.title, one.what, one.asked, one.found, "met" if one.met else "short") for one in part.asked]
    return Table("What was asked, and what was found", ASKED_HEAD, rows)


def write_document(parts: Sequence[Part], absent: Sequence[str], command: str) -> None:
    """Write the page."""
    lines = [
        "# Benchmarks",
        "",
        f"Written by `{command}`; do not edit. Reading is measured in CPU time, since wall time on a shared machine"
        " says little; scans into a casebook, buckets and questions in wall time, as a user waits for them. The"
        " programs are made and crashed on the spot and removed afterwards (`bench/`).",
        "",
        *_markdown(Table("Machine", ("what", "here"), machine())),
        *_markdown(asked_table(parts)),
        *_short(parts),
        *(line for reason in absent for line in (f"Not measured: {reason}", "")),
    ]
    for part in parts:
        for table in part.tables:
            lines += _markdown(table)
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text("\n".join(lines).rstrip() + "\n", "utf-8")


def machine() -> list[tuple[str, ...]]:
    """The machine and the versions, as rows."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    compiler = version("gcc") if available("gcc") else "gcc: not installed"
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True).stdout.strip()
    packages = [f"{name} {distribution_version(name)}" for name in DISTRIBUTIONS]
    peers = [version(name) if available(name) else f"{name}: not installed" for name in (GDB, EU_STACK, DRGN)]
    return [
        ("CPU", f"{_processor()}, {len(os.sched_getaffinity(0))} used"),
        ("memory", f"{memory:.0f} GiB"),
        ("system", f"Linux {platform.release()}, {platform.freedesktop_os_release()['PRETTY_NAME']}"),
        ("Python", ", ".join([platform.python_version(), *packages])),
        ("compiler", compiler),
        ("peers", "; ".join(peers)),
        ("Broad Street", commit or "not in git"),
    ]


def _short(parts: Iterable[Part]) -> list[str]:
    short = [(part.title, one) for part in parts for one in part.asked if not one.met]
    lines = [f"- {title}, {one.what}: {one.found}, asked {one.asked}" for title, one in short]
    return ["## Short of what was asked", "", *(lines or ["Nothing."]), ""]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()


def _markdown(table: Table) -> list[str]:
    rows = [[cell.replace("|", "\\|") for cell in row] for row in table.rows]
    lines = [f"## {table.title}", "", _line(table.head), _line(["---"] * len(table.head)), *map(_line, rows), ""]
    for note in table.notes:
        lines += [note, ""]
    return lines


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"
