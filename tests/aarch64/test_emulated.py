"""Crashes of programs that qemu ran: frames against gdb's, names, modules and mechanisms, in several builds.

The programs need the cross compiler, qemu-user and gdb-multiarch; where one is missing the tests are skipped.
"""

from pathlib import Path
from typing import Protocol

import pytest

from broadstreet.formats.architecture import AARCH64
from broadstreet.lab.zoo.emulated import BARE, BUILDS, SEPARATE, SIGNS, SYSROOT, THROWS, Build
from broadstreet.pipeline.reading import case_at
from broadstreet.records.case import Case
from broadstreet.sources.binaries import Binaries
from tests.aarch64.emulated import backtraces, built, completed, dumped
from tests.kernel_cores import said_by, skipped_without

CASES = {
    "null_read": "null_dereference",
    "null_in_leaf": "null_dereference",
    "null_indexed": "null_dereference",
    "null_pair": "null_dereference",
    "null_zeroed": "null_dereference",
    "null_atomic": "null_dereference",
    "null_memset": "null_dereference",
    "null_call": "call_to_null",
    "null_tail_call": "call_to_null",
    "null_return": "return_to_null",
    "wild_return": "return_to_nonexecutable",
    "wild_call": "jump_to_nonexecutable",
    "wild_write": "unmapped_access",
    "readonly_write": "write_to_readonly",
    "undefined": "deliberate_trap",
    "breakpoint": "deliberate_trap",
    "overflow": "stack_overflow",
    "aborted": "abort_other",
    "truncated": "bus_error_truncated_file",
    "unaligned": "bus_error_alignment",
    "handled_raise": "null_dereference",
    "handled_raise_apart": "null_dereference",
    "handled_abort": "null_dereference",
    "handled_abort_apart": "null_dereference",
}
PROGRAMS = Path(__file__).parent / "programs"
RETURNED_ASTRAY = ("null_return", "wild_return")  # gdb finds no caller there
HANDLED = ("handled_raise", "handled_raise_apart", "handled_abort", "handled_abort_apart")
# gdb 13 never ends on a signal frame in a core dump with NT_ARM_PAC_MASK.
BEYOND_GDB_WITH_PAC = ("handled_abort", "handled_abort_apart")
DEEP = ["deep5", "deep4", "deep3", "deep2", "deep1"]


class Core(Protocol):
    """Makes a core dump once: of the program in this build, crashing in this way."""

    def __call__(self, build: Build, words: str, complete: bool = True) -> Path: ...


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    folder = tmp_path_factory.mktemp("aarch64")
    programs: dict[str, Path] = {}

    def made(build: Build, words: str, complete: bool = True) -> Path:
        target = folder / f"{build.source}.{build.name}.{words.replace(' ', '_')}.{'core' if complete else 'raw'}"
        with skipped_without():
            if build.name not in programs:
                programs[build.name] = built(folder, build)
            if not target.exists():
                found = dumped(programs[build.name], build.processor, *words.split())
                target.write_bytes(completed(found) if complete else found.core)
        return target

    return made


def program_of(path: Path, build: Build) -> Path:
    return path.parent / f"{build.source}.{build.name}"


def read(path: Path) -> Case:
    return case_at(str(path), Binaries((str(SYSROOT), str(path.parent))))


def holds(case: Case, label: str) -> bool:
    return any(finding.label == label and finding.state == "holds" for finding in case.findings)


every_build = pytest.mark.parametrize("build", BUILDS, ids=[build.name for build in BUILDS])


@every_build
def test_every_frame_has_the_pc_that_gdb_gives_it(core: Core, build: Build) -> None:
    beyond = (*RETURNED_ASTRAY, *(BEYOND_GDB_WITH_PAC if build.processor == SIGNS else ()))
    compared = [name for name in CASES if name not in beyond]
    paths = [core(build, name) for name in compared]
    with skipped_without():
        traces = backtraces(program_of(paths[0], build), paths)
    for name, path, trace in zip(compared, paths, traces, strict=True):
        case = read(path)
        ours = [frame.pc for frame in (*case.handler_frames, *case.frames)]
        theirs = [frame.pc for frame in trace if not frame.signal_frame]
        assert len(theirs) > len(DEEP), name
        if name == "overflow":  # the stack is fetched in part
            assert len(ours) > 20
            theirs = theirs[: len(ours)]
        assert list(map(hex, ours)) == list(map(hex, theirs)), name


@every_build
def test_every_mechanism_is_found(core: Core, build: Build) -> None:
    found = {name: read(core(build, name)).mechanism for name in CASES}
    wanted = {name: CASES[name] for name in found}
    if build.processor == SIGNS:  # a zero that fails authentication is no zero any more
        wanted["null_return"] = "return_to_nonexecutable"
    assert found == wanted


