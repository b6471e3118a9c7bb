"""Where else a value stands in the thread's registers and on its stack: what it was before one bit of it turned.

A pointer with one wrong bit was as a rule copied or computed from others that are still there. So the value with the
bit put back is its exact twin if it stands elsewhere; it is near if a pointer stands within NEAR_BYTES of it, as fields
of one object do; and two words that lie by the wrong value and by the right one, and differ in the same bit alone, say
the same of whatever was computed from the wrong one.
"""

import struct
from functools import lru_cache

from broadstreet.reading.machine_state import MachineState

WORD_BYTES = 8
TWIN_BYTES = 8 << 10  # on each side of the stack pointer
NEAR_BYTES = 512
LIVE_BYTES = 768  # above the stack pointer: the innermost frames
LOWEST_TURNED_BIT = 12  # below it, software keeps pointers that are one bit apart: fields, elements, locals
MANY = 3  # of 8 faults and one software model each, the twins stood 3 to 8 times and once
PAIR_BYTES = 64 << 10  # how far from the wrong value a word may lie that it was computed from


@lru_cache(maxsize=2)
def _stack(state: MachineState) -> tuple[int, tuple[int, ...]]:
    windows = [window for window in state.space.windows() if window[0] <= state.sp < window[1]]
    if not windows:
        return 0, ()
    start, end, data = max(windows, key=lambda window: window[1] - window[0])
    low = max(start, state.sp - TWIN_BYTES) + WORD_BYTES - 1 & -WORD_BYTES
    count = max(0, (min(end, state.sp + TWIN_BYTES) - low) // WORD_BYTES)
    return low, struct.unpack_from(f"<{count}Q", data, low - start) if count else ()


def stands(state: MachineState, value: int, besides: str) -> bool:
    """Whether the value is in another register than this one, or on the stack."""
    if any(state.registers.get(name) == value for name in state.architecture.general if name != besides):
        return True
    return on_stack(state, value)


def on_stack(state: MachineState, value: int) -> bool:
    """Whether the value stands within TWIN_BYTES of the stack pointer."""
    low, words = _stack(state)
    return value in words and state.space.word(low + WORD_BYTES * words.index(value)) == value


def near(state: MachineState, value: int, besides: str) -> bool:
    """Whether a pointer into mapped memory stands within NEAR_BYTES of the value."""
    for other in _others(state, besides):
        if abs(other - value) <= NEAR_BYTES and state.space.mapping(other) is not None:
            return True
    return False


def paired(state: MachineState, value: int, bit: int, besides: str) -> bool:
    """Whether a word by the value and one that differs from it in this bit alone both stand there."""
    low, words = _stack(state)
    there = set(words) | {state.registers[name] for name in state.architecture.general}
    for other in _others(state, besides):
        if abs(other - value) > PAIR_BYTES or other ^ 1 << bit not in there or state.space.mapping(other) is not None:
            continue
        for one in (other, other ^ 1 << bit):
            if one in words:
                state.space.word(low + WORD_BYTES * words.index(one))  # a slim core dump keeps what is read
        return True
    return False


def turned(state: MachineState, pointer: int, crooked: bool) -> int | None:
    """Which bit of a pointer into mapped memory is the other way in its twin, where that says something.

    Among the words of a stack chance finds twins, for heaps are small. So the twin must be a word that the thread often
    uses: it stands MANY times, also in registers or the innermost frames. Or the pointer is `crooked`, it led to a word
    at no multiple of 8, and its twin would not have.
    """
    low_bits = WORD_BYTES - 1
    stack = _stack(state)[1]
    for twin in stack if crooked else ():
        if _bit(twin ^ pointer) & low_bits and not twin & low_bits and state.space.mapping(twin) is not None:
            return _bit(twin ^ pointer).bit_length() - 1 if on_stack(state, twin) else None
    for twin in _live(state):
        bit = _bit(twin ^ pointer)
        if bit >> LOWEST_TURNED_BIT == 0 or state.space.mapping(twin) is None or state.space.mapping(pointer) is None:
            continue
        general = [state.registers[name] for name in state.architecture.general]
        if general.count(twin) + stack.count(twin) >= MANY and (twin in general or on_stack(state, twin)):
            return bit.bit_length() - 1
    return None


@lru_cache(maxsize=2)
def _live(state: MachineState) -> tuple[int, ...]:
    words = state.space.words(state.sp & -WORD_BYTES, LIVE_BYTES // WORD_BYTES)
    return tuple(sorted({*words, *(state.registers[name] for name in state.architecture.general)}))


def _bit(difference: int) -> int:
    """The difference, if it is one bit; else 0."""
    return 0 if difference & difference - 1 else difference


def _others(state: MachineState, besides: str) -> list[int]:
    return [state.registers[name] for name in state.architecture.general if name != besides] + list(_stack(state)[1])
