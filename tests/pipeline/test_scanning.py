"""Scanning into a casebook: what is read, what is known, what has gone stale, and judging again."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from broadstreet import labels
from broadstreet.pipeline import scanning
from broadstreet.pipeline.outcome import examine
from broadstreet.pipeline.reading import BinarySources
from broadstreet.pipeline.scanning import Scan, relabel, stored_case, stored_cases
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.specimens import specimens
from broadstreet.store.casebook import WRONG_FLEET, open_for_writing
from broadstreet.store.questions import Questions
from tests.store.examined import CORPUS

SOME = 12
FOLDERS = (str(CORPUS / "binaries"),)


class Bench:
    """A folder of core dumps and a casebook; it counts what is read."""

    def __init__(self, folder: Path) -> None:
        self.cores = folder / "cores"
        self.cores.mkdir()
        self.url = str(folder / "casebook")
        self.read: list[str] = []
        self.broken: set[str] = set()

    def add(self, *paths: Path) -> None:
        for path in paths:
            shutil.copy(path, self.cores)

    def scan(self, binaries: tuple[str, ...] = FOLDERS, reread: bool = False) -> tuple[list[Examined], list[Examined]]:
        self.read = []
        sources = BinarySources(binaries)
        finder = sources.open()

        def examined(new: Iterable[Specimen]) -> Iterator[Examined]:
            for specimen in new:
                self.read.append(Path(specimen.location).name)
                if Path(specimen.location).name in self.broken:
                    yield Examined(specimen, Unreadable(specimen.location, "slow", "it was slow", unsettled=True))
                else:
                    yield examine(specimen, finder, "pointers")

        book = open_for_writing(self.url)
        known: list[Examined] = []
        scan = Scan(book, self.url, (str(self.cores),), "pointers", reread, sources.open())
        new = list(scan.outcomes(specimens(str(self.cores)), examined, known.append))
        book.close()
        assert (scan.read, scan.known) == (len(new), len(known))
        return new, known

    def count(self, select: str) -> int:
        with Questions(self.url) as questions:
            return int(questions.answer(f"SELECT count(*) AS n FROM {select}")["n"][0].as_py())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.add(*sorted((CORPUS / "cores").iterdir())[:SOME])
    return made


def told(examined: list[Examined]) -> dict[str, object]:
    return {one.specimen.location: one.outcome for one in examined}


def test_a_second_scan_reads_nothing_and_tells_the_same(bench: Bench) -> None:
    new, known = bench.scan()
    assert (len(new), known) == (SOME, [])
    again, known = bench.scan()
    assert (again, bench.read) == ([], [])
    before = told(new)
    for location, outcome in told(known).items():
        assert outcome == before[location]


def test_a_core_dump_that_comes_later_is_read_alone(bench: Bench) -> None:
    bench.scan()
    later = sorted((CORPUS / "cores").iterdir())[SOME]
    bench.add(later)
    new, known = bench.scan()
    assert (bench.read, len(new), len(known)) == ([later.name], 1, SOME)


def test_a_file_that_was_written_anew_is_read_again(bench: Bench) -> None:
    bench.scan()
    one = sorted(bench.cores.iterdir())[0]
    other = sorted((CORPUS / "cores").iterdir())[SOME]
    shutil.copy(other, one)
    bench.scan()
    assert bench.read == [one.name]


def test_what_is_no_core_dump_is_remembered_and_not_read_again(bench: Bench) -> None:
    (bench.cores / "core.cut").write_bytes(b"\x7fELF")
    new, _ = bench.scan()
    assert sum(isinstance(one.outcome, Unreadable) for one in new) == 1
    _, known = bench.scan()
    assert bench.read == []
    assert sum(isinstance(one.outcome, Unreadable) for one in known) == 1


def test_what_its_source_did_not_give_is_read_again_until_it_does(bench: Bench) -> None:
    name = sorted(bench.cores.iterdir())[0].name
    bench.broken = {name}
    bench.scan()
    rows = bench.count("raw_specimens")
    bench.scan()
    assert bench.read == [name]
    assert bench.count("raw_specimens") == rows  # the same failure is no news
    bench.broken = set()
    bench.scan()
    assert bench.read == [name]
    assert (bench.count("cases"), bench.count("specimens WHERE unreadable IS NOT NULL")) == (SOME, 0)
    bench.scan()
    assert bench.read == []


def test_a_binary_that_arrived_makes_its_cases_stale_and_no_others(bench: Bench) -> None:
    bench.scan(binaries=())
    with Questions(bench.url) as questions:
        rows = questions.answer("SELECT path, lacking FROM cases").to_pylist()
    lacking = {Path(row["path"]).name for row in rows if row["lacking"]}
    assert lacking
    bench.scan(binaries=(), reread=True)
    assert bench.read == []
    new, _ = bench.scan(reread=True)
    assert set(bench.read) == lacking
    with Questions(bench.url) as questions:
        current = {one.case_id: one.mechanism for one in questions.cases()}
    assert (
        current | {one.outcome.case_id: one.outcome.mechanism for one in new if isinstance(one.outcome, Case)}
        == current
    )
    assert (bench.count("cases"), bench.count("history")) == (SOME, SOME + len(lacking))
    assert bench.count("evidence") == SOME


def test_a_newer_reader_makes_every_case_stale(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.scan()
    monkeypatch.setattr(scanning, "READER_VERSION", 99)
    bench.scan()
    assert bench.read == []
    bench.scan(reread=True)
    assert len(bench.read) == SOME


def test_what_cannot_be_read_again_keeps_its_case(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    new, _ = bench.scan()
    monkeypatch.setattr(scanning, "READER_VERSION", 99)
    bench.broken = {Path(one.specimen.location).name for one in new}
    again, known = bench.scan(reread=True)
    assert all(isinstance(one.outcome, Unreadable) for one in again)
    assert told(known) == told(new)
    assert (bench.count("cases"), bench.count("raw_specimens")) == (SOME, SOME)


def test_a_scan_says_that_a_crash_of_another_fleet_was_refused(bench: Bench) -> None:
    bench.scan()
    core = next(bench.cores.iterdir())
    shutil.copy(core, bench.cores / "core.simulated")
    (bench.cores / "core.simulated.json").write_text('{"labels": {"fleet": "simulated"}}')
    (one,), _ = bench.scan()
    assert isinstance(one.outcome, Unreadable)
    assert one.outcome.kind == WRONG_FLEET


def test_other_rules_judge_stored_cases_again_without_reading(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.scan()
    book = open_for_writing(bench.url)
    assert sum(relabel(book, bench.url)) == 0
    monkeypatch.setattr(labels, "RULES_VERSION", 99)
    monkeypatch.setattr(labels, "mechanism", lambda found: "of_other_rules")
    assert sum(relabel(book, bench.url)) == SOME
    assert sum(relabel(book, bench.url)) == 0
    book.close()
    assert bench.count("cases WHERE mechanism = 'of_other_rules' AND rules_version = 99") == SOME
    assert (bench.count("cases"), bench.count("evidence"), bench.count("history")) == (SOME, SOME, 2 * SOME)
    _, known = bench.scan()
    assert bench.read == []
    assert {one.outcome.mechanism for one in known if isinstance(one.outcome, Case)} == {"of_other_rules"}


def test_cases_that_other_rules_judged_keep_their_answers_without_evidence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    new, _ = bench.scan()
    monkeypatch.setattr(labels, "RULES_VERSION", 99)
    with Questions(bench.url) as questions:
        reading = questions.answer("SELECT reading FROM cases LIMIT 1")["reading"].to_pylist()
        (found,) = stored_cases(questions, reading)
    wanted = next(one.outcome for one in new if isinstance(one.outcome, Case) and one.outcome.case_id == found.case_id)
    assert [(f.label, f.state) for f in found.findings] == [(f.label, f.state) for f in wanted.findings]
    assert all(f.evidence == () for f in found.findings)


def test_a_stored_case_can_be_looked_into_when_its_core_dump_is_gone(bench: Bench) -> None:
    new, _ = bench.scan()
    shutil.rmtree(bench.cores)
    for one in new:
        assert isinstance(one.outcome, Case)
        case, state = stored_case(bench.url, one.outcome.case_id, BinarySources(FOLDERS).open())
        assert case == one.outcome
        assert state is not None
        assert state.frames == case.frames
