"""An argument can be checked by reading it: what stands first, what each number is from, what would change it."""

from dataclasses import replace
from math import log
from pathlib import Path

import pytest

from broadstreet.population.population import Population
from broadstreet.records.outbreak import Outbreak
from broadstreet.records.verdict import Verdict
from broadstreet.verdict.argument import argued
from broadstreet.verdict.counted import items
from broadstreet.verdict.overturning import DAYS
from broadstreet.verdict.words import certainty, number, odds
from tests.verdict.populations import Crash, bad_machine, compared, outbreak, population, race, shows, survey

SNAPSHOTS = Path(__file__).parents[1] / "snapshots"


def verdict_on(made: tuple[Population, Outbreak]) -> Verdict:
    return argued(made[0], survey(made[1]))[0]


def text(verdict: Verdict) -> str:
    """Every sentence of a verdict, without the figures of a campaign."""
    lines = [f"{verdict.says}: {verdict.title}"]
    lines += [f"against {one.name}: {one.says}" for one in verdict.evidence_against]
    lines += [f"for {one.name}: {one.says}" for one in verdict.evidence_for]
    lines += [f"not checked, {one.cases}: {one.what}\n    {one.remedy}" for one in verdict.not_checked]
    lines += [f"flips: {verdict.overturned_by}", *(f"do: {one}" for one in verdict.action)]
    return "\n".join(lines) + "\n"


def bad_memory() -> tuple[Population, Outbreak]:
    at = {"host": "vm-1", "cpu": "3", "service_release": "26.1"}
    crashes = [Crash(at_, f"f{at_}", "memory_poisoned", shows("memory_poisoned"), at) for at_ in range(3)]
    return population(crashes), outbreak(
        range(3), cohort={"host": "vm-1"}, comparison=compared("host", "vm-1", 3, 3, 1e-3), mechanism="memory_poisoned"
    )


def regression() -> tuple[Population, Outbreak]:
    crashes = [
        Crash(at / 2, "parse", at={"host": f"vm-{at}", "service_release": "26.2", "region": "eu-west"})
        for at in range(20)
    ]
    comparison = compared("service_release", "26.2", 20, 22, 0.3)
    return population(crashes), outbreak(range(20), cohort={"service_release": "26.2"}, comparison=comparison)


def bad_core() -> tuple[Population, Outbreak]:
    made, one = bad_machine(8, sites=8)
    return made, replace(one, cohort={"physical_host": "ph-7c41e9", "cpu": "5"})


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("bad_machine", bad_machine(63, elsewhere=1)),
        ("bad_core", bad_core()),
        ("bad_memory", bad_memory()),
        ("one_site", bad_machine(10, sites=1)),
        ("race", race(30)),
        ("regression", regression()),
        ("one_crash", race(1)),
    ],
)
def test_a_verdict_reads_as_it_did(name: str, made: tuple[Population, Outbreak]) -> None:
    assert text(verdict_on(made)) == (SNAPSHOTS / f"verdict.{name}.txt").read_text()


def test_what_speaks_against_is_apart_from_what_speaks_for() -> None:
    for made in (bad_machine(9), race(30)):
        found = verdict_on(made)
        hardware = found.says == "hardware"
        assert all((one.ratio.value > 1) is not hardware for one in found.evidence_against)
        assert all((one.ratio.value > 1) is hardware for one in found.evidence_for)


def test_the_strongest_argument_stands_first() -> None:
    found = verdict_on(bad_machine(9))
    for side in (found.evidence_for, found.evidence_against):
        strengths = [abs(log(one.ratio.value)) for one in side]
        assert strengths == sorted(strengths, reverse=True)


def test_every_argument_names_its_cases_its_counts_and_its_question() -> None:
    found = verdict_on(bad_machine(9, elsewhere=1))
    for one in (*found.evidence_against, *found.evidence_for):
        assert one.reads.startswith("SELECT ")
        assert one.cases
        assert one.campaign
        assert one.hardware
        assert one.software


def test_the_prior_names_its_source() -> None:
    prior = verdict_on(race(3)).prior
    assert "Mozilla" in prior.campaign
    assert prior.observed == {"hardware": items().prior.hardware, "of": items().prior.of}


def test_the_more_certain_verdict_is_ranked_first_whatever_the_survey_said() -> None:
    crashes = [Crash(at / 2, "parse", at={"host": f"vm-{at}"}) for at in range(8)]
    unsure, sure = outbreak([0], rank=1), outbreak(range(1, 8), rank=2)
    found = argued(population(crashes), survey(unsure, sure))
    assert [(one.outbreak.id, one.outbreak.rank) for one in found] == [("O-2", 1), ("O-1", 2)]


