"""The kernel's notes, from bytes that tests/synth packed and tests/test_synth.py held against gdb and elfutils."""

import struct
from hashlib import blake2b

import pytest

from broadstreet.formats import linux_core as linux
from tests import synth
from tests.synth.notes import REGISTER_ORDER, notes, siginfo

REGISTERS: dict[str, dict[str, int]] = {
    architecture: {name: 0xABC_0000_0000 + at for at, name in enumerate(order)}
    for architecture, order in REGISTER_ORDER.items()
}


def described(architecture: synth.Architecture, **changes: object) -> synth.Core:
    fields = {
        "architecture": architecture,
        "signal": synth.Fault(si_signo=11, si_code=1, si_addr=0x1234),
        "process": synth.Process(pid=4711, fname="walker", psargs="./walker -v ", uid=1000, flag=0x400640),
        "threads": (synth.Thread(tid=4713, registers=REGISTERS[architecture]),),
        "auxv": ((6, 4096), (9, 0x401000), (33, 0x7FFE_0000_0000)),
        "mappings": (
            synth.Map(start=0x1000, end=0x2000, flags="r", path="/lib/a.so"),
            synth.Map(start=0x2000, end=0x5000, flags="rx", path="/lib/a.so", page_offset=1),
            synth.Map(start=0x8000, end=0x9000, flags="r", path="/lib/\udcffb.so"),
        ),
    }
    return synth.Core(**{**fields, **changes})  # type: ignore[arg-type]


def note(core: synth.Core, kind: int) -> bytes:
    return next(one.data for one in notes(core) if one.type == kind)


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_a_thread_has_its_number_signal_and_registers_in_the_kernel_s_order(architecture: synth.Architecture) -> None:
    status = linux.PRSTATUS[architecture].read(note(described(architecture), 1))
    assert (status.tid, status.cursig) == (4713, 11)
    assert status.registers == tuple(REGISTERS[architecture].values())


def test_the_process_has_flags_numbers_and_names() -> None:
    process = linux.PRPSINFO.read(note(described("x86_64"), 3))
    assert (process.flag, process.uid, process.pid) == (0x400640, 1000, 4711)
    assert process.flag & linux.PF_FORKNOEXEC
    assert (process.fname.rstrip(b"\0"), process.psargs.rstrip(b"\0")) == (b"walker", b"./walker -v ")


def test_a_fault_has_its_address() -> None:
    info = linux.SIGINFO.read(siginfo(synth.Fault(si_signo=7, si_code=2, si_addr=0xDEAD)))
    assert info == (7, 2, 0xDEAD)


def test_a_sent_signal_has_its_sender() -> None:
    data = siginfo(synth.Sent(si_signo=6, si_code=-6, si_pid=99, si_uid=1000))
    assert linux.SIGINFO.read(data)[:2] == (6, -6)
    assert linux.SIGINFO_SENDER.read(data) == (99, 1000)


def test_a_refused_system_call_has_its_number() -> None:
    data = struct.pack("<iiixxxxQiI", 31, 0, 1, 0x401000, 57, 0xC000003E).ljust(128, b"\0")
    assert linux.SIGINFO_SYSCALL.read(data) == (0x401000, 57, 0xC000003E)


def test_the_auxiliary_vector_ends_at_its_null() -> None:
    data = note(described("x86_64"), 6)
    assert linux.auxiliary_vector(data) == {6: 4096, 9: 0x401000, 33: 0x7FFE_0000_0000}
    assert linux.auxiliary_vector(data + struct.pack("<QQ", 25, 7)) == linux.auxiliary_vector(data)
    assert linux.auxiliary_vector(data[:31]) == {6: 4096}
    assert linux.auxiliary_vector(b"") == {}


def test_mapped_files_have_offsets_in_bytes_and_names_that_are_no_text() -> None:
    assert linux.mapped_files(note(described("x86_64"), 0x46494C45)) == [
        (0x1000, 0x2000, 0, "/lib/a.so"),
        (0x2000, 0x5000, 0x1000, "/lib/a.so"),
        (0x8000, 0x9000, 0, "/lib/\\xffb.so"),
    ]


def test_mapped_files_that_are_cut_off_are_left_out() -> None:
    data = note(described("x86_64"), 0x46494C45)
    sizes = [len(linux.mapped_files(data[:size])) for size in (0, 15, 16, 40, len(data) - 4, len(data))]
    assert sizes == [0, 0, 0, 1, 3, 3]


@pytest.mark.parametrize("count", [4, 1 << 32, (1 << 64) - 1])
def test_a_count_that_lies_sizes_nothing(count: int) -> None:
    data = note(described("x86_64"), 0x46494C45)
    assert len(linux.mapped_files(struct.pack("<Q", count) + data[8:])) <= 4


def test_the_identity_is_the_hash_of_four_notes_without_arguments() -> None:
    core = described("x86_64")
    status, info, auxv, process = (note(core, kind) for kind in (1, 0x53494749, 6, 3))
    digest = blake2b(digest_size=16, person=b"broadstreet-case")
    for part in (status, info, auxv, process[:56]):
        digest.update(struct.pack("<Q", len(part)) + part)
    assert linux.case_id(status, info, auxv, process) == digest.hexdigest()


def test_arguments_do_not_change_the_identity_and_everything_else_does() -> None:
    def identity(core: synth.Core) -> str:
        return linux.case_id(*(note(core, kind) for kind in (1, 0x53494749, 6, 3)))

    same = described("x86_64")
    blanked = described("x86_64", process=synth.Process(pid=4711, fname="walker", psargs="", uid=1000, flag=0x400640))
    others = [
        described("x86_64", threads=(synth.Thread(tid=4714, registers=REGISTERS["x86_64"]),)),
        described("x86_64", signal=synth.Fault(si_signo=11, si_code=1, si_addr=0x1235)),
        described("x86_64", auxv=((25, 1),)),
        described("x86_64", process=synth.Process(pid=4712, fname="walker", psargs="", uid=1000, flag=0x400640)),
    ]
    assert identity(same) == identity(blanked)
    assert len({identity(core) for core in (same, *others)}) == 5


def test_bytes_do_not_move_from_one_note_to_the_next_unseen() -> None:
    assert linux.case_id(b"ab", b"", b"", b"") != linux.case_id(b"a", b"b", b"", b"")
