"""From one frame to its caller: unwind table, then frame pointer, then a scan for a return address.

A return address is a word in executable memory that follows a call instruction. The walk starts from registers and
needs nothing else than the words that were fetched; where they end, it ends, and says why.
"""

from dataclasses import dataclass
from typing import Literal

from broadstreet.formats.architecture import Architecture
from broadstreet.formats.dwarf import WORD, evaluate
from broadstreet.formats.instruction import CallKind
from broadstreet.formats.unwind_table import Row
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.modules import Module, Modules
from broadstreet.records.frame import Frame, Trust

MOST_FRAMES = 256  # as eu-stack
SCAN_WORDS = 512
LARGEST_FRAME = 1 << 20  # for a frame-pointer step
POINTER_BITS = (1 << 48) - 1  # AArch64: bits above hold a pointer authentication code

Registers = dict[str, int]
End = Literal["outermost", "words", "broken", "limit"]


@dataclass(frozen=True)
class Step:
    """One frame as the walk sees it: its registers, how its pc was found, and where its caller's pc was read."""

    registers: Registers
    trust: Trust
    returned: bool  # the pc is a return address
    signal_frame: bool
    slot: int | None  # where this frame's pc was read from memory
    row: Row | None
    cfa: int | None


@dataclass(frozen=True)
class Process:
    """What a walk needs to know of a process."""

    architecture: Architecture
    space: AddressSpace
    modules: Modules

    def call_before(self, address: int) -> CallKind | None:
        """Whether a call ends at this address, and which kind; null where the code is not at hand."""
        if not self.space.executable(address):
            return "none"
        module = self.modules.at(address)
        if module is None or module.binary is None:
            return None
        return module.binary.call_before(module.vaddr(address))

    def restorer(self, address: int) -> bool:
        """Whether this is where the kernel makes a signal handler return to."""
        _, row = self.row(address, True)
        return row is not None and row.signal_frame

    def row(self, pc: int, returned: bool) -> tuple[Module | None, Row | None]:
        """The module and unwind rule of a frame. After a call, the rule of the call itself holds."""
        place = pc - 1 if returned else pc
        module = self.modules.at(place)
        if module is None or module.binary is None:
            return module, None
        return module, module.binary.row(module.vaddr(place))

    def frame(self, step: Step) -> Frame:
        """The step as a frame for people and tables."""
        pc = step.registers[self.architecture.pc]
        return self.place(pc, step.registers.get(self.architecture.sp), step.trust, step.signal_frame, step.returned)

    def place(self, pc: int, sp: int | None, trust: Trust, signal_frame: bool = False, returned: bool = False) -> Frame:
        """An address as a frame: module, offset, function."""
        place = pc - 1 if returned else pc
        module = self.modules.at(place)
        if module is None:
            return Frame(pc, sp, None, None, None, None, None, trust, signal_frame, returned)
        function = offset = None
        if module.binary is not None:
            symbol = module.binary.symbol(module.vaddr(place))
            if symbol is not None:
                function, offset = symbol.name, module.vaddr(pc) - symbol.start
        return Frame(
            pc, sp, module.path, module.build_id, pc - module.start, function, offset, trust, signal_frame, returned
        )


def walk(process: Process, registers: Registers, most: int = MOST_FRAMES) -> tuple[list[Step], End]:
    """Every frame that can be found from these registers, innermost first, and why the walk ended."""
    pc = registers[process.architecture.pc]
    _, row = process.row(pc, False)
    step = Step(registers, "register", False, bool(row and row.signal_frame), None, row, None)
    steps = [step]
    while len(steps) < most:
        caller = next_step(process, step)
        if isinstance(caller, str):
            return steps, caller
        steps.append(caller)
        step = caller
    return steps, "limit"


def next_step(process: Process, step: Step) -> Step | End:
    """The caller of a frame, or why there is none."""
    end: End = "broken"
    if step.row is not None:
        caller = by_table(process, step)
        if not isinstance(caller, str):
            return caller
        if caller == "outermost":
            return "outermost"
        end = caller
    else:
        caller_by_word = _by_word_at_sp(process, step) or _by_frame_pointer(process, step)
        if caller_by_word is not None:
            return caller_by_word
    return _by_scan(process, step) or end


def by_table(process: Process, step: Step) -> Step | End:
    """The caller by the unwind table alone."""
    row = step.row
    architecture = process.architecture
    if row is None:
        return "broken"
    if architecture.dwarf_return in row.undefined:
        return "outermost"
    registers = step.registers
    cfa = frame_address(process, row, registers)
    if cfa is None:
        return "words"
    caller = _restored(process, row, registers, cfa)
    pc, slot = _return_address(process, row, registers, caller, cfa)
    if pc is None:
        return "words"
    if pc == 0:
        return "outermost"
    if cfa <= registers.get(architecture.sp, 0) and not row.signal_frame and step.returned:
        return "broken"
    if not process.space.executable(pc) and not row.signal_frame:
        return "broken"
    caller[architecture.pc] = pc
    if architecture.sp not in caller or not row.signal_frame:
        caller[architecture.sp] = cfa
    returned = not row.signal_frame
    _, caller_row = process.row(pc, returned)
    return Step(caller, "unwind_table", returned, bool(caller_row and caller_row.signal_frame), slot, caller_row, cfa)


def frame_address(process: Process, row: Row, registers: Registers) -> int | None:
    """The canonical frame address; null where a register or word for it was not observed."""
    architecture = process.architecture
    if row.cfa_expression is not None:
        numbered = _Numbered(architecture, registers)
        return evaluate(row.cfa_expression, None, numbered, process.space.word)
    base = registers.get(architecture.dwarf.get(row.cfa_register, ""))
    return None if base is None else (base + row.cfa_offset) & WORD


