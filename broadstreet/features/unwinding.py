"""Whether an exception was being unwound: an unwinder among the live frames, or its traces below the stack pointer.

What an unwinder leaves below the stack pointer stays until a deeper call overwrites it, so a trace says that one ran
shortly before. Thread cancellation and pthread_exit unwind as well.
"""

from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.modules import Module
from broadstreet.records.finding import Value

BELOW_BYTES = 4096
UNWINDERS = ("libgcc_s.", "libunwind.", "libunwind-")
NAMES = ("_Unwind_", "__cxa_throw", "__cxa_rethrow", "__gxx_personality", "_Ux86_64_", "_ULx86_64_", "_Uaarch64_")
NOT_UNWINDING = ("_Unwind_Backtrace", "_Unwind_Find", "_Unwind_Get", "_Unwind_Set", "_Unwind_DeleteException")


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of exception unwinding."""
    row["unwinder_frame"] = _live(state)
    row["unwinder_below_sp"] = _left_behind(state)
    if row["unwinder_frame"]:
        row["unwinder"] = "frame"
    elif row["unwinder_below_sp"]:
        row["unwinder"] = "below_sp"
    elif row["unwinder_frame"] is False and row["unwinder_below_sp"] is False:
        row["unwinder"] = "none"


def _live(state: MachineState) -> bool | None:
    process = state.process
    for step in state.steps:
        if step.trust == "stack_scan":
            break  # what a scan finds may be stale
        frame = process.frame(step)
        if _is_unwinder(frame.function, process.modules.at(frame.pc - 1)):
            return True
    return False if state.end in ("outermost", "limit") else None


def _left_behind(state: MachineState) -> bool | None:
    """Code pointers of an unwinder below the stack pointer; null where those words were not fetched."""
    count = BELOW_BYTES // 8
    words = state.space.words(state.sp - BELOW_BYTES, count) or state.space.words(state.sp - 1024, 128)
    if not words:
        return None
    process = state.process
    low, high = state.space.code_low, state.space.code_high
    for word in words:
        if not low <= word < high or process.call_before(word) not in ("direct", "indirect"):
            continue
        module = state.modules.at(word)
        if module is None:
            continue
        function = module.binary.symbol(module.vaddr(word - 1)) if module.binary else None
        if _is_unwinder(function.name if function else None, module):
            return True
    return None if state.context == "recovered" else False  # a handler on the same stack overwrote what lay there


def _is_unwinder(function: str | None, module: Module | None) -> bool:
    if function is not None and function.startswith(NOT_UNWINDING):
        return False
    if function is not None and function.startswith(NAMES):
        return True
    return function is None and module is not None and module.name.startswith(UNWINDERS)
