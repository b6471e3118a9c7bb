"""The reader over synthetic core dumps: how often and how much it asks, and what is left of a core that was cut."""

import struct

import pytest

from broadstreet.errors import UnreadableSpecimen
from tests import synth
from tests.reading.driving import Driven, driven
from tests.reading.specimens import (
    BUILD_IDS,
    FAULT,
    LIBRARY,
    PROGRAM,
    REGISTERS,
    SP,
    STACK,
    core,
    many,
    module,
    note_ends,
    notes_segment,
    stack,
)

PREFIX_BYTES = 64 << 10
BUDGET_BYTES = 96 << 10


def greedy() -> synth.Core:
    """Everything that a reading may want at once: dumped code, a live signal frame on another stack, many modules."""
    alternate = 0x7F20_0000_0000
    frame = synth.signal_frame(
        {"rip": LIBRARY + 0x1010, "rsp": alternate + 0x8000}, FAULT, restorer=LIBRARY + 0x1800, err=4, trapno=14, cr2=16
    )
    starts = [0x7F30_0000_0000 + 0x10000 * at for at in range(80)]
    words = struct.pack("<80Q", *(start + 0x1100 for start in starts))
    libraries = [one for at, start in enumerate(starts) for one in module(f"/nowhere/lib{at}.so", start)]
    mirrors = [  # of the stack, at one flipped bit each
        synth.Map(start=STACK ^ 1 << bit, end=(STACK ^ 1 << bit) + 0x10000, flags="rw", data=bytes(0x10000))
        for bit in range(20, 40)
    ]
    code = synth.Map(
        start=LIBRARY + 0x1000, end=LIBRARY + 0x10000, flags="rx", data=b"\x90" * 0xF000, path="/nowhere/libwalk.so"
    )
    base = core()
    kept = [m for m in base.mappings if not STACK <= m.start < STACK + 1 and m.path != "/nowhere/libwalk.so"]
    return core(
        mappings=(
            *kept,
            *libraries,
            *mirrors,
            module("/nowhere/libwalk.so", LIBRARY)[0],
            code,
            synth.Map(start=STACK, end=STACK + 0x20000, flags="rw", data=stack(bytes_at_sp=frame + words)),
            synth.Map(start=alternate, end=alternate + 0x10000, flags="rw", data=words * 100),
        )
    )


def long_named(count: int) -> list[synth.Map]:
    return [one for at in range(count) for one in module(f"/{'x' * 90}{at}", 1 << 32 | at << 16)]


def several_ways() -> dict[str, bytes]:
    return {
        "small": synth.core_dump(core()),
        "many threads": synth.core_dump(core(threads=200)),
        "long headers": synth.core_dump(core(*many(3000))),
        "long notes": synth.core_dump(
            core(*(m for at in range(500) for m in module(f"/{'x' * 90}{at}", 1 << 32 | at << 16)))
        ),
        "greedy": synth.core_dump(greedy()),
    }


WAYS = pytest.mark.parametrize("data", several_ways().values(), ids=list(several_ways()))


@pytest.fixture(scope="module")
def huge() -> bytes:
    return synth.core_dump(core(*many(70_000)))


@WAYS
def test_bytes_are_asked_for_at_most_three_times(data: bytes) -> None:
    assert 2 <= len(driven(data).rounds) <= 3
    assert 2 <= len(driven(data, every_thread=True).rounds) <= 3


@WAYS
def test_beyond_headers_notes_and_the_first_piece_it_stays_within_its_budget(data: bytes) -> None:
    _, end = notes_segment(data)
    assert 0 < driven(data).bytes_beyond(max(end, PREFIX_BYTES)) <= BUDGET_BYTES


@WAYS
def test_what_was_read_suffices_for_registers_signal_and_modules(data: bytes) -> None:
    reading = driven(data).reading
    assert reading.state is not None
    assert (reading.state.pc, reading.state.signal.number, reading.state.signal.address) == (LIBRARY + 0x1010, 11, 0x10)
    found = {m.path: m.build_id for m in reading.modules.all if m.build_id_source == "core"}
    assert found["/nowhere/libwalk.so"] == BUILD_IDS["/nowhere/libwalk.so"].hex()
    assert reading.kernel_release == "6.18.44"


def test_a_core_of_seventy_thousand_mappings_is_read_in_three_rounds(huge: bytes) -> None:
    one = driven(huge)
    assert struct.unpack_from("<H", huge, 56) == (0xFFFF,)
    assert len(one.rounds) == 3
    assert one.reading.state is not None
    assert len(one.reading.space.mappings) == 70_008
    assert one.reading.space.word(SP) == LIBRARY + 0x1100
    assert one.bytes_beyond(notes_segment(huge)[1]) <= BUDGET_BYTES
    assert [gap for gap in one.reading.gaps if "header" in gap.what] == []


