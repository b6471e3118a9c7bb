"""What no sum of evidence may do: each law with the outbreak that breaks it, and its neighbour that keeps it."""

from dataclasses import replace

import pytest

from broadstreet.population.population import Population
from broadstreet.records.outbreak import Outbreak
from broadstreet.records.verdict import Verdict
from broadstreet.records.weights import STRICT
from broadstreet.verdict.argument import argued
from broadstreet.verdict.counted import items
from broadstreet.verdict.judging import judged
from broadstreet.verdict.profile import STATED, Profile, profile
from tests.verdict.populations import Crash, bad_machine, compared, outbreak, population, race, shows, survey


def verdict_on(made: tuple[Population, Outbreak]) -> Verdict:
    return argued(made[0], survey(made[1]))[0]


@pytest.mark.parametrize("finding", [one for one in STRICT if one != "code_mismatch"])
def test_one_crash_never_convicts_hardware(finding: str) -> None:
    crash = Crash(1, "parse", findings=shows(finding), at={"host": "vm-1"})
    one = outbreak([0], cohort={"host": "vm-1"}, comparison=compared("host", "vm-1", 1, 1, 1e-4))
    assert verdict_on((population([crash]), one)).says == "undetermined"


def test_one_crash_never_convicts_hardware_even_if_everything_else_says_so() -> None:
    crash = Crash(1, "parse", findings=shows(*(one for one in STRICT if one != "code_mismatch")), at={"host": "vm-1"})
    one = profile(population([crash]), outbreak([0], cohort={"host": "vm-1"}))
    certain = replace(one, strict_sites=9, elsewhere=0)
    assert judged(certain, items()).says == "undetermined"
    assert judged(replace(certain, episodes=9, cases=9, sites=9, strict_cases=9), items()).says == "hardware"


def test_memory_that_the_kernel_calls_lost_convicts_hardware() -> None:
    crashes = [Crash(at, "parse", STATED, shows(STATED), {"host": "vm-1"}) for at in range(2)]
    one = outbreak([0, 1], cohort={"host": "vm-1"}, comparison=compared("host", "vm-1", 2, 2, 1e-4))
    assert verdict_on((population(crashes), one)).says == "hardware"


@pytest.mark.parametrize("crashes", [3, 10, 60])
def test_concentration_alone_never_convicts_hardware(crashes: int) -> None:
    assert verdict_on(bad_machine(crashes, found=0)).says != "hardware"


@pytest.mark.parametrize("crashes", [3, 10, 60])
def test_a_finding_at_one_site_never_convicts_hardware(crashes: int) -> None:
    assert verdict_on(bad_machine(crashes, sites=1)).says != "hardware"


def test_findings_at_two_sites_of_one_machine_convict_hardware() -> None:
    assert verdict_on(bad_machine(4, sites=4)).says == "hardware"


def test_findings_at_many_sites_everywhere_convict_nobody() -> None:
    made, one = bad_machine(10)
    spread = replace(one, cohort={}, kind="everywhere", comparison=None)
    assert verdict_on((made, spread)).says != "hardware"


def test_many_different_crashes_with_findings_on_one_machine_convict_hardware() -> None:
    made, one = bad_machine(10)
    assert verdict_on((made, replace(one, kind="linked", comparison=None))).says == "hardware"


def test_a_bug_everywhere_is_software() -> None:
    assert verdict_on(race(30)).says == "software"


def test_one_crash_is_not_software_either() -> None:
    assert verdict_on(race(1)).says == "undetermined"


UNREAD = dict.fromkeys((*STRICT, STATED), -1)


def test_crashes_that_nobody_could_judge_on_machines_that_nobody_knows_are_not_software() -> None:
    crashes = [Crash(at, "parse", findings=UNREAD) for at in range(9)]
    assert verdict_on((population(crashes), outbreak(range(9)))).says == "undetermined"


def test_crashes_that_nobody_could_judge_on_two_machines_are_not_software() -> None:
    crashes = [Crash(at, "parse", findings=UNREAD, at={"host": f"vm-{at % 2}"}) for at in range(9)]
    assert verdict_on((population(crashes), outbreak(range(9)))).says == "undetermined"


def test_crashes_that_nobody_could_judge_on_many_machines_alike_are_software() -> None:
    crashes = [Crash(at, "parse", findings=UNREAD, at={"host": f"vm-{at}"}) for at in range(9)]
    assert verdict_on((population(crashes), outbreak(range(9)))).says == "software"


def test_nothing_is_said_while_crashes_are_lost() -> None:
    made, one = bad_machine(10)
    (held,) = argued(made, survey(one), "only 40% of crashes were captured")
    assert (held.says, held.held) == ("undetermined", "only 40% of crashes were captured")
    assert "40%" in held.title


def grown(p: Profile, **changes: int) -> Profile:
    return replace(p, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("sites", range(1, 9))
def test_a_finding_at_one_more_site_never_makes_hardware_less_likely(sites: int) -> None:
    one = grown(profile(*bad_machine(20, found=0)), strict_sites=sites, strict_cases=sites)
    more = grown(one, strict_sites=sites + 1, strict_cases=sites + 1)
    assert judged(more, items()).probability.value >= judged(one, items()).probability.value


@pytest.mark.parametrize("lacking", range(0, 40, 5))
def test_a_crash_more_that_shows_nothing_never_makes_hardware_likelier(lacking: int) -> None:
    one = grown(profile(*bad_machine(20, sites=3)), lacking=lacking)
    more = grown(one, lacking=lacking + 1)
    assert judged(more, items()).probability.value <= judged(one, items()).probability.value


def test_the_probability_lies_in_its_interval() -> None:
    for made in (bad_machine(5), race(9), bad_machine(9, found=0)):
        found = judged(profile(*made), items()).probability
        assert 0 < found.low <= found.value <= found.high < 1


def test_nothing_is_more_certain_than_the_calibration_goes() -> None:
    assert items().worth(1e6).value == items().calibration.most
    assert items().worth(-1e6).value == items().calibration.least
