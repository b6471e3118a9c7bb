"""What a thread executed last in one straight line, and what the registers must hold after it.

The line ends before the pc. Where it begins at the start of a function, and the return address on the stack stands
behind a direct call of that function, it goes on in the caller, before the call.
"""

from collections.abc import Sequence
from typing import NamedTuple

from broadstreet.formats import elf
from broadstreet.formats.binary import Binary
from broadstreet.formats.instruction import LONGEST_X86, Operand, decode
from broadstreet.formats.operation import Operation, operation
from broadstreet.reading.modules import Module
from broadstreet.reading.operands import effective_address
from broadstreet.reading.replay import Memory, Outcome, replayed
from broadstreet.reading.unwinder import Process, Registers, Step

MOST_CALLERS = 2
DIRECT_CALL_BYTES = 5  # e8 rel32


class Executed(NamedTuple):
    """The operations, with their addresses in the file; `module` is the one that they are of."""

    line: tuple[Operation, ...]
    module: Module


def executed(process: Process, steps: Sequence[Step]) -> Executed | None:
    """The line before the pc of the first step; null where its code is not at hand."""
    pc = steps[0].registers[process.architecture.pc]
    module = process.modules.at(pc)
    if module is None or module.binary is None or not process.space.executable(pc):
        return None
    binary, at = module.binary, module.vaddr(pc)
    line = binary.line(at)
    for caller in steps[1 : MOST_CALLERS + 1]:
        entry = line[0].address if line else at
        call = _call(process, module, binary, caller) if binary.entry(at) == entry else None
        if call is None or binary.callee(call.address + call.size) != entry:
            break
        at = call.address
        line = (*binary.line(at), call, *line)
    return Executed(line, module)


def replay(process: Process, steps: Sequence[Step], done: Executed, memory: Memory) -> Outcome:
    """What the line leads to, given the registers at the pc."""
    registers = steps[0].registers
    pc = registers[process.architecture.pc]
    return replayed(done.line, registers, half_done(done.module, pc), memory, pc - done.module.vaddr(pc))


def loads(process: Process, steps: Sequence[Step]) -> list[int]:
    """Where memory lies that the line loaded or the branch at the pc would go through, and that is not at hand yet."""
    done = executed(process, steps)
    if done is None:
        return []

    def memory(address: int, size: int) -> bytes | None:
        return process.space.read(address, size) or constants(process, address, size)

    far = any(
        isinstance(part, Operand) and part.base not in ("rsp", "rip") for one in done.line for part in one.arguments
    )
    wanted = [address for address, _size in replay(process, steps, done, memory).wanted] if far else []
    registers = steps[0].registers
    pc = registers[process.architecture.pc]
    code = done.module.binary.code(done.module.vaddr(pc), LONGEST_X86) if done.module.binary else None
    branch = decode(process.architecture.name, code, pc) if code else None
    for operand in branch.memory if branch is not None and branch.indirect else ():
        address = effective_address(registers, operand, pc)
        wanted += [] if address is None else [address]
    return [address for address in dict.fromkeys(wanted) if process.space.read(address, 1) is None]


def half_done(module: Module, pc: int) -> tuple[str, ...]:
    """The registers that the instruction at the pc has changed already: a string instruction stops in the middle."""
    code = module.binary.code(module.vaddr(pc), LONGEST_X86) if module.binary else None
    one = operation(code, 0) if code else None
    return one.written if one is not None and one.name.startswith("rep") else ()


def constants(process: Process, address: int, size: int) -> bytes | None:
    """Bytes that a file holds and the process could not change; null where they are of no such place."""
    module, mapping = process.modules.at(address), process.space.mapping(address)
    if module is None or module.binary is None or mapping is None or mapping.writable:
        return None
    place = module.vaddr(address)
    for segment in module.binary.loads:
        if segment.address <= place < segment.address + segment.file_size and segment.flags & elf.PF_W:
            return None  # read-only since it was relocated
    data = module.binary.code(place, size)
    return data if data is not None and len(data) == size else None


def _call(process: Process, module: Module, binary: Binary, caller: Step) -> Operation | None:
    if caller.trust != "unwind_table" or caller.signal_frame or not caller.returned:
        return None
    word: Registers = caller.registers
    returned = word[process.architecture.pc]
    if process.modules.at(returned) is not module or process.call_before(returned) != "direct":
        return None
    at = module.vaddr(returned) - DIRECT_CALL_BYTES
    code = binary.code(at, DIRECT_CALL_BYTES)
    one = operation(code, at) if code and binary.on_boundary(at) else None
    return one if one is not None and one.name == "call" else None
