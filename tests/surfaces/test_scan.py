"""`broadstreet scan`: every form of output, what cannot be read, and the summary."""

import csv
import io
import json
import lzma
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pyarrow.parquet
import pytest
from click.testing import CliRunner, Result

from broadstreet.cases.row import COLUMNS
from broadstreet.errors import CasebookError
from broadstreet.store import syndromes as store
from broadstreet.surfaces.case_json import schema
from broadstreet.surfaces.cli import cli
from broadstreet.surfaces.output import writer
from tests import synth
from tests.features.machines import MACHINES, core, walker
from tests.features.read_back import dump
from tests.store.examined import ROOT
from tests.surfaces.shell import FLEET, Fleet, broadstreet, fleet

LARGE = "pointer of freed memory"  # its base is above 2**63
EVIL = "\x1b[31mred\x1b]0;title\x07\r\n\x9b2J‮gnp.exe"


def scan(places: Fleet | Path, *options: str | Path, status: int = 0) -> Result:
    """What the command prints, in this process."""
    cores = places.cores if isinstance(places, Fleet) else places
    store = places.store if isinstance(places, Fleet) else places / "no store"
    found = ["--binaries", str(places.binaries)] if isinstance(places, Fleet) else []
    run = CliRunner(env={"COLUMNS": "80", "BROADSTREET_BINARIES": str(store), "LC_ALL": "C.UTF-8"})
    result = run.invoke(cli, ["scan", str(cores), "--workers", "1", *found, *map(str, options)])
    assert result.exit_code == status, result.output
    return result


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def mechanisms() -> Counter[str]:
    return Counter(MACHINES[name].mechanism for name in FLEET)


def test_a_summary_says_how_many_crashes_stand_on_a_simulated_fleet(small_fleet: Fleet, tmp_path: Path) -> None:
    for name in ("core.0", "core.1", "core.2"):
        (tmp_path / name).write_bytes((small_fleet.cores / name).read_bytes())
    assert "Simulated" not in scan(tmp_path).output
    (tmp_path / "core.1.json").write_text('{"labels": {"fleet": "simulated"}}')
    assert "Simulated fleet: 1 of these are real crashes made in the lab" in scan(tmp_path).output
    for name in ("core.0", "core.2"):
        (tmp_path / f"{name}.json").write_text('{"labels": {"fleet": "simulated"}}')
    assert "Simulated fleet: these are real crashes made in the lab" in scan(tmp_path).output


def test_the_table_has_a_line_for_each_crash_and_ends_with_the_summary(small_fleet: Fleet) -> None:
    lines = scan(small_fleet).stdout.splitlines()
    assert lines[0].split() == ["core", "dump", "mechanism", "where"]
    assert [line.split() for line in lines[1 : 1 + len(FLEET)]] == [
        ["core.0", "return_to_null", "main"],
        ["core.1", "return_to_null", "main"],
        ["core.2", "call_to_null", "inner"],
        ["core.3", "null_dereference", "inner"],
        ["core.4", "poison_access", "inner"],
        ["core.5", "abort_heap_corruption", "raise"],
        ["core.6", "null_dereference", "inner"],
        ["core.7", "no_fault", "inner"],
    ]
    assert lines[lines.index("") + 1] == "  8 crashes, 8 with a mechanism."


def test_the_columns_of_the_table_stand_under_their_titles(small_fleet: Fleet) -> None:
    title, *lines = scan(small_fleet).stdout.splitlines()[: 1 + len(FLEET)]
    for line in lines:
        name, mechanism, where = line.split()
        assert [line.index(word) for word in (name, f" {mechanism}", f" {where}")] == [
            title.index(word) for word in ("core dump", " mechanism", " where")
        ]


def test_the_summary_counts_by_mechanism_the_largest_first(small_fleet: Fleet) -> None:
    text = scan(small_fleet).stdout
    counted = [line.split()[:2] for line in text.splitlines() if "█" in line]
    assert {label: int(count) for label, count in counted} == mechanisms()
    assert [int(count) for _, count in counted] == sorted(mechanisms().values(), reverse=True)
    assert "besides: unwinding_exception 1, in_signal_handler 1" in text


def test_the_summary_ranks_missing_binaries_by_the_cases_that_they_would_unlock(small_fleet: Fleet) -> None:
    lines = scan(small_fleet.cores).stdout.splitlines()
    listed = [line.split() for line in lines if line.endswith(("/walker", ".so.6", ".so.1"))]
    assert [row[0] for row in listed] == sorted((row[0] for row in listed), key=int, reverse=True)
    assert [walker.program.build_id.hex(), walker.program.path] in [row[2:] for row in listed]


