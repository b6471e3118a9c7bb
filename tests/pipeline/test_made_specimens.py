"""The specimens of the benchmarks are cases of their own, and are judged as the crashes that they were made of."""

from pathlib import Path

from bench.specimens import SAMPLE, make
from broadstreet.pipeline.reading import BinarySources, case_at
from broadstreet.records.case import Case

COUNT = 400  # each of the sample's once at least


def judged(case: Case) -> object:
    return case.mechanism, [(finding.label, finding.state) for finding in case.findings], case.frames


def test_made_specimens_are_distinct_and_judged_as_their_originals(tmp_path: Path) -> None:
    make(tmp_path, COUNT, 1)
    binaries = BinarySources((str(SAMPLE.parent / "binaries"),)).open()
    originals = [case_at(str(path), binaries) for path in sorted(SAMPLE.glob("*.core.zst"))]
    made = [case_at(str(path), binaries) for path in sorted(tmp_path.rglob("*.core.zst"))]
    assert len({case.case_id for case in [*made, *originals]}) == COUNT + len(originals)
    for number, case in enumerate(made):
        assert judged(case) == judged(originals[number % len(originals)])
    assert len({case.circumstances.time for case in made}) == COUNT
