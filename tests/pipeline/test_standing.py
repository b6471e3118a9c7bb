"""Which word counts for which outbreak, and how sure verdicts have been."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from broadstreet.pipeline.judgements import of
from broadstreet.pipeline.standing import how_sure, standing
from broadstreet.records.verdict import Judgement, Verdict
from tests.surfaces.investigations import HARDWARE, SOFTWARE, UNDETERMINED

NOW = datetime(2026, 5, 1, tzinfo=UTC)
BOTH = (HARDWARE, SOFTWARE)


def word(verdict: Verdict, kind: str = "confirm", number: int = 1, **more: object) -> Judgement:
    """What `keep` would keep of it."""
    about = of(verdict, 7)
    known = {name: getattr(about, name) for name in about.__dataclass_fields__ if name != "judged"}
    said = {"number": number, "kind": kind, "truth": None, "text": None, "author": "ann", "made": NOW}
    return Judgement(**(known | said | more))  # type: ignore[arg-type]


def under(verdict: Verdict, name: str, **more: object) -> Verdict:
    """The verdict of an outbreak with another id, and whatever else is another."""
    return replace(verdict, outbreak=replace(verdict.outbreak, id=name, **more))  # type: ignore[arg-type]


def kinds(verdicts: tuple[Verdict, ...], *said: Judgement, **into: str) -> list[str | None]:
    return [one.judgement and one.judgement.kind for one in standing(verdicts, said, into)]


def test_a_word_stands_for_the_outbreak_with_its_id_alone() -> None:
    assert kinds(BOTH, word(SOFTWARE, "refute")) == [None, "refute"]


def test_the_newest_word_stands_and_what_is_withdrawn_does_not() -> None:
    said = [word(HARDWARE), word(HARDWARE, "refute", 2), word(HARDWARE, "withdraw", 3), word(HARDWARE, number=4)]
    assert [kinds((HARDWARE,), *said[:many])[0] for many in range(5)] == [None, "confirm", "refute", None, "confirm"]


def test_a_word_goes_to_the_same_syndrome_and_cohort_under_a_new_id() -> None:
    assert kinds((under(HARDWARE, "O-new", parts=("another sign",)),), word(HARDWARE)) == ["confirm"]


def test_a_word_does_not_go_to_another_cohort() -> None:
    assert kinds((under(HARDWARE, "O-new", cohort={"physical_host": "other"}),), word(HARDWARE)) == [None]


def test_a_word_does_not_leave_an_outbreak_that_is_still_there() -> None:
    assert kinds((HARDWARE, under(HARDWARE, "O-new")), word(HARDWARE)) == ["confirm", None]


def test_a_word_that_could_go_to_two_goes_to_neither() -> None:
    assert kinds((under(HARDWARE, "O-1"), under(HARDWARE, "O-2")), word(HARDWARE)) == [None, None]


def test_of_words_on_two_that_became_one_none_stands() -> None:
    said = word(under(HARDWARE, "O-1")), word(under(HARDWARE, "O-2"), "refute", 2)
    assert kinds((HARDWARE,), *said) == [None]


def test_a_word_follows_a_syndrome_that_was_merged_into_another() -> None:
    merged = under(HARDWARE, "O-new", syndrome="S-other")
    assert kinds((merged,), word(HARDWARE), **{"S-12a": "S-other"}) == ["confirm"]
    assert kinds((merged,), word(HARDWARE)) == [None]


def test_a_word_on_a_linked_outbreak_does_not_mind_which_syndrome_is_the_commonest() -> None:
    linked = under(HARDWARE, "O-1", kind="linked", syndrome="S-a")
    assert kinds((under(linked, "O-2", syndrome="S-b"),), word(linked)) == ["confirm"]


def test_what_is_judged_again_under_a_new_id_counts_once() -> None:
    (carried,) = standing((under(HARDWARE, "O-new"),), [first := word(HARDWARE)], {})
    again = word(carried, "refute", 2)
    assert again.formerly == HARDWARE.outbreak.id
    assert [(one.confirmed, one.judged) for one in how_sure([first, again])] == [(0, 1), (0, 0), (0, 0)]
    assert kinds((carried,), first, again) == ["refute"]


def test_an_id_that_comes_back_has_its_newest_word() -> None:
    (carried,) = standing((under(HARDWARE, "O-new"),), [first := word(HARDWARE)], {})
    again = word(carried, "refute", 2)
    assert kinds((HARDWARE,), first, again) == ["refute"]


def test_nobody_is_counted_where_nobody_judged() -> None:
    assert how_sure([]) == ()
    assert how_sure([word(HARDWARE), word(HARDWARE, "withdraw", 2)]) == ()


def test_verdicts_are_counted_by_the_certainty_that_they_stated() -> None:
    said = [
        word(under(HARDWARE, f"O-{n}"), "confirm" if right else "refute", n, certainty=certainty)
        for n, (certainty, right) in enumerate(
            [(0.99, True), (0.9999, True), (1.0, True), (0.989, False), (0.9, True), (0.89, True)]
        )
    ]
    found = how_sure(said)
    assert [(one.confirmed, one.judged) for one in found] == [(3, 3), (1, 2), (1, 1)]
    # Clopper-Pearson by hand: all of n are right with at least the n-th root of 2.5 %
    assert [found[0].least, found[2].least] == pytest.approx([0.025 ** (1 / 3), 0.025])


def test_forty_one_of_forty_one_is_at_least_ninety_one_percent() -> None:
    found = how_sure([word(under(HARDWARE, f"O-{n}"), number=n) for n in range(41)])
    assert round(found[0].least or 0, 2) == 0.91
    assert [one.least for one in found[1:]] == [None, None]


def test_what_could_not_be_told_was_neither_right_nor_wrong() -> None:
    held = replace(HARDWARE, held="only 48% were captured")
    assert how_sure([word(UNDETERMINED, truth="hardware"), word(held, "refute", 2, truth="software")]) == ()
