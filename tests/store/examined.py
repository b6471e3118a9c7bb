"""Specimens that were really read: the corpus and the sample, once for all tests of a process."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from broadstreet.pipeline.outcome import examine
from broadstreet.pipeline.reading import BinarySources
from broadstreet.records.case import Case
from broadstreet.records.specimen import Examined
from broadstreet.sources.specimens import specimens

ROOT = Path(__file__).parents[2]
CORPUS, SAMPLE = ROOT / "corpus", ROOT / "sample"


@lru_cache
def corpus() -> tuple[Examined, ...]:
    """Every core dump of the corpus, with evidence: real crashes on no fleet."""
    return _read(CORPUS, 1000)


@lru_cache
def sample() -> tuple[Examined, ...]:
    """Forty of the sample: a simulated fleet, with hosts and times."""
    return _read(SAMPLE, 40)


def _read(folder: Path, most: int) -> tuple[Examined, ...]:
    binaries = BinarySources((str(folder / "binaries"),)).open()
    found = [examine(one, binaries, "pointers") for one in list(specimens(str(folder / "cores")))[:most]]
    assert all(isinstance(one.outcome, Case) for one in found)
    return tuple(found)


def case(one: Examined) -> Case:
    """Its case."""
    assert isinstance(one.outcome, Case)
    return one.outcome


def bare(one: Case) -> Case:
    """As it comes back from the tables: findings without their evidence."""
    return replace(one, findings=tuple(finding._replace(evidence=()) for finding in one.findings))
