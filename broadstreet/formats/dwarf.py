"""DWARF's variable-length integers, encoded pointers, and the expressions that call frame information may hold."""

import struct
from collections.abc import Callable, Mapping

from broadstreet.formats.layout import Buffer

LONGEST_EXPRESSION = 256  # bytes; those of libgcc, glibc and PLTs are under 20
MOST_STEPS = 512
WORD = (1 << 64) - 1

_FIXED = {0x00: "<Q", 0x02: "<H", 0x03: "<I", 0x04: "<Q", 0x0A: "<h", 0x0B: "<i", 0x0C: "<q"}
PCREL, DATAREL, OMITTED = 0x10, 0x30, 0xFF


class MalformedDwarf(ValueError):
    """The table is cut or uses an encoding that nobody writes; the caller treats it as absent."""


def uleb(data: Buffer, at: int) -> tuple[int, int]:
    """An unsigned LEB128 and the offset after it."""
    result = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        if byte < 0x80:
            return result, at
        shift += 7
    raise MalformedDwarf("LEB128 over ten bytes")


def sleb(data: Buffer, at: int) -> tuple[int, int]:
    """A signed LEB128 and the offset after it."""
    result = shift = 0
    while shift < 70:
        byte = data[at]
        at += 1
        result |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return (result - (1 << shift) if byte & 0x40 else result), at
    raise MalformedDwarf("LEB128 over ten bytes")


def pointer(data: Buffer, at: int, encoding: int, address: int, data_base: int = 0) -> tuple[int, int]:
    """A pointer in a DW_EH_PE encoding, read at `at`, whose own address is `address`; and the offset after it."""
    kind = encoding & 0x0F
    if kind == 0x01:
        value, after = uleb(data, at)
    elif kind == 0x09:
        value, after = sleb(data, at)
    elif kind in _FIXED:
        code = _FIXED[kind]
        value = struct.unpack_from(code, data, at)[0]
        after = at + struct.calcsize(code)
    else:
        raise MalformedDwarf(f"pointer encoding {encoding:#x}")
    base = encoding & 0x70
    if base == PCREL:
        value += address
    elif base == DATAREL:
        value += data_base
    elif base:
        raise MalformedDwarf(f"pointer encoding {encoding:#x}")
    return value & WORD, after


def evaluate(
    expression: bytes, initial: int | None, registers: Mapping[int, int | None], word: Callable[[int], int | None]
) -> int | None:
    """The value of a DWARF expression; null where it needs a register or a word that was not observed."""
    stack: list[int] = [] if initial is None else [initial]
    at = steps = 0
    try:
        while at < len(expression):
            steps += 1
            if steps > MOST_STEPS:
                return None
            at = _step(expression, at, stack, registers, word)
    except (IndexError, struct.error, MalformedDwarf, _Unobserved):
        return None
    return stack[-1] if stack else None


class _Unobserved(Exception):
    pass


_BINARY: dict[int, Callable[[int, int], int]] = {
    0x1A: lambda a, b: a & b,
    0x1C: lambda a, b: a - b,
    0x1E: lambda a, b: a * b,
    0x21: lambda a, b: a | b,
    0x22: lambda a, b: a + b,
    0x24: lambda a, b: a << b if b < 64 else 0,
    0x25: lambda a, b: a >> b if b < 64 else 0,
    0x27: lambda a, b: a ^ b,
    0x29: lambda a, b: int(a == b),
    0x2A: lambda a, b: int(_signed(a) >= _signed(b)),
    0x2B: lambda a, b: int(_signed(a) > _signed(b)),
    0x2C: lambda a, b: int(_signed(a) <= _signed(b)),
    0x2D: lambda a, b: int(_signed(a) < _signed(b)),
    0x2E: lambda a, b: int(a != b),
}
_CONSTANTS = {
    0x08: "<B",
    0x09: "<b",
    0x0A: "<H",
    0x0B: "<h",
    0x0C: "<I",
    0x0D: "<i",
    0x0E: "<Q",
    0x0F: "<q",
    0x03: "<Q",
}


def _step(
    code: bytes, at: int, stack: list[int], registers: Mapping[int, int | None], word: Callable[[int], int | None]
) -> int:
    operation = code[at]
    at += 1
    if operation in _BINARY:
        right, left = stack.pop(), stack.pop()
        stack.append(_BINARY[operation](left, right) & WORD)
    elif 0x30 <= operation <= 0x4F:
        stack.append(operation - 0x30)
    elif 0x70 <= operation <= 0x8F:
        offset, at = sleb(code, at)
        stack.append((_observed(registers.get(operation - 0x70)) + offset) & WORD)
    elif operation in _CONSTANTS:
        form = _CONSTANTS[operation]
        stack.append(struct.unpack_from(form, code, at)[0] & WORD)
        at += struct.calcsize(form)
    elif operation == 0x06:
        stack.append(_observed(word(stack.pop())))
    elif operation == 0x10:
        value, at = uleb(code, at)
        stack.append(value & WORD)
    elif operation == 0x11:
        value, at = sleb(code, at)
        stack.append(value & WORD)
    elif operation == 0x12:
        stack.append(stack[-1])
    elif operation == 0x13:
        stack.pop()
    elif operation == 0x23:
        value, at = uleb(code, at)
        stack.append((stack.pop() + value) & WORD)
    elif operation == 0x96:
        pass
    else:
        raise MalformedDwarf(f"operation {operation:#x}")
    return at


def _observed(value: int | None) -> int:
    if value is None:
        raise _Unobserved
    return value


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
