"""The synthetic cores against gdb, elfutils, pyelftools and a core that the running kernel wrote."""

import io
import resource
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import NoteSegment

from tests.synth import (
    FRAME_BYTES,
    RESTORER,
    Architecture,
    Core,
    Fault,
    Map,
    Note,
    Process,
    Sent,
    Thread,
    core_dump,
    module_page,
    signal_frame,
)

X86_NAMES = (
    "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss "
    "fs_base gs_base ds es fs gs"
).split()
ARM_NAMES = [*(f"x{n}" for n in range(31)), "sp", "pc"]
SELECTORS = {"cs": 0x33, "ss": 0x2B, "eflags": 0x202, "ds": 1, "es": 2, "fs": 3, "gs": 4}
STACK = 0x7FFE_0000_0000
LIBRARY = 0x7F11_0000_0000
BUILD_ID = bytes(range(0xA0, 0xB4))


def x86_registers(salt: int) -> dict[str, int]:
    distinct = {name: salt * 0x1_0000_0001 + at for at, name in enumerate(X86_NAMES)}
    return {**distinct, **SELECTORS}


def x86_core(**changes: object) -> Core:
    core = {
        "architecture": "x86_64",
        "signal": Fault(si_signo=11, si_code=1, si_addr=0x1234),
        "process": Process(
            pid=4711, ppid=47, pgrp=48, sid=49, uid=1000, gid=100, fname="walker", psargs="./walker -v "
        ),
        "threads": (
            Thread(tid=4713, registers=x86_registers(7), more=(Note("LINUX", 0x202, bytes(832)),)),
            Thread(tid=4711, registers=x86_registers(9)),
        ),
        "mappings": (
            Map(start=STACK, end=STACK + 0x3000, flags="rw", data=b"stack"),
            Map(start=LIBRARY, end=LIBRARY + 0x2000, flags="r", data=module_page("x86_64", BUILD_ID), path="/lib/a.so"),
            Map(start=LIBRARY + 0x2000, end=LIBRARY + 0x5000, flags="rx", path="/lib/a.so", page_offset=2),
        ),
        "auxv": ((6, 4096), (9, 0x401000)),
    }
    return Core(**{**core, **changes})  # type: ignore[arg-type]


def arm_core() -> Core:
    registers = {name: 0xABCD_0000_0000 + at for at, name in enumerate(ARM_NAMES)}
    return Core(
        architecture="aarch64",
        signal=Sent(si_signo=6, si_code=-6, si_pid=4711, si_uid=1000),
        process=Process(pid=4711, fname="walker", psargs="./walker "),
        threads=(Thread(tid=4711, registers={**registers, "pstate": 0x6000_0000}),),
        mappings=(Map(start=STACK, end=STACK + 0x1000, flags="rw", data=b"stack"),),
    )


def written(folder: Path, content: bytes) -> str:
    file = folder / "core"
    file.write_bytes(content)
    return str(file)


def said_by(*command: str) -> str:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def gdb_says(core: str, *commands: str, program: str = "gdb") -> str:
    return said_by(program, "-nx", "-batch", *(word for command in commands for word in ("-ex", command)), "-c", core)


def gdb_registers(core: str, names: list[str], *before: str, program: str = "gdb") -> dict[str, int]:
    said = gdb_says(core, *before, f"info registers {' '.join(names)}", program=program)
    rows = (line.split() for line in said.splitlines())
    return {row[0]: int(row[1], 16) for row in rows if row and row[0] in names}


def a_gdb_for_aarch64() -> str:
    for program in filter(shutil.which, ("gdb-multiarch", "gdb")):
        known = subprocess.run([program, "-nx", "-batch", "-ex", "set architecture aarch64"], capture_output=True)
        if b"ndefined" not in known.stderr:
            return program
    pytest.skip("no gdb here knows aarch64")


class FoundNote(NamedTuple):
    owner: str
    type: int
    data_at: int
    data: bytes