def test_of_equally_certain_verdicts_the_larger_is_first() -> None:
    crashes = [Crash(at / 2, "parse", at={"host": f"vm-{at}"}) for at in range(60)]
    found = argued(population(crashes), survey(outbreak(range(20), rank=1), outbreak(range(20, 60), rank=2)))
    assert [one.outbreak.episodes for one in found] == [40, 20]


def test_a_title_names_the_library_and_its_build() -> None:
    title = verdict_on(race(30)).title
    assert "libunwind.so.8 8.0.1 (build dbd50d23f0d2)" in title
    assert "only while unwinding an exception" in title


def test_a_title_names_no_build_where_there_are_two() -> None:
    title = verdict_on(race(30, builds=2)).title
    assert "libunwind.so.8" in title
    assert "build" not in title


def test_a_title_says_how_many_were_unwinding_where_not_all_were() -> None:
    made, one = race(30)
    made.signs["finding unwinding_exception"].cases[:3] = 0
    assert "27 of 30 of them while unwinding" in verdict_on((made, one)).title


def test_a_title_names_no_library_where_one_in_eight_was_not_unwinding() -> None:
    made, one = race(32)
    made.signs["finding unwinding_exception"].cases[:4] = 0
    assert "libunwind" not in verdict_on((made, one)).title


def test_the_action_says_which_machine_which_test_and_when_to_look_again() -> None:
    action = "\n".join(verdict_on(bad_machine(9)).action)
    for needed in ("ph-7c41e9", "opendcdiag", "A-B-A", "broadstreet fixed --syndrome S-12a --since 2026-04-15"):
        assert needed in action


def test_a_software_verdict_names_the_release() -> None:
    assert any("release 26.2" in one for one in verdict_on(regression()).action)


def test_what_overturns_a_verdict_is_the_fact_that_takes_the_fewest_crashes() -> None:
    made, one = bad_machine(3)
    found = verdict_on((made, one))
    assert found.says == "hardware"
    assert found.overturned_by.startswith("4 more crashes on machine ph-7c41e9 that show nothing only hardware does")
    assert f"within {DAYS} days" in found.overturned_by


def test_a_machine_of_many_findings_is_not_overturned_by_a_few_crashes() -> None:
    few, many = (int(verdict_on(bad_machine(n)).overturned_by.split()[0]) for n in (3, 60))
    assert few < many


def test_a_crash_without_the_library_overturns_that_it_is_the_library() -> None:
    assert "does not map libunwind.so.8: then it is not libunwind.so.8" in verdict_on(race(30)).overturned_by


def test_a_release_is_overturned_when_it_has_no_more_than_its_share() -> None:
    """20 of 22 at a share of 0.3, asked 1,000 times; the tail of 20 of n passes 1e-5 at n = 29 (scipy.stats.binom)."""
    fact = verdict_on(regression()).overturned_by
    assert fact.startswith("7 more null-dereference crashes without release 26.2")
    assert fact.endswith("then release 26.2 has no more than its share")


def test_a_case_that_lacks_its_placement_is_told_with_the_remedy() -> None:
    crashes = [Crash(1, "parse", at={"host": "vm-1"}), Crash(2, "parse", at={"host": "vm-2"})]
    lacking = {one.remedy: one.cases for one in verdict_on((population(crashes), outbreak([0, 1]))).not_checked}
    assert lacking["broadstreet fleet add placements FILE"] == 2


def test_a_crash_without_its_binaries_is_told_with_the_remedy() -> None:
    unread = shows() | {"misaligned_stack": -1}
    crashes = [Crash(1, "parse", findings=unread), Crash(2, "parse")]
    lacking = {one.remedy: one.cases for one in verdict_on((population(crashes), outbreak([0, 1]))).not_checked}
    assert lacking["broadstreet binaries add DIR, then broadstreet scan SOURCE --reread stale"] == 1


@pytest.mark.parametrize(
    ("value", "shown"), [(0.0064, "0.0064"), (1.26, "1.3"), (9.96, "10"), (24.4, "24"), (1234.5, "1,234")]
)
def test_numbers_have_two_figures(value: float, shown: str) -> None:
    assert number(value) == shown


def test_a_ratio_below_one_is_said_the_other_way_round() -> None:
    assert (odds(21.4), odds(0.25)) == ("21 : 1", "1 : 4.0")


@pytest.mark.parametrize(("value", "shown"), [(0.9999, "more than 99%"), (0.967, "96%"), (0.9501, "95%")])
def test_certainty_is_never_rounded_up(value: float, shown: str) -> None:
    assert certainty(value) == shown
