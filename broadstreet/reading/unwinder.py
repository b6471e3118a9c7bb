"""From one frame to its caller: unwind table, then frame pointer, then a scan for a return address.

A return address is a word in executable memory that follows a call instruction. The walk starts from registers and
needs nothing else than the words that were fetched; where they end, it ends, and says why.

AArch64 differs in three ways. A call leaves its return address in the link register. A frame record, the saved x29 and
x30 that x29 points at, may lie anywhere in its frame; the unwind table says where, and so where the frame ends
(AAPCS64 6.4.6). A return address in memory may be signed: the bits between the process's addresses and bit 55 then
hold an authentication code (arch/arm64/include/asm/pointer_auth.h).
"""

from dataclasses import dataclass
from typing import Literal

from broadstreet.formats.architecture import Architecture
from broadstreet.formats.dwarf import WORD, evaluate
from broadstreet.formats.instruction import CallKind
from broadstreet.formats.unwind_table import Row
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.context import SignalFrame, live_frames, signal_frame
from broadstreet.reading.modules import Module, Modules
from broadstreet.records.frame import Frame, Trust

MOST_FRAMES = 256  # as eu-stack
SCAN_WORDS = 512
LARGEST_FRAME = 1 << 20  # for a frame-pointer step
USER_HALF = 1 << 55  # AArch64: bit 55 of an address says which half it is in; no code covers it
FRAME_WORDS = 128  # in which the end of a frame is looked for whose record says nothing
FITTING_CHAIN = 3

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
        if self.architecture.link is not None:
            address = self.code_pointer(address)
        if not self.space.executable(address):
            return "none"
        module = self.modules.at(address)
        if module is None or module.binary is None:
            return None
        return module.binary.call_before(module.vaddr(address))

    def code_pointer(self, word: int) -> int:
        """A word as an address of code: on AArch64, without the bits above the process's highest mapping."""
        highest = self.space.preceding(USER_HALF) if self.architecture.link is not None else None
        if highest is None or word >= USER_HALF:
            return word
        return word & (1 << (highest.end - 1).bit_length()) - 1

    def restorer(self, address: int) -> bool:
        """Whether this is where the kernel makes a signal handler return to."""
        _, row = self.row(address, True)
        return self.interrupted(address, row)

    def interrupted(self, pc: int, row: Row | None) -> bool:
        """Whether the caller of a frame at this pc was interrupted by a signal."""
        code = self.architecture.sigreturn
        if row is not None or not code or not self.space.executable(pc):
            return row is not None and row.signal_frame
        found = self.space.read(pc, len(code))
        module = self.modules.at(pc)
        if found is None and module is not None and module.binary is not None:
            found = module.binary.code(module.vaddr(pc), len(code))
        return found == code

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
    step = Step(registers, "register", False, process.interrupted(pc, row), None, row, None)
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
    if step.row is not None or step.signal_frame:
        caller = by_table(process, step)
        if not isinstance(caller, str):
            return caller
        if caller == "outermost":
            return "outermost"
        end = caller
    else:
        caller_by_word = _by_word_at_sp(process, step) or _by_link(process, step) or _by_record(process, step)
        if caller_by_word is not None:
            return caller_by_word
    return _by_scan(process, step) or end


def by_table(process: Process, step: Step) -> Step | End:
    """The caller by the unwind table alone."""
    row = step.row
    architecture = process.architecture
    if step.signal_frame and architecture.link is not None:
        return _interrupted(process, step) or "words"
    if row is None:
        return "broken"
    if architecture.dwarf_return in row.undefined:
        return "outermost"
    registers = step.registers
    cfa = frame_address(process, row, registers)
    if cfa is None:
        return "words"
    caller = _restored(process, row, registers, cfa)
    word, slot = _return_address(process, row, registers, caller, cfa)
    if word is None:
        return "words"
    pc = process.code_pointer(word)
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
    signal = process.interrupted(pc, caller_row)
    returned = returned and not (signal and caller_row is None)
    return Step(caller, "unwind_table", returned, signal, slot, caller_row, cfa)


def saved_context(process: Process, step: Step) -> SignalFrame | None:
    """The context that a signal frame saved. On x86-64 the return to the restorer popped its first word."""
    architecture = process.architecture
    sp = step.registers.get(architecture.sp)
    if sp is None:
        return None
    frame = signal_frame(architecture, process.space, sp if architecture.link is not None else sp - 8)
    if frame is None and architecture.link is not None:  # by frame pointer alone a handler's frame seems too short
        frame = next(iter(live_frames(architecture, process.space, sp, sp + LARGEST_FRAME)), None)
    return frame