def notes_of(content: bytes) -> list[FoundNote]:
    segment = next(ELFFile(io.BytesIO(content)).iter_segments("PT_NOTE"))
    stop, at, found = segment["p_offset"] + segment["p_filesz"], segment["p_offset"], []
    while at < stop:
        owner, size, kind = struct.unpack_from("<III", content, at)
        name, data_at = content[at + 12 : at + 12 + owner - 1].decode(), at + 12 + (owner + 3) // 4 * 4
        found.append(FoundNote(name, kind, data_at, content[data_at : data_at + size]))
        at = data_at + (size + 3) // 4 * 4
    return found


def elftools_notes(content: bytes) -> list[Any]:
    segments = ELFFile(io.BytesIO(content)).iter_segments("PT_NOTE")
    return [note for segment in segments if isinstance(segment, NoteSegment) for note in segment.iter_notes()]


def test_notes_stand_in_the_order_of_the_kernel() -> None:
    kinds = [(note.owner, note.type, len(note.data)) for note in notes_of(core_dump(x86_core()))]
    assert kinds == [
        ("CORE", 1, 336),
        ("CORE", 3, 136),
        ("CORE", 0x53494749, 128),
        ("CORE", 6, 48),
        ("CORE", 0x46494C45, 84),
        ("CORE", 2, 512),
        ("LINUX", 0x202, 832),
        ("CORE", 1, 336),
        ("CORE", 2, 512),
    ]


def test_aarch64_notes_have_the_sizes_of_the_kernel() -> None:
    sizes = [(note.type, len(note.data)) for note in notes_of(core_dump(arm_core()))]
    assert sizes == [(1, 392), (3, 136), (0x53494749, 128), (6, 16), (0x46494C45, 16), (2, 528)]


def test_pyelftools_reads_process_and_mapped_files() -> None:
    notes = {note["n_type"]: note["n_desc"] for note in elftools_notes(core_dump(x86_core()))}
    assert notes["NT_PRPSINFO"]["pr_fname"].rstrip(b"\0") == b"walker"
    assert notes["NT_PRPSINFO"]["pr_psargs"].rstrip(b"\0") == b"./walker -v "
    assert (notes["NT_PRPSINFO"]["pr_pid"], notes["NT_PRPSINFO"]["pr_uid"]) == (4711, 1000)
    assert notes["NT_FILE"]["filename"] == [b"/lib/a.so", b"/lib/a.so"]
    assert [row["vm_start"] for row in notes["NT_FILE"]["Elf_Nt_File_Entry"]] == [LIBRARY, LIBRARY + 0x2000]
    assert [row["page_offset"] for row in notes["NT_FILE"]["Elf_Nt_File_Entry"]] == [0, 2]


def test_segments_are_page_aligned_and_in_address_order() -> None:
    content = core_dump(x86_core())
    loads = list(ELFFile(io.BytesIO(content)).iter_segments("PT_LOAD"))
    assert [(load["p_vaddr"], load["p_filesz"], load["p_memsz"], load["p_flags"]) for load in loads] == [
        (LIBRARY, 4096, 0x2000, 4),
        (LIBRARY + 0x2000, 0, 0x3000, 5),
        (STACK, 4096, 0x3000, 6),
    ]
    assert all(load["p_offset"] % 4096 == 0 for load in loads)
    assert content[loads[2]["p_offset"] :] == b"stack".ljust(4096, b"\0")


def test_elfutils_reads_every_note(tmp_path: Path) -> None:
    said = said_by("eu-readelf", "-n", written(tmp_path, core_dump(x86_core())))
    assert "info.si_signo: 11, info.si_code: 0, info.si_errno: 0, cursig: 11" in said
    assert "pid: 4713, ppid: 47, pgrp: 48, sid: 49" in said
    assert "uid: 1000, gid: 100, pid: 4711, ppid: 47, pgrp: 48, sid: 49" in said
    assert "state: 0, sname: R, zomb: 0, nice: 0, flag: 0x0000000000400600" in said
    assert "si_signo: 11, si_errno: 0, si_code: 1\n    fault address: 0x1234" in said
    assert "PAGESZ: 4096\n    ENTRY: 0x401000\n    NULL" in said
    assert f"{LIBRARY + 0x2000:x}-{LIBRARY + 0x5000:x} 00002000 12288" in said


