"""Whether an exception was being unwound: an unwinder among the live frames, or its traces below the stack pointer.

What an unwinder leaves below the stack pointer stays until a deeper call overwrites it, so a trace says that one ran
shortly before. Thread cancellation and pthread_exit unwind as well.
"""

from collections.abc import Iterator, Sequence

from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.modules import Module
from broadstreet.records.finding import Value

BELOW_BYTES = 1024
BELOW_BYTES_ARM = 4 << 10  # libgcc's frames hold more registers there, above their return addresses: 2.9 KB with gcc 12
# Where control was lost in the very moment that an unwinder handed over, a signal frame with AVX-512 state (3.5 KB) and
# its handler's frames (4 KiB in the founding story) may lie between.
BELOW_BAD_PC = 12 << 10
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
    for frame in state.frames:
        if frame.trust == "stack_scan":
            break  # what a scan finds may be stale
        if _is_unwinder(frame.function, frame.module):
            return True
    return False if state.end in ("outermost", "limit") else None


def left_behind(state: MachineState) -> Iterator[tuple[int, int]]:
    """Where code pointers of an unwinder lie below the stack pointer, and each of them; the lowest first."""
    low, words, _ = _below(state)
    process, code_low, code_high = state.process, state.space.code_low, state.space.code_high
    pointers = words if state.architecture.link is None else map(process.code_pointer, words)
    for place, word in enumerate(pointers):
        if not code_low <= word < code_high:
            continue
        module = state.modules.at(word)
        if module is None or not _may_hold_unwinder(state, module):
            continue
        own = module.name.startswith(
            UNWINDERS
        )  # there any code pointer counts: a signal frame holds the interrupted pc
        if not (own and state.space.executable(word)) and process.call_before(word) not in ("direct", "indirect"):
            continue
        function = module.binary.symbol(module.vaddr(word - 1)) if module.binary else None
        if _is_unwinder(function.name if function else None, module.path):
            yield low + 8 * place, word


def _left_behind(state: MachineState) -> bool | None:
    """Whether there are any; null where those words were not fetched."""
    _, words, count = _below(state)
    if not words:
        return None
    if any(True for _ in left_behind(state)):
        return True
    if len(words) < count:
        return None
    return None if state.context == "recovered" else False  # a handler on the same stack overwrote what lay there


def _below(state: MachineState) -> tuple[int, Sequence[int], int]:
    """Where the words begin that an unwinder may have left, those that were fetched, and how many there are."""
    near = BELOW_BYTES if state.architecture.link is None else BELOW_BYTES_ARM
    below = near if state.space.executable(state.pc) else BELOW_BAD_PC
    mapping = state.space.mapping(state.sp)
    if mapping is None:
        return state.sp, (), 0
    low = max(state.sp - below, mapping.start)
    count = (state.sp - low) // 8
    return low, state.space.words(low, count) or (), count


def _may_hold_unwinder(state: MachineState, module: Module) -> bool:
    """An unwinder's own library, the C++ runtime, or the program, which may be linked statically."""
    return module.name.startswith((*UNWINDERS, "libstdc++.")) or module is state.modules.all[0]


def _is_unwinder(function: str | None, module: str | None) -> bool:
    if function is not None and function.startswith(NOT_UNWINDING):
        return False
    if function is not None and function.startswith(NAMES):
        return True
    return function is None and module is not None and module.rsplit("/", 1)[-1].startswith(UNWINDERS)
