"""The dynamic loader's list of what it loaded, as far as gdb and elfutils follow it in a core dump.

From the program's own headers (AT_PHDR) to its dynamic section, whose DT_DEBUG entry points at `r_debug`; from there
along the chain of `link_map`, each with a name and the dynamic section of the object (glibc, elf/link.h). A program
that is linked statically has none of it.
"""

from collections.abc import Generator

from broadstreet.formats import elf
from broadstreet.formats import linux_core as linux
from broadstreet.reading.notes import Notes

PT_DYNAMIC, PT_PHDR = 2, 6
DT_NULL, DT_DEBUG = 0, 21
DYNAMIC_BYTES = 1024  # 64 entries; objects of Debian 12 have up to 40
DEBUG_BYTES = 48  # struct r_debug, and r_next of struct r_debug_extended
DEBUG_MAP = 8
NODE_BYTES = 40  # the public part of struct link_map
NODE_NAME, NODE_DYNAMIC, NODE_NEXT = 8, 16, 24
LONGEST_NAME = 4096  # PATH_MAX
MOST_OBJECTS = 2048
MOST_PROGRAM_HEADERS = 64
Asked = tuple[int, int]  # address and size


def link_map(notes: Notes) -> Generator[Asked, bytes, list[tuple[int, int]]]:
    """Ask for memory, piece by piece (an answer may be short), and return the ranges that a debugger reads."""
    vector = notes.auxv or {}
    table = vector.get(linux.AT_PHDR, 0)
    count = min(vector.get(linux.AT_PHNUM, 0), MOST_PROGRAM_HEADERS)
    headers = elf.program_headers((yield table, count * elf.PROGRAM_HEADER.size))
    dynamic = _dynamic_section(headers, table)
    if dynamic is None:
        return []
    data = yield dynamic, DYNAMIC_BYTES
    ranges = [(dynamic, dynamic + len(data))]
    debug = _entry(data, DT_DEBUG)
    if not debug:
        return ranges
    head = yield debug, DEBUG_BYTES
    ranges.append((debug, debug + len(head)))
    node = _word(head, DEBUG_MAP)
    seen: set[int] = set()
    while node and node not in seen and len(seen) < MOST_OBJECTS:
        seen.add(node)
        data = yield node, NODE_BYTES
        ranges.append((node, node + len(data)))
        name, section = _word(data, NODE_NAME), _word(data, NODE_DYNAMIC)
        text = yield name, LONGEST_NAME
        ranges.append((name, name + text.find(b"\0") + 1))
        content = yield section, DYNAMIC_BYTES
        ranges.append((section, section + len(content)))
        node = _word(data, NODE_NEXT)
    return ranges


def _dynamic_section(headers: list[elf.ProgramHeader], table: int) -> int | None:
    bias = next((table - header.address for header in headers if header.type == PT_PHDR), 0)
    return next((header.address + bias for header in headers if header.type == PT_DYNAMIC), None)


def _entry(section: bytes, wanted: int) -> int:
    for at in range(0, len(section) - 15, 16):
        tag = _word(section, at)
        if tag == wanted:
            return _word(section, at + 8)
        if tag == DT_NULL:
            break
    return 0


def _word(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 8], "little")
