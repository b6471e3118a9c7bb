"""A tiny fleet from end to end: real crashes, slimmed, scanned by the program; and the command around it."""

import csv
import json
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.lab.fleet import fleet, placing
from broadstreet.lab.fleet.planted import Planted
from broadstreet.lab.kernel import obstacles
from broadstreet.lab.order import NotMade
from broadstreet.lab.truth import Truth, truths
from broadstreet.lab.zoo import ingest
from tests.lab.fleet.small import SMALL, changed, drawn
from tests.surfaces.shell import broadstreet

TINY = changed(
    ("count = 10", "count = 3"),
    ("rate = 1.0", "count = 3"),
    ("uptime_days = 3", "uptime_days = 30"),
    ("[chosen]", '[capture]\nratio = 0.9\n[[tenant]]\nname = "t-1"\nshare = 1\n[chosen]'),
)


pytestmark = pytest.mark.xdist_group("tiny fleet")  # made once


def cores(made: Path) -> set[str]:
    return {path.name for path in (made / "cores").iterdir() if path.suffix != ".json"}


def written(folder: Path, text: str = TINY) -> Path:
    place = folder / "tiny.toml"
    place.write_text(text)
    return place


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    missing = [*obstacles(), *([ingest.obstacle()] if ingest.obstacle() else [])]
    if missing:
        pytest.skip(f"cannot be made here: {missing}")
    folder = tmp_path_factory.mktemp("tiny")
    said = broadstreet(
        "lab", "make", written(folder), "--output", folder / "fleet", "--slim", "--seed", "2", store=folder
    )
    assert (said.status, said.err) == (0, "")
    return folder / "fleet"


def test_every_case_has_the_host_time_and_service_of_its_sidecar(made: Path, tmp_path: Path) -> None:
    said = broadstreet("scan", made, "-o", "csv", "--binaries", made / "binaries", store=tmp_path)
    cases = {Path(row["path"]).name: row for row in csv.DictReader(said.text.splitlines())}
    with (made / "truth" / "incidents.csv").open(newline="") as file:
        happened = {row["core"]: row for row in csv.DictReader(file) if row["core"]}
    assert cases.keys() == happened.keys() == cores(made)
    assert 5 <= len(cases) <= 6
    for name, case in cases.items():
        truth = happened[name]
        assert case["time"] == truth["time"].replace("Z", ".000000Z")
        for column in ("host", "service", "service_release", "workload", "region", "cpu"):
            assert case[column] == truth[column]
        assert (case["host_source"], case["time_source"]) == ("sidecar", "sidecar")
        assert case["kernel_release"] == ""  # that of the machine which made it would contradict `hosts`
        assert case["mechanism"] == {"rsp-8": "misaligned_stack"}.get(truth["mechanism"], "null_dereference")


def test_the_truth_of_each_core_dump_names_its_cause_and_place(made: Path) -> None:
    assert {truth.core for truth in truths(made / "truth")} == cores(made)
    for line in (made / "truth" / "truth.jsonl").read_text().splitlines():
        truth = json.loads(line)
        sidecar = json.loads((made / "cores" / f"{truth['core']}.json").read_text())
        assert truth["is"] == {"bad_machine": "hardware", "bugs": "software"}[truth["outbreak"]]
        assert (truth["time"], truth["host"]) == (sidecar["time"], sidecar["host"])
        assert sidecar["labels"] == {"fleet": "simulated", "tenant": "t-1"}
        assert truth["attempts"] >= 1


def test_the_builds_are_those_that_were_mapped(made: Path) -> None:
    with (made / "fleet" / "builds.csv").open(newline="") as file:
        builds = list(csv.DictReader(file))
    releases = {row["library"]: row["library_release"] for row in builds}
    assert releases["libunwind.so.8"].startswith("8.")
    assert {row["library_release"] for row in builds if row["library"] == "ingest"} <= {"26.0", "26.1"}
    assert all(len(row["build_id"]) == 40 for row in builds)


def test_the_page_of_the_fleet_counts_what_lies_there(made: Path) -> None:
    page = json.loads((made / "truth" / "fleet.json").read_text())
    assert (page["seed"], page["scenario"], page["not_made"]) == (2, "tiny", {})
    by_name = {cause["name"]: cause for cause in page["causes"]}
    assert by_name["bad_machine"]["only"] == {"physical_host": page["chosen"]["bad"]}
    assert by_name["bad_machine"]["onset"] == "2026-01-15T06:30:00Z"
    assert sum(cause["made"] for cause in page["causes"]) == len(cores(made))
    assert [cause["crashes"] for cause in page["causes"]] == [3, 3]


def test_a_sidecar_is_the_same_for_the_same_seed() -> None:
    one, same = drawn(text=TINY), drawn(text=TINY)
    for crash, again in zip(one.crashes, same.crashes, strict=True):
        assert placing.sidecar(one.scenario, crash, 7) == placing.sidecar(same.scenario, again, 7)


def test_an_order_that_is_never_made_is_said_and_leaves_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str | None] = []

    def survives(order: placing.Order, _: object) -> NotMade:
        tried.append(order.seed)
        return NotMade("survived")

    monkeypatch.setattr(placing, "MAKERS", {"bug": survives, "fault": survives})
    monkeypatch.setattr(placing, "refuse_what_this_machine_lacks", lambda scenario: None)
    output = tmp_path / "out"
    output.mkdir()
    said: list[str] = []
    text = changed(
        ("count = 3\nfrom", "count = 1\nfrom"), ("count = 3", "count = 0"), ("ratio = 0.9", "ratio = 1"), text=TINY
    )
    result = fleet.make(str(written(tmp_path, text)), output, fleet.Asked(1, jobs=1), said.append)
    assert said == ["crash 1 of bad_machine could not be made: survived"]
    assert (result.made, result.not_made) == (0, {1: "survived"})
    assert tried == [f"1/1/{attempt}" for attempt in range(1, placing.MOST_ATTEMPTS + 1)]
    assert list((output / "cores").iterdir()) == []


def test_a_cause_that_is_pinned_to_a_cpu_that_is_not_here_is_refused(tmp_path: Path) -> None:
    text = changed(("count = 3\nfrom", "count = 3\ncpu = 900\nfrom"), ("[fleet]", "[fleet]\ncpus = 1000"), text=TINY)
    output = tmp_path / "out"
    output.mkdir()
    with pytest.raises(UsageError, match="'bad_machine' pins its crashes to CPU 900, which this machine has not"):
        fleet.make(str(written(tmp_path, text)), output, fleet.Asked(1), print)
    assert list(output.iterdir()) == []
    fleet.make(str(written(tmp_path, text)), output, fleet.Asked(1, table_only=True), print)


def test_a_line_of_truth_can_be_read_as_that_of_any_core_dump() -> None:
    assert issubclass(Planted, Truth)


def test_the_command_names_the_scenarios_that_there_are(tmp_path: Path) -> None:
    said = broadstreet("lab", "make", "nowhere", "--output", tmp_path / "out", store=tmp_path)
    assert said.status == 2
    assert said.err.startswith("broadstreet: no scenario nowhere\n  Name a TOML file, or one of: bad_cpu, ")


def test_a_folder_that_is_not_empty_is_refused(tmp_path: Path) -> None:
    written(tmp_path, SMALL)
    said = broadstreet("lab", "make", "quiet", "--output", tmp_path, "--table-only", store=tmp_path)
    assert (said.status, said.err.count("is not empty")) == (2, 1)