def test_a_core_of_seventy_thousand_mappings_gives_the_same_case_and_frames(huge: bytes) -> None:
    small = driven(synth.core_dump(core())).reading
    large = driven(huge).reading
    assert large.case_id == small.case_id
    assert small.state is not None
    assert large.state is not None
    assert large.state.frames == small.state.frames


def test_more_mappings_than_are_read_are_a_gap() -> None:
    data = bytearray(synth.core_dump(core(*many(70_000))))
    _, end = notes_segment(bytes(data))
    at = notes_segment(bytes(data))[0]
    moved = 56 * 300_000
    struct.pack_into("<Q", data, 64 + 8, at + moved)
    grown = bytes(data[:at]) + bytes(moved) + bytes(data[at:])
    reading = driven(grown[: end + moved]).reading
    assert [(gap.what, gap.why) for gap in reading.gaps if gap.what == "program headers"] == [
        ("program headers", "only the first 262,144 of 370,009 are read")
    ]
    assert reading.state is not None


@pytest.mark.parametrize("every_thread", [False, True])
def test_a_note_of_another_owner_is_no_thread(every_thread: bool) -> None:
    foreign = tuple(synth.Note(owner, 1, bytes(336)) for owner in ("FreeBSD", "VMCORE", "core"))
    threads = tuple(synth.Thread(tid=tid, registers=REGISTERS, more=foreign) for tid in (4711, 4712))
    reading = driven(synth.core_dump(core_with_threads(threads)), every_thread=every_thread).reading
    assert [thread.tid for thread in reading.threads] == [4711, 4712][: 2 if every_thread else 1]
    assert reading.thread_count == 2


def test_all_threads_are_read_when_asked_for() -> None:
    data = synth.core_dump(core(threads=200))
    assert [thread.tid for thread in driven(data, every_thread=True).reading.threads] == list(range(4711, 4911))
    alone = driven(data).reading
    assert [thread.tid for thread in alone.threads] == [4711]
    assert alone.thread_count == 200


@pytest.mark.parametrize("threads", [1, 2, 3, 17])
def test_the_threads_are_counted_without_reading_them(threads: int) -> None:
    assert driven(synth.core_dump(core(threads=threads))).reading.thread_count == threads


@pytest.mark.parametrize("name", ["small", "many threads", "long notes"])
def test_a_cut_at_every_note_gives_a_reading_with_gaps(name: str) -> None:
    data = several_ways()[name]
    whole = driven(data).reading
    assert [gap.what for gap in whole.gaps if gap.what in ("notes", "memory", "registers")] == []
    ends = note_ends(data)
    for number, end in enumerate(ends[:40]):
        reading = driven(data[:end]).reading
        gaps = {gap.what for gap in reading.gaps}
        assert gaps & {"notes", "memory"}, f"cut behind note {number}"
        assert ("registers" in gaps) == (number == 0)
        assert (reading.state is None) == (number == 0)
        if reading.state is not None:
            assert reading.state.pc == LIBRARY + 0x1010
            assert (reading.state.signal.code is not None) == (number >= 3)


