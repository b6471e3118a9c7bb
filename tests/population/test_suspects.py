"""Hosts ranked by how much more they crash than their time at risk explains."""

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from broadstreet.population.population import AtRisk, Attribute, Population, Sign
from broadstreet.population.suspects import lower_bound, suspects
from broadstreet.records.suspect import Suspect

DAY = 86_400.0
Row = tuple[str, str, int]  # host, workload, and whether the stack was misaligned (-1: not judged)


def fleet(crashes: Sequence[Row], hours: Sequence[tuple[str, str, float]], at_risk: bool = True) -> Population:
    """Crashes a day apart, each in a function of its own, within one week; hosts with hours in workloads."""
    hosts = sorted({host for host, *_ in (*crashes, *hours)})
    workloads = sorted({workload for _, workload, _ in (*crashes, *hours)})

    def attribute(name: str, values: list[str], at: int) -> Attribute:
        codes = (np.array([values.index(row[at]) for row in rows], np.int32) for rows in (crashes, hours))
        cases, pieces = codes
        return Attribute(name, values, cases, pieces if at_risk else None)

    count = len(crashes)
    return Population(
        case_ids=[f"case{at}" for at in range(count)],
        time=np.linspace(DAY, 6 * DAY, count),
        dated=np.ones(count, np.bool_),
        trace=np.arange(count, dtype=np.int32),
        traces=[f"trace{at}" for at in range(count)],
        frames=[(f"function{at}", "main") for at in range(count)],
        syndrome=np.arange(count, dtype=np.int32) % 2,
        syndromes=["S-1", "S-2"],
        exposures={"host": attribute("host", hosts, 0), "workload": attribute("workload", workloads, 1)},
        signs={
            "finding misaligned_stack": Sign(
                "finding misaligned_stack", "finding", np.array([shows for *_, shows in crashes], np.int8)
            )
        },
        at_risk=AtRisk(
            np.zeros(len(hours)), np.full(len(hours), 7 * DAY), {"host_hours": np.array([h for *_, h in hours])}
        )
        if at_risk
        else None,
        start=0.0,
        end=7 * DAY,
    )


EQUAL = [(f"h{n}", "web", 100.0) for n in range(10)]


def named(found: Sequence[Suspect], host: str) -> Suspect:
    return next(one for one in found if one.value == host)


def test_a_host_with_more_crashes_than_its_hours_explain_is_first() -> None:
    found = suspects(fleet([("h1", "web", 0)] * 6 + [("h2", "web", 0)] * 2 + [("h3", "web", 0)] * 2, EQUAL))
    first = found[0]
    assert (first.value, first.rank, first.every.episodes, first.hours, first.asked) == ("h1", 1, 6, 100.0, 10)
    assert [one.value for one in found] == ["h1", "h2", "h3"]


def test_the_expectation_is_the_share_of_the_hours_and_the_chance_that_of_scipy() -> None:
    first = suspects(fleet([("h1", "web", 0)] * 6 + [("h2", "web", 0)] * 4, EQUAL))[0].every
    assert first.expected == pytest.approx(1.0)
    p = stats.binomtest(6, 10, 0.1, alternative="greater")
    assert first.p == pytest.approx(p.pvalue)
    assert first.q == pytest.approx(p.pvalue * 10)


def test_the_ratio_is_against_the_rate_elsewhere_with_the_bounds_of_clopper_and_pearson() -> None:
    ratio = suspects(fleet([("h1", "web", 0)] * 6 + [("h2", "web", 0)] * 4, EQUAL))[0].every.ratio
    low, high = stats.binomtest(6, 10).proportion_ci()
    assert ratio is not None
    assert ratio.value == pytest.approx(6 / 4 * 9)
    assert (ratio.low, ratio.high) == (pytest.approx(low / (1 - low) * 9), pytest.approx(high / (1 - high) * 9))


def test_a_host_that_only_does_what_crashes_everywhere_is_expected_to_crash() -> None:
    hours = [(f"h{n}", "ingest" if n < 2 else "web", 100.0) for n in range(10)]
    crashes = [("h0", "ingest", 0)] * 10 + [("h1", "ingest", 0)] * 10 + [("h5", "web", 0)]
    found = suspects(fleet(crashes, hours))
    assert named(found, "h0").every.expected == pytest.approx(10.0)
    assert named(found, "h5").every.expected == pytest.approx(1 / 8)


def test_hardware_findings_are_a_count_of_their_own_and_the_unjudged_are_not_among_them() -> None:
    crashes = [("h1", "web", 1)] * 3 + [("h2", "web", -1)] * 3 + [("h3", "web", 0)] * 3
    found = suspects(fleet(crashes, EQUAL))
    assert [(one.value, one.hardware.episodes) for one in found] == [("h1", 3), ("h2", 0), ("h3", 0)]
    assert found[0].hardware.expected == pytest.approx(0.3)


def test_the_higher_of_the_two_lower_bounds_ranks() -> None:
    first = suspects(fleet([("h1", "web", 1)] * 3 + [("h2", "web", 0)] * 20, EQUAL))
    assert first[0].hardware.ratio is not None
    for one in first:
        bounds = [ratio.low for ratio in (one.every.ratio, one.hardware.ratio) if ratio is not None]
        assert lower_bound(one) == max(bounds)


def test_without_time_at_risk_only_hardware_findings_are_asked_against_the_other_crashes() -> None:
    crashes = [("h1", "web", 1)] * 5 + [("h2", "web", 0)] * 20
    found = suspects(fleet(crashes, [("h1", "web", 0.0)], at_risk=False))
    first = found[0]
    assert (first.value, first.against, first.hours, first.measure) == ("h1", "other crashes", None, None)
    assert (first.every.expected, first.every.ratio, first.every.p) == (None, None, None)
    table = stats.fisher_exact([[5, 0], [0, 20]], alternative="greater")
    assert first.hardware.p == pytest.approx(table.pvalue)


def test_distinct_sites_and_syndromes_are_counted_per_host() -> None:
    first = suspects(fleet([("h1", "web", 0)] * 3 + [("h2", "web", 0)], EQUAL))
    assert (named(first, "h1").sites, named(first, "h1").syndromes) == (3, 2)
    assert (named(first, "h2").sites, named(first, "h2").syndromes) == (1, 1)


def test_a_crash_loop_is_one_episode() -> None:
    population = fleet([("h1", "web", 0)] * 4, EQUAL)
    loop = Population(
        **{
            **vars(population),
            "time": DAY + np.arange(4) * 60.0,
            "trace": np.zeros(4, np.int32),
        }
    )
    assert suspects(loop)[0].every.episodes == 1


def test_a_crash_on_a_host_without_hours_is_listed_and_not_compared() -> None:
    hours = [*EQUAL, ("gone", "web", 0.0)]
    gone = named(suspects(fleet([("gone", "web", 0), ("h1", "web", 0)], hours)), "gone")
    assert (gone.hours, gone.every.episodes, gone.every.expected) == (0.0, 1, None)
    assert (gone.every.p, gone.every.ratio) == (None, None)


def test_no_host_known_is_no_suspect() -> None:
    population = fleet([("h1", "web", 0)], EQUAL)
    assert suspects(Population(**{**vars(population), "exposures": {}})) == ()
    assert suspects(population, "physical_host") == ()


def test_no_crashes_are_no_suspects() -> None:
    assert suspects(fleet([], EQUAL)) == ()