class _Numbered(dict[int, int | None]):
    def __init__(self, architecture: Architecture, registers: Registers) -> None:
        super().__init__()
        self._names = architecture.dwarf
        self._registers = registers

    def get(self, number: int, default: int | None = None) -> int | None:  # type: ignore[override]
        return self._registers.get(self._names.get(number, ""), default)


def _restored(process: Process, row: Row, registers: Registers, cfa: int) -> Registers:
    names = process.architecture.dwarf
    word = process.space.word
    caller = dict(registers)
    for number, offset in row.saved:
        name = names.get(number)
        if name is not None:
            _assign(caller, name, word(cfa + offset & WORD))
    for number, offset in row.values:
        name = names.get(number)
        if name is not None:
            caller[name] = cfa + offset & WORD
    for number, expression, is_value in row.expressions:
        name = names.get(number)
        if name is None:
            continue
        value = evaluate(expression, cfa, _Numbered(process.architecture, registers), word)
        _assign(caller, name, value if is_value or value is None else word(value))
    for number, other in row.moved:
        name = names.get(number)
        if name is not None:
            _assign(caller, name, registers.get(names.get(other, "")))
    for number in row.undefined:
        caller.pop(names.get(number, ""), None)
    return caller


def _assign(registers: Registers, name: str, value: int | None) -> None:
    if value is None:
        registers.pop(name, None)
    else:
        registers[name] = value


def _return_address(
    process: Process, row: Row, registers: Registers, caller: Registers, cfa: int
) -> tuple[int | None, int | None]:
    architecture = process.architecture
    if row.signal_frame and architecture.pc in caller and architecture.link:
        frame = registers.get(architecture.sp)
        slot = None if frame is None else frame + architecture.signal_frame_registers[architecture.pc]
        return (None if slot is None else process.space.word(slot)), slot
    for number, offset in row.saved:
        if number == architecture.dwarf_return:
            slot = cfa + offset & WORD
            value = process.space.word(slot)
            return (value if value is None or not architecture.link else value & POINTER_BITS), slot
    for number, _expression, _is_value in row.expressions:
        if number == architecture.dwarf_return:
            return caller.get(architecture.dwarf[number]), None
    if any(number == architecture.dwarf_return for number, _other in row.moved):
        return caller.get(architecture.dwarf[architecture.dwarf_return]), None
    if architecture.link is None:
        return None, None
    value = registers.get(architecture.link)
    return (None if value is None else value & POINTER_BITS), None


def _by_frame_pointer(process: Process, step: Step) -> Step | None:
    architecture = process.architecture
    base = step.registers.get(architecture.frame_pointer)
    sp = step.registers.get(architecture.sp)
    if base is None or sp is None or not sp <= base < sp + LARGEST_FRAME or base % 8:
        return None
    saved, pc = process.space.word(base), process.space.word(base + 8)
    if saved is None or pc is None or saved <= base or process.call_before(pc) == "none":
        return None
    return _caller(process, {architecture.frame_pointer: saved}, pc, base + 16, base + 8, "frame_pointer")


def _by_word_at_sp(process: Process, step: Step) -> Step | None:
    """After a call into nowhere the return address stands at sp; after a return that went wrong it often does."""
    architecture = process.architecture
    if step.returned or architecture.link or process.space.executable(step.registers[architecture.pc]):
        return None
    sp = step.registers.get(architecture.sp, 0)
    word = process.space.word(sp)
    if word is None or process.call_before(word) not in ("direct", "indirect"):
        return None
    return _caller(process, dict(step.registers), word, sp + 8, sp, "stack_scan")


def _by_scan(process: Process, step: Step) -> Step | None:
    architecture = process.architecture
    sp = step.registers.get(architecture.sp)
    if sp is None:
        return None
    if not step.returned and architecture.link is not None:
        link = step.registers.get(architecture.link, 0) & POINTER_BITS
        if link != step.registers[architecture.pc] and process.call_before(link) in ("direct", "indirect"):
            return _caller(process, dict(step.registers), link, sp, None, "stack_scan")
    low, high = process.space.code_low, process.space.code_high
    for index, word in enumerate(process.space.words(sp, SCAN_WORDS)):
        if low <= word < high and (process.call_before(word) != "none" or process.restorer(word)):
            slot = sp + 8 * index
            kept = dict(step.registers) if index == 0 and not step.returned else {}
            return _caller(process, kept, word, slot + 8, slot, "stack_scan")
    return None


def _caller(process: Process, registers: Registers, pc: int, sp: int, slot: int | None, trust: Trust) -> Step:
    registers[process.architecture.pc] = pc
    registers[process.architecture.sp] = sp
    _, row = process.row(pc, True)
    return Step(registers, trust, True, bool(row and row.signal_frame), slot, row, None)


def chain(process: Process, registers: Registers, most: int = 4, returned: bool = True) -> int:
    """How many callers in a row the unwind table finds, each behind a call; `most` when it reaches the outermost."""
    _, row = process.row(registers[process.architecture.pc], returned)
    step = Step(registers, "register", returned, False, None, row, None)
    links = 0
    while links < most:
        caller = by_table(process, step)
        if isinstance(caller, str):
            return most if caller == "outermost" and links else links
        pc = caller.registers[process.architecture.pc]
        if caller.row is not None and caller.row.signal_frame:
            return most
        if step.row is not None and not step.row.signal_frame and process.call_before(pc) not in ("direct", "indirect"):
            return links
        links += 1
        step = caller
    return links
