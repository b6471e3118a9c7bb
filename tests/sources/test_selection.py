"""Which specimens of a listing are read."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.formats.path_layout import path_layout
from broadstreet.records.exposure import Circumstances
from broadstreet.records.specimen import Specimen
from broadstreet.sources.dry_run import KINDS, expected
from broadstreet.sources.selection import Selection, listed_time
from broadstreet.sources.specimens import specimens
from broadstreet.surfaces.source_options import AskedSources, asked_sources, dry_run_lines
from tests import synth
from tests.reading.specimens import core
from tests.sources.test_bucket import bucket

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)


def one(location: str = "/var/core.1", size: int = 100, time: datetime = NOON) -> Specimen:
    return Specimen(location, size, str(int(time.timestamp() * 1e9)))


def taken(selection: Selection, *found: Specimen) -> list[int]:
    return [found.index(specimen) for specimen in selection.chosen(found)]


def test_without_a_wish_all_are_taken() -> None:
    assert taken(Selection(), one(), Specimen("/gone", 0, "")) == [0, 1]


def test_since_is_included_and_until_is_not() -> None:
    days = [one(time=NOON + timedelta(days=day)) for day in range(4)]
    assert taken(Selection(since=NOON + timedelta(days=1), until=NOON + timedelta(days=3)), *days) == [1, 2]


def test_the_layout_counts_before_the_name_and_the_name_before_the_clock() -> None:
    name = "/x/core.bash.1000.ae0ddef8aa2b41c0be6cf0e85d482248.23595.1700000000000000"
    given = Circumstances(path=name, time="2026-06-30T12:00:00Z", time_source="layout")
    clock = Circumstances(path="s3://b/core", time="2026-06-30T13:00:00Z", time_source="mtime")
    assert listed_time(Specimen(name, 1, "5", given)) == NOON
    assert listed_time(Specimen(name, 1, "5")) == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert listed_time(Specimen("s3://b/core", 1, '"tag"', clock)) == NOON + timedelta(hours=1)
    assert listed_time(Specimen("s3://b/core", 1, '"tag"')) is None


def test_what_has_no_time_is_within_none() -> None:
    assert taken(Selection(since=NOON), Specimen("/gone", 0, "")) == []


def test_sizes_are_included() -> None:
    sizes = [one(size=size) for size in (9, 10, 20, 21)]
    assert taken(Selection(smallest=10, largest=20), *sizes) == [1, 2]


def test_names_are_globs_of_the_name_or_of_the_end_of_the_path() -> None:
    found = [one("/a/core.1"), one("/a/core.2"), one("/b/core.1"), one("s3://c/b/core.1")]
    assert taken(Selection(names=("core.1",)), *found) == [0, 2, 3]
    assert taken(Selection(names=("b/core.*", "*.2")), *found) == [1, 2, 3]


def test_a_sample_is_the_same_each_time_and_of_the_size_asked_for() -> None:
    found = [one(f"/var/core.{number}") for number in range(20_000)]
    first = taken(Selection(sample=0.01), *found)
    assert first == taken(Selection(sample=0.01), *found)
    assert 140 < len(first) < 260
    assert set(first) <= set(taken(Selection(sample=0.1), *found)), "a larger sample holds the smaller one"


@pytest.mark.parametrize(
    ("text", "expected_time"),
    [
        ("7d", NOON - timedelta(days=7)),
        ("24h ago", NOON - timedelta(hours=24)),
        ("2w", NOON - timedelta(weeks=2)),
        ("90m", NOON - timedelta(minutes=90)),
        ("2026-06-01", datetime(2026, 6, 1, tzinfo=UTC)),
        ("2026-06-01T12:00+02:00", datetime(2026, 6, 1, 10, tzinfo=UTC)),
    ],
)
def test_times_may_be_said_in_many_ways(text: str, expected_time: datetime) -> None:
    assert asked_sources(since=text, now=NOON).selection.since == expected_time


@pytest.mark.parametrize(
    ("text", "size"), [("64KiB", 65536), ("1.5GB", 1_500_000_000), ("10", 10), ("2 m", 2_000_000), ("1TiB", 1 << 40)]
)
def test_sizes_may_be_said_in_many_ways(text: str, size: int) -> None:
    assert asked_sources(smallest=text).selection.smallest == size


@pytest.mark.parametrize(
    "wrong",
    [
        {"since": "yesterday"},
        {"until": "999999w"},
        {"smallest": "big"},
        {"largest": "1ib"},
        {"sample": "0"},
        {"sample": "101%"},
        {"sample": "many"},
        {"layout": "{host"},
    ],
    ids=str,
)
def test_what_means_nothing_is_refused_with_an_example(wrong: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        asked_sources(**wrong)  # type: ignore[arg-type]
    assert caught.value.hint


def test_a_share_may_be_a_percentage() -> None:
    assert asked_sources(sample="1%").selection.sample == asked_sources(sample="0.01").selection.sample == 0.01


def filled(folder: Path) -> Path:
    for name in ("eu/vm-1/core.1", "eu/vm-2/core.2", "us/vm-3/core.3"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(synth.core_dump(core()))
    return folder


def test_a_layout_is_held_against_the_path_below_the_source(tmp_path: Path) -> None:
    filled(tmp_path)
    layout = path_layout("{region}/{host}/core.{pid}")
    hosts = [("eu", "vm-1"), ("eu", "vm-2"), ("us", "vm-3")]

    def placed(place: str) -> list[tuple[str | None, str | None]]:
        return [(one.given.region, one.given.host) if one.given else (None, None) for one in specimens(place, layout)]

    assert placed(str(tmp_path)) == placed(f"{tmp_path}/") == placed(f"{tmp_path}/*/vm-*") == hosts
    assert placed(str(tmp_path / "eu")) == [(None, None), (None, None)]
    with bucket(tmp_path):
        assert placed("s3://cores") == placed("s3://cores/*/*") == hosts
        assert placed("s3://cores/eu") == [(None, None), (None, None)]


def test_globs_of_paths_are_searched_and_one_that_matches_nothing_is_said(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "eu" / "notes").write_text("text")
    (tmp_path / "eu" / "notes.json").write_text("{}")
    assert [one.location for one in specimens(f"{tmp_path}/eu/*")] == [
        f"{tmp_path}/eu/notes",
        f"{tmp_path}/eu/vm-1/core.1",
        f"{tmp_path}/eu/vm-2/core.2",
    ]
    for place in (f"{tmp_path}/asia/*", f"{tmp_path}/asia"):
        with pytest.raises(UsageError):
            list(specimens(place))


def test_a_specimen_is_the_same_wherever_the_scan_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected_ids = [one.specimen_id for one in specimens(str(filled(tmp_path)))]
    monkeypatch.chdir(tmp_path / "eu")
    assert [one.specimen_id for one in specimens("..")] == expected_ids
    assert [one.specimen_id for one in specimens("../*/vm-*")] == expected_ids


def test_of_places_that_overlap_each_file_counts_once(tmp_path: Path) -> None:
    filled(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path / "eu")
    asked = AskedSources(None, Selection(), dry_run=False)
    found = list(asked.specimens((str(tmp_path), str(tmp_path / "link"), str(tmp_path / "eu" / "vm-1" / "core.1"))))
    assert len(found) == 3


def test_a_dry_run_counts_by_kind_and_says_what_it_costs() -> None:
    gibibyte = 1 << 30
    found = [Specimen(f"s3://b/core.{number}", gibibyte, '"t"') for number in range(1500)]
    found += [Specimen("s3://b/core.zst", 1 << 20, '"t"', sidecar="s3://b/core.zst.json"), one("a.crash", 50 << 20)]
    sums = expected(found)
    assert [sums.count[kind] for kind in KINDS] == [1500, 1, 1]
    assert sums.bytes_present == 1500 * gibibyte + (51 << 20)
    assert sums.bytes_read < 0.001 * sums.bytes_present
    assert 1500 * 5 < sums.requests < 1500 * 6 + 20
    lines = dry_run_lines(sums)
    assert lines[0] == "1,502 core dumps would be read: 1,500 plain, 1 compressed, 1 archive"
    assert "USD" in lines[-1]


def test_a_dry_run_of_nothing_says_so() -> None:
    assert dry_run_lines(expected([])) == ["0 core dumps would be read"]


def test_a_dry_run_of_files_asks_for_nothing_of_a_store(tmp_path: Path) -> None:
    path = tmp_path / "core"
    path.write_bytes(b"x" * 100)
    os.utime(path, (1, 1))
    assert not any("USD" in line for line in dry_run_lines(expected(specimens(str(path)))))
