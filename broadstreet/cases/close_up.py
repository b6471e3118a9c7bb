"""What one case looks like from near: stack words with what they are, and the last instructions."""

from typing import NamedTuple

from broadstreet.features.unwinding import left_behind
from broadstreet.formats.instruction import boundaries, decode
from broadstreet.formats.names import demangled
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.modules import Module
from broadstreet.records.frame import Frame

WORDS_BELOW, WORDS_ABOVE = 16, 24
LEFT_BEHIND = 6  # words of an unwinder that are shown
INSTRUCTIONS_BEFORE = 4


class StackWord(NamedTuple):
    """A word of the stack: its distance from the stack pointer, its value (null: not observed), what it is."""

    offset: int
    value: int | None
    meaning: str
    red_zone: bool


class CodeLine(NamedTuple):
    """An instruction near the crash. `here` marks the one at the pc."""

    offset: int | None
    code: bytes
    text: str
    here: bool


class CloseUp(NamedTuple):
    """All of it. `unwinder` are code pointers that an unwinder left below the stack pointer, the nearest first."""

    words: tuple[StackWord, ...]
    code: tuple[CodeLine, ...]
    code_source: str | None
    unwinder: tuple[StackWord, ...]


def close_up(state: MachineState) -> CloseUp:
    """The near view of a crash."""
    words = []
    below = min(WORDS_BELOW, state.architecture.red_zone_bytes // 8) or 4
    for index in range(-below, WORDS_ABOVE):
        value = state.space.word(state.sp + 8 * index)
        in_red_zone = -state.architecture.red_zone_bytes <= 8 * index < 0
        words.append(StackWord(8 * index, value, meaning(state, 8 * index, value), in_red_zone))
    return CloseUp(tuple(words), tuple(_code(state)), state.instruction_source, _unwinder(state))


def _unwinder(state: MachineState) -> tuple[StackWord, ...]:
    nearest = list(left_behind(state))[-LEFT_BEHIND:]
    red_zone = state.architecture.red_zone_bytes
    return tuple(
        StackWord(at - state.sp, value, meaning(state, at - state.sp, value), at - state.sp >= -red_zone)
        for at, value in reversed(nearest)
    )


def meaning(state: MachineState, offset: int, value: int | None) -> str:
    """What a word on the stack is."""
    if value is None:
        return "not in the core dump"
    said = []
    if offset == -8 and value == state.pc and not state.space.executable(state.pc):
        said.append("the word that a return would have popped")
    place = _place(state, value)
    if place:
        said.append(place)
    slots = {step.slot: index for index, step in enumerate(state.steps) if step.slot is not None}
    frame = slots.get(state.sp + offset)
    if frame is not None:
        said.append(f"returns to frame {frame}")
    return "; ".join(said)


def _place(state: MachineState, value: int) -> str:
    mapping = state.space.mapping(value)
    if mapping is None:
        return ""
    module = state.modules.at(value)
    if mapping.executable:
        frame = state.process.place(value, None, "stack_scan", returned=True)
        called = state.process.call_before(value) in ("direct", "indirect")
        return f"{'return address into' if called else 'code of'} {_spot(frame, module)}" if module else "code"
    if mapping is state.space.mapping(state.sp):
        distance = value - state.sp
        return f"stack, sp{'+' if distance >= 0 else '−'}{abs(distance):#x}"
    return f"data of {module.name}" if module else "data" if mapping.writable else "constants"


def _spot(frame: Frame, module: Module) -> str:
    if frame.function:
        return f"{demangled(frame.function)} + {frame.function_offset:#x} of {module.name}"
    return module.name if frame.offset is None else f"{module.name} + {frame.offset:#x}"


def _code(state: MachineState) -> list[CodeLine]:
    pc, name = state.pc, state.architecture.name
    module = state.modules.at(pc)
    binary = module.binary if module else None
    lines = []
    start = binary.function_start(module.vaddr(pc)) if module and binary else None
    if module is not None and binary is not None and start is not None:
        at = module.vaddr(pc)
        code = binary.code(start, min(at - start, 65536)) or b""
        places = boundaries(name, code, start)[-INSTRUCTIONS_BEFORE:] if code else []
        for place in places:
            piece = binary.code(place, 15)
            found = decode(name, piece, place) if piece else None
            if found is not None:
                lines.append(CodeLine(place - start, found.code, found.text, False))
    if state.instruction is not None:
        offset = module.vaddr(pc) - start if module and start is not None else None
        lines.append(CodeLine(offset, state.instruction.code, state.instruction.text, True))
    return lines