def test_elfutils_reads_who_sent_a_signal(tmp_path: Path) -> None:
    killed = x86_core(signal=Sent(si_signo=6, si_code=0, si_pid=4711, si_uid=1000))
    said = said_by("eu-readelf", "-n", written(tmp_path, core_dump(killed)))
    assert "si_signo: 6, si_errno: 0, si_code: 0\n    sender PID: 4711, sender UID: 1000" in said


def test_elfutils_finds_the_build_id_of_a_mapped_module(tmp_path: Path) -> None:
    said = said_by("eu-unstrip", "-n", f"--core={written(tmp_path, core_dump(x86_core()))}")
    assert BUILD_ID.hex() in said
    assert "/lib/a.so" in said


@pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
def test_a_module_page_holds_its_notes_in_two_segments(architecture: Architecture) -> None:
    page = module_page(architecture, BUILD_ID, linux_version=(6, 18, 44))
    assert [segment["p_align"] for segment in ELFFile(io.BytesIO(page)).iter_segments("PT_NOTE")] == [8, 4]
    features, version, build_id = elftools_notes(page)
    assert (features["n_name"], features["n_type"]) == ("GNU", "NT_GNU_PROPERTY_TYPE_0")
    assert (version["n_name"], version["n_descdata"]) == ("Linux", bytes([44, 18, 6, 0]))
    assert (build_id["n_type"], build_id["n_desc"]) == ("NT_GNU_BUILD_ID", BUILD_ID.hex())


def test_gdb_shows_the_registers_of_both_threads(tmp_path: Path) -> None:
    core = written(tmp_path, core_dump(x86_core()))
    assert gdb_registers(core, X86_NAMES) == x86_registers(7)
    assert gdb_registers(core, X86_NAMES, "thread 2") == x86_registers(9)


def test_gdb_shows_the_signal_and_its_address(tmp_path: Path) -> None:
    said = gdb_says(written(tmp_path, core_dump(x86_core())), "p $_siginfo._sifields._sigfault.si_addr", "info threads")
    assert "Program terminated with signal SIGSEGV" in said
    assert "Core was generated by `./walker -v'" in said
    assert "(void *) 0x1234" in said
    assert "LWP 4713" in said


def test_gdb_shows_aarch64_registers(tmp_path: Path) -> None:
    core = written(tmp_path, core_dump(arm_core()))
    found = gdb_registers(core, [*ARM_NAMES, "cpsr"], program=a_gdb_for_aarch64())
    assert found == {**{name: 0xABCD_0000_0000 + at for at, name in enumerate(ARM_NAMES)}, "cpsr": 0x6000_0000}


def test_gdb_unwinds_through_a_signal_frame(tmp_path: Path) -> None:
    restorer, frame_at, before = LIBRARY + 0x100, STACK + 0x1008, x86_registers(5)
    frame = signal_frame(
        {name: before[name] for name in X86_NAMES[:15]} | {"rip": 0xBAD, "rsp": STACK + 0x2000},
        Fault(si_signo=11, si_code=1, si_addr=0xBAD),
        restorer=restorer,
    )
    core = x86_core(
        threads=(Thread(tid=1, registers={"rip": restorer, "rsp": frame_at + 8}),),
        mappings=(
            Map(start=LIBRARY, end=LIBRARY + 0x1000, flags="rx", data=bytes(0x100) + RESTORER),
            Map(start=STACK, end=STACK + 0x3000, flags="rw", data=bytes(0x1008) + frame),
        ),
    )
    file = written(tmp_path, core_dump(core))
    assert "<signal handler called>" in gdb_says(file, "bt 1")
    interrupted = gdb_registers(file, [*X86_NAMES[:15], "rip", "rsp"], "frame 1")
    assert interrupted == {name: before[name] for name in X86_NAMES[:15]} | {"rip": 0xBAD, "rsp": STACK + 0x2000}