@pytest.mark.parametrize("name", ["small", "long headers", "long notes"])
def test_every_cut_behind_the_first_process_notes_keeps_the_case_id(name: str) -> None:
    data = several_ways()[name]
    whole = driven(data).reading.case_id
    needed = note_ends(data)[4]  # PRSTATUS, PRPSINFO, SIGINFO, AUXV
    places = sorted(
        {needed, needed + 1, *note_ends(data)[4:40], *range(needed, len(data), 1 + len(data) // 60), len(data)}
    )
    assert {driven(data[:place]).reading.case_id for place in places} == {whole}
    assert driven(data[: needed - 4]).reading.case_id != whole


def test_arguments_do_not_change_the_case_id_and_a_register_does() -> None:
    process = synth.Process(pid=4711, fname="walker", psargs="")
    other = (synth.Thread(tid=4711, registers={**REGISTERS, "rax": 1}),)
    whole = driven(synth.core_dump(core())).reading.case_id
    assert driven(synth.core_dump(core(process=process))).reading.case_id == whole
    assert driven(synth.core_dump(core(threads=1, process=process))).reading.case_id == whole
    assert driven(synth.core_dump(core_with_threads(other))).reading.case_id != whole


def core_with_threads(threads: tuple[synth.Thread, ...]) -> synth.Core:
    base = core()
    return synth.Core(
        architecture=base.architecture,
        signal=base.signal,
        process=base.process,
        threads=threads,
        mappings=base.mappings,
        auxv=base.auxv,
    )


def test_without_binaries_a_frame_has_module_and_offset() -> None:
    one = driven(synth.core_dump(core()))
    assert one.reading.state is not None
    first = one.reading.state.frames[0]
    assert (first.module, first.offset, first.function) == ("/nowhere/libwalk.so", 0x1010, None)
    assert first.build_id == BUILD_IDS["/nowhere/libwalk.so"].hex()
    asked = {(wanted.path, wanted.build_id) for wanted in one.wanted}
    assert ("/nowhere/libwalk.so", BUILD_IDS["/nowhere/libwalk.so"].hex()) in asked


def test_without_binaries_and_memory_a_frame_still_has_module_and_offset() -> None:
    data = synth.core_dump(core())
    state = driven(data[: notes_segment(data)[1]]).reading.state
    assert state is not None
    assert [(frame.module, frame.offset) for frame in state.frames] == [("/nowhere/libwalk.so", 0x1010)]


def test_missing_binaries_are_gaps_with_a_remedy() -> None:
    gaps = [gap for gap in driven(synth.core_dump(core())).reading.gaps if gap.what.startswith("binary ")]
    assert {gap.what for gap in gaps} == {"binary /nowhere/libwalk.so", "binary /nowhere/walker"}
    assert all(gap.remedy and "binaries" in gap.remedy for gap in gaps)


def test_without_the_file_note_modules_are_known_by_build_id() -> None:
    data = synth.core_dump(core())
    blanked = data.replace(struct.pack("<I", 0x46494C45), struct.pack("<I", 0x11111111), 1)
    reading = driven(blanked).reading
    assert any(gap.what == "file mappings" for gap in reading.gaps)
    assert BUILD_IDS["/nowhere/libwalk.so"].hex() in {module.build_id for module in reading.modules.all}
    assert reading.state is not None
    assert reading.state.frames[0].build_id == BUILD_IDS["/nowhere/libwalk.so"].hex()


@pytest.mark.parametrize(
    ("at", "code", "value", "message"),
    [
        (16, "<H", 2, r"wanted a core dump \(type 4\), found type 2"),
        (18, "<H", 40, "wanted x86-64 or aarch64, found machine 40"),
        (0, "<I", 0, "ELF header"),
    ],
)
def test_what_is_no_core_dump_is_refused(at: int, code: str, value: int, message: str) -> None:
    data = bytearray(synth.core_dump(core()))
    struct.pack_into(code, data, at, value)
    with pytest.raises(UnreadableSpecimen, match=message):
        driven(bytes(data))


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (32, 1 << 63),  # e_phoff
        (32, 0xFFFF_FFFF),
        (64 + 8, 1 << 63),  # p_offset of the notes
        (64 + 8, 1 << 40),
        (64 + 32, (1 << 64) - 1),  # p_filesz of the notes
        (64 + 32, 4 << 30),
    ],
)
@pytest.mark.parametrize("every_thread", [False, True])
def test_a_damaged_header_never_asks_for_much(at: int, value: int, every_thread: bool) -> None:
    data = bytearray(synth.core_dump(core()))
    struct.pack_into("<Q", data, at, value)
    one = driven(bytes(data), every_thread=every_thread)
    assert sum(size for ranges in one.rounds for _, size in ranges if size > 0) < 64 << 20
    assert one.reading.gaps


def test_aarch64_registers_and_modules_are_read() -> None:
    page = synth.module_page("aarch64", BUILD_IDS["/nowhere/walker"])
    data = synth.core_dump(
        synth.Core(
            architecture="aarch64",
            signal=FAULT,
            process=synth.Process(pid=4711, fname="walker", psargs="./walker "),
            threads=(
                synth.Thread(
                    tid=4711,
                    registers={"pc": PROGRAM + 0x1010, "sp": SP, "x30": PROGRAM + 0x1100},
                    more=(synth.Note("LINUX", 0x401, struct.pack("<Q", STACK + 0x100)),),
                ),
            ),
            mappings=(
                synth.Map(start=PROGRAM, end=PROGRAM + 0x1000, flags="r", data=page, path="/nowhere/walker"),
                synth.Map(
                    start=PROGRAM + 0x1000, end=PROGRAM + 0x2000, flags="rx", path="/nowhere/walker", page_offset=1
                ),
                synth.Map(start=STACK, end=STACK + 0x20000, flags="rw", data=stack(0)),
            ),
        )
    )
    reading = driven(data).reading
    assert (reading.architecture, reading.threads[0].tls) == ("aarch64", STACK + 0x100)
    assert reading.state is not None
    first = reading.state.frames[0]
    assert (first.module, first.offset, first.build_id) == (
        "/nowhere/walker",
        0x1010,
        BUILD_IDS["/nowhere/walker"].hex(),
    )


def test_nothing_is_asked_for_behind_a_core_dump_that_is_whole() -> None:
    data = synth.core_dump(core())
    one: Driven = driven(data)
    assert max(offset + size for ranges in one.rounds[1:] for offset, size in ranges) <= len(data)
