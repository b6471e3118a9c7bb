"""What people read, as files: tests/snapshots. `UPDATE_SNAPSHOTS=1 make test` writes them again; read the diff."""

import os
import re
from pathlib import Path

import pytest

from tests.surfaces.shell import Fleet, broadstreet

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


def same(name: str, text: str) -> None:
    """Compare with the file, or write it."""
    place = SNAPSHOTS / name
    if os.environ.get("UPDATE_SNAPSHOTS"):
        place.write_text(text, "utf-8")
    assert text == place.read_text("utf-8")


def steady(text: str, fleet: Fleet) -> str:
    """Without what differs from run to run: the folder, the time taken, and how the reader batches its reads."""
    text = text.replace(str(fleet.cores), "/var/cores")
    text = re.sub(r"\d+\.\d s, [\d,]+ a second", "N s, N a second", text)
    text = re.sub(r"\d[\d.]* (KB|MB) of a", "N KB of a", text)
    return re.sub(r"Read \d[\d.]* (KB|MB) of", "Read N KB of", text)


@pytest.mark.parametrize(
    ("snapshot", "core", "options"),
    [
        ("read.return_to_null.txt", "core.1", ()),
        ("read.null_dereference.txt", "core.3", ("--threads",)),
    ],
)
def test_a_page(snapshot: str, core: str, options: tuple[str, ...], small_fleet: Fleet) -> None:
    binaries = ("--binaries", small_fleet.binaries)
    said = broadstreet("read", small_fleet.cores / core, *binaries, *options, store=small_fleet.store)
    same(snapshot, steady(said.text, small_fleet))


def test_a_page_without_binaries_in_ascii(small_fleet: Fleet) -> None:
    said = broadstreet("read", small_fleet.cores / "core.2", store=small_fleet.store, changes={"LC_ALL": "C"})
    same("read.not_judged.ascii.txt", steady(said.text, small_fleet))


def test_a_case_as_json(small_fleet: Fleet) -> None:
    core = small_fleet.cores / "core.1"
    said = broadstreet("read", core, "--json", "--binaries", small_fleet.binaries, store=small_fleet.store)
    text = re.sub(r'("bytes_read"|"time"): [^,]+', r"\1: null", said.text)
    same("read.return_to_null.json", steady(text, small_fleet))


def test_a_scan(small_fleet: Fleet) -> None:
    arguments = ("scan", small_fleet.cores, "--binaries", small_fleet.binaries)
    same("scan.txt", steady(broadstreet(*arguments, store=small_fleet.store).text, small_fleet))


def test_a_scan_without_binaries(small_fleet: Fleet) -> None:
    said = broadstreet("scan", small_fleet.cores, store=small_fleet.store)
    same("scan.without_binaries.txt", steady(said.text, small_fleet))