def test_a_signal_frame_agrees_with_the_headers_of_the_c_library(tmp_path: Path) -> None:
    source = tmp_path / "offsets.c"
    source.write_text(
        "#define _GNU_SOURCE\n#include <stdio.h>\n#include <stddef.h>\n#include <ucontext.h>\n#include <signal.h>\n"
        "int main(void) { mcontext_t m; (void)m;\n"
        'printf("%zu %zu %zu %zu", offsetof(ucontext_t, uc_mcontext.gregs), offsetof(ucontext_t, uc_sigmask),\n'
        "  offsetof(ucontext_t, uc_mcontext.gregs[REG_CR2]), sizeof(siginfo_t)); }\n"
    )
    if "x86_64" not in said_by("gcc", "-dumpmachine"):
        pytest.skip("gcc makes no x86-64 programs here")
    said_by("gcc", "-o", str(tmp_path / "offsets"), str(source))
    registers_at, mask_at, cr2_at, siginfo_bytes = map(int, said_by(str(tmp_path / "offsets")).split())
    frame = signal_frame({"r8": 88}, Fault(si_signo=7, si_code=4, si_addr=5), restorer=1, cr2=0xCC)
    assert struct.unpack_from("<Q", frame, 8 + registers_at) == (88,)
    assert struct.unpack_from("<Q", frame, 8 + cr2_at) == (0xCC,)
    assert len(frame) == FRAME_BYTES == 8 + mask_at + 8 + siginfo_bytes
    assert struct.unpack_from("<iii", frame, 8 + mask_at + 8) == (7, 0, 4)


def test_more_mappings_than_sixteen_bits_are_counted_in_section_zero(tmp_path: Path) -> None:
    mappings = tuple(Map(start=at * 0x2000, end=at * 0x2000 + 0x1000, flags="r") for at in range(1, 65_537))
    content = core_dump(x86_core(mappings=mappings))
    elf = ELFFile(io.BytesIO(content))
    assert elf["e_phnum"] == 0xFFFF
    assert elf.num_segments() == 65_537
    assert elf["e_shoff"] == len(content) - 64
    assert "65535 (65537 in [0].sh_info)" in said_by("eu-readelf", "-h", written(tmp_path, content))


def test_one_mapping_less_than_sixteen_bits_needs_no_section() -> None:
    mappings = tuple(Map(start=at * 0x2000, end=at * 0x2000 + 0x1000, flags="r") for at in range(1, 65_534))
    elf = ELFFile(io.BytesIO(core_dump(x86_core(mappings=mappings))))
    assert (elf["e_phnum"], elf["e_shoff"]) == (65_534, 0)


def test_an_unknown_register_is_refused() -> None:
    with pytest.raises(ValueError, match="x86_64 has no register pc"):
        core_dump(x86_core(threads=(Thread(tid=1, registers={"pc": 1}),)))


def test_data_larger_than_its_mapping_is_refused() -> None:
    with pytest.raises(ValueError, match="4097 bytes do not fit 0x1000-0x2000"):
        core_dump(x86_core(mappings=(Map(start=0x1000, end=0x2000, flags="r", data=bytes(4097)),)))


CRASHING_PROGRAM = """
#include <pthread.h>
#include <unistd.h>
static void *idle(void *nothing) { pause(); return nothing; }
int main(void) {
    pthread_t thread;
    pthread_create(&thread, 0, idle, 0);
    usleep(50000);
    return *(volatile int *)0x1234;
}
"""


