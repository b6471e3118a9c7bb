"""Evidence reads as the core dump that it was made of, of every real crash at hand, and holds none of its texts."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest

from broadstreet.cases.case import case_of
from broadstreet.pipeline import evidence as evidences
from broadstreet.pipeline import slim_form
from broadstreet.pipeline.evidence import Keep, evidence
from broadstreet.pipeline.outcome import examine
from broadstreet.pipeline.reading import BinarySources, read_specimen, reading_of
from broadstreet.reading.reader import Reading
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.blob import BytesCore
from broadstreet.sources.specimens import specimen_at
from tests.kernel_cores import skipped_without
from tests.synth import Core, Fault, Map, Note, Process, Sent, Thread, core_dump
from tests.test_slim import (
    ARGUMENT,
    CRASHES,
    LIBRARY,
    SECRET,
    STACK,
    VARIABLE,
    Crashed,
    pieces,
    recovered_core,
    synthetic,
    synthetic_registers,
    told,
    written,
)

ROOT = Path(__file__).parents[2]
KEPT: tuple[Keep, ...] = ("pointers", "full")
NO_BINARIES = Binaries()


@lru_cache(maxsize=1)
def binaries() -> Binaries:
    return BinarySources((str(ROOT / "corpus" / "binaries"), str(ROOT / "sample" / "binaries"))).open()


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Crashed:
    with skipped_without():
        made = Crashed(tmp_path_factory.mktemp("crashed"))
    return made


@pytest.fixture(autouse=True)
def _nothing_proven() -> None:
    evidences._proven.clear()


def read(path: str, found: Binaries) -> tuple[Case, Reading]:
    return read_specimen(specimen_at(path), found, witnessed=True)


def again(content: bytes | None, found: Binaries) -> Case:
    assert content is not None
    source = BytesCore(content)
    return case_of(reading_of(source, found), Circumstances(""), source.bytes_read, len(content))


def made_of(core: Core | bytes, folder: Path, keep: Keep = "pointers") -> tuple[Case, bytes | None]:
    case, reading = read(written(folder, core), NO_BINARIES)
    return case, evidence(reading, case, NO_BINARIES, keep)


@pytest.mark.parametrize("keep", KEPT)
@pytest.mark.parametrize("folder", ["corpus", "sample"])
def test_evidence_reads_as_each_core_dump_that_is_shipped(folder: str, keep: Keep, monkeypatch: object) -> None:
    cores = sorted((ROOT / folder / "cores").glob("*.zst"))
    assert len(cores) > 50
    for core in cores:
        case, reading = read(str(core), binaries())
        assert told(again(evidence(reading, case, binaries(), keep), binaries())) == told(case), core
        assert again(evidence(reading, case, binaries(), keep), binaries()).mechanism == case.mechanism


@pytest.mark.parametrize("keep", KEPT)
@pytest.mark.parametrize("kind", CRASHES)
def test_evidence_reads_as_what_the_kernel_wrote(crashed: Crashed, kind: str, keep: Keep) -> None:
    case, reading = read(crashed.cores[kind], crashed.binaries)
    assert told(again(evidence(reading, case, crashed.binaries, keep), crashed.binaries)) == told(case)


@pytest.mark.parametrize("kind", CRASHES)
def test_evidence_of_pointers_holds_no_text_of_the_program(crashed: Crashed, kind: str) -> None:
    case, reading = read(crashed.cores[kind], crashed.binaries)
    full = evidence(reading, case, crashed.binaries, "full")
    if kind in ("null", "check"):
        assert full is not None
        assert SECRET.encode() in full  # else this test could not fail
    kept = evidence(reading, case, crashed.binaries, "pointers")
    assert kept is not None
    assert [piece for piece in pieces(SECRET) if piece in kept] == []


@pytest.mark.parametrize("keep", KEPT)
def test_neither_arguments_nor_environment_are_in_evidence(crashed: Crashed, keep: Keep) -> None:
    case, reading = read(crashed.cores["null"], crashed.binaries)
    kept = evidence(reading, case, crashed.binaries, keep)
    assert kept is not None
    for text in (ARGUMENT.encode(), VARIABLE.encode()):
        assert text in Path(crashed.cores["null"]).read_bytes()
        assert text not in kept


def test_a_slim_core_dump_that_claims_to_hold_pointers_only_is_not_believed(tmp_path: Path) -> None:
    secret = b"mulberry-quince-armadillo"
    stack = synthetic().mappings[-1]
    changed = replace(stack, data=stack.data[:0x18100] + secret + stack.data[0x18100 + len(secret) :])
    case, full = made_of(synthetic(mappings=(*synthetic().mappings[:-1], changed)), tmp_path, "full")
    assert full is not None
    lie = full.replace(b'"pointers_only":false', b'"pointers_only":true ')
    assert lie != full
    assert secret in lie
    told_of_lie, kept = made_of(lie, tmp_path)
    assert told_of_lie.case_id == case.case_id
    assert kept is not None
    assert secret not in kept


def test_nothing_is_kept_where_nothing_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, synthetic())
    assert examine(specimen_at(path), NO_BINARIES).evidence is None
    assert examine(specimen_at(path), NO_BINARIES, "pointers").evidence is not None


def test_a_specimen_is_read_once_and_evidence_needs_no_byte_more(tmp_path: Path) -> None:
    path = written(tmp_path, recovered_core())
    plain, kept = examine(specimen_at(path), NO_BINARIES), examine(specimen_at(path), NO_BINARIES, "full")
    assert kept.evidence is not None
    assert kept.outcome == plain.outcome


def test_the_number_of_threads_survives_though_their_registers_do_not(tmp_path: Path) -> None:
    vector = Note("LINUX", 0x202, b"\x33" * 2048)
    for count in (1, 2, 3, 300):
        threads = tuple(Thread(tid=4711 + at, registers=synthetic_registers(), more=(vector,)) for at in range(count))
        case, kept = made_of(synthetic(threads=threads), tmp_path)
        assert case.thread_count == count
        assert told(again(kept, NO_BINARIES)) == told(case)
        assert len(kept or b"") < 64 << 10


def test_asked_for_every_thread_evidence_says_that_only_one_was_kept(tmp_path: Path) -> None:
    _, kept = made_of(synthetic(), tmp_path)
    assert kept is not None
    reading = reading_of(BytesCore(kept), NO_BINARIES, every_thread=True)
    assert reading.thread_count == 2
    assert "only 1 of 2 were kept" in {gap.why for gap in reading.gaps}


@pytest.mark.parametrize("keep", KEPT)
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.97])
def test_a_core_that_was_cut_off_has_evidence_too(part: float, keep: Keep, tmp_path: Path) -> None:
    content = core_dump(synthetic())
    case, kept = made_of(content[: int(len(content) * part)], tmp_path, keep)
    assert told(again(kept, NO_BINARIES)) == told(case)


def test_a_core_without_a_thread_has_a_case_and_no_evidence(tmp_path: Path) -> None:
    case, kept = made_of(core_dump(synthetic())[:700], tmp_path)
    assert case.mechanism
    assert kept is None


def test_what_the_choice_of_memory_missed_is_kept_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slim_form, "asked_for", lambda *_: [])
    case, kept = made_of(recovered_core(), tmp_path)
    assert case.context == "recovered"
    assert told(again(kept, NO_BINARIES)) == told(case)


def test_evidence_that_would_read_otherwise_is_null_and_the_case_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = core_dump(synthetic(signal=Fault(si_signo=11, si_code=1, si_addr=0x9999)))
    monkeypatch.setattr(evidences, "core_dump", lambda _: other)
    case, kept = made_of(synthetic(), tmp_path)
    assert case.fault_address == 0x1234
    assert kept is None


def test_a_bug_in_making_evidence_costs_the_evidence_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def bug(_: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr(evidences, "core_dump", bug)
    found = examine(specimen_at(written(tmp_path, synthetic())), NO_BINARIES, "pointers")
    assert isinstance(found.outcome, Case)
    assert found.evidence is None


def test_evidence_of_more_than_its_bound_is_null(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidences, "MOST_BYTES", 1000)
    assert made_of(synthetic(), tmp_path)[1] is None


def test_of_a_shape_that_was_proven_a_sample_is_still_read_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_back: list[str] = []
    gives = evidences._gives
    monkeypatch.setattr(evidences, "_gives", lambda case, *rest: read_back.append(case.case_id) or gives(case, *rest))
    ids = []
    for pid in range(200):
        case, kept = made_of(synthetic(process=Process(pid=pid + 1, fname="walker", psargs="")), tmp_path)
        ids.append(case.case_id)
        assert kept is not None
    sampled = {case_id for case_id in ids if int(case_id, 16) % evidences.SAMPLED == 0}
    assert 0 < len(sampled) < 40
    assert set(read_back) == {ids[0]} | sampled


def test_a_shape_that_failed_once_is_no_longer_taken_as_proven(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case, reading = read(written(tmp_path, synthetic()), NO_BINARIES)
    assert evidence(reading, case, NO_BINARIES, "pointers") is not None
    monkeypatch.setattr(evidences, "SAMPLED", 1)
    monkeypatch.setattr(evidences, "_gives", lambda *_: False)
    assert evidence(reading, case, NO_BINARIES, "pointers") is None
    assert evidences._proven == set()


@pytest.mark.parametrize("sp", range(STACK + 0x18000, STACK + 0x18010))
def test_a_stack_pointer_across_words_keeps_the_words_that_it_reads(sp: int, tmp_path: Path) -> None:
    registers = {**synthetic_registers(), "rsp": sp, "rbp": STACK + 0x20EF9, "rip": LIBRARY + 0x2101}
    case, kept = made_of(synthetic(threads=(Thread(tid=4713, registers=registers),)), tmp_path)
    assert told(again(kept, NO_BINARIES)) == told(case)


def test_a_sent_signal_and_a_mapped_page_at_zero_are_read_back_the_same(tmp_path: Path) -> None:
    low = Map(start=0, end=0x10000, flags="rx")
    signal = Sent(si_signo=6, si_code=-6, si_pid=4711, si_uid=0)
    case, kept = made_of(synthetic(mappings=(low, *synthetic().mappings), signal=signal), tmp_path)
    assert told(again(kept, NO_BINARIES)) == told(case)