def test_the_order_of_equals_does_not_change_from_run_to_run(small_fleet: Fleet) -> None:
    cores, store = small_fleet.cores, small_fleet.store
    runs = [broadstreet("scan", cores, store=store, changes={"PYTHONHASHSEED": seed}) for seed in "12"]
    first, second = ([line for line in said.text.splitlines() if " a second" not in line] for said in runs)
    assert first == second


def test_json_is_one_array_of_cases_that_fit_the_schema(small_fleet: Fleet) -> None:
    documents = json.loads(scan(small_fleet, "-o", "json").stdout)
    published = schema()
    for document in documents:
        jsonschema.validate(document, published)
    assert Counter(document["mechanism"] for document in documents) == mechanisms()


def test_ndjson_is_one_case_a_line(small_fleet: Fleet) -> None:
    lines = scan(small_fleet, "-o", "ndjson").stdout_bytes.splitlines()
    assert Counter(json.loads(line)["mechanism"] for line in lines) == mechanisms()


def test_csv_has_the_declared_columns(small_fleet: Fleet) -> None:
    found = rows(scan(small_fleet, "-o", "csv").stdout)
    assert list(found[0]) == [column.name for column in COLUMNS]
    assert Counter(row["mechanism"] for row in found) == mechanisms()


def test_csv_tells_null_from_false_and_zero(small_fleet: Fleet) -> None:
    found = {Path(row["path"]).name: row for row in rows(scan(small_fleet, "-o", "csv").stdout)}
    assert (found["core.0"]["pc"], found["core.0"]["abort_message"]) == ("0x0", "")
    assert (found["core.3"]["null_base"], found["core.4"]["null_base"]) == ("true", "false")


def test_summary_and_progress_leave_standard_output_to_the_data(small_fleet: Fleet) -> None:
    for form in ("json", "ndjson", "csv", "parquet"):
        result = scan(small_fleet, "-o", form)
        assert b"with a mechanism" not in result.stdout_bytes
        assert "8 crashes, 8 with a mechanism." in result.stderr


def parquet(content: bytes) -> Any:
    return pyarrow.parquet.read_table(io.BytesIO(content))


def test_parquet_addresses_are_unsigned_and_survive_above_half_of_the_range(tmp_path: Path) -> None:
    table = parquet(scan(fleet(tmp_path, [LARGE]), "-o", "parquet").stdout_bytes)
    types = {field.name: str(field.type) for field in table.schema}
    wanted = {"bool": "bool", "int": "int64", "address": "uint64", "text": "string"}
    assert types == {column.name: wanted[column.type] for column in COLUMNS}
    assert table["base_value"].to_pylist() == [0x5A5A_5A5A_5A5A_5A5A]


@pytest.mark.parametrize("value", [1 << 63, (1 << 64) - 0x1_0001, 0xFFFF_8000_0000_1234])
def test_parquet_holds_any_64_bits(value: int, tmp_path: Path) -> None:
    places = fleet(tmp_path, [])
    machine = MACHINES["pointer of garbage"]
    (places.cores / "core").write_bytes(
        synth.core_dump(core(replace(machine, registers={**machine.registers, "rax": value})))
    )
    table = parquet(scan(places, "-o", "parquet").stdout_bytes)
    assert table["base_value"].to_pylist() == [value]


def test_parquet_columns_carry_their_meaning(small_fleet: Fleet) -> None:
    table = parquet(scan(small_fleet, "-o", "parquet").stdout_bytes)
    field = table.schema.field("word_below_sp")
    assert field.metadata[b"meaning"].startswith(b"The word that a ret would have popped")
    assert {field.name for field in table.schema if not field.metadata[b"null"]} == set()


def test_parquet_tells_null_from_false_and_zero(small_fleet: Fleet) -> None:
    table = parquet(scan(small_fleet, "-o", "parquet").stdout_bytes).to_pylist()
    found = {Path(row["path"]).name: row for row in table}
    assert (found["core.0"]["pc"], found["core.0"]["abort_message"]) == (0, None)
    assert (found["core.4"]["null_base"], found["core.0"]["base_value"]) == (False, None)


def test_the_rows_of_csv_parquet_and_json_agree(small_fleet: Fleet) -> None:
    by_csv = {row["case_id"]: row for row in rows(scan(small_fleet, "-o", "csv").stdout)}
    by_parquet = {row["case_id"]: row for row in parquet(scan(small_fleet, "-o", "parquet").stdout_bytes).to_pylist()}
    by_json = {case["case_id"]: case for case in json.loads(scan(small_fleet, "-o", "json").stdout)}
    assert set(by_csv) == set(by_parquet) == set(by_json)
    for name, case in by_json.items():
        assert (by_csv[name]["sp"], hex(by_parquet[name]["sp"])) == (case["sp"], case["sp"])
        assert by_csv[name]["frames"] == by_parquet[name]["frames"]