@pytest.fixture(scope="module")
def kernel_core(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("kernel")
    (folder / "crash.c").write_text(CRASHING_PROGRAM)
    if "x86_64" not in said_by("gcc", "-dumpmachine"):
        pytest.skip("gcc makes no x86-64 programs here")
    said_by("gcc", "-pthread", "-o", str(folder / "crash"), str(folder / "crash.c"))
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    subprocess.run(
        ["./crash", "one", "two words"],
        cwd=folder,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (most, most)),
    )
    dumped = next(folder.glob("core*"), None)
    if dumped is None:
        pytest.skip("this kernel wrote no core dump into the working directory (core_pattern, ulimit -H -c)")
    return dumped.read_bytes()


def test_a_core_of_this_kernel_is_written_again_byte_for_byte(kernel_core: bytes) -> None:
    again = core_dump(described(kernel_core))
    assert comparable(again) == comparable(kernel_core)


def described(content: bytes) -> Core:
    notes = notes_of(content)
    by_type = {note.type: note.data for note in reversed(notes)}
    psinfo, siginfo = by_type[3], by_type[0x53494749]
    uid, gid, pid, ppid, pgrp, sid = struct.unpack_from("<IIiiii", psinfo, 16)
    return Core(
        architecture="x86_64",
        signal=Fault(si_signo=siginfo[0], si_code=siginfo[8], si_addr=struct.unpack_from("<Q", siginfo, 16)[0]),
        process=Process(
            pid=pid,
            ppid=ppid,
            pgrp=pgrp,
            sid=sid,
            uid=uid,
            gid=gid,
            fname="crash",
            psargs="./crash one two words ",
            flag=struct.unpack_from("<Q", psinfo, 8)[0],
        ),
        threads=tuple(described_threads(notes)),
        mappings=tuple(described_mappings(content)),
        auxv=tuple(struct.iter_unpack("<QQ", by_type[6]))[:-1],
    )


def described_threads(notes: list[FoundNote]) -> list[Thread]:
    starts = [at for at, note in enumerate(notes) if note.type == 1]
    threads = []
    for start, stop in zip(starts, [*starts[1:], len(notes)], strict=True):
        prstatus = notes[start].data
        registers = dict(zip(X86_NAMES, struct.unpack_from("<27Q", prstatus, 112), strict=True))
        more = tuple(Note(note.owner, note.type, note.data) for note in notes[start:stop] if note.owner == "LINUX")
        threads.append(Thread(tid=struct.unpack_from("<i", prstatus, 32)[0], registers=registers, more=more))
    return threads


def described_mappings(content: bytes) -> list[Map]:
    files = next(note["n_desc"] for note in elftools_notes(content) if note["n_type"] == "NT_FILE")
    rows = zip(files["Elf_Nt_File_Entry"], files["filename"], strict=True)
    named = {row["vm_start"]: (name.decode(), row["page_offset"]) for row, name in rows}
    mappings = []
    for load in ELFFile(io.BytesIO(content)).iter_segments("PT_LOAD"):
        path, page_offset = named.get(load["p_vaddr"], (None, 0))
        flags = "".join(letter for bit, letter in ((4, "r"), (2, "w"), (1, "x")) if load["p_flags"] & bit)
        end = load["p_vaddr"] + load["p_memsz"]
        data = load.data() if load["p_filesz"] else None
        mappings.append(Map(start=load["p_vaddr"], end=end, flags=flags, data=data, path=path, page_offset=page_offset))
    return mappings


def comparable(content: bytes) -> bytes:
    """Blank the processor times of PRSTATUS and FPREGSET, which a description has not, and the alignment of PT_NOTE,
    which is 0 from older kernels."""
    blank = bytearray(content)
    blank[64 + 48 : 64 + 56] = bytes(8)
    for note in notes_of(content):
        if note.type == 1:
            blank[note.data_at + 48 : note.data_at + 112] = bytes(64)
        elif note.type == 2:
            blank[note.data_at : note.data_at + 512] = bytes(512)
    return bytes(blank)
