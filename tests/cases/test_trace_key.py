"""The exact key: what of a stack is the same for every build and every crash of the same code."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from broadstreet.cases.trace_key import NO_TRACE, SIGNAL, folded, key_of, keyed, plain_function, plain_module
from broadstreet.records.columns import TRACES
from broadstreet.store.schema import schema

LIBC = "/usr/lib/x86_64-linux-gnu/libc.so.6"
PROGRAM = "/opt/ingest/bin/ingest"


def frame(
    function: str | None,
    trust: str = "unwind_table",
    part: str = "frames",
    module: str | None = PROGRAM,
    offset: int | None = 0x40,
    kind: int = 2,
) -> dict[str, Any]:
    return {
        **{"functions": function, "trusts": trust, "parts": part, "module_paths": module, "offsets": offset},
        **{"kinds": kind, "modules": -1 if module is None else 0, "build_ids": None, "pcs": None},
        **{"sp_offsets": None, "function_offsets": None},
    }


def nowhere(trust: str = "register") -> dict[str, Any]:
    return frame(None, trust, module=None, offset=None)


def below(function: str) -> dict[str, Any]:
    return frame(function, "below_sp", "below_sp")


def frames(*stacks: Sequence[dict[str, Any]]) -> list[tuple[str, ...] | None]:
    rows = [
        {"trace_id": str(at), "frames": "", **{name: [one[name] for one in stack] for name in frame("f")}}
        for at, stack in enumerate(stacks)
    ]
    keys = keyed(pa.Table.from_pylist(rows, schema=schema(TRACES)))
    return [None if code == NO_TRACE else keys.frames[code] for code in keys.codes.tolist()]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("drain.cold", "drain"),
        ("drain.isra.0.cold", "drain"),
        ("drain.part.12", "drain"),
        ("admit.constprop.0.isra.0", "admit"),
        ("shared.lto_priv.3", "shared"),
        ("memcpy@plt", "memcpy"),
        ("memcpy@@GLIBC_2.14", "memcpy"),
        ("_ZN5LeaseD2Ev", "_ZN5LeaseD1Ev"),
        ("_ZN4core9panicking5panic17h0123456789abcdefE", "_ZN4core9panicking5panic"),
        ("runtime.cold_start", "runtime.cold_start"),
        (".cold", ".cold"),
    ],
)
def test_what_a_compiler_or_a_linker_appends_is_not_part_of_a_function(name: str, plain: str) -> None:
    assert plain_function(name) == plain


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("/usr/lib/libstdc++.so.6.0.30", "libstdc++.so.6"),
        ("/lib/libc-2.31.so", "libc.so"),
        ("/usr/bin/python3.11", "python3.11"),
        ("/tmp/zoo-code (deleted)", "zoo-code"),
        ("[vdso]", "[vdso]"),
    ],
)
def test_a_module_is_its_file_without_a_minor_version(path: str, plain: str) -> None:
    assert plain_module(path) == plain


@pytest.mark.parametrize(
    ("stack", "once"),
    [
        ([1, 1, 1, 2], (1, 2)),
        ([1, 2, 1, 2, 1, 2, 3], (1, 2, 3)),
        ([1, 2, 3, 4, 1, 2, 3, 4], (1, 2, 3, 4)),
        ([1, 2, 3, 1], (1, 2, 3, 1)),
        ([], ()),
    ],
)
def test_recursion_stands_once(stack: list[int], once: tuple[int, ...]) -> None:
    assert folded(stack) == once


def test_a_frame_without_a_name_is_its_module_and_offset() -> None:
    assert frames([frame("admit", "register"), frame(None, module=LIBC, offset=0x2724A)]) == [
        ("admit", "libc.so.6+0x2724a")
    ]


def test_a_program_counter_in_no_module_is_not_part_of_the_key() -> None:
    returned_to_null = [nowhere(), frame("drain", "stack_scan"), frame("serve")]
    elsewhere = [frame("drain", "register"), frame("serve")]
    assert frames(returned_to_null, elsewhere) == [("drain", "serve"), ("drain", "serve")]


def test_a_jump_to_data_of_a_module_is_not_part_of_the_key() -> None:
    data = frame(None, "register", offset=0x7160)
    assert frames([data, frame("call_data", "stack_scan"), frame("serve")]) == [("call_data", "serve")]


def test_an_unnamed_place_that_could_be_unwound_is_part_of_the_key() -> None:
    assert frames([frame(None, "register", offset=0x90), frame("serve")]) == [("ingest+0x90", "serve")]


def test_calls_that_had_returned_join_the_key_only_where_the_innermost_frame_is_not_trusted() -> None:
    whole = [frame("drain", "register"), frame("serve"), below("reserve.cold")]
    astray = [nowhere(), frame("drain", "stack_scan"), frame("serve"), below("reserve.cold")]
    assert frames(whole, astray) == [("drain", "serve"), ("drain", "serve", "~reserve")]


def test_calls_that_had_returned_join_the_key_where_the_stack_could_only_be_searched() -> None:
    searched = [frame("cfree", "stack_scan", module=LIBC), below("admit.cold")]
    assert frames(searched) == [("cfree", "~admit")]


def test_a_handler_s_own_frames_are_not_part_of_the_key() -> None:
    assert frames([frame("drain", "register"), frame("abort", part="handler")]) == [("drain",)]


def test_what_a_handler_interrupted_stands_behind_a_mark() -> None:
    stack = [frame("on_alarm", "register"), frame(None, module=LIBC, kind=3), frame("main")]
    assert frames(stack) == [("on_alarm", SIGNAL, "main")]


def test_a_crash_without_a_trusted_frame_has_no_key() -> None:
    assert frames([nowhere()], [], [nowhere(), nowhere("stack_scan")]) == [None, None, None]


def test_one_code_in_two_builds_has_one_key() -> None:
    first, second = frame("admit.cold", "register", offset=0x10), frame("admit", "register", offset=0x999)
    found = keyed(
        pa.Table.from_pylist(
            [
                {"trace_id": str(at), "frames": "", **{name: [one[name]] for name in one}}
                for at, one in enumerate((first, second))
            ],
            schema=schema(TRACES),
        )
    )
    assert found.codes.tolist() == [0, 0]
    assert found.keys == [key_of(["admit"])]


def test_the_key_is_the_hash_of_the_frames() -> None:
    assert key_of(["drain", "serve"]) == "5c694c5b2f23476d"
