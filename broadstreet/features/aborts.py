"""Why a process aborted itself, from glibc's own message where it is dumped, and from the functions that led there.

glibc leaves the text in `__abort_msg` (assert, malloc, fortify, stack protector). A C++ exception that nobody caught
leaves no message, but `std::terminate` among the callers.
"""

from itertools import pairwise

from broadstreet.reading.context import SIGABRT
from broadstreet.reading.machine_state import MachineState
from broadstreet.records.finding import Value

# glibc 2.36: malloc/malloc.c (malloc_printerr), assert/assert.c, debug/fortify_fail.c, debug/stack_chk_fail.c
MESSAGES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("stack_smashing", ("*** stack smashing detected ***",)),
    ("fortify", ("*** buffer overflow detected ***", "*** %n in writable", "*** invalid %", "*** bit out of range")),
    ("assertion", ("Assertion `", "Unexpected error: ", "Fatal error: glibc detected an invalid stdio handle")),
    (
        "heap_corruption",
        (
            "free(): ",
            "malloc(): ",
            "realloc(): ",
            "calloc(): ",
            "munmap_chunk(): ",
            "mremap_chunk(): ",
            "malloc_consolidate(): ",
            "double free or corruption",
            "corrupted double-linked list",
            "corrupted size vs. prev_size",
            "break adjusted to free malloc space",
            "sysmalloc: ",
            "tcache_thread_shutdown(): ",
            "invalid fastbin entry",
            "chunk_free",
            "malloc_check_get_size",
        ),
    ),
)
FUNCTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("stack_smashing", ("__stack_chk_fail",)),
    ("fortify", ("__chk_fail", "__fortify_fail")),
    (
        "assertion",
        (
            "__assert_fail",
            "__assert_perror_fail",
            "__assert_fail_base",
            "__assert",
            "_ZSt21__glibcxx_assert_failPKciS0_S0_",
        ),
    ),
    ("uncaught_exception", ("_ZSt9terminatev", "_ZN10__cxxabiv111__terminateEPFvvE", "__cxa_pure_virtual")),
    ("heap_corruption", ("malloc_printerr",)),
)
CXX_RUNTIME = "libstdc++.so"


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of an abort."""
    row["abort_message"] = state.abort_message
    row["abort_kind"] = _kind(state)


def _kind(state: MachineState) -> str | None:
    if state.signal.number != SIGABRT:
        return None if state.signal.number is None else "none"
    text = state.abort_message
    if text is not None:
        for kind, starts in MESSAGES:
            if any(start in text for start in starts):
                return kind
    frames = state.frames
    names = {frame.function for frame in frames}
    for kind, functions in FUNCTIONS:
        if names.intersection(functions):
            return kind
    for inner, outer in pairwise(frames):
        if inner.function == "abort" and outer.module is not None and CXX_RUNTIME in outer.module.rsplit("/", 1)[-1]:
            return "uncaught_exception"  # from the terminate handler, whose names a stripped library lacks
    if text is not None:
        return "message"
    return "silent" if state.abort_message_observed and state.end in ("outermost", "limit") else None