@every_build
def test_the_callers_have_their_names(core: Core, build: Build) -> None:
    for name in CASES:
        case = read(core(build, name))
        functions = [frame.function for frame in case.frames]
        depth = DEEP[1:] if name in RETURNED_ASTRAY else DEEP  # the return address into deep5 was overwritten
        at = functions.index(depth[0]) if depth[0] in functions else -1
        assert name == "overflow" or functions[at : at + len(depth)] == depth, (name, functions)


@every_build
def test_the_fault_behind_a_handler_is_found(core: Core, build: Build) -> None:
    plain = read(core(build, "null_read"))
    for name in HANDLED:
        case = read(core(build, name))
        assert case.context == ("signal_frame" if "abort" in name else "recovered"), name
        assert (case.signal, case.fault_address, case.pc) == (11, plain.fault_address, plain.pc), name
        assert holds(case, "re_raised") or "abort" in name


@every_build
def test_every_rule_but_those_on_code_can_be_judged(core: Core, build: Build) -> None:
    case = read(core(build, "null_read"))
    not_judged = {finding.label for finding in case.findings if finding.state == "not_judged"}
    assert not_judged <= {"code_mismatch", "wrong_result"}  # replay knows x86-64 only


def test_without_unwind_tables_the_callers_are_found_by_frame_pointer_and_link_register(core: Core) -> None:
    for name in CASES:
        case = read(core(BARE, name))
        functions = [frame.function for frame in case.frames]
        depth = DEEP[1:] if name in RETURNED_ASTRAY else DEEP
        if name != "overflow":
            assert [function for function in functions if function in depth] == depth, (name, functions)
            assert case.mechanism == CASES[name]


@every_build
def test_modules_are_known_by_the_build_ids_in_the_core(core: Core, build: Build) -> None:
    path = core(build, "null_read")
    case = read(path)
    told = said_by("readelf", "-n", str(program_of(path, build)))
    own = next(one for one in case.modules if one.path == str(program_of(path, build)))
    assert own.build_id is not None
    assert f"Build ID: {own.build_id}" in told
    assert (own.build_id_source, own.found) == ("core", True)
    libraries = {one.path.rsplit("/", 1)[-1] for one in case.modules if one.found and one is not own}
    assert libraries == (set() if "static" in build.name else {"libc.so.6", "ld-linux-aarch64.so.1"})


@every_build
def test_a_crash_in_a_thread_is_that_of_the_thread(core: Core, build: Build) -> None:
    case = read(core(build, "null_read thread"))
    assert case.mechanism == "null_dereference"
    assert [frame.function for frame in case.frames][:7] == ["null_read", *DEEP, "in_thread"]
    assert case.thread_count == 2
    assert case.threads[0].tid != case.circumstances.pid


def test_return_addresses_are_signed_where_it_is_asked_for(core: Core) -> None:
    build = next(one for one in BUILDS if one.name == "O0-static-pac")
    case = read(core(build, "null_in_leaf"))
    assert case.registers["x30"] >> 48, "qemu signed nothing"
    assert case.frames[1].pc == case.registers["x30"] & (1 << 48) - 1


def test_without_siginfo_and_mapped_files_modules_are_known_by_build_id(core: Core) -> None:
    raw, whole = read(core(SEPARATE, "null_read", complete=False)), read(core(SEPARATE, "null_read"))
    assert [frame.pc for frame in raw.frames] == [frame.pc for frame in whole.frames]
    assert [frame.function for frame in raw.frames][:6] == ["null_read", *DEEP]
    assert [module.build_id for module in raw.modules] == [module.build_id for module in whole.modules]
    assert (raw.si_code, raw.fault_address, raw.mechanism) == (None, None, "null_dereference")
    assert "file mappings" in [gap.what for gap in raw.missing]


@pytest.mark.parametrize("name", ["null_call", "null_return", "wild_call", "wild_return"])
def test_without_siginfo_a_bad_pc_is_still_judged(core: Core, name: str) -> None:
    assert read(core(SEPARATE, name, complete=False)).mechanism == CASES[name]


def test_an_uncaught_exception_is_named(core: Core) -> None:
    case = read(core(THROWS, "uncaught"))
    assert case.mechanism == "abort_uncaught_exception"
    assert holds(case, "unwinding_exception")


def test_a_crash_while_an_exception_unwinds_is_told_apart(core: Core) -> None:
    case = read(core(THROWS, "destructor"))
    assert case.mechanism == "null_dereference"
    assert holds(case, "unwinding_exception")


def test_the_rseq_area_of_glibc_lies_just_below_the_thread_pointer(tmp_path: Path) -> None:
    with skipped_without():
        program = built(tmp_path, Build("rseq", ("-O1",), source=str(PROGRAMS / "rseq.c")))
    offset, cpu = said_by("qemu-aarch64", "-L", str(SYSROOT), str(program)).split()
    assert int(offset) == AARCH64.rseq_offset
    assert int(cpu, 16) == 0xFFFF_FFFE  # RSEQ_CPU_ID_REGISTRATION_FAILED: so this is the area
