import pytest

from broadstreet.verdict.counted import items
from tests.accuracy.cells import CELLS, CLAIMS, HARD, SOFT, Claim
from tests.accuracy.population_page import NOTES, page
from tests.accuracy.tally import Tally, brier, calibrated, measured
from tests.simulation.outcomes import Stated

HARDWARE, SOFTWARE = (next(cell for cell in CELLS if cell.group == group) for group in (HARD, SOFT))


def _tally(*convicted: bool) -> Tally:
    tally = Tally()
    for seed, held in enumerate(convicted):
        tally.add(HARDWARE, seed, {"convicted": held}, ())
    return tally


def test_every_claim_is_about_cells_that_there_are():
    names = {(cell.group, cell.name) for cell in CELLS}

    assert {(claim.group, name) for claim in CLAIMS for name in claim.cells} <= names
    assert {cell.group for cell in CELLS} == set(NOTES)


def test_every_cell_has_a_name_of_its_own():
    assert len({(cell.group, cell.name) for cell in CELLS}) == len(CELLS)


@pytest.mark.parametrize(("convicted", "met"), [((True, True, False), True), ((True, False, False), False)])
def test_a_claim_is_met_by_the_share_of_its_runs(convicted, met):
    claim = Claim(HARD, "half", "convicted", (HARDWARE.name,), least=0.5)

    assert measured(claim, _tally(*convicted)).met is met


def test_what_was_never_measured_is_not_met():
    assert not measured(Claim(SOFT, "nothing", "split", most=0.0), _tally(True)).met


def test_the_seeds_that_spoil_a_claim_are_named():
    name, group, said = next(_tally(True, False, True).failures())

    assert (name, group) == (HARDWARE.name, HARD)
    assert said == "convicted, 1"


def test_stated_probabilities_are_weighed_as_the_prior_has_it():
    hard, soft = Stated("hardware", 0.9, 0.9, "hardware"), Stated("hardware", 0.9, 0.9, "software")
    prior = items().prior.hardware / items().prior.of

    assert calibrated([hard, soft], [hard, soft]) == pytest.approx(prior)
    assert calibrated([], [hard, soft]) is None
    assert brier([hard, soft]) == pytest.approx(prior * 0.01 + (1 - prior) * 0.81)


def test_a_page_holds_what_was_claimed_and_every_cell_that_ran():
    text = page([measured(CLAIMS[0], Tally())], _tally(True, False), 7, quick=False)

    assert "| Nothing to find: somebody is accused" in text
    assert "| not measured | **no** |" in text
    assert f"| {HARDWARE.name} | 2 | 1 of 2 (1.3 to 98.7 %) |" in text
