"""Whether the stack pointer with one bit put back gives a chain of callers that it lacks as it is."""

from broadstreet.features.plausible import called_from, called_here, implausible, overwritten
from broadstreet.features.stack import Broken, broken_step, moved
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.unwinder import chain, frame_address
from broadstreet.records.finding import Value

SP_BITS = range(48)
CALLER_SP_BITS = range(4, 47)
RETURN_SP_BITS = range(12, 48)
UNALIGNED_BITS = range(3)  # no compiled code leaves the stack pointer at anything but a multiple of 8
RETURN_CHAIN, SP_CHAIN = 3, 2
WORD_BYTES = 8
CANARY_OFFSET = 0x28  # from fs_base, of the stack protector's word on x86-64
CLEAR_WORDS = 128  # of the stack above: without a return address in them


def stack_pointer(state: MachineState, row: dict[str, Value]) -> bool | None:
    """Whether the stack pointer with one bit put back gives a chain that it lacks as it is."""
    if state.architecture.link:
        return False if row["chain"] == "whole" else None
    if row["pc_in"] != "executable":
        return _stack_pointer_after_return(state, row)
    broken = broken_step(state)
    if broken is None:
        return None
    return broken.step is not None and _mended_by_bit(state, row, broken)


def _mended_by_bit(state: MachineState, row: dict[str, Value], broken: Broken) -> bool:
    step = broken.step
    if row["call_before_word_at_sp"] == "direct" and broken.index == 0:
        return False  # the stack makes sense as it is: a function was entered past its first pushes
    if step is None or step.row is None or (broken.slot_word is not None and overwritten(broken.slot_word)):
        return False
    architecture, process = state.architecture, state.process
    if architecture.dwarf.get(step.row.cfa_register) != architecture.sp or step.row.cfa_expression is not None:
        return False
    sp = step.registers[architecture.sp]
    small = not sp % WORD_BYTES and broken.slot_word is not None and implausible(broken.slot_word)
    for bit in SP_BITS if broken.index == 0 or sp % WORD_BYTES else CALLER_SP_BITS:
        other = moved(architecture, step.registers, (sp ^ 1 << bit) - sp)
        cfa = frame_address(process, step.row, other)
        if cfa is None or cfa % 16 or process.space.word(cfa - 8) is None:
            continue
        pc = step.registers[architecture.pc] - step.returned
        if chain(process, other, returned=step.returned) < SP_CHAIN:
            continue
        if (
            row["abort_kind"] == "stack_smashing"
            and not sp % WORD_BYTES
            and not _canary_there(state, sp, sp ^ 1 << bit, cfa)
        ):
            continue  # what overwrote the canary overwrote the return addresses behind it
        if called_from(state, pc, cfa) if small else called_here(state, pc, cfa):
            return True
    return False


def _canary_there(state: MachineState, sp: int, mended: int, cfa: int) -> bool:
    """Whether the frame of the mended stack pointer holds the stack protector's word, and that of this one does not."""
    canary = state.space.word(state.registers.get("fs_base", 0) + CANARY_OFFSET)
    if not canary:
        return False
    words = state.space.words(mended, (cfa - mended) // WORD_BYTES)
    return canary in words and canary not in state.space.words(sp, (cfa - mended) // WORD_BYTES)


def _stack_pointer_after_return(state: MachineState, row: dict[str, Value]) -> bool | None:
    if row["arrival"] is None:
        return None
    if row["arrival"] != "return":
        return False
    process = state.process
    aligned = state.sp % WORD_BYTES == 0
    words = state.space.words(state.sp, CLEAR_WORDS) if aligned else ()
    if any(process.call_before(word) in ("direct", "indirect") for word in words):
        return False
    popped = state.sp - 8
    for bit in RETURN_SP_BITS if aligned else UNALIGNED_BITS:
        slot = popped ^ 1 << bit
        word = state.space.word(slot)
        if word is None or process.call_before(word) not in ("direct", "indirect"):
            continue
        registers = {**state.registers, state.architecture.pc: word, state.architecture.sp: slot + 8}
        if chain(process, registers) >= RETURN_CHAIN:
            return True
    return False
