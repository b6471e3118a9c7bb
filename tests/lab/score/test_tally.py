"""What is counted of a set: right, wrong, abstained, hits, false findings."""

from broadstreet.lab.score.judged import Judged
from broadstreet.lab.score.tally import tally
from broadstreet.records.weights import Count
from tests.lab.score.crashes import bug, crash, fault, truth

NULL = ("null_dereference", "unmapped_access")


def of_bug(mechanism: str) -> Judged:
    return crash(truth("software", "null_read", "C", NULL, family="bug"), mechanism)


def test_any_of_the_expected_labels_is_right() -> None:
    counts = tally([of_bug("unmapped_access"), of_bug("null_dereference")])
    assert (counts.claimed, counts.right, counts.wrong) == (2, 2, [])


def test_another_label_is_wrong_and_a_confusion_with_the_first_expected() -> None:
    counts = tally([of_bug("one_bit_off")])
    assert len(counts.wrong) == 1
    assert counts.confusions == {("null_dereference", "one_bit_off"): 1}


def test_an_abstention_is_neither_right_nor_wrong() -> None:
    counts = tally([of_bug("not_judged")])
    assert (counts.right, counts.wrong, counts.not_judged) == (0, [], 1)


def test_finding_no_label_is_right_where_none_is_true() -> None:
    counts = tally([crash(truth("software", "odd", "C", ("unlabelled",), family="bug"), "unclassified")])
    assert counts.right == 1


def test_of_a_fault_no_label_is_claimed() -> None:
    assert tally([fault("rsp-8", True)]).claimed == 0


def test_hits_are_averaged_over_kinds() -> None:
    counts = tally([*(fault("rsp-8", True) for _ in range(9)), fault("lost", False)])
    assert counts.hits == {"lost": Count(0, 1), "rsp-8": Count(9, 9)}
    assert counts.mean_hits == 0.5


def test_a_fault_of_which_nothing_could_be_judged_is_a_miss() -> None:
    dark = crash(
        truth(),
        misaligned_stack="not_judged",
        wild_stack_pointer="not_judged",
        one_bit_off="not_judged",
        code_mismatch="not_judged",
    )
    assert tally([dark]).hits == {"rsp-8": Count(0, 1)}


def test_a_hardware_finding_on_a_bug_is_false_but_not_on_an_imitator() -> None:
    by_hand = bug("misaligned_low_return", True, expected=("misaligned_stack",))
    counts = tally([bug("null_read", True), by_hand, bug("null_read", False), fault("rsp-8", True)])
    assert (len(counts.false_findings), counts.bugs) == (1, 2)


def test_context_findings_are_counted_where_they_are_true_and_where_they_are_false() -> None:
    said = truth("software", "x", "C", NULL, family="bug", context=("re_raised",), context_not=("forked_child",))
    one = crash(said, "null_dereference", re_raised="not_judged", forked_child="holds")
    assert tally([one]).contexts == {
        ("re_raised", "not judged where true"): 1,
        ("forked_child", "holds where false"): 1,
    }
