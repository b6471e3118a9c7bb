"""The stack pointer against the mappings, and against what the unwind table demands of it.

A stack pointer that is 8 off keeps `rsp & 7` at zero; what it breaks is the chain of return addresses. So: the walk by
unwind table breaks at a frame, whose canonical frame address is odd (8 modulo 16) for a rule based on rsp, and moving
rsp by 8 mends the chain. Parity alone is only an ABI violation; hand-written assembly does it with a whole chain.
"""

from functools import lru_cache

from broadstreet.features.control import called_flow
from broadstreet.formats.architecture import Architecture
from broadstreet.formats.unwind_table import Row
from broadstreet.reading.context import SIGABRT
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.unwinder import End, Process, Registers, Step, by_table, chain, frame_address
from broadstreet.records.finding import Value

STACK_GUARD_BYTES = 1 << 20
OVERFLOW_NEAR_SP = 128 << 10  # how far from sp the failing access of a new frame may be
REPAIR_CHAIN = 2
SHIFTS = (8, -8)
LEFT_BELOW = 64  # words below sp in which a function that has returned may have left return addresses


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of the stack pointer."""
    row["sp_in"] = _sp_in(state)
    row["stack_overflow_distance"] = _overflow_distance(state, row)
    broken = broken_step(state)
    row["chain"] = None if broken is None else "whole" if broken.step is None else "broken"
    row["stack_shift"] = _shift(state, row, broken)


class Broken:
    """Where the walk by unwind table alone stops making sense: `step` is null where it never does."""

    def __init__(self, step: Step | None, index: int, slot_word: int | None) -> None:
        self.step = step
        self.index = index
        self.slot_word = slot_word


@lru_cache(maxsize=2)
def broken_step(state: MachineState) -> Broken | None:
    """The first frame whose caller is not behind a call; null where no unwind table covers the pc or words end."""
    process = state.process
    if not state.space.executable(state.pc):
        return None
    first = state.steps[0]
    if first.row is None:
        return None
    for index, step in enumerate(state.steps):
        caller = _by_table(state, index)
        if isinstance(caller, str):
            if caller == "outermost":
                word = _slot_word(process, step)
                return Broken(None, 0, None) if word != 0 or _end_of_stack(state, step) else Broken(step, index, 0)
            if caller == "broken":
                return Broken(step, index, _slot_word(process, step))
            return None if step.row is not None and _readable(state, step) else Broken(step, index, None)
        if not step.signal_frame and not caller.signal_frame:
            kind = process.call_before(caller.registers[process.architecture.pc])
            if kind is None:
                return None
            if kind == "none":
                return Broken(step, index, caller.registers[process.architecture.pc])
        if caller.row is None:
            return Broken(None, 0, None) if index else None
    return Broken(None, 0, None)


def _by_table(state: MachineState, index: int) -> Step | End:
    """The caller by unwind table alone; the walk has it already, unless it had to fall back there."""
    if index + 1 < len(state.steps) and state.steps[index + 1].trust == "unwind_table":
        return state.steps[index + 1]
    return by_table(state.process, state.steps[index])


def _end_of_stack(state: MachineState, step: Step) -> bool:
    row = step.row
    return row is None or state.architecture.dwarf_return in row.undefined


def _readable(state: MachineState, step: Step) -> bool:
    cfa = frame_address(state.process, step.row, step.registers) if step.row else None
    return cfa is not None and state.space.mapping(cfa - 8) is not None


def _slot_word(process: Process, step: Step) -> int | None:
    if step.row is None:
        return None
    cfa = frame_address(process, step.row, step.registers)
    if process.architecture.link is not None:
        return None if cfa is None else _saved_link(process, step.row, cfa)
    return None if cfa is None else process.space.word(cfa - 8)


def _saved_link(process: Process, row: Row, cfa: int) -> int | None:
    places = [offset for number, offset in row.saved if number == process.architecture.dwarf_return]
    return process.space.word(cfa + places[0]) if places else None


def _sp_in(state: MachineState) -> str:
    sp = state.sp
    if not state.architecture.canonical(sp):
        return "noncanonical"
    mapping = state.space.mapping(sp)
    if mapping is not None:
        if mapping.writable:
            return "writable"
        return "readonly" if mapping.flags else "no_rights"
    following = state.space.following(sp)
    if following is not None and following.start - sp <= STACK_GUARD_BYTES and following.writable:
        return "below_mapping"
    preceding = state.space.preceding(sp)
    if preceding is not None and sp == preceding.end:
        return "above_mapping"
    return "unmapped"


def _overflow_distance(state: MachineState, row: dict[str, Value]) -> int | None:
    """How far below a writable mapping the failing access lies, when the stack pointer is there too; 0: it is not."""
    address = row["access_address"]
    if row["access_in"] is None or address is None or not isinstance(address, int):
        return None if row["access_in"] is None else 0
    if row["access_in"] not in ("unmapped", "no_rights") or row["access_kind"] == "fetch":
        return 0
    jumped = _jumped_over_guard(state, address)
    if jumped:
        return jumped
    following = state.space.following(address)
    if following is None or not following.writable:
        return 0
    distance = following.start - address
    near = distance <= _reach(state, address) and abs(state.sp - address) <= OVERFLOW_NEAR_SP
    straddles = state.sp - OVERFLOW_NEAR_SP <= address < following.start  # a frame larger than the guard
    if following.start <= state.sp < following.start + OVERFLOW_NEAR_SP:
        return distance if near else 0
    first = state.steps[0]
    if first.row is None:
        return None if near or straddles else 0
    outer = frame_address(state.process, first.row, first.registers) or 0
    inside = following.start <= outer <= following.end
    return distance if state.sp < following.start and inside and (near or straddles) else 0


def _jumped_over_guard(state: MachineState, address: int) -> int:
    """How far below its stack a frame reached that is larger than any guard: its caller is known by frame pointer."""
    if state.space.mapping(state.sp) is not None or len(state.steps) < 2 or state.steps[0].row is None:
        return 0
    if state.architecture.dwarf.get(state.steps[0].row.cfa_register) == state.architecture.sp:
        return 0
    outer = state.steps[1].registers.get(state.architecture.sp, 0)
    stack = state.space.mapping(outer)
    below = stack is not None and stack.writable and state.sp < stack.start
    flipped = any(abs((state.sp ^ 1 << bit) - outer) < OVERFLOW_NEAR_SP for bit in range(12, 48))
    near = state.sp - OVERFLOW_NEAR_SP <= address <= outer
    return stack.start - address if stack is not None and below and near and not flipped else 0


def _reach(state: MachineState, address: int) -> int:
    guard = state.space.mapping(address)
    return STACK_GUARD_BYTES if guard is None else max(STACK_GUARD_BYTES, guard.end - guard.start)


def _shift(state: MachineState, row: dict[str, Value], broken: Broken | None) -> int | None:
    if state.architecture.link:
        return 0 if row["chain"] == "whole" else None  # what a shift by one word does there was never seen
    if row["pc_in"] != "executable":
        return _shift_after_return(state, row)
    at_return = _shift_at_return(state, row)
    if at_return != 0:
        return at_return
    if broken is None:
        return None
    if broken.step is None:
        return 0
    return _shift_of_chain(state, broken.step, broken.index)


def _shift_after_return(state: MachineState, row: dict[str, Value]) -> int | None:
    """A return popped a word that is no return address, next to one that is."""
    below = row["word_below_sp"]
    if below is None or row["call_before_word_at_sp"] is None:
        return None
    if state.pc == 0 or below != state.pc or state.sp % 16 != 8 or row["arrival"] != "return":
        return 0
    call = state.process.call_before
    if row["call_before_word_at_sp"] in ("direct", "indirect") and row["call_reached_pc"] is not True:
        return 0 if _own_callee_returned(state, row["call_before_word_at_sp"]) else 8
    further = state.space.word(state.sp - 16)
    kind = None if further is None else call(further)
    return None if kind is None else 0 if kind == "none" else -8


def _own_callee_returned(state: MachineState, call: Value) -> bool:
    """Whether the word that was popped may be the overwritten return address of a callee.

    Compilers leave the stack unaligned for callees that they know, so parity alone does not tell. It was one if the
    function whose return address is at sp calls others before it pushes anything. Where that function is not known,
    because it was called through a pointer, it must have left a return address of its own below, in a frame that ends
    at sp.
    """
    word = state.space.word(state.sp)
    if word is None:
        return True
    if call == "indirect":
        return not _frame_ends_here(state)
    flow = called_flow(state, word)
    return flow is not None and flow.frameless_call


def _frame_ends_here(state: MachineState) -> bool:
    process, architecture = state.process, state.architecture
    words = state.space.words(state.sp - 8 * LEFT_BELOW, LEFT_BELOW)
    for index, word in enumerate(words):
        slot = state.sp - 8 * (len(words) - index)
        if process.call_before(word) not in ("direct", "indirect"):
            continue
        row = process.row(word, True)[1]
        if row is None or architecture.dwarf.get(row.cfa_register) != architecture.sp:
            continue
        if row.cfa_offset > 8 and slot + row.cfa_offset in (state.sp, state.sp - 8):
            return True
    return False


def _shift_at_return(state: MachineState, row: dict[str, Value]) -> int | None:
    """A #GP at the `ret` itself: the word to pop is no address at all, and its neighbour is a return address."""
    word = row["word_at_sp"]
    if row["instruction_kind"] != "return" or not isinstance(word, int) or state.architecture.canonical(word):
        return 0
    if state.sp % 16:
        return 0
    kinds = {}
    for shift in SHIFTS:
        other = state.space.word(state.sp + shift)
        kinds[shift] = None if other is None else state.process.call_before(other)
        if kinds[shift] in ("direct", "indirect"):
            return shift
    return None if None in kinds.values() else 0


