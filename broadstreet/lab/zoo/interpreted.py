"""The part of the development set that python3 runs: crashes below the interpreter, by ctypes and by an extension."""

import signal

from broadstreet.lab.zoo.entries import Build, Program, Variant, alike

PYTHON = Build("python3", (), "python3")
FAULTHANDLER = Variant(
    "faulthandler", holds=("re_raised",), open=("in_signal_handler",), note="Python's own handler, which raises again"
)

BUILDS = (PYTHON.name,)
NO_HANDLER = ("thread", "forked")
FAULT = (*NO_HANDLER, FAULTHANDLER.name)
CTYPES = ("python_calls.py",)
EXTENSION = ("python_calls.py", "python_extension.c")

INTERPRETED = (
    Program(
        "ctypes_read_small",
        CTYPES,
        ("unmapped_access", "null_dereference"),
        builds=BUILDS,
        variants=FAULT,
        note="a small number used as a pointer looks like a field of a null structure",
    ),
    *alike(CTYPES, "unmapped_access", "ctypes_read_wild", "ctypes_read_freed", builds=BUILDS, variants=FAULT),
    *alike(CTYPES, "noncanonical_access", "ctypes_read_noncanonical", builds=BUILDS, variants=FAULT),
    *alike(CTYPES, "write_to_readonly", "ctypes_write_constant", builds=BUILDS, variants=FAULT),
    *alike(CTYPES, "call_to_null", "ctypes_call_null", builds=BUILDS, variants=FAULT),
    *alike(CTYPES, "jump_to_nonexecutable", "ctypes_call_data", builds=BUILDS, variants=FAULT),
    *alike(
        CTYPES,
        "call_to_null",
        "ctypes_wrong_callback",
        builds=BUILDS,
        variants=FAULT,
        note="called by the C library",
    ),
    *alike(
        CTYPES,
        "abort_heap_corruption",
        "ctypes_double_free",
        signal=signal.SIGABRT,
        builds=BUILDS,
        variants=NO_HANDLER,
    ),
    *alike(
        CTYPES,
        "stack_overflow",
        "ctypes_endless_recursion",
        builds=BUILDS,
        variants=FAULT,
        stack_lost=True,
    ),
    *alike(EXTENSION, "null_dereference", "extension_null_object", builds=BUILDS, variants=FAULT),
    *alike(EXTENSION, "call_to_null", "extension_null_hook", builds=BUILDS, variants=FAULT),
    *alike(
        EXTENSION,
        "null_dereference",
        "extension_without_lock",
        builds=BUILDS,
        variants=FAULT,
        note="called without the interpreter's lock, so without a state of the thread",
    ),
    *alike(
        EXTENSION,
        "abort_heap_corruption",
        "extension_overrun",
        signal=signal.SIGABRT,
        builds=BUILDS,
        variants=NO_HANDLER,
    ),
    *alike(
        EXTENSION,
        "abort_other",
        "extension_fatal_error",
        signal=signal.SIGABRT,
        builds=BUILDS,
        variants=NO_HANDLER,
        note="Py_FatalError",
    ),
)
