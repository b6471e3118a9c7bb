"""`broadstreet read`: the page, the JSON, and what it refuses."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from click.testing import CliRunner

from broadstreet.cases.case import case_of
from broadstreet.records.exposure import Circumstances
from broadstreet.surfaces.case_json import case_json, schema
from broadstreet.surfaces.cli import cli
from tests import synth
from tests.features.machines import INSIDE, MACHINES, NOWHERE, Machine, core, walker
from tests.features.read_back import binaries_in, dump, reading
from tests.surfaces.shell import Fleet, Said, broadstreet

NULL = "null pointer with a small offset"
# The fields of issue 2, that other programs may rely on.
RELIED_ON = """
    case_id path executable pid tid signal si_code fault_address pc sp context mechanism findings frames threads modules
    cpu kernel_release missing bytes_read time time_source host host_source
""".split()
HEX = re.compile(r"0x[0-9a-f]+")
EVIL = "\x1b[31mred\x1b]0;title\x07\r\n\x9b2J‮gnp.exe"


@pytest.fixture
def written(tmp_path: Path) -> Path:
    binaries_in(tmp_path / "binaries")
    return tmp_path


def read(folder: Path, data: bytes, *options: str, name: str = "core", sidecar: object = None) -> str:
    """What the command prints, in this process."""
    path = folder / name
    path.write_bytes(data)
    if sidecar is not None:
        Path(f"{path}.json").write_text(json.dumps(sidecar))
    run = CliRunner(env={"COLUMNS": "80", "BROADSTREET_BINARIES": str(folder / "store"), "LC_ALL": "C.UTF-8"})
    result = run.invoke(cli, ["read", str(path), "--binaries", str(folder / "binaries"), *options])
    assert result.exit_code == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def section(page: str, title: str) -> list[str]:
    """The lines below a heading."""
    body = re.split(rf"(?m)^  {title}\b.*\n", page)[1]
    return body.split("\n\n")[0].splitlines()


def dumped(name: str = NULL, **changes: object) -> bytes:
    machine: Machine = replace(MACHINES[name], **changes)  # type: ignore[arg-type]
    return synth.core_dump(core(machine))


def test_the_page_begins_with_what_happened(written: Path) -> None:
    lines = read(written, dump(NULL)).splitlines()
    assert lines[:2] == ["", "  A small offset from a null pointer was accessed."]
    assert lines[2].startswith("  SIGSEGV at address 0x10 in thread 4711 (2 threads) of /opt/walker/bin/walker,")


def test_the_page_names_cpu_kernel_and_what_was_read(written: Path) -> None:
    text = " ".join(read(written, dump(NULL)).split())
    assert "last on CPU 3, node 1." in text
    assert "Linux 6.1.90." in text
    assert re.search(r"of a \d+ KB core dump were read\.", text)


def test_a_time_that_only_the_file_has_is_not_told_as_that_of_the_crash(written: Path) -> None:
    untold = " ".join(read(written, dump(NULL)).split())
    assert re.search(r"Linux 6\.1\.90\. \d+ KB of a \d+ KB core dump", untold)
    told = read(written, dump(NULL), sidecar={"time": "2026-06-30T12:00:00Z", "host": "vm-1"})
    assert "2026-06-30T12:00:00.000000Z on vm-1." in " ".join(told.split())


def test_a_crash_on_a_simulated_fleet_says_so(written: Path) -> None:
    told = read(written, dump(NULL), sidecar={"host": "vm-1", "labels": {"fleet": "simulated"}})
    assert "Simulated fleet: a real crash made in the lab" in told
    assert "Simulated" not in read(written, dump(NULL), sidecar={"host": "vm-1", "labels": {"fleet": "real"}})


def test_the_registers_are_those_of_the_crash(written: Path) -> None:
    rows = " ".join(section(read(written, dump(NULL)), "Registers"))
    found = dict(re.findall(r"(\w+) ([0-9a-f]{16})", rows))
    assert int(found["rip"], 16) == walker.at("inner", "load")
    assert (int(found["rsp"], 16), int(found["rax"], 16)) == (INSIDE, 0x10)


def test_the_instruction_is_marked_among_those_before_it(written: Path) -> None:
    lines = section(read(written, dump(NULL)), "Instructions")
    assert [line[:3].strip() for line in lines] == ["", "▶"]
    assert lines[-1].endswith("mov rcx, qword ptr [rax]")


def test_the_words_around_the_stack_pointer_are_explained(written: Path) -> None:
    lines = section(read(written, dump(NULL)), "Stack words")
    found = {line[2:11].strip("▏ "): line[31:] for line in lines}
    assert found["sp+24"].startswith("return address into outer + 0x9 of walker")
    assert [line[2] for line in lines if "sp-8 " in line] == ["▏"]


def test_frames_say_how_far_each_can_be_trusted(written: Path) -> None:
    lines = section(read(written, dump("a return to null after an unwinder")), "Frames")
    assert [" ".join(line.split()) for line in lines] == [
        "-1 │ already returned _Unwind_RaiseException + 0x6 libgcc_s.so.1",
        "0 ┃ register 0x0",
        "1 ┊ stack scan main + 0x9 walker",
        "2 ┃ unwind table _start + 0x7 walker",
    ]


def test_a_handler_that_stood_between_is_told(written: Path) -> None:
    text = read(written, dump("a handler that raises SIGABRT"))
    assert "A handler had taken the signal" in text
    assert "The handler, nearer to the core dump: raise, handler" in text


def test_findings_stand_with_their_evidence_and_their_near_misses(written: Path) -> None:
    lines = section(read(written, dump("pointer one bit off, with a twin")), "Findings")
    assert " ".join(lines[0].split()) == "● one_bit_off One bit separates the value from one that makes"
    assert lines[1].split() == ["sense."]
    assert "      base_register = rax  the base register" in lines
    assert any(line.startswith("  ○ null_dereference ") and "null_base = no" in line for line in lines)
    assert any(line.startswith("  ◌ code_mismatch ") and "code_bits_different" in line for line in lines)
    assert not any("memory_poisoned" in line for line in lines), "settled by the kind of signal"


def test_what_could_not_be_observed_says_what_would_make_it_observable(tmp_path: Path) -> None:
    (tmp_path / "binaries").mkdir()
    text = " ".join(read(tmp_path, dump(NULL)).split())
    assert "binary /opt/walker/bin/walker: no binary with this build id was found. To see it: broadstreet" in text


def test_threads_are_shown_when_asked_for(written: Path) -> None:
    assert "Other threads" not in read(written, dump(NULL))
    assert section(read(written, dump(NULL), "--threads"), "Other threads") == ["     1 × leaf"]


def test_the_page_fits_80_columns(written: Path) -> None:
    for name in MACHINES:
        wide = [line for line in read(written, dump(name), "--threads").splitlines() if len(line) > 80]
        assert [line for line in wide if "gdb -nx" not in line] == []


def hostile() -> bytes:
    """A core dump whose every name is an attack on the terminal, and that of a binary beside it."""
    words = {**MACHINES["abort by free"].words}
    return dumped("abort by free", path=f"/opt/{EVIL}/walker", fname=EVIL, abort_message=EVIL, words=words)


def shown_safely(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


def test_hostile_names_never_reach_the_terminal(written: Path) -> None:
    sidecar = {"time": "2026-06-30T12:00:00Z", "host": EVIL, "service": EVIL, "labels": {EVIL: EVIL}}
    text = read(written, hostile(), "--threads", name=f"core.{EVIL.replace('/', '')}", sidecar=sidecar)
    assert shown_safely(text)
    assert r"\x1b[31mred\x1b]0;title\x07" in text


def test_a_hostile_function_name_never_reaches_the_terminal(written: Path) -> None:
    binary = written / "binaries" / walker.program.path.lstrip("/")
    for name in (b"\x1b[2J\n", b"_Z3\x1bab", "‮‮".encode()[:5]):
        binary.write_bytes(walker.program.data.replace(b"\0inner\0", b"\0" + name.ljust(5, b"\x08") + b"\0"))
        assert shown_safely(read(written, dump(NULL)))


def test_a_hostile_name_of_a_program_is_quoted_in_the_command_to_paste(written: Path) -> None:
    text = read(written, dumped(path="/opt/a; touch b/$(c)"), name="co re")
    assert re.search(r"gdb -nx '/opt/a; touch b/\$\(c\)' '/[^']*/co re'\n", text)


def test_json_of_hostile_names_is_one_document_without_control_characters(written: Path) -> None:
    text = read(written, hostile(), "--json")
    assert shown_safely(text)
    assert json.loads(text)["features"]["abort_message"] == EVIL


@pytest.fixture(scope="module")
def published() -> Any:
    return schema()


@pytest.mark.parametrize("name", MACHINES)
@pytest.mark.parametrize("binaries", [True, False], ids=["binaries", "bare"])
def test_the_json_of_every_machine_fits_the_published_schema(name: str, binaries: bool, published: Any) -> None:
    import msgspec

    found = case_of(reading(dump(name), binaries, True), Circumstances(path="core"), 1, 1, True)
    document = json.loads(msgspec.json.encode(case_json(found)))
    jsonschema.validate(document, published)
    definition = published["$defs"]["CaseJson"]["properties"]
    assert list(document) == list(definition)


def test_the_fields_that_others_rely_on_are_required(published: Any) -> None:
    assert set(RELIED_ON) <= set(published["$defs"]["CaseJson"]["required"])


def test_the_schema_refuses_another_document(published: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"case_id": 7}, published)


def test_addresses_are_hex_strings_everywhere(written: Path) -> None:
    document = json.loads(read(written, dump("pointer one bit off, with a twin"), "--json"))
    addresses = [document["pc"], document["sp"], document["fault_address"], document["features"]["base_value"]]
    addresses += [frame[field] for frame in document["frames"] for field in ("pc", "offset")]
    addresses += [module[field] for module in document["modules"] for field in ("start", "end")]
    addresses += [thread[field] for thread in document["threads"] for field in ("pc", "sp")]
    addresses += list(document["registers"].values())
    evidence = [e for f in document["findings"] for e in f["evidence"] if e["feature"] in ("sp", "base_value")]
    addresses += [one["value"] for one in evidence]
    assert len(evidence) > 1
    assert [address for address in addresses if not HEX.fullmatch(address)] == []


def test_the_json_has_the_frames_of_every_thread(written: Path) -> None:
    document = json.loads(read(written, dump(NULL), "--json"))
    assert [thread["frames"][0]["function"] for thread in document["threads"]] == ["inner", "leaf"]


def test_null_is_null_and_not_zero(written: Path) -> None:
    document = json.loads(read(written, dump("pointer of garbage"), "--json"))
    assert (document["fault_address"], document["host"], document["features"]["abort_message"]) == (None, None, None)
    assert document["features"]["null_base"] is False


def test_a_core_dump_cut_in_half_gives_what_is_left(written: Path) -> None:
    data = dump(NULL)
    text = " ".join(read(written, data[: len(data) // 2]).split())
    assert text.startswith("A small offset from a null pointer was accessed.")
    assert "end beyond the core dump, which was cut off" in text


def test_a_core_dump_cut_in_its_notes_gives_what_is_left(written: Path) -> None:
    text = " ".join(read(written, dump(NULL)[:700]).split())
    assert "too little of the crash could be seen" in text
    assert "the core dump ends at byte 700" in text


def refused(fleet: Fleet, path: Path) -> Said:
    said = broadstreet("read", path, store=fleet.store)
    assert said.out == b""
    assert "Traceback" not in said.err
    return said


def test_a_path_that_is_not_there_is_a_usage_error(small_fleet: Fleet) -> None:
    said = refused(small_fleet, small_fleet.cores / "nothing")
    assert said.status == 2
    assert said.err.splitlines()[0].endswith("cores/nothing")
    assert said.err.splitlines()[1].startswith("  broadstreet read CORE")


def test_a_folder_is_a_usage_error_that_names_the_command_for_it(small_fleet: Fleet) -> None:
    said = refused(small_fleet, small_fleet.cores)
    assert (said.status, said.err.splitlines()[1]) == (2, f"  broadstreet scan {small_fleet.cores}")


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"", "7f 45 4c 46"),
        (b"some text, and no core dump", "7f 45 4c 46"),
        (b"\x7fELF\x01\x01\x01" + bytes(60), "a 64-bit file"),
        (walker.program.data, "a core dump"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 20, "a decompressible stream"),
    ],
    ids=["empty", "text", "32-bit", "a program", "damaged zst"],
)
def test_what_is_no_core_dump_is_refused_with_the_place(
    content: bytes, wanted: str, small_fleet: Fleet, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(content)
    said = refused(small_fleet, tmp_path / "file")
    assert said.status == 1
    assert said.err.startswith("broadstreet: not a readable core dump: ")
    assert wanted in said.err
    assert len(said.err.splitlines()) == 1


def test_a_broken_sidecar_is_a_usage_error_that_names_it(small_fleet: Fleet, tmp_path: Path) -> None:
    (tmp_path / "core").write_bytes(dump(NULL))
    (tmp_path / "core.json").write_text('{"time": "yesterday"}')
    said = refused(small_fleet, tmp_path / "core")
    assert said.status == 2
    assert f"{tmp_path}/core.json" in said.err


def test_a_page_as_a_process_is_the_page(small_fleet: Fleet) -> None:
    core, binaries, store = small_fleet.cores / "core.3", small_fleet.binaries, small_fleet.store
    said = broadstreet("read", core, "--binaries", binaries, store=store)
    assert (said.status, said.err) == (0, "")
    assert said.text.startswith("\n  A small offset from a null pointer was accessed.\n")


def test_a_pointer_that_goes_nowhere_is_told_with_its_address(written: Path) -> None:
    assert f"SIGSEGV at address {NOWHERE:#x}" in read(written, dump("read of nothing"))


def test_a_fault_without_an_address_says_so(written: Path) -> None:
    text = read(written, dump("pointer of garbage"))
    assert "SIGSEGV, for which the kernel gives no address in thread 4711" in " ".join(text.split())
