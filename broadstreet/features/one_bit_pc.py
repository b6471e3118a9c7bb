"""Whether the pc with one bit put back is the return address that was popped, or code that fits the stack."""

from broadstreet.features.access import NEAR_NULL
from broadstreet.features.plausible import called_from, called_here, implausible
from broadstreet.features.stack import broken_step
from broadstreet.formats.binary import Binary
from broadstreet.formats.instruction import LONGEST_CALL
from broadstreet.reading.context import SIGABRT
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.unwinder import chain, frame_address
from broadstreet.records.finding import Value

FAR = 64 << 20
LEAST_CHAIN = 2
WORD_BYTES = 8
STRAY_OPERATIONS = 12  # that a thread may have executed after it arrived in the wrong place
STRAY_BYTES = 32
LEFT_BYTES = 1024  # below sp, where functions that have returned left their words


def program_counter(state: MachineState, row: dict[str, Value]) -> bool | None:
    """Whether the pc with one bit put back is the return address that was popped, or code that fits the stack."""
    if state.architecture.link:
        return False if row["chain"] == "whole" and row["pc_on_boundary"] else None
    if row["bad_branch"] == "return":
        popped = state.pc if row["pc_in"] != "executable" else row["branch_target"]
        if not isinstance(popped, int) or popped < NEAR_NULL:
            return False
        return _one_bit_from_return_address(state, popped)
    if row["pc_in"] == "noncanonical":
        return _fits_elsewhere(state)  # no call or jump goes there: it faults where it stands
    if row["pc_in"] != "executable":
        if row["arrival"] in (None, "call"):
            return None if row["arrival"] is None else False
        return _fits_elsewhere(state)
    if row["word_below_sp"] == state.pc and state.process.call_before(state.pc) == "none":
        return _one_bit_from_return_address(state, state.pc)  # popped, and landed in other code
    if _popped_into_this_function(state, row["word_below_sp"]) or _strayed(state):
        return True
    if row["pc_on_boundary"] is None or (row["code_bits_different"] or 0) not in (0, 1):
        return None  # where the code was patched, the file does not say where instructions begin
    broken = broken_step(state)
    if row["pc_on_boundary"] and (broken is None or broken.step is None or broken.index):
        return False
    if broken is not None and broken.slot_word is not None and implausible(broken.slot_word):
        return False
    return _fits_elsewhere(state)


def _popped_into_this_function(state: MachineState, word: Value) -> bool:
    """Whether the word below sp, where the last callee's return address was, leads here only with one bit wrong."""
    process = state.process
    if not isinstance(word, int) or not state.space.executable(word) or process.call_before(word) != "none":
        return False
    module = state.modules.at(word)
    if module is None or module.binary is None or module is not state.modules.at(state.pc):
        return False
    start = module.binary.function_start(module.vaddr(word))
    if start is None or start != module.binary.function_start(module.vaddr(state.pc)) or start == module.vaddr(word):
        return False
    for bit in range(64):
        other = word ^ 1 << bit
        if process.call_before(other) not in ("direct", "indirect"):
            continue
        registers = {**state.registers, state.architecture.pc: other}
        row = process.row(other, True)[1]
        cfa = None if row is None else frame_address(process, row, registers)
        if cfa is not None and cfa % 16 == 0 and chain(process, registers) >= LEAST_CHAIN:
            return True
    return False


def _strayed(state: MachineState) -> bool:
    """Whether the thread came to where the chain breaks through a place one bit from code that fits the stack.

    That code must belong to a function that the caller, as the stack says, called directly.
    """
    broken = broken_step(state)
    if broken is None or broken.step is None or state.signal.number == SIGABRT:
        return False
    step, architecture = broken.step, state.architecture
    pc, sp = step.registers[architecture.pc], step.registers[architecture.sp]
    module = state.modules.at(pc)
    if module is None or module.binary is None:
        return False
    binary = module.binary
    at = module.vaddr(pc)
    line = binary.line(at if not step.returned else _before_call(binary, at))
    places = []
    for one in reversed(line[-STRAY_OPERATIONS:]):
        if "rsp" in one.written:
            break
        places.append(one.address)
    if not binary.on_boundary(at):  # then what was executed is in no listing
        places = [at - back for back in range(1, STRAY_BYTES)]
    bits = range(architecture.address_bits - 1)
    return any(_fits(state, place + pc - at ^ 1 << bit, sp) for place in places for bit in bits)


def _before_call(binary: Binary, at: int) -> int:
    return next((at - size for size in range(2, LONGEST_CALL + 1) if binary.on_boundary(at - size)), at)


def _fits(state: MachineState, pc: int, sp: int) -> bool:
    if not state.space.executable(pc):
        return False
    process, architecture = state.process, state.architecture
    module, row = process.row(pc, False)
    registers = {**state.registers, architecture.pc: pc, architecture.sp: sp}
    cfa = None if row is None else frame_address(process, row, registers)
    if row is None or module is None or module.binary is None or cfa is None or cfa % 16:
        return False
    if architecture.dwarf.get(row.cfa_register) != architecture.sp or not called_from(state, pc, cfa):
        return False
    return (
        bool(module.binary.on_boundary(module.vaddr(pc))) and chain(process, registers, returned=False) >= LEAST_CHAIN
    )


def _one_bit_from_return_address(state: MachineState, word: int) -> bool | None:
    kinds = {word ^ 1 << bit: state.process.call_before(word ^ 1 << bit) for bit in range(64)}
    callers = [place for place, kind in kinds.items() if kind in ("direct", "indirect")]
    if state.space.mapping(word) is not None and not state.space.executable(word):
        # Software leaves pointers to data on the stack, and one in sixteen words near code follows a call by chance.
        callers = [place for place in callers if _ran_below(state, place)]
    if callers:
        return True
    return None if None in kinds.values() else False


def _ran_below(state: MachineState, returned_to: int) -> bool:
    """Whether the function that is called before this address left a return address of its own below sp."""
    module = state.modules.at(returned_to)
    called = None if module is None or module.binary is None else module.binary.callee(module.vaddr(returned_to))
    if module is None or module.binary is None or called is None:
        return False
    return any(
        state.modules.at(word) is module
        and state.process.call_before(word) in ("direct", "indirect")
        and module.binary.function_start(module.vaddr(word - 1)) == called
        for word in state.space.words(state.sp - LEFT_BYTES, LEFT_BYTES // WORD_BYTES - 1)
    )


def _fits_elsewhere(state: MachineState) -> bool | None:
    process, architecture = state.process, state.architecture
    if state.space.word(state.sp) is None:
        return None
    if any(state.registers.get(name) == state.pc for name in architecture.general):
        return False  # a jump through a register to a place that is gone
    for bit in range(64):
        other = state.pc ^ 1 << bit
        module = state.modules.at(other)
        if module is None or module.binary is None or not module.binary.executable(module.vaddr(other)):
            continue
        if not module.binary.on_boundary(module.vaddr(other)):
            continue
        registers = {**state.registers, architecture.pc: other}
        row = process.row(other, False)[1]
        cfa = None if row is None else frame_address(process, row, registers)
        if row is None or cfa is None or cfa % 16 or chain(process, registers, returned=False) < LEAST_CHAIN:
            continue
        # Else a tail jump leaves the same stack; but software jumps to no place that is far from all memory.
        if row.cfa_offset > WORD_BYTES or state.space.distance(state.pc) > FAR or called_here(state, other, cfa):
            return True
    return False
