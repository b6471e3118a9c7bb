"""Syndromes of a casebook: the founding story starts as one, and what a person says outlives every recomputation."""

import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from broadstreet.errors import UsageError
from broadstreet.pipeline.grouping import Grouping, grouped
from broadstreet.pipeline.outcome import examine
from broadstreet.pipeline.reading import BinarySources
from broadstreet.pipeline.syndromes import apply, explained, hearing, listed, meant, regrouped
from broadstreet.records.specimen import Examined
from broadstreet.sources.specimens import specimens
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.questions import Questions
from tests.store.examined import SAMPLE, case

EVERY = 3  # of the sample: a third has each shape of the founding story
DRAIN = "_ZN7Replica5drainERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEm"
ADMIT = "_ZL5admitRK6Recordj"


@pytest.fixture(scope="module")
def read() -> list[Examined]:
    binaries = BinarySources((str(SAMPLE / "binaries"),)).open()
    return [examine(one, binaries) for one in list(specimens(str(SAMPLE / "cores")))[::EVERY]]


@pytest.fixture(scope="module")
def original(read: list[Examined], tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("casebook")
    book = open_for_writing(str(place))
    book.add(read, book.begin(["made"], "test"), "none", case(read[0]).reader_version)
    book.close()
    return place


@pytest.fixture
def url(original: Path, tmp_path: Path) -> str:
    return str(shutil.copytree(original, tmp_path / "casebook"))


def grouping_of(url: str) -> Grouping:
    with Questions(url) as questions:
        return grouped(questions)


def syndromes(grouping: Grouping) -> dict[str, str]:
    return {one: grouping.syndromes[code] for one, code in zip(grouping.case_ids, grouping.syndrome, strict=True)}


def test_the_founding_story_starts_as_one_syndrome(url: str, read: list[Examined]) -> None:
    of = syndromes(grouping_of(url))
    found = {
        label: {of[case(one).case_id] for one in read if case(one).mechanism == label}
        for label in ("return_to_null", "misaligned_stack", "abort_assertion")
    }
    assert len(found["return_to_null"]) == 1
    assert found["misaligned_stack"] == found["return_to_null"]
    assert not found["abort_assertion"] & found["return_to_null"]


def test_cases_stand_in_the_order_of_their_time(url: str, read: list[Examined]) -> None:
    times = {case(one).case_id: case(one).circumstances.time or "" for one in read}
    stood = [times[one] for one in grouping_of(url).case_ids]
    assert stood == sorted(stood)


def test_codes_name_the_traces_and_syndromes_of_cases(url: str) -> None:
    grouping = grouping_of(url)
    assert len(grouping.trace) == len(grouping.syndrome) == len(grouping.case_ids)
    assert int(grouping.trace.max()) < len(grouping.traces) == len(grouping.frames)
    assert {DRAIN in grouping.frames[code] for code in np.unique(grouping.trace).tolist()} == {True, False}


def test_grouping_again_gives_the_same_and_nothing_new(url: str) -> None:
    first = syndromes(grouping_of(url))
    with hearing(url, "ann"):
        pass
    again = grouping_of(url)
    assert again.new.num_rows == 0
    assert syndromes(again) == first


def test_a_name_is_found_and_outlives_a_recomputation(url: str) -> None:
    with hearing(url, "ann") as heard:
        own = heard.name(heard.grouping.syndromes[0], "return to null")
    with Questions(url) as questions:
        apply_nothing = regrouped(questions)
    grouping = grouping_of(url)
    assert apply_nothing.changes == ()
    assert (grouping.names, meant(grouping, "return to null")) == ({own: "return to null"}, own)


def test_a_merge_outlives_a_recomputation(url: str) -> None:
    with hearing(url, "ann") as heard:
        first, second, *_ = heard.grouping.syndromes
        stays, gone = heard.merge(first, [second])
    again(url)
    after = grouping_of(url)
    assert (stays, gone) == (first, [second])
    assert second not in after.syndromes
    assert Counter(syndromes(after).values())[first] > Counter(syndromes(after).values()).total() // 2


def test_a_split_is_obeyed_by_every_recomputation(url: str) -> None:
    with hearing(url, "ann") as heard:
        parent, child, count = heard.split(heard.grouping.syndromes[0], ADMIT, ())
    for _ in range(2):
        grouping = grouping_of(url)
        with_frame = {
            grouping.syndromes[syndrome]
            for trace, syndrome in zip(grouping.trace.tolist(), grouping.syndrome.tolist(), strict=True)
            if ADMIT in grouping.frames[trace]
        }
        assert with_frame == {child}
        assert parent in grouping.syndromes
        again(url)
    assert count > 0


def test_a_split_and_a_merge_back_leave_the_parent(url: str) -> None:
    before = syndromes(grouping_of(url))
    with hearing(url, "ann") as heard:
        parent, child, _ = heard.split(heard.grouping.syndromes[0], ADMIT, ())
    with hearing(url, "ann") as heard:
        heard.merge(parent, [child])
    again(url)
    assert syndromes(grouping_of(url)) == before


def test_other_rules_change_nothing_before_they_are_applied(url: str) -> None:
    before = syndromes(grouping_of(url))
    with hearing(url, "ann") as heard:
        heard.rules('version = 2\nirrelevant = ["main$|_start$|__libc_start"]')
    assert syndromes(grouping_of(url)) == before
    with hearing(url, "ann") as heard:
        found = regrouped(heard.questions)
        assert found.moved > 0
        apply(heard.book, found)
    after = syndromes(grouping_of(url))
    assert sum(after[one] != before[one] for one in before) == found.moved
    with Questions(url) as questions:
        assert regrouped(questions).changes == ()


def test_a_split_that_takes_all_or_nothing_is_refused(url: str) -> None:
    with hearing(url, "ann") as heard:
        for frame in ("no_such_frame", "main"):
            with pytest.raises(UsageError, match="would go"):
                heard.split(heard.grouping.syndromes[1], frame, ())


def test_what_nobody_can_mean_is_refused(url: str) -> None:
    grouping = grouping_of(url)
    with pytest.raises(UsageError, match="no syndrome"):
        meant(grouping, "S-nothing")
    with pytest.raises(UsageError, match="several"):
        meant(grouping, "S-")


def test_an_assignment_explains_itself(url: str) -> None:
    with hearing(url, "ann"):
        pass
    with Questions(url) as questions:
        told = [explained(questions, one) for one in grouping_of(url).case_ids]
        assert explained(questions, "no such case") is None
    joined = next(one for one in told if one is not None and one.similarity is not None and one.similarity < 1)
    assert joined.outcome == "same"
    assert joined.nearest != joined.trace
    assert joined.aligned
    assert {frame for frame, _ in joined.aligned} <= {frame.removeprefix("~") for frame in joined.frames}
    assert {"main"} <= {one.frame for one in joined.dropped}
    assert not joined.rules_changed


def test_the_list_has_every_case_that_has_a_trace(url: str) -> None:
    grouping = grouping_of(url)
    with Questions(url) as questions:
        rows = listed(questions, grouping).to_pylist()
    assert sum(row["cases"] for row in rows) == int((grouping.trace >= 0).sum())
    assert [row["cases"] for row in rows] == sorted((row["cases"] for row in rows), reverse=True)


def again(url: str) -> None:
    with hearing(url, "ann") as heard:
        apply(heard.book, regrouped(heard.questions))