@pytest.mark.parametrize("start", ["=1+1", "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1"])
def test_a_csv_cell_that_a_spreadsheet_would_run_is_quoted(start: str, tmp_path: Path) -> None:
    places = fleet(tmp_path, [])
    data = synth.core_dump(core(replace(MACHINES["abort by free"], abort_message=start)))
    (places.cores / "core").write_bytes(data)
    (found,) = rows(scan(places, "-o", "csv").stdout)
    assert found["abort_message"] == "'" + start


def test_a_negative_number_is_no_formula(tmp_path: Path) -> None:
    (found,) = rows(scan(fleet(tmp_path, ["abort by free"]), "-o", "csv").stdout)
    assert found["si_code"] == "-6"


def test_hostile_names_never_reach_the_terminal(tmp_path: Path) -> None:
    places = fleet(tmp_path, [])
    name = EVIL.replace("/", "")
    machine = replace(MACHINES["abort by free"], path=f"/opt/{EVIL}/walker", fname=EVIL, abort_message=EVIL)
    (places.cores / f"core.{name}").write_bytes(synth.core_dump(core(machine)))
    (places.cores / f"core.damaged.{name}").write_bytes(b"no core dump")
    result = scan(places)
    assert all(character.isprintable() or character == "\n" for character in result.output)
    assert r"\x1b[31mred" in result.stdout


def test_a_line_of_ndjson_holds_no_character_that_ends_a_line(tmp_path: Path) -> None:
    places = fleet(tmp_path, [])
    machine = replace(MACHINES["abort by free"], abort_message="one\ntwo\u2028three\x85four\x7f")
    (places.cores / "core").write_bytes(synth.core_dump(core(machine)))
    (line,) = scan(places, "-o", "ndjson").stdout.splitlines()
    assert json.loads(line)["features"]["abort_message"] == "one\ntwo\u2028three\x85four\x7f"


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv", "parquet"])
def test_a_file_name_that_is_no_text_stops_nothing(form: str, tmp_path: Path) -> None:
    places = fleet(tmp_path, ["a trap"])
    (places.cores / "core.0").rename(places.cores / "core.\udcff\udcfe")
    assert scan(places, "-o", form).stdout_bytes


def damaged(places: Fleet) -> Fleet:
    """Beside what is there: files that are cut, empty, foreign or hostile."""
    data = dump("read of nothing")
    large = bytearray(data)
    large[56:58] = (0xFFFF).to_bytes(2, "little")  # e_phnum: PN_XNUM
    files = {
        "core.half": data[: len(data) // 2],
        "core.empty": b"",
        "core.text": b"a letter\n",
        "core.foreign": data[:18] + (8).to_bytes(2, "little") + data[20:],
        "core.headers": bytes(large),
        "core.bomb.xz": lzma.compress(bytes(1 << 20)),
        "core.damaged.zst": b"\x28\xb5\x2f\xfd" + b"\xff" * 20,
        "core.4.json": b"not JSON",
        "notes.txt": b"no core dump by name or content",
    }
    for name, content in files.items():
        (places.cores / name).write_bytes(content)
    return places


def test_a_file_that_cannot_be_read_is_named_with_its_reason_and_stops_nothing(tmp_path: Path) -> None:
    result = scan(damaged(fleet(tmp_path)))
    named = {
        Path(line.split(": ")[0].strip()).name: line.split(": ", 1)[1]
        for line in result.stdout.splitlines()
        if line.startswith("    /")
    }
    assert set(named) == {"core.empty", "core.text", "core.foreign", "core.bomb.xz", "core.damaged.zst", "core.4"}
    assert "found 61 20 6c 65" in named["core.text"]
    assert "found machine 8" in named["core.foreign"]
    assert "core.4.json" in named["core.4"]
    assert "9 crashes" in result.stdout
    assert "6 files could not be read." in result.stdout


def test_core_dumps_that_were_cut_off_are_counted(tmp_path: Path) -> None:
    assert "from core dumps that were cut off" in scan(damaged(fleet(tmp_path))).stdout
    assert "cut off" not in scan(fleet(tmp_path / "whole")).stdout


def test_damage_changes_no_other_answer(tmp_path: Path) -> None:
    before = {row["path"]: row for row in rows(scan(fleet(tmp_path), "-o", "csv").stdout)}
    damaged(Fleet(tmp_path / "cores", tmp_path / "binaries", tmp_path / "store"))
    after = {row["path"]: row for row in rows(scan(tmp_path / "cores", "-o", "csv").stdout)}
    assert {path for path in before if path not in after} == {str(tmp_path / "cores" / "core.4")}


def test_folders_below_are_searched_and_links_are_not_followed(tmp_path: Path) -> None:
    places = fleet(tmp_path, ["a trap"])
    deep = places.cores / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "core.1").write_bytes(dump("call into the heap"))
    (deep / "round").symlink_to(places.cores)
    (deep / "core.link").symlink_to(places.cores / "core.0")
    names = [Path(row["path"]).name for row in rows(scan(places, "-o", "csv").stdout)]
    assert sorted(names) == ["core.0", "core.1"]


