"""From a reading to a case: what it says of a crash, and where and when."""

import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from broadstreet.cases.case import case_of
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances
from tests import synth
from tests.features.machines import INSIDE, MACHINES, OBJECT, PID, STACK, VDSO, core, libc, unwinder, walker
from tests.features.read_back import dump, reading

NULL = "null pointer with a small offset"
HERE = Circumstances(path="core", executable="by-the-collector", pid=1, uid=2, time="2026-06-30T00:00:00.000000Z")


def case(name: str, where: Circumstances = HERE, **options: bool) -> Case:
    whole = options.get("whole", False)
    data = dump(name)
    return case_of(reading(data, options.get("binaries", True), whole), where, 4096, len(data), whole)


def functions(case: Case) -> list[str | None]:
    return [frame.function for frame in case.frames]


def test_the_fields_of_a_fault() -> None:
    found = case(NULL)
    assert (found.signal, found.si_code, found.fault_address) == (11, 1, 0x10)
    assert (found.pc, found.sp, found.registers["rax"]) == (walker.at("inner", "load"), INSIDE, 0x10)
    assert (found.mechanism, found.context, found.architecture) == ("null_dereference", "notes", "x86_64")
    assert (found.bytes_read, found.bytes_present) == (4096, len(dump(NULL)))


def test_a_general_protection_fault_has_no_fault_address() -> None:
    assert case("pointer of garbage").fault_address is None


def test_frames_go_from_the_crash_outward() -> None:
    found = case(NULL)
    assert functions(found) == ["inner", "outer", "main", "_start"]
    assert [frame.trust for frame in found.frames] == ["register"] + 3 * ["unwind_table"]
    assert found.frames[1].pc == walker.after("outer", "call inner")


def test_a_frame_without_its_binary_is_module_and_offset() -> None:
    frame = case(NULL, binaries=False).frames[0]
    assert (frame.function, frame.module, frame.offset) == (None, walker.program.path, frame.pc - walker.start)


def test_the_caller_is_found_after_a_return_to_null() -> None:
    found = case("ret popped zero")
    assert (functions(found)[0], found.frames[0].module) == (None, None)
    assert functions(found)[1:] == ["main", "_start"]


def test_frames_behind_a_handler_are_those_of_the_crash() -> None:
    found = case("a handler that raises SIGABRT")
    assert functions(found) == ["inner", "outer", "main", "_start"]
    assert [frame.function for frame in found.handler_frames] == ["raise", "handler"]


def test_what_has_already_returned_is_told_apart() -> None:
    (frame,) = case("a return to null after an unwinder").below_sp
    assert (frame.function, frame.trust) == ("_Unwind_RaiseException", "below_sp")
    assert frame.sp == INSIDE - 0x100


def test_threads_are_walked_only_when_all_are_asked_for() -> None:
    assert [(thread.tid, thread.frames) for thread in case(NULL).threads] == [(PID, ())]
    first, second = case(NULL, whole=True).threads
    assert ([f.function for f in first.frames], second.tid) == (["inner", "outer", "main", "_start"], PID + 1)
    assert (second.pc, second.sp, second.frames[0].function) == (walker.at("leaf", "nop"), STACK + 0x100, "leaf")


def test_threads_are_counted_without_being_read() -> None:
    assert case(NULL).thread_count == 2


def test_modules_say_whether_their_binary_was_at_hand() -> None:
    ids = {loaded.program.path: loaded.program.build_id.hex() for loaded in (walker, libc)}
    found = {module.path: module for module in case(NULL).modules}
    bare = {module.path: module for module in case(NULL, binaries=False).modules}
    for path, build_id in ids.items():
        assert (found[path].build_id, found[path].build_id_source, found[path].found) == (build_id, "core", True)
        assert (bare[path].build_id, bare[path].found) == (build_id, False)
    assert found["[vdso]"].start == VDSO


def test_a_missing_binary_is_a_gap_with_its_remedy() -> None:
    gaps = {gap.what: gap for gap in case("a fault in a cleanup", binaries=False).missing}
    for loaded in (walker, unwinder):
        gap = gaps[f"binary {loaded.program.path}"]
        assert (gap.why, gap.remedy) == (
            "no binary with this build id was found",
            "broadstreet binaries add, or --binaries DIR",
        )


def test_a_core_dump_that_was_cut_off_says_where() -> None:
    data = dump(NULL)
    whole, cut = (case_of(reading(piece), HERE, 0, len(piece)) for piece in (data, data[:1500]))
    assert not any("cut off" in gap.why or "ends at byte" in gap.why for gap in whole.missing)
    assert any("1500" in gap.why for gap in cut.missing)


def test_the_core_dump_outranks_what_the_collector_says() -> None:
    where = case(NULL).circumstances
    assert (where.pid, where.tid, where.uid, where.executable) == (PID, PID, 0, walker.program.path)
    assert (where.cpu, where.numa_node, where.kernel_release) == (3, 1, "6.1.90")


def test_what_only_stands_beside_the_core_dump_is_kept() -> None:
    where = case(NULL, replace(HERE, host="vm-1", region="north", labels=(("rack", "r7"),))).circumstances
    assert (where.time, where.host, where.region, where.labels) == (HERE.time, "vm-1", "north", (("rack", "r7"),))


def test_without_file_names_the_program_is_as_the_collector_says_then_as_the_kernel_does() -> None:
    machine = core(MACHINES[NULL])
    bare = replace(machine, mappings=tuple(replace(mapping, path=None) for mapping in machine.mappings))
    read = reading(synth.core_dump(bare))
    assert case_of(read, HERE, 0, 0).circumstances.executable == "by-the-collector"
    assert case_of(read, Circumstances(path="core"), 0, 0).circumstances.executable == "walker"


def test_of_a_core_dump_without_registers_only_its_identity_is_left() -> None:
    data = dump(NULL)[:200]
    found = case_of(reading(data), HERE, 200, 200)
    assert (found.mechanism, found.pc, found.frames, found.registers) == ("not_judged", None, (), {})
    assert {finding.state for finding in found.findings} == {"not_judged"}
    assert found.circumstances.pid == 1
    assert len(found.case_id) == 32


def test_the_identity_is_that_of_the_crash_and_not_of_the_specimen() -> None:
    data = dump(NULL)
    whole, cut = (case_of(reading(piece), HERE, 0, 0).case_id for piece in (data, data[:20480]))
    other = case_of(reading(data), replace(HERE, path="elsewhere", host="vm-2"), 1, 1).case_id
    assert whole == cut == other
    assert whole != case("read of nothing").case_id


def test_a_case_travels_between_processes() -> None:
    found = case(NULL, whole=True)
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_case_is_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        case(NULL).mechanism = "other"  # type: ignore[misc]


def test_the_base_of_a_fault_is_in_the_evidence_as_it_was() -> None:
    finding = next(f for f in case("pointer one bit off, with a twin").findings if f.label == "one_bit_off")
    values = {evidence.feature: evidence.value for evidence in finding.evidence}
    assert (values["base_register"], values["base_value"], values["one_bit_access_bit"]) == (
        "rax",
        OBJECT ^ 1 << 24,
        24,
    )
