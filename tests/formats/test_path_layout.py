"""What a pattern takes out of a path, and which patterns are refused."""

import pytest

from broadstreet.errors import UsageError
from broadstreet.formats.path_layout import DIRECTIVES, path_layout
from broadstreet.records.exposure import Circumstances

EVERYTHING = "{region}/{host}/{service}/{service_release}/{time:%Y-%m-%dT%H%M%S}-*"
BARE = Circumstances(path="core", time="2020-01-01T00:00:00Z", time_source="mtime")


def found(pattern: str, name: str) -> Circumstances:
    placed = path_layout(pattern).circumstances(name, BARE)
    assert placed is not None
    return placed


def test_a_path_gives_host_time_service_and_release() -> None:
    where = found(EVERYTHING, "eu-1/vm-17.example/search/r2026.06/2026-06-30T120001-core.4711.zst")
    assert (where.region, where.host, where.host_source) == ("eu-1", "vm-17.example", "layout")
    assert (where.service, where.service_release) == ("search", "r2026.06")
    assert (where.time, where.time_source) == ("2026-06-30T12:00:01.000000Z", "layout")


def test_names_without_a_column_are_labels() -> None:
    where = found("{rack}/{host}/{workload}/core.{pid}", "b2/vm-1/batch/core.17")
    assert (where.labels, where.workload, where.pid) == ((("rack", "b2"),), "batch", 17)
    assert (where.time, where.time_source) == ("2020-01-01T00:00:00Z", "mtime")


@pytest.mark.parametrize(
    ("pattern", "name", "time"),
    [
        ("{time}/*", "2026-06-30T12:00:00+02:00/core", "2026-06-30T10:00:00.000000Z"),
        ("{time}/*", "1782820800/core", "2026-06-30T12:00:00.000000Z"),
        ("core.{time:%s}", "core.1782820800", "2026-06-30T12:00:00.000000Z"),
        ("{time:%Y/%m/%d/%H}/*", "2026/06/30/12/core", "2026-06-30T12:00:00.000000Z"),
        ("**/{time:%Y%m%d}.core", "a/b/20260630.core", "2026-06-30T00:00:00.000000Z"),
        ("{time:%d.%b.%Y %H:%M%z}", "30.Jun.2026 12:00+0200", "2026-06-30T10:00:00.000000Z"),
    ],
)
def test_times_of_many_forms_are_utc(pattern: str, name: str, time: str) -> None:
    assert (found(pattern, name).time, found(pattern, name).time_source) == (time, "layout")


def test_a_time_that_is_none_leaves_the_others_to_speak() -> None:
    where = found("{host}/{time:%Y-%m-%d}", "vm-1/2026-13-45")
    assert (where.host, where.time, where.time_source) == ("vm-1", "2020-01-01T00:00:00Z", "mtime")


@pytest.mark.parametrize("name", ["vm-1/core.1/more", "vm-1", "/core.1", "vm-1/crash.1"])
def test_a_path_that_does_not_fit_says_nothing(name: str) -> None:
    assert path_layout("{host}/core.*").circumstances(name, BARE) is None


def test_dots_and_brackets_of_a_pattern_mean_themselves() -> None:
    assert path_layout("{host}.[x]+core").circumstances("vm-1.x+core", BARE) is None
    assert found("{host}.[x]+core", "vm-1.[x]+core").host == "vm-1"


@pytest.mark.parametrize(
    "pattern", ["", "*/*", "{host}/{host}", "{}/x", "{host", "host}", "{a b}", "{host:%Y}", "{time:%Q}", "{time:%Y%}"]
)
def test_a_pattern_that_means_nothing_is_refused_with_an_example(pattern: str) -> None:
    with pytest.raises(UsageError) as caught:
        path_layout(pattern)
    assert caught.value.hint


def test_every_directive_is_one_that_strptime_knows_or_seconds() -> None:
    from datetime import datetime

    for directive in set(DIRECTIVES) - {"s"}:
        text = datetime(2026, 6, 30, 12, 5, 9, 7).astimezone().strftime(f"%{directive}")
        assert datetime.strptime(text, f"%{directive}")