def _interrupted(process: Process, step: Step) -> Step | None:
    architecture = process.architecture
    frame = saved_context(process, step)
    if frame is None:
        return None
    pc = frame.registers[architecture.pc]
    _, row = process.row(pc, False)
    slot = frame.address + architecture.signal_frame_registers[architecture.pc]
    return Step(dict(frame.registers), "unwind_table", False, process.interrupted(pc, row), slot, row, None)


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
    for number, offset in row.saved:
        if number == architecture.dwarf_return:
            slot = cfa + offset & WORD
            return process.space.word(slot), slot
    for number, _expression, _is_value in row.expressions:
        if number == architecture.dwarf_return:
            return caller.get(architecture.dwarf[number]), None
    if any(number == architecture.dwarf_return for number, _other in row.moved):
        return caller.get(architecture.dwarf[architecture.dwarf_return]), None
    if architecture.link is None:
        return None, None
    return registers.get(architecture.link), None


def _by_frame_pointer(process: Process, step: Step) -> Step | None:
    architecture = process.architecture
    base = step.registers.get(architecture.frame_pointer)
    sp = step.registers.get(architecture.sp)
    if base is None or sp is None or not sp <= base < sp + LARGEST_FRAME or base % 8:
        return None
    saved, pc = process.space.word(base), process.space.word(base + 8)
    if saved is None or pc is None or process.call_before(pc) == "none":
        return None
    if architecture.link is not None:
        return _behind_record(process, saved, pc, base, "frame_pointer") if saved > base or saved == 0 else None
    if saved <= base:
        return None
    return _caller(process, {architecture.frame_pointer: saved}, pc, base + 16, base + 8, "frame_pointer")


def _by_record(process: Process, step: Step) -> Step | None:
    """By frame pointer. On AArch64 code that keeps none leaves that of a caller far out: a nearer return address from
    which the unwind table goes on is better.
    """
    found = _by_frame_pointer(process, step)
    if found is None or found.slot is None or step.returned or process.architecture.link is None:
        return found
    nearer = _by_scan(process, step)
    if nearer is None or nearer.slot is None or nearer.slot >= found.slot:
        return found
    return nearer if chain(process, nearer.registers) >= FITTING_CHAIN else found


def _behind_record(process: Process, saved: int, word: int, record: int, trust: Trust) -> Step:
    """The caller of the function with this frame record. Where its own record is says where its frame begins."""
    architecture = process.architecture
    pc = process.code_pointer(word)
    _, row = process.row(pc, True)
    sp = None
    if row is not None and row.cfa_expression is None and architecture.dwarf.get(row.cfa_register) == architecture.sp:
        places = [
            offset for number, offset in row.saved if architecture.dwarf.get(number) == architecture.frame_pointer
        ]
        sp = next((saved - offset - row.cfa_offset for offset in places), None)
    if sp is None or not record + 16 <= sp <= record + LARGEST_FRAME:
        sp = record + 16
    return _caller(process, {architecture.frame_pointer: saved}, pc, sp, record + 8, trust)


def _by_link(process: Process, step: Step) -> Step | None:
    """On AArch64 a function that called nobody yet has its return address in the link register only."""
    architecture = process.architecture
    if step.returned or architecture.link is None:
        return None
    pc, link = step.registers[architecture.pc], step.registers.get(architecture.link)
    if link is None or process.call_before(link) not in ("direct", "indirect"):
        return None
    caller = process.code_pointer(link)
    here, there = process.place(pc, None, "register"), process.place(caller, None, "stack_scan", returned=True)
    if caller == pc or (here.function is not None and (here.module, here.function) == (there.module, there.function)):
        return None  # left there by the last call that this function made itself
    return _caller(process, dict(step.registers), caller, step.registers[architecture.sp], None, "stack_scan")


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
    if architecture.link is not None:
        return _by_scan_for_record(process, sp)
    low, high = process.space.code_low, process.space.code_high
    for index, word in enumerate(process.space.words(sp, SCAN_WORDS)):
        if low <= word < high and (process.call_before(word) != "none" or process.restorer(word)):
            slot = sp + 8 * index
            kept = dict(step.registers) if index == 0 and not step.returned else {}
            return _caller(process, kept, word, slot + 8, slot, "stack_scan")
    return None


def _by_scan_for_record(process: Process, sp: int) -> Step | None:
    architecture = process.architecture
    below: int | None = None
    for index, word in enumerate(process.space.words(sp, SCAN_WORDS)):
        slot = sp + 8 * index
        pc = process.code_pointer(word)
        if process.space.executable(pc) and (process.call_before(pc) != "none" or process.restorer(pc)):
            if below is not None and slot < below < slot + LARGEST_FRAME:
                return _behind_record(process, below, pc, slot - 8, "stack_scan")
            lowest = slot + 8 + 15 & -16
            ends = range(lowest, lowest + 8 * FRAME_WORDS, 16)
            fitting = (
                end for end in ends if chain(process, {architecture.pc: pc, architecture.sp: end}) >= FITTING_CHAIN
            )
            return _caller(process, {}, pc, next(fitting, lowest), slot, "stack_scan")
        below = word
    return None


def _caller(process: Process, registers: Registers, pc: int, sp: int, slot: int | None, trust: Trust) -> Step:
    registers[process.architecture.pc] = pc
    registers[process.architecture.sp] = sp
    _, row = process.row(pc, True)
    signal = process.interrupted(pc, row)
    return Step(registers, trust, not (signal and row is None), signal, slot, row, None)


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
