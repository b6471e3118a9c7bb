"""What makes a word or a place plausible: whether software writes such words, whether the stack fits such a call."""

from broadstreet.reading.machine_state import MachineState

SHORT_DOUBLES = range(0x3FF - 20, 0x3FF + 21)  # biased exponents of doubles from a millionth to a million


def patterned(value: int) -> bool:
    """Whether a word is text, a fill or two small integers."""
    data = value.to_bytes(8, "little")
    if len(set(data)) == 1 or data[:4] == data[4:]:
        return True
    printable = sum(0x20 <= byte < 0x7F for byte in data)
    text = data.rstrip(b"\0")
    if printable >= 6 or (len(text) >= 4 and printable == len(text)):
        return True
    high, low = value >> 32, value & 0xFFFFFFFF
    return high < 0x1000 and low < 0x10000


def overwritten(word: int) -> bool:
    """A return slot of text, a fill or a short number was overwritten by software: no flip of sp explains it."""
    data = word.to_bytes(8, "little")
    filled = word != 0 and (len(set(data)) == 1 or data[:4] == data[4:])
    number = word & 0xFFFFFFFF == 0 and word >> 52 & 0x7FF in SHORT_DOUBLES
    return filled or number or sum(0x20 <= byte < 0x7F for byte in data) >= 6


def implausible(word: int) -> bool:
    """A return slot that holds one or two small integers may be software's work as well."""
    return overwritten(word) or (word != 0 and patterned(word) and len(set(word.to_bytes(8, "little"))) < 8)


def called_from(state: MachineState, pc: int, cfa: int) -> bool:
    """Whether a direct call before this frame's return address calls the function of the pc."""
    word = state.space.word(cfa - 8)
    caller, callee = state.modules.at(word or 0), state.modules.at(pc)
    if word is None or caller is None or caller is not callee or caller.binary is None:
        return False
    if caller.binary.call_before(caller.vaddr(word)) != "direct":
        return False
    return caller.binary.callee(caller.vaddr(word)) == caller.binary.function_start(caller.vaddr(pc))


def called_here(state: MachineState, pc: int, cfa: int) -> bool:
    """Whether the direct call before this frame's return address, if it is one, calls the function of the pc."""
    word = state.space.word(cfa - 8)
    if word is None or state.process.call_before(word) != "direct":
        return True
    caller, callee = state.modules.at(word), state.modules.at(pc)
    if caller is None or caller is not callee or caller.binary is None:
        return True  # through a linkage table
    called = caller.binary.callee(caller.vaddr(word))
    return called is None or called == caller.binary.function_start(caller.vaddr(pc))