def _shift_of_chain(state: MachineState, step: Step, index: int) -> int:
    architecture, process = state.architecture, state.process
    row = step.row
    if row is None or architecture.dwarf.get(row.cfa_register) != architecture.sp or row.cfa_expression is not None:
        return 0
    cfa = frame_address(process, row, step.registers)
    if cfa is None or cfa % 16 != 8:
        return 0
    for shift in SHIFTS:
        if chain(process, moved(architecture, step.registers, shift), returned=step.returned) < REPAIR_CHAIN:
            continue
        # Entry into the middle of a function through a bad pointer lacks a push, and looks like rsp 8 low. A direct
        # call before the mended return address excludes it, and so does that the function went on to call another.
        went_on = index > 0 and state.signal.number != SIGABRT
        if shift == -8 and not went_on and _call_of(process, row.cfa_offset, step.registers, shift) != "direct":
            continue
        return shift
    return 0


def _call_of(process: Process, offset: int, registers: Registers, shift: int) -> str | None:
    word = process.space.word(registers[process.architecture.sp] + shift + offset - 8)
    return None if word is None else process.call_before(word)


def moved(architecture: Architecture, registers: Registers, shift: int) -> Registers:
    """The registers with the stack pointer moved."""
    return {**registers, architecture.sp: registers[architecture.sp] + shift}
