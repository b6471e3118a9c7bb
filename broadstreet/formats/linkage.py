"""Where a call through a procedure linkage table goes, as far as one file says.

An entry of the table jumps through a slot (`jmp *slot(%rip)`), and a relocation says which symbol's address the loader
puts there (psABI 5.2, R_X86_64_JUMP_SLOT). That is the file's own definition, if it has one; another file's may be put
before it.
"""

import struct

from broadstreet.formats import elf
from broadstreet.formats.layout import Buffer

JUMP_SLOT = 7
MOST_SLOTS = 1 << 16
ENDBR, BND, JUMP = bytes.fromhex("f30f1efa"), bytes.fromhex("f2"), bytes.fromhex("ff25")
_RELOCATION = struct.Struct("<QQq")
_SYMBOL = struct.Struct("<IBBHQQ")


def slots(data: Buffer, sections: list[tuple[str, elf.SectionHeader]]) -> dict[int, int]:
    """The slots of functions that this file defines itself, and the functions."""
    for name, header in sections:
        if name == ".rela.plt" and header.link < len(sections):
            symbols = sections[header.link][1]
            return dict(_defined(data, header, symbols))
    return {}


def slot(code: bytes, address: int) -> int | None:
    """The slot that an entry of the table jumps through; null where these bytes are none."""
    at = len(ENDBR) if code.startswith(ENDBR) else 0
    at += len(BND) if code.startswith(BND, at) else 0
    if not code.startswith(JUMP, at) or len(code) < at + 6:
        return None
    return address + at + 6 + int.from_bytes(code[at + 2 : at + 6], "little", signed=True)


def _defined(data: Buffer, table: elf.SectionHeader, symbols: elf.SectionHeader) -> list[tuple[int, int]]:
    size = min(table.size // _RELOCATION.size, MOST_SLOTS) * _RELOCATION.size
    whole = bytes(data[table.offset : table.offset + size])
    found = []
    for place, info, _addend in _RELOCATION.iter_unpack(whole[: len(whole) // _RELOCATION.size * _RELOCATION.size]):
        at = symbols.offset + (info >> 32) * _SYMBOL.size
        entry = bytes(data[at : at + _SYMBOL.size])
        if info & 0xFFFFFFFF == JUMP_SLOT and len(entry) == _SYMBOL.size and info >> 32 < symbols.size // _SYMBOL.size:
            _name, _info, _other, section, value, _size = _SYMBOL.unpack(entry)
            if section and value:
                found.append((place, value))
    return found
