"""The tables of a fleet: the same seed gives the same bytes, no row overlaps, no hour is missing."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from pyarrow import parquet

from broadstreet.lab.fleet import fleet, incidents, tables
from tests.lab.fleet.small import SMALL, changed, drawn, scenario

END = datetime.fromisoformat("2026-01-30T00:00:00Z")
COLUMNS = {  # as DESIGN.md has them
    "hosts": "host region zone rack sku cpu_model microcode kernel_release boot_time from to",
    "placements": "host physical_host from to",
    "services": "host service service_release workload from to",
    "at_risk": "host service service_release workload from to host_hours",
    "fatal_signals": "host hour count",
}
MORE = (
    ("rate = 1.0", 'rate = 40\nper = "exceptions"'),
    ("[chosen]", '[exceptions]\nper_hour = { bulk = 50, serve = 10 }\n[[tenant]]\nname = "a"\nshare = 1\n[chosen]'),
)


def made(folder: Path, *changes: tuple[str, str], **asked: object) -> Path:
    folder.mkdir()
    source = folder / "small.toml"
    source.write_text(changed(*changes))
    output = folder / "fleet"
    output.mkdir()
    fleet.make(str(source), output, fleet.Asked(**{"seed": 1, "table_only": True, **asked}), print)  # type: ignore[arg-type]
    return output


def rows(output: Path, name: str) -> list[dict[str, str]]:
    with (output / "fleet" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def when(text: str) -> datetime:
    return datetime.fromisoformat(text) if text else END


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("fleet") / "one")


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, form: str) -> None:
    one, same, other = (
        files(made(tmp_path / name, form=form, seed=seed)) for name, seed in (("a", 5), ("b", 5), ("c", 6))
    )
    assert one == same
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] == other[name]} == {"truth/scenario.toml"}


def test_the_order_of_a_set_does_not_reach_the_draw() -> None:
    once = drawn(seed=3)
    Random().random()
    assert drawn(seed=3) == once


def test_the_columns_are_those_that_the_product_reads(output: Path) -> None:
    assert {path.stem for path in (output / "fleet").iterdir()} == COLUMNS.keys()
    for name, columns in COLUMNS.items():
        assert " ".join(rows(output, name)[0]) == columns


def test_tenants_and_exceptions_are_exposures(tmp_path: Path) -> None:
    found = rows(made(tmp_path / "more", *MORE), "at_risk")
    assert list(found[0])[4:] == ["tenant", "from", "to", "host_hours", "exceptions"]
    for row in found:
        per_hour = {"bulk": 50, "serve": 10}[row["workload"]]
        assert abs(int(row["exceptions"]) - per_hour * float(row["host_hours"])) <= 1


@pytest.mark.parametrize("name", ["hosts", "placements", "services", "at_risk"])
def test_no_two_rows_of_a_host_hold_at_once(output: Path, name: str) -> None:
    spans = defaultdict(list)
    for row in rows(output, name):
        spans[row["host"]].append((when(row["from"]), when(row["to"])))
    assert len(spans) > 60
    for found in spans.values():
        found.sort()
        assert all(start < end for start, end in found)
        assert all(end <= start for (_, end), (start, _) in pairwise(found))


def test_the_hours_at_risk_are_all_the_hours_that_hosts_were_up(output: Path) -> None:
    up = defaultdict(float)
    for row in rows(output, "hosts"):
        up[row["host"]] += (when(row["to"]) - when(row["from"])).total_seconds() / 3600
    at_risk: Counter[str] = Counter()
    for row in rows(output, "at_risk"):
        hours = (when(row["to"]) - when(row["from"])).total_seconds() / 3600
        assert float(row["host_hours"]) == pytest.approx(hours, abs=1e-3)
        at_risk[row["host"]] += hours
    assert at_risk == pytest.approx(up)
    boots = len(rows(output, "hosts")) - 48
    assert 48 * 480 - boots * 600 / 3600 <= sum(at_risk.values()) <= 48 * 480


def test_without_boots_no_hour_is_missing(tmp_path: Path) -> None:
    found = rows(made(tmp_path / "still", ("uptime_days = 3", "uptime_days = 36500")), "at_risk")
    assert sum(float(row["host_hours"]) for row in found) == pytest.approx(48 * 480, abs=1e-6 * len(found) * 100)


def test_a_row_begins_where_something_changed(output: Path) -> None:
    last: dict[str, dict[str, str]] = {}
    for row in rows(output, "placements"):
        before = last.get(row["host"])
        assert before is None or before["physical_host"] != row["physical_host"]
        last[row["host"]] = row


def test_fatal_signals_count_every_crash_captured_or_not(tmp_path: Path) -> None:
    output = made(tmp_path / "lossy", ("[chosen]", "[capture]\nratio = 0.5\n[chosen]"))
    with (output / "truth" / "incidents.csv").open(newline="") as file:
        crashes = list(csv.DictReader(file))
    signals: Counter[tuple[str, str]] = Counter()
    for row in rows(output, "fatal_signals"):
        assert row["hour"].endswith(":00:00Z")
        signals[row["host"], row["hour"]] += int(row["count"])
    assert signals == Counter((crash["host"], f"{crash['time'][:13]}:00:00Z") for crash in crashes)
    assert 0 < sum(bool(crash["core"]) for crash in crashes) < sum(signals.values())


def test_every_crash_is_at_risk_where_the_tables_say(output: Path) -> None:
    with (output / "truth" / "incidents.csv").open(newline="") as file:
        crashes = list(csv.DictReader(file))
    assert len(crashes) > 20
    for crash in crashes:
        for name, columns in (
            ("at_risk", ("service", "service_release", "workload")),
            ("hosts", ("region", "rack", "sku", "microcode", "kernel_release", "boot_time")),
            ("placements", ("physical_host",)),
            ("services", ("service_release", "workload")),
        ):
            (row,) = _at(rows(output, name), crash)
            assert [row[column] for column in columns] == [crash[column] for column in columns]


def _at(found: list[dict[str, str]], crash: dict[str, str]) -> Iterator[dict[str, str]]:
    for row in found:
        if row["host"] == crash["host"] and when(row["from"]) <= when(crash["time"]) < when(row["to"]):
            yield row


def test_an_unrecorded_placement_leaves_one_crash_without_a_physical_host(tmp_path: Path) -> None:
    output = made(tmp_path / "gap", ("[chosen]", '[[unrecorded]]\ncause = "bad_machine"\nhours = 2\n[chosen]'))
    with (output / "truth" / "incidents.csv").open(newline="") as file:
        crashes = list(csv.DictReader(file))
    placements = rows(output, "placements")
    lost = [crash for crash in crashes if not list(_at(placements, crash))]
    assert [crash["outbreak"] for crash in lost] == ["bad_machine"]


def test_parquet_says_what_csv_says(tmp_path: Path, output: Path) -> None:
    other = made(tmp_path / "parquet", form="parquet")
    for name in COLUMNS:
        table = parquet.read_table(other / "fleet" / f"{name}.parquet")
        assert table.schema.names == COLUMNS[name].split()
        for column in table.schema:
            is_time = column.name in ("from", "to", "hour", "boot_time")
            assert str(column.type).endswith("tz=UTC]") == is_time
        said = [{key: _text(value) for key, value in row.items()} for row in table.to_pylist()]
        assert said == rows(output, name)


def _text(value: object) -> str:
    if isinstance(value, datetime):
        assert value.utcoffset() == timedelta(0)
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return "" if value is None else str(value)


def test_names_of_core_dumps_tell_nothing_but_the_order() -> None:
    cores = [crash.core() for crash in drawn().crashes]
    assert cores == [f"{number:04}.core" for number in range(1, len(cores) + 1)]


def test_the_small_fleet_is_what_its_text_says() -> None:
    assert scenario() == scenario(text=SMALL)
    assert incidents.stay_at((), 0) is None
    assert tables.iso(0) == "1970-01-01T00:00:00Z"
