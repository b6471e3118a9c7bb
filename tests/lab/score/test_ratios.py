"""Likelihood ratios: averages over kinds, abstentions apart, imitators left out."""

import pytest

from broadstreet.lab.score.judged import Judged
from broadstreet.lab.score.ratios import HARDWARE_FINDING, held, share, weights
from broadstreet.records.finding import State
from broadstreet.records.weights import Count, Interval, Weight
from tests.lab.score.crashes import bug, crash, fault, truth


def of(*kinds: Count) -> Interval:
    found = share(kinds)
    assert found is not None
    return found


def weight(crashes: list[Judged], finding: str = HARDWARE_FINDING) -> Weight:
    return next(one for one in weights(crashes) if one.finding == finding)


def test_a_share_is_the_average_over_kinds_and_not_over_crashes() -> None:
    easy, hard = Count(90, 90), Count(0, 10)
    # (0.5 * 100 + 0.5) / 101, where the average over crashes would be 0.9
    assert of(easy, hard).value == pytest.approx(0.5)


def test_half_a_kind_is_added_on_each_side() -> None:
    assert of(*[Count(0, 5)] * 99).value == pytest.approx(0.5 / 100)


def test_making_the_same_crashes_again_proves_nothing_more() -> None:
    assert of(Count(0, 4), Count(1, 4)) == of(Count(0, 400), Count(100, 400))


def test_a_kind_that_was_never_judged_is_not_a_zero() -> None:
    assert of(Count(8, 10), Count(0, 0)) == of(Count(8, 10))


def test_the_interval_is_about_that_of_as_many_trials_as_there_are_kinds() -> None:
    # 50 of 100: the exact (Clopper-Pearson) interval is 39.8 to 60.2 %
    found = of(*[Count(0, 20)] * 50, *[Count(20, 20)] * 50)
    assert (found.low, found.high) == (pytest.approx(0.404, abs=0.02), pytest.approx(0.596, abs=0.02))


def test_kinds_that_differ_widen_the_interval() -> None:
    alike = of(*[Count(10, 20)] * 10)
    different = of(*[Count(0, 20)] * 5, *[Count(20, 20)] * 5)
    assert different.high - different.low > alike.high - alike.low


def test_a_finding_that_no_bug_could_be_judged_for_has_no_ratio() -> None:
    dark = crash(truth("software", "null_read", "C", family="bug"), code_mismatch="not_judged")
    found = weight([crash(truth(), code_mismatch="holds"), dark], "code_mismatch")
    assert found.hardware == Count(1, 1)
    assert (found.software_share, found.ratio, found.absent_ratio) == (None, None, None)


def test_a_ratio_is_one_share_over_the_other() -> None:
    crashes = [*(fault("rsp-8", True) for _ in range(30)), *(fault("lost", False) for _ in range(30))]
    crashes += [bug(f"null_{number}", False) for number in range(99)]
    found = weight(crashes)
    assert found.ratio
    assert found.absent_ratio
    assert found.hardware == Count(30, 60)
    assert found.software == Count(0, 99)
    assert found.ratio.value == pytest.approx(0.5 / (0.5 / 100))
    assert found.ratio.low < found.ratio.value < found.ratio.high
    assert found.absent_ratio.value == pytest.approx(0.5 / (1 - 0.5 / 100))


def test_a_finding_that_tells_nothing_has_a_ratio_near_one() -> None:
    crashes = [fault("rsp-8", at % 2 == 0) for at in range(40)] + [bug("null_read", at % 2 == 0) for at in range(40)]
    found = weight(crashes).ratio
    assert found
    assert found.low < 1 < found.high


def test_what_could_not_be_judged_is_in_no_count() -> None:
    dark = crash(
        truth(),
        misaligned_stack="not_judged",
        wild_stack_pointer="not_judged",
        one_bit_off="not_judged",
        code_mismatch="not_judged",
    )
    assert held(dark, HARDWARE_FINDING) is None
    assert weight([dark, fault("rsp-8", True), bug("null_read", False)]).hardware == Count(1, 1)


def test_one_finding_that_holds_is_enough_where_others_could_not_be_judged() -> None:
    assert held(crash(truth(), misaligned_stack="holds", code_mismatch="not_judged"), HARDWARE_FINDING) is True


def test_the_ratio_in_the_same_programs_is_that_against_the_models_alone() -> None:
    def model(kind: str, found: bool) -> Judged:
        state: State = "holds" if found else "does_not_hold"
        return crash(truth("software", kind, family="model"), misaligned_stack=state)

    crashes = [fault("rsp-8", True), fault("lost", True), model("ascii", False), model("overrun", True)]
    crashes += [bug(f"null_{number}", False) for number in range(98)]
    found = weight(crashes)
    assert found.ratio
    assert found.ratio_in_same_programs
    assert found.ratio.value == pytest.approx((2.5 / 3) / (1.5 / 101))
    assert found.ratio_in_same_programs.value == pytest.approx((2.5 / 3) / (1.5 / 3))


def test_each_kind_and_each_runtime_has_a_ratio_of_its_own() -> None:
    crashes = [*(fault("rsp-8", True) for _ in range(4)), *(fault("lost", False, runtime="Perl") for _ in range(4))]
    crashes += [bug(f"null_{number}", False) for number in range(99)]
    found = weight(crashes)
    by_kind = {kind: ratio.value for kind, ratio in found.ratio_by_kind.items()}
    by_runtime = {runtime: ratio.value for runtime, ratio in found.ratio_by_runtime.items()}
    # of one kind the crashes are the sample: 0.5 of 5 and 4.5 of 5, against 0.5 of 100
    assert by_kind == pytest.approx({"lost": 20, "rsp-8": 180})
    # of a runtime the kinds are: 0.5 of 2 and 1.5 of 2
    assert by_runtime == pytest.approx({"Perl": 50, "Python": 150})


def test_imitators_are_in_no_ratio() -> None:
    by_hand = bug("misaligned_low_return", True, expected=("misaligned_stack",))
    made_to_look_like_it = crash(truth("software", "high_tag", family="imitator"), one_bit_off="holds")
    found = weight([fault("rsp-8", True), bug("null_read", False), by_hand, made_to_look_like_it])
    assert found.software == Count(0, 1)


def test_counts_are_kept_per_kind_and_runtime() -> None:
    crashes = [fault("rsp-8", True), fault("lost", False, runtime="Perl"), bug("null_read", False)]
    found = weight(crashes)
    assert found.by_kind["hardware"] == {"lost": Count(0, 1), "rsp-8": Count(1, 1)}
    assert found.by_kind["software"] == {"null_read": Count(0, 1)}
    assert found.by_runtime == {
        "hardware": {"Perl": Count(0, 1), "Python": Count(1, 1)},
        "software": {"C": Count(0, 1)},
    }
