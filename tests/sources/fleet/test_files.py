"""Files as rows of a table: every form says the same, and what cannot be taken is named by its row."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as arrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from broadstreet.errors import BroadStreetError, UsageError
from broadstreet.records.columns import FLEET
from broadstreet.sources.fleet.files import FleetFile, fleet_file, tells_of
from broadstreet.sources.fleet.mapping import Mapping as Columns
from broadstreet.sources.fleet.mapping import mappings
from tests.fleet_store import csv

SAMPLE = Path(__file__).parents[3] / "sample" / "fleet"
T1, T2 = "2026-01-01T00:00:00Z", "2026-02-01T12:30:00Z"


def read(table: str, path: Path, mapping: Columns | None = None) -> FleetFile:
    return fleet_file(FLEET[table], str(path), mapping or Columns(), None)


def told(file: FleetFile) -> list[tuple[int | None, str, str]]:
    return [(problem.row, problem.column, problem.value) for problem in file.problems]


def rows(file: FleetFile) -> list[dict[str, Any]]:
    assert file.problems == ()
    return [{name: value for name, value in row.items() if value not in (None, [])} for row in file.rows.to_pylist()]


@pytest.mark.parametrize("name", FLEET)
def test_every_value_of_the_sample_is_kept(name: str) -> None:
    given_rows, file = parquet.read_table(SAMPLE / f"{name}.parquet"), read(name, SAMPLE / f"{name}.parquet")
    assert file.problems == ()
    assert file.exposures == ()
    for column in given_rows.column_names:
        assert file.rows.column(column).to_pylist() == given_rows.column(column).to_pylist()


WRITTEN: list[Mapping[str, object]] = [
    {"host": "vm-1", "from": T1, "to": T2, "sku": "e96", "pool": "blue"},
    {"host": "vm-2", "from": T1, "to": None, "sku": None, "pool": None},
]


def as_csv(path: Path, delimiter: str = ",") -> None:
    lines = [delimiter.join(WRITTEN[0]), *(delimiter.join(str(v or "") for v in row.values()) for row in WRITTEN)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def as_parquet(path: Path) -> None:
    parquet.write_table(arrow.Table.from_pylist([dict(row) for row in WRITTEN]), path)


FORMS = {
    "csv": as_csv,
    "semicolons": lambda path: as_csv(path, ";"),
    "tabs": lambda path: as_csv(path, "\t"),
    "a byte-order mark": lambda path: (as_csv(path), path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())),
    "windows lines": lambda path: (as_csv(path), path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))),
    "json": lambda path: path.write_text(json.dumps(WRITTEN, indent=1)),
    "ndjson": lambda path: path.write_text("\n".join(map(json.dumps, WRITTEN))),
    "parquet": as_parquet,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_says_the_same(form: str, tmp_path: Path) -> None:
    FORMS[form](tmp_path / "file")
    first = datetime(2026, 1, 1, tzinfo=UTC)
    file = read("hosts", tmp_path / "file")
    assert rows(file) == [
        {
            "host": "vm-1",
            "sku": "e96",
            "from": first,
            "to": datetime(2026, 2, 1, 12, 30, tzinfo=UTC),
            "exposures": [("pool", "blue")],
        },
        {"host": "vm-2", "from": first},
    ]
    assert file.exposures == ("pool",)


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-12T09:40:00Z", 9),
        ("2026-03-12 09:40:00+00", 9),
        ("2026-03-12T09:40:00.123456789Z", 9),
        ("2026-03-12T09:40+02:00", 7),
        ("2026-03-12T09:40:00-0700", 16),
        ("2026-03-12 09:40", 9),
        ("2026-03-12", 0),
    ],
)
def test_a_time_is_read_with_its_zone_or_as_utc(text: str, hour: int, tmp_path: Path) -> None:
    file = read("hosts", csv(tmp_path / "hosts.csv", "host,from", f"vm-1,{text}"))
    assert rows(file)[0]["from"].hour == hour
    assert file.naive_times == (text.count(":") < 2 and "+" not in text)


WRONG = {
    "vm-1,1767225600,": (2, "from", "1767225600"),
    "vm-1,2026-13-01,": (2, "from", "2026-13-01"),
    "vm-1,2026-02-30T00:00:00Z,": (2, "from", "2026-02-30T00:00:00Z"),
    "vm-1,12.03.2026,": (2, "from", "12.03.2026"),
    "vm-1,1969-12-31,": (2, "from", "1969-12-31"),
    "vm-1,,9999-12-31": (2, "to", "9999-12-31"),
    "vm-1,,10000-01-01": (2, "to", "10000-01-01"),
    f"vm-1,{T2},{T1}": (2, "to", "2026-01-01 00:00:00+00:00"),
    f"vm-1,{T1},{T1}": (2, "to", "2026-01-01 00:00:00+00:00"),
    f",{T1},": (2, "host", ""),
    f"  ,{T1},": (2, "host", ""),
    f"vm-1,{T1}": (2, "the row", "2 columns"),
    f"vm-1,{T1},,": (2, "the row", "4 columns"),
    f"vm\x01,{T1},": (2, "host", "vm\x01"),
    f"{'v' * 2000},{T1},": (2, "host", "v" * 79 + "…"),
}


@pytest.mark.parametrize("line", WRONG)
def test_a_wrong_value_is_named_by_its_row(line: str, tmp_path: Path) -> None:
    assert told(read("hosts", csv(tmp_path / "h.csv", "host,from,to", line, "vm-9,,"))) == [WRONG[line]]


WRONG_HOURS = {"-1": "-1", "nan": "nan", "inf": "inf", "1e999": "1e999", "1,5": "1,5", "many": "many", "25": "25.0"}


@pytest.mark.parametrize("text", WRONG_HOURS)
def test_hours_that_cannot_be_are_named(text: str, tmp_path: Path) -> None:
    path = csv(tmp_path / "r.csv", "host;from;to;host_hours", f"vm-1;2026-01-01;2026-01-02;{text}")
    assert told(read("at_risk", path))[0] == (2, "host_hours", WRONG_HOURS[text])


@pytest.mark.parametrize("text", ["-1", "1.5", "nan", "1e30"])
def test_a_count_is_a_whole_number(text: str, tmp_path: Path) -> None:
    path = csv(tmp_path / "f.csv", "host,hour,count", f"vm-1,2026-01-01T05:00:00Z,{text}")
    assert [row for row, column, _ in told(read("fatal_signals", path)) if column == "count"]


def test_an_hour_is_a_whole_hour(tmp_path: Path) -> None:
    path = csv(tmp_path / "f.csv", "host,hour,count", "vm-1,2026-01-01T05:30:00Z,1")
    assert [column for _, column, _ in told(read("fatal_signals", path))] == ["hour"]


def test_a_row_of_hosts_does_not_begin_before_its_boot(tmp_path: Path) -> None:
    path = csv(tmp_path / "h.csv", "host,boot_time,from", f"vm-1,{T2},{T1}", f"vm-2,{T1},{T2}", f"vm-3,{T1},")
    assert [(row, column) for row, column, _ in told(read("hosts", path))] == [(2, "boot_time")]


def test_row_numbers_count_empty_and_broken_lines(tmp_path: Path) -> None:
    path = csv(tmp_path / "h.csv", "host,from", "vm-1,", "", "vm-2", "vm-3,never", "", 'vm-4,"ne\nver"')
    assert [row for row, *_ in told(read("hosts", path))] == [4, 5, 7]


def test_of_many_faults_all_are_counted_and_some_are_kept(tmp_path: Path) -> None:
    file = read("hosts", csv(tmp_path / "h.csv", "host,from", *["vm-1,never"] * 3000))
    assert (file.problem_count, len(file.problems)) == (3000, 100)


def test_a_file_of_faults_is_not_read_to_its_end(tmp_path: Path) -> None:
    file = read("hosts", csv(tmp_path / "h.csv", "host,from", *["vm-1,never"] * 200_000))
    assert file.problem_count < 20_000


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n\n", "no header"),
        (b"host,region,host\n", "'host' is there twice"),
        ("host,region\nvm-1,é\n".encode("utf-16"), "UTF-8"),
        (b"\xe9host,region\n", "not UTF-8"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (b"PAR1 and no more", "not a whole Parquet file"),
        (b'[{"host": "a"}', "not JSON"),
        (b"host,region\n" + b'"a' * (2 << 20), "not a CSV table"),
        (b'{"kind": "List", "apiVersion": "v1", "items": []}', "no node"),
    ],
)
def test_what_is_no_table_is_refused_in_two_lines(content: bytes, says: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(UsageError, match=says):
        read("hosts", tmp_path / "file")


def test_a_parquet_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    whole = (SAMPLE / "builds.parquet").read_bytes()
    for size in (5, len(whole) // 2, len(whole) - 1):
        (tmp_path / "builds.parquet").write_bytes(whole[:size])
        with pytest.raises(UsageError):
            read("builds", tmp_path / "builds.parquet")


def test_text_of_a_parquet_file_may_not_be_utf8_though_it_says_so(tmp_path: Path) -> None:
    odd = arrow.array([b"a", b"\xe9", None]).view(arrow.string())
    parquet.write_table(arrow.table({"host": ["vm-1", "vm-2", "vm-3"], "region": odd}), tmp_path / "h")
    assert told(read("hosts", tmp_path / "h")) == [(2, "region", "\\xe9")]


@pytest.mark.parametrize("broken", [b"\xe9,1,2,3\n", b"a\xe9\n"])
def test_a_broken_row_that_is_not_utf8_is_not_lost_without_a_word(broken: bytes, tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_bytes(b"host,region\nvm-1,a\n" + broken)
    assert [row for row, *_ in told(read("hosts", tmp_path / "h.csv"))] == [3]


NAIVE = arrow.array([datetime(2026, 1, 1)])
TYPED: dict[str, tuple[Any, object]] = {
    "nanoseconds": (NAIVE.cast(arrow.timestamp("ns")), T1),
    "another zone": (NAIVE.cast(arrow.timestamp("s", "Asia/Tokyo")), T1),
    "a date": (NAIVE.cast(arrow.date32()), T1),
    "text": (arrow.array([T1]), T1),
    "large text": (arrow.array([T1], arrow.large_string()), T1),
    "bytes": (arrow.array([T1.encode()]), T1),
    "a dictionary": (arrow.array([T1]).dictionary_encode(), T1),
    "nothing": (arrow.nulls(1), None),
    "an integer": (arrow.array([1767225600]), "1767225600"),
    "year 10000": (arrow.array([253402300800]).cast(arrow.timestamp("s", "UTC")), "refused"),
    "milliseconds as seconds": (arrow.array([1767225600000 * 12]).cast(arrow.timestamp("s")), "refused"),
    "a list": (arrow.array([[T1]]), "refused"),
}


@pytest.mark.parametrize("kind", TYPED)
def test_a_time_in_parquet_may_be_of_any_type_that_tells_it(kind: str, tmp_path: Path) -> None:
    values, expected = TYPED[kind]
    parquet.write_table(arrow.table({"host": ["vm-1"], "from": values}), tmp_path / "h", version="2.6")
    file = read("hosts", tmp_path / "h")
    if expected in (T1, None):
        assert rows(file)[0].get("from") == (expected and datetime(2026, 1, 1, tzinfo=UTC))
    else:
        assert [problem.column for problem in file.problems] == ["from"]


def test_numbers_in_parquet_may_be_of_any_type(tmp_path: Path) -> None:
    columns: dict[str, Any] = {
        "host": arrow.array([17]),
        "from": arrow.array([T1]),
        "to": arrow.array([T2]),
        "host_hours": arrow.array([12]).cast(arrow.decimal128(30, 3)),
        "process_hours": arrow.array([1.5], arrow.float32()),
        "exceptions": arrow.array([7.0]),
        "canary": arrow.array([True]),
    }
    parquet.write_table(arrow.table(columns), tmp_path / "r")
    found = rows(read("at_risk", tmp_path / "r"))[0]
    assert [found[name] for name in ("host", "host_hours", "process_hours", "exceptions")] == ["17", 12.0, 1.5, 7]
    assert found["exposures"] == [("canary", "true")]


@pytest.mark.parametrize("text", ["[" * 100_000, '{"host":' * 100_000, '[{"host": ' + "1" * 5000 + "}]"])
def test_json_that_is_meant_to_hurt_is_refused_or_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(text)
    with pytest.raises(UsageError, match="not JSON"):
        read("hosts", tmp_path / "h.json")


def test_a_table_of_measures_is_no_snapshot(tmp_path: Path) -> None:
    path = csv(tmp_path / "b.csv", "build_id,library", "ab,libc.so.6")
    with pytest.raises(UsageError, match="no state that lasts"):
        fleet_file(FLEET["builds"], str(path), Columns(), datetime(2026, 1, 1, tzinfo=UTC))


def test_text_that_is_not_utf8_is_named_by_its_row(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_bytes(b"host,region\nvm-1,a\nvm-2,\xe9\n")
    assert told(read("hosts", tmp_path / "h.csv")) == [(3, "the line", "vm-2,\\xe9")]


def test_a_column_that_is_needed_and_not_there_is_named_once(tmp_path: Path) -> None:
    file = read("at_risk", csv(tmp_path / "r.csv", "host,from,to", f"vm-1,{T1},{T2}", f"vm-2,{T1},{T2}"))
    assert told(file) == [(None, "host_hours or process_hours or exceptions", "")]


def test_a_nested_value_is_named(tmp_path: Path) -> None:
    (tmp_path / "h.json").write_text(json.dumps([{"host": "vm-1", "tags": ["a"]}, "vm-2"]))
    assert told(read("hosts", tmp_path / "h.json")) == [(1, "tags", "['a']"), (2, "the row", "vm-2")]


def test_columns_are_mapped(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        '[hosts]\nhost = { column = "fqdn", format = "short_name" }\nregion = { constant = "north" }\n'
        'boot_time = { column = "booted", format = "epoch_seconds" }\n'
        'from = { column = "since", format = "%d.%m.%Y %H:%M" }\npool = "group"\nignore = ["remark"]\n'
    )
    path = csv(
        tmp_path / "h.csv",
        "fqdn,booted,since,group,remark,Kernel Release",
        "vm-1.example.com,1767225600,12.03.2026 09:40,blue,old,6.1",
    )
    assert rows(read("hosts", path, mappings(str(tmp_path / "map.toml"))["hosts"])) == [
        {
            "host": "vm-1",
            "region": "north",
            "kernel_release": "6.1",
            "boot_time": datetime(2026, 1, 1, tzinfo=UTC),
            "from": datetime(2026, 3, 12, 9, 40, tzinfo=UTC),
            "exposures": [("pool", "blue")],
        }
    ]


@pytest.mark.parametrize(
    "text",
    ["[nothing]\n", "[hosts]\nhost = 3\n", "[hosts]\nhost = {}\n", "hosts = 1\n", "[hosts\n", "[hosts]\nignore = 'a'\n",
     "[hosts]\nregion = { column = 'r', format = 'epoch_seconds' }\n", "[hosts]\nhost = { colum = 'r' }\n"],
)  # fmt: skip
def test_a_mapping_that_cannot_be_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(text)
    with pytest.raises(UsageError):
        mappings(str(tmp_path / "map.toml"))


def test_a_column_that_is_mapped_and_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('[hosts]\nhost = "node"\n')
    file = read("hosts", csv(tmp_path / "h.csv", "host", "vm-1"), mappings(str(tmp_path / "map.toml"))["hosts"])
    assert told(file)[0][:2] == (None, "node")


def test_a_file_is_of_the_table_that_its_name_or_its_content_says(tmp_path: Path) -> None:
    assert tells_of(str(csv(tmp_path / "at_risk.2026-03.csv", "host"))) == "at_risk"
    assert tells_of(str(csv(tmp_path / "inventory.csv", "host"))) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.binary(max_size=60).map(lambda tail: b"host,from,to,region\n" + tail),
        st.binary(max_size=60).map(lambda tail: b'{"host": "a"}\n' + tail),
    ),
    st.sampled_from(list(FLEET)),
)
def test_any_bytes_give_rows_or_problems_or_a_refusal(tmp_path: Path, content: bytes, table: str) -> None:
    (tmp_path / "file").write_bytes(content)
    try:
        file = read(table, tmp_path / "file")
    except BroadStreetError:
        return
    assert file.problems or file.rows.num_rows == len(file.numbers)
