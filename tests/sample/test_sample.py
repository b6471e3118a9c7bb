"""The sample population that ships: real crashes, the same labels on any machine, a simulated fleet beside them."""

import csv
import json
from functools import lru_cache
from pathlib import Path

import pyarrow.parquet
import pytest

from broadstreet.lab.score.judged import Judged, judged
from broadstreet.lab.score.tally import tally
from broadstreet.lab.truth import truths
from broadstreet.pipeline.reading import case_at
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.circumstances import circumstances

SAMPLE = Path(__file__).parents[2] / "sample"
MOST_BYTES = 8 << 20  # core dumps and binaries
LEAST, MOST = 350, 450
TABLES = {"hosts", "placements", "services", "builds", "at_risk", "fatal_signals"}


@lru_cache(maxsize=1)
def crashes() -> list[Judged]:
    return judged(SAMPLE, None, [str(SAMPLE / "binaries")])


def cores() -> list[Path]:
    return sorted((SAMPLE / "cores").glob("*.core.zst"))


def rows(table: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = pyarrow.parquet.read_table(SAMPLE / "fleet" / f"{table}.parquet").to_pylist()
    return found


def test_every_core_dump_has_its_sidecar_and_its_truth() -> None:
    names = {path.name for path in cores()}
    assert LEAST <= len(names) <= MOST
    assert {path.name.removesuffix(".json") for path in (SAMPLE / "cores").glob("*.json")} == names
    assert {truth.core for truth in truths(SAMPLE / "truth")} == names


def test_the_incidents_name_the_core_dumps_that_lie_there() -> None:
    with (SAMPLE / "truth" / "incidents.csv").open(newline="") as file:
        named = {row["core"] for row in csv.DictReader(file) if row["captured"] == "yes"}
    assert named == {path.name for path in cores()}


def test_core_dumps_and_binaries_are_small() -> None:
    files = [path for part in ("cores", "binaries") for path in (SAMPLE / part).rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= MOST_BYTES


def test_the_labels_are_those_that_were_planted() -> None:
    counts = tally(crashes())
    assert [one.truth.core for one in counts.wrong] == []
    assert counts.not_judged == 0
    assert counts.false_findings == []


def test_the_bad_cpu_and_the_race_are_seen_as_what_they_are() -> None:
    of = {"hardware": set[str](), "race": set[str]()}
    for one in crashes():
        if one.truth.cause == "hardware":
            of["hardware"].add(one.case.mechanism)
        elif one.truth.family == "race":
            of["race"].add(one.case.mechanism)
            assert "unwinding_exception" in one.holds
    assert of["race"] == {"return_to_null"}
    assert "misaligned_stack" in of["hardware"]


def test_no_path_in_a_core_dump_is_that_of_the_machine_that_made_it() -> None:
    read = Binaries([str(SAMPLE / "binaries")])
    for core in cores()[::20]:
        paths = [module.path for module in case_at(str(core), read).modules]
        assert all(path.startswith(("/usr/lib/", "/opt/broadstreet/bin/", "[vdso]")) for path in paths), paths


@pytest.mark.parametrize("table", sorted(TABLES))
def test_a_table_of_the_fleet_is_there(table: str) -> None:
    assert rows(table)


def test_every_crash_happened_on_a_host_of_the_fleet_while_it_was_there() -> None:
    valid: dict[object, list[tuple[str, str]]] = {}
    for row in rows("hosts"):
        end = row["to"].isoformat() if row["to"] else "9999"  # type: ignore[attr-defined]
        valid.setdefault(row["host"], []).append((row["from"].isoformat(), end))  # type: ignore[attr-defined]
    for core in cores():
        known = circumstances(str(core))
        moment = (known.time or "").replace("Z", "+00:00")
        assert any(start <= moment < end for start, end in valid[known.host]), core.name


def test_every_sidecar_says_that_the_fleet_is_simulated() -> None:
    for core in cores():
        assert json.loads(Path(f"{core}.json").read_text())["labels"]["fleet"] == "simulated"


def test_no_core_dump_says_which_kernel_made_it() -> None:
    read = Binaries([str(SAMPLE / "binaries")])
    for core in cores()[::20]:
        case = case_at(str(core), read)
        assert case.circumstances.kernel_release is None
        assert not any("[vdso]" in gap.what for gap in case.missing)  # it is no binary that a user could add


def test_every_binary_has_its_licence() -> None:
    licences = (SAMPLE / "LICENSES.md").read_text()
    for path in (SAMPLE / "binaries").rglob("*.zst"):
        assert path.parent.name + path.name.removesuffix(".zst") in licences
