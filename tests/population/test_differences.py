"""What tells two populations apart."""

import pytest
from scipy import stats

from broadstreet.population.differences import Counted, differences, discovered


def test_a_difference_has_the_p_of_fishers_exact_test() -> None:
    (found,) = differences([Counted("holds", "misaligned_stack", 63, 64, 0, 309)])
    assert found.test.p == pytest.approx(stats.fisher_exact([[63, 1], [0, 309]]).pvalue, rel=1e-6)
    assert found.test.arguments == {"a": 63, "b": 1, "c": 0, "d": 309}


def test_every_value_that_was_asked_is_a_question() -> None:
    counted = [Counted("region", name, 5, 20, 6, 20) for name in ("eu", "us", "ap")]
    counted.append(Counted("host", "bad", 20, 20, 0, 20))
    first, *rest = differences(counted, not_told=96)
    assert first.of.value == "bad"
    assert first.test.asked == 100
    assert first.test.q == pytest.approx(100 * first.test.p)
    assert [one.of.column for one in rest] == ["region"] * 3
    assert discovered([first, *rest]) == (first,)


def test_two_values_that_part_the_same_cases_are_one_question() -> None:
    pair = [Counted("null_base", "false", 2, 10, 9, 10), Counted("null_base", "true", 8, 10, 1, 10)]
    (found,) = differences(pair)
    assert (found.of.value, found.test.asked) == ("true", 1)


def test_two_findings_that_a_case_may_both_have_are_two_questions() -> None:
    both = [Counted("holds", "a", 10, 10, 2, 10), Counted("holds", "b", 10, 10, 9, 10)]
    assert len(differences(both)) == 2


def test_what_is_known_of_one_population_only_is_not_asked() -> None:
    assert differences([Counted("region", "eu", 5, 5, 0, 0)]) == ()


def test_a_share_has_an_interval_of_the_cases_in_which_it_is_known() -> None:
    (found,) = differences([Counted("unwinding", "true", 0, 4, 4, 4)])
    assert (found.share_a.value, found.share_a.low) == (0.0, 0.0)
    assert found.share_a.high == pytest.approx(stats.binomtest(0, 4).proportion_ci().high)
    assert found.apart == 1.0