def test_several_places_are_scanned_and_a_file_may_be_one(tmp_path: Path) -> None:
    first, second = fleet(tmp_path / "1", ["a trap"]), fleet(tmp_path / "2", ["call into the heap", "read of nothing"])
    found = rows(scan(first, second.cores / "core.1", "-o", "csv").stdout)
    assert [row["mechanism"] for row in found] == ["deliberate_trap", "unmapped_access"]


def test_a_core_dump_in_two_of_the_places_counts_once(tmp_path: Path) -> None:
    places = fleet(tmp_path, ["a trap", "read of nothing"])
    found = rows(scan(places, places.cores / "core.1", places.cores / ".", "-o", "csv").stdout)
    assert [row["mechanism"] for row in found] == ["deliberate_trap", "unmapped_access"]


def test_an_empty_folder_exits_1_and_says_how_core_dumps_are_known(tmp_path: Path) -> None:
    result = scan(tmp_path, status=1)
    assert result.stdout.splitlines()[1] == f"  No core dumps below {tmp_path}"


def test_where_nothing_could_be_read_it_exits_1(tmp_path: Path) -> None:
    (tmp_path / "core.text").write_bytes(b"a letter\n")
    assert "0 crashes, 0 with a mechanism; 1 file could not be read." in scan(tmp_path, status=1).stdout


def test_a_place_that_is_not_there_is_a_usage_error(small_fleet: Fleet) -> None:
    said = broadstreet("scan", small_fleet.cores, "/nowhere/at/all", store=small_fleet.store)
    assert (said.status, said.out) == (2, b"")
    assert said.err.splitlines()[0] == "broadstreet: no such file or folder: /nowhere/at/all"


@pytest.mark.parametrize("arguments", [(), ("-o", "xml"), ("--workers", "0"), ("--nonsense",)])
def test_wrong_arguments_are_usage_errors(arguments: tuple[str, ...], small_fleet: Fleet) -> None:
    places = [str(small_fleet.cores)] if arguments else []
    assert CliRunner().invoke(cli, ["scan", *places, *arguments]).exit_code == 2


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv", "parquet"])
def test_output_goes_to_the_file_and_the_summary_to_standard_error(
    form: str, small_fleet: Fleet, tmp_path: Path
) -> None:
    result = scan(small_fleet, "-o", form, "--output", tmp_path / "cases")
    assert result.stdout_bytes == b""
    assert "8 crashes" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cases"]
    assert (tmp_path / "cases").stat().st_size > 100


@pytest.mark.parametrize("form", ["table", "json", "ndjson", "csv", "parquet"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_output_that_was_not_finished_leaves_the_old_file_and_nothing_else(
    form: str, error: type[BaseException], tmp_path: Path
) -> None:
    old = tmp_path / "cases"
    old.write_text("of yesterday")
    with pytest.raises(error), writer(form, str(old)):
        raise error
    assert [path.name for path in tmp_path.iterdir()] == ["cases"]
    assert old.read_text() == "of yesterday"


def test_output_into_a_folder_that_is_not_there_is_a_usage_error(small_fleet: Fleet) -> None:
    said = broadstreet("scan", small_fleet.cores, "--output", "/nowhere/at/all/cases", store=small_fleet.store)
    assert (said.status, said.out) == (2, b"")
    assert "/nowhere/at/all/cases" in said.err
    assert "Traceback" not in said.err


def test_workers_give_the_same_cases_as_one(tmp_path: Path) -> None:
    places = fleet(tmp_path, MACHINES)
    told = {}
    for workers in ("1", "2"):
        arguments = ("scan", places.cores, "--binaries", places.binaries, "-o", "ndjson", "--workers", workers)
        said = broadstreet(*arguments, store=places.store)
        assert said.status == 0
        told[workers] = sorted(said.out.splitlines())
    assert len(told["1"]) == len(MACHINES)
    assert told["1"] == told["2"]


def test_a_scan_whose_syndromes_cannot_be_kept_says_so_and_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> bool:
        raise CasebookError("assignments: No space left on device")

    monkeypatch.setattr(store, "append_if_unchanged", full)
    casebook = tmp_path / "casebook"
    said = scan(ROOT / "sample" / "cores" / "0153.core.zst", "--casebook", casebook, "-o", "ndjson")
    note = "  Every case is kept; its syndrome is not yet: assignments: No space left on device."
    assert f"{note} The next scan tries again." in said.stderr.splitlines()
    assert len(said.stdout.splitlines()) == 1
