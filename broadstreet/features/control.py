"""Where the thread was executing, and how it got there when that is no code.

A `ret` leaves the word that it popped just below the stack pointer; a call leaves its return address at the stack
pointer. The ABI makes `rsp % 16` 8 on entry to a function and 0 after it returned, so parity tells a tail jump, which
leaves its caller's return address in place, from a return. On AArch64 both words are the link register; where it was
signed, the processor may have stopped at an address with the bits above its own set (Arm ARM, AuthIA).
"""

from broadstreet.formats.binary import Flow
from broadstreet.formats.instruction import LONGEST_CALL, Instruction, decode
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.operands import effective_address, register
from broadstreet.records.finding import Value

SI_KERNEL = 128


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of the program counter and of the words around the stack pointer."""
    pc, sp = state.pc, state.sp
    link = state.architecture.link
    row["pc"], row["sp"] = pc, sp
    row["pc_in"] = place(state, pc)
    row["sp_mod_16"] = sp % 16
    row["word_below_sp"] = state.registers.get(link) if link else state.space.word(sp - 8)
    row["word_at_sp"] = at_sp = state.registers.get(link) if link else state.space.word(sp)
    process = state.process
    row["call_before_word_at_sp"] = None if at_sp is None else process.call_before(at_sp)
    return_address = None if at_sp is None else process.code_pointer(at_sp)
    row["call_reached_pc"] = _call_reached_pc(state, return_address, row["call_before_word_at_sp"])
    row["arrival"] = _arrival(state, row)
    row["branch_target"] = _branch_target(state)
    row["bad_branch"] = _bad_branch(state, row)
    module = state.modules.at(pc)
    row["pc_on_boundary"] = (
        module.binary.on_boundary(module.vaddr(pc)) if module is not None and module.binary is not None else None
    )


def place(state: MachineState, address: int) -> str:
    """What kind of memory an address lies in."""
    if not state.architecture.canonical(address):
        return "noncanonical"
    mapping = state.space.mapping(address)
    if mapping is None:
        return "unmapped"
    return "executable" if mapping.executable else "nonexecutable"


def _call_reached_pc(state: MachineState, return_address: int | None, kind: Value) -> bool | None:
    """Whether the indirect call that ends at the word at sp called this pc; null where its target is not known."""
    if kind != "indirect" or return_address is None:
        return False if kind is not None else None
    call = _call_at(state, return_address)
    if call is None:
        return None
    if call.target is not None:
        value = state.registers.get(call.target)
        return None if value is None else value == state.pc
    before = {**state.registers, state.architecture.sp: state.sp + 8}  # the call pushed its return address
    for operand in call.memory:
        address = effective_address(before, operand, call.address)
        value = None if address is None else state.space.word(address)
        return None if value is None else value == state.pc
    return None


def _call_at(state: MachineState, return_address: int) -> Instruction | None:
    module = state.modules.at(return_address)
    if module is None or module.binary is None:
        return None
    binary, address = module.binary, module.vaddr(return_address)
    found = []
    for size in range(2, LONGEST_CALL + 1):
        code = binary.code(address - size, size)
        call = decode(state.architecture.name, code, return_address - size) if code else None
        if call is not None and call.size == size and call.kind == "call":
            found.append(call)
    # A shorter suffix of a call is often a call too: `ff d4` is `call rsp`, `41 ff d4` is `call r12`.
    begun = [call for call in found if binary.on_boundary(address - call.size)]
    return next(iter(begun or found), None)


def _arrival(state: MachineState, row: dict[str, Value]) -> str | None:
    """How a bad pc was reached: return, call, jump; none where the pc is code."""
    if row["pc_in"] == "executable":
        return "none"
    popped, call = row["word_below_sp"], row["call_before_word_at_sp"]
    if state.architecture.link:
        if isinstance(popped, int) and state.process.code_pointer(popped) == state.process.code_pointer(state.pc):
            return "return"
        return None if call is None else ("call" if call == "indirect" else "jump")
    if call is None or popped is None:
        return None
    returned = popped == state.pc
    entered = state.sp % 16 == 8
    reached = row["call_reached_pc"] or (row["call_reached_pc"] is None and (state.pc == 0 or not returned))
    if call == "indirect" and reached and (entered or not returned):
        return "call"
    if returned and not (state.pc == 0 and call == "direct" and entered and _may_tail_jump(state)):
        return "return"
    return "call" if call == "indirect" and row["call_reached_pc"] else "jump"


def called_flow(state: MachineState, return_address: int) -> Flow | None:
    """What the function can do that was called directly just before this return address."""
    module = state.modules.at(return_address)
    if module is None or module.binary is None:
        return None
    target = module.binary.called_before(module.vaddr(return_address))
    return None if target is None else module.binary.flow(target)


def _may_tail_jump(state: MachineState) -> bool:
    word = state.space.word(state.sp)
    flow = called_flow(state, word) if word is not None else None
    return flow is None or flow.indirect_jump


def _branch_target(state: MachineState) -> int | None:
    """Where the branch at the pc would go; null where it is none or its target is not known."""
    branch = state.instruction
    if branch is None:
        return None
    if branch.kind == "return":
        link = state.architecture.link
        return state.registers.get(link) if link else state.space.word(state.sp)
    if not branch.indirect:
        return None
    if branch.target is not None:
        return register(state.registers, branch.target)
    for operand in branch.memory:
        address = effective_address(state.registers, operand, branch.address)
        return None if address is None else state.space.word(address)
    return None


def _bad_branch(state: MachineState, row: dict[str, Value]) -> str | None:
    """How control left the code: at a pc that is none, or at a branch whose target is not even an address."""
    if row["pc_in"] != "executable":
        return None if row["arrival"] is None else str(row["arrival"])
    if state.signal.code != SI_KERNEL:
        return None if state.signal.code is None else "none"
    if state.instruction is None:
        return None
    if state.instruction.kind != "return" and not state.instruction.indirect:
        return "none"
    target = row["branch_target"]
    if not isinstance(target, int):
        return None
    return "none" if state.architecture.canonical(target) else state.instruction.kind
