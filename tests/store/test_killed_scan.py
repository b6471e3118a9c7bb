"""Kill -9 at random moments of a scan into a casebook: nothing is lost, nothing doubled, and it goes on."""

from pathlib import Path
from random import Random

from tests.store.chaos.trials import Trials

CRASHES, BATCH, KILLS = 40, 8, 10
SEED = 20261121


def test_a_scan_that_is_killed_and_resumed_ends_as_one_that_was_not(tmp_path: Path) -> None:
    tally = Trials(tmp_path, CRASHES, (BATCH, None)).run(Random(SEED), KILLS)
    assert tally.wrong == []
    assert tally.kills == KILLS
