"""One executable or shared library, as far as reading a crash needs it: code, unwind rows, names.

Everything is found on demand and kept, because the same places come back in every crash of a fleet. Addresses are
link-time addresses of the file. Tables that are damaged count as absent: the walk then falls back, and says so.
"""

import lzma
import struct
from bisect import bisect_right
from typing import NamedTuple, Protocol

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats import elf
from broadstreet.formats.architecture import ARCHITECTURES
from broadstreet.formats.instruction import LONGEST_CALL, CallKind, boundaries, branches, call_before, direct_target
from broadstreet.formats.layout import Buffer
from broadstreet.formats.linkage import slot, slots
from broadstreet.formats.operation import Operation
from broadstreet.formats.straight_line import Extent, Surroundings, line, reached
from broadstreet.formats.unwind_table import Row, UnwindTable

LONGEST_SWEEP = 65536
LONGEST_UNSIZED = 4096  # how far a function may reach whose size the file does not say: assembler, _init, _fini
MOST_SECTIONS = 65536
LONGEST_DEBUG_DATA = 64 << 20  # .gnu_debugdata of the largest browser is 12 MB unpacked
MOST_UNPACKING_MEMORY = 128 << 20  # xz -9 needs 65 MiB
LONGEST_TABLE = 128 << 20  # of symbols, and of their names: over five million of them
LONGEST_NAME = 64 << 10
LONGEST_LINK = 16  # bytes of an entry of the linkage table
ENTRY_PUSHED = 8  # bytes of the return address, on x86-64
MOST_ALIASES = 64  # names of one function; libc has ten

_SYMBOL = struct.Struct("<IBBHQQ")


class Symbol(NamedTuple):
    """A function's name as stored, its start, and its size (0 where the file does not say)."""

    name: str
    start: int
    size: int


class Tables(Protocol):
    """Where parsed symbol tables are kept between processes."""

    def load(self, build_id: str) -> list[Symbol] | None:
        """The symbols of a binary; null where they were never kept."""

    def save(self, build_id: str, symbols: list[Symbol]) -> None:
        """Keep the symbols of a binary."""


class Flow(NamedTuple):
    """A function's `indirect_jump` may be a tail call; a `frameless_call` is one made before anything was pushed."""

    indirect_jump: bool
    frameless_call: bool


class Binary:
    """An ELF file in memory. `data` may be an mmap of the file: binaries are ours, unlike core dumps."""

    def __init__(self, data: Buffer, path: str | None = None, tables: Tables | None = None) -> None:
        head = elf.header(data)
        if head.machine not in ARCHITECTURES:
            raise UnreadableSpecimen("ELF header", 18, "x86-64 or aarch64", f"machine {head.machine}")
        self._data = memoryview(data)  # a slice of an mmap would be a copy, of gigabytes where a size is damaged
        self.path = path
        self._tables = tables
        self._head = head
        self.architecture = ARCHITECTURES[head.machine].name
        table = data[head.program_headers : head.program_headers + 56 * min(head.program_header_count, 4096)]
        segments = elf.program_headers(table)
        self.loads = [segment for segment in segments if segment.type == elf.PT_LOAD]
        self._segments = segments
        self.build_id = elf.build_id(data)
        self._sections: list[tuple[str, elf.SectionHeader]] | None = None
        self._table: UnwindTable | None = None
        self._starts: list[int] | None = None
        self._symbols: list[Symbol] = []
        self._dynamic: dict[str, int] | None = None
        self._calls: dict[int, CallKind] = {}
        self._sweeps: dict[int, frozenset[int]] = {}
        self._flows: dict[int, Flow] = {}
        self._slots: dict[int, int] | None = None
        self._reached: dict[int, frozenset[int] | None] = {}
        self._lines: dict[int, tuple[Operation, ...]] = {}
        self._names: dict[int, Symbol | None] = {}

    def base(self) -> int:
        """The link-time address of file offset 0."""
        for segment in self.loads:
            return segment.address - segment.offset
        return 0

    def code(self, address: int, size: int) -> bytes | None:
        """Bytes of the file at a link-time address, as far as one segment of it reaches; null outside of all."""
        for segment in self.loads:
            inside = address - segment.address
            if 0 <= inside < segment.file_size:
                start = segment.offset + inside
                piece = bytes(self._data[start : start + min(size, segment.file_size - inside)])
                return piece or None
        return None

    def executable(self, address: int) -> bool:
        """Whether a segment with execute permission covers the address."""
        return any(
            segment.flags & elf.PF_X and 0 <= address - segment.address < segment.memory_size for segment in self.loads
        )

    def row(self, pc: int) -> Row | None:
        """The unwind rule at a pc; null where the binary has none."""
        if self._table is None:
            self._table = self._read_table()
        return self._table.row(pc)

    def function_start(self, pc: int) -> int | None:
        """Where the function that covers the pc begins: by unwind table, else by name."""
        row = self.row(pc)
        if row is not None:
            return row.function_start
        symbol = self.symbol(pc)
        return symbol.start if symbol else None

    def call_before(self, address: int) -> CallKind:
        """The kind of call that ends exactly at this address."""
        kind = self._calls.get(address)
        if kind is None:
            code = self.code(address - LONGEST_CALL, LONGEST_CALL) or b""
            kind = call_before(self.architecture, code) if len(code) == LONGEST_CALL else "none"
            if kind == "direct":
                target = direct_target(self.architecture, code, address)
                kind = "direct" if target is not None and self.executable(target) else "none"
            self._calls[address] = kind
        return kind

    def called_before(self, address: int) -> int | None:
        """The target of the direct call that ends at this address."""
        code = self.code(address - LONGEST_CALL, LONGEST_CALL) or b""
        return direct_target(self.architecture, code, address)

    def callee(self, address: int) -> int | None:
        """The function that the direct call ending here calls, also through the linkage table if it is in this file."""
        target = self.called_before(address)
        if target is None or not self.links(target):
            return target
        if self._slots is None:
            self._slots = slots(self._data, self.sections())
        place = slot(self.code(target, LONGEST_LINK) or b"", target)
        return None if place is None else self._slots.get(place)

    def on_boundary(self, pc: int) -> bool | None:
        """Whether an instruction begins at the pc, swept from its function's start; null where that is unknown."""
        start = self.function_start(pc)
        if start is None or not 0 <= pc - start < LONGEST_SWEEP:
            return None
        if start not in self._sweeps:
            function = self.row(pc)
            end = function.function_end if function else pc + 1
            code = self.code(start, min(end - start, LONGEST_SWEEP)) or b""
            self._sweeps[start] = frozenset(boundaries(self.architecture, code, start))
        places = self._sweeps[start]
        return pc in places if places and pc <= max(places) else None

    def line(self, pc: int) -> tuple[Operation, ...]:
        """The operations that were executed in a straight line before the pc; empty where that is not known."""
        if pc not in self._lines:
            targets = self._jumped_to(pc) if self.on_boundary(pc) else None
            places = self._sweeps[self.function_start(pc) or 0] if targets is not None else frozenset()
            self._lines[pc] = () if targets is None else line(self.code, places, targets, pc)
        return self._lines[pc]

    def entry(self, pc: int) -> int | None:
        """Where the function of the pc begins, if only calls lead there; null where that is not known."""
        whole, targets = self._extent(pc), self._jumped_to(pc)
        return None if whole is None or targets is None or whole.start in targets else whole.start

    def _jumped_to(self, pc: int) -> frozenset[int] | None:
        whole = self._extent(pc)
        if whole is None or self.architecture != "x86_64":
            return None
        if whole.start not in self._reached:
            self._reached[whole.start] = reached(Surroundings(self.code, self._extent, self._frameless), whole)
        return self._reached[whole.start]

    def _extent(self, pc: int) -> Extent | None:
        row = self.row(pc)
        if row is None or not 0 < row.function_end - row.function_start <= LONGEST_SWEEP:
            return None
        return Extent(row.function_start, row.function_end)

    def _frameless(self, pc: int) -> bool:
        row, entry = self.row(pc), self.function_start(pc)
        pushed = row is not None and entry is not None and not row.saved[1:]
        return pushed and row is not None and row.cfa_offset == ENTRY_PUSHED

    def flow(self, pc: int) -> Flow | None:
        """What the function that covers the pc can do; null where its extent is not known."""
        row = self.row(pc)
        if row is None or not 0 < row.function_end - row.function_start <= LONGEST_SWEEP:
            return None
        if row.function_start not in self._flows:
            self._flows[row.function_start] = self._flow(row.function_start, row.function_end)
        return self._flows[row.function_start]

    def _flow(self, start: int, end: int) -> Flow:
        code = self.code(start, end - start) or b""
        jumps = calls = False
        for branch in branches(self.architecture, code, start):
            jumps |= branch.indirect_jump
            if branch.call:
                row = self.row(branch.address)
                calls |= row is None or row.cfa_offset == 8
        return Flow(jumps, calls)

    def symbol(self, address: int) -> Symbol | None:
        """The function that covers the address, by name; the nearest below where sizes are missing."""
        if address not in self._names:
            self._names[address] = self._symbol(address)
        return self._names[address]

    def data_symbol(self, name: str) -> int | None:
        """The address of a symbol of any type, by exact name, from .dynsym and .symtab."""
        if self._dynamic is None:
            self._dynamic = {}
            for kind in (elf.SHT_SYMTAB, elf.SHT_DYNSYM):
                self._dynamic.update(_wanted_symbols(self._data, self.sections(), kind))
        return self._dynamic.get(name)

    def sections(self) -> list[tuple[str, elf.SectionHeader]]:
        """The section headers with their names; empty where the file was stripped of them."""
        if self._sections is None:
            self._sections = _sections(self._data, self._head)
        return self._sections

    def links(self, address: int) -> bool:
        """Whether the address lies in a procedure linkage table, which goes on to a function of any module."""
        named = (header for name, header in self.sections() if name.startswith(".plt"))
        return any(header.address <= address < header.address + header.size for header in named)

    def section(self, name: str) -> Buffer:
        """The bytes of a section by name; empty where there is none."""
        for found, header in self.sections():
            if found == name and header.type != elf.SHT_NOBITS:
                return self._data[header.offset : header.offset + header.size]
        return b""

    def _symbol(self, address: int) -> Symbol | None:
        if self._starts is None:
            self._symbols = self._kept_symbols()
            self._starts = [symbol.start for symbol in self._symbols]
        index = bisect_right(self._starts, address) - 1
        if index < 0:
            return None
        found = self._symbols[index]
        if address >= found.start + (found.size or LONGEST_UNSIZED) or not self.executable(address):
            return None
        return self._preferred(index)

    def _kept_symbols(self) -> list[Symbol]:
        kept = self._tables.load(self.build_id) if self._tables and self.build_id else None
        if kept is None:
            kept = sorted(self._all_symbols(), key=lambda symbol: (symbol.start, symbol.size))
            if self._tables and self.build_id:
                self._tables.save(self.build_id, kept)
        return kept

    def _preferred(self, index: int) -> Symbol:
        found = self._symbols[index]
        same = [found]
        while index > 0 and self._symbols[index - 1].start == found.start and len(same) < MOST_ALIASES:
            index -= 1
            same.append(self._symbols[index])
        return min(same, key=lambda symbol: (symbol.size != found.size, symbol.name.count("_"), symbol.name))

    def _all_symbols(self) -> set[Symbol]:
        symbols = set(_functions(self._data, self.sections(), elf.SHT_SYMTAB))
        symbols |= set(_functions(self._data, self.sections(), elf.SHT_DYNSYM))
        packed = self.section(".gnu_debugdata")
        if len(packed):
            try:
                inner = lzma.LZMADecompressor(memlimit=MOST_UNPACKING_MEMORY).decompress(
                    bytes(packed), LONGEST_DEBUG_DATA
                )
                symbols |= set(_functions(inner, _sections(inner, elf.header(inner)), elf.SHT_SYMTAB))
            except (lzma.LZMAError, EOFError, UnreadableSpecimen):
                pass
        return symbols

    def _read_table(self) -> UnwindTable:
        header: Buffer = b""
        header_address = 0
        for segment in self._segments:
            if segment.type == elf.PT_GNU_EH_FRAME:
                header = self._data[segment.offset : segment.offset + segment.file_size]
                header_address = segment.address
        for name, section in self.sections():
            if name == ".eh_frame" and section.type != elf.SHT_NOBITS:
                frames = self._data[section.offset : section.offset + section.size]
                return UnwindTable(header, header_address, frames, section.address)
        for segment in self.loads:  # no section headers: the segment that holds the table holds the frames too
            if header_address and 0 <= header_address - segment.address < segment.file_size:
                frames = self._data[segment.offset : segment.offset + segment.file_size]
                return UnwindTable(header, header_address, frames, segment.address)
        return UnwindTable(b"", 0, b"", 0)


def _sections(data: Buffer, head: elf.ElfHeader) -> list[tuple[str, elf.SectionHeader]]:
    if not head.section_headers or head.section_header_size != elf.SECTION_HEADER.size:
        return []
    headers = []
    for index in range(min(head.section_header_count, MOST_SECTIONS)):
        at = head.section_headers + index * elf.SECTION_HEADER.size
        if not elf.SECTION_HEADER.fits(data, at):
            break
        headers.append(elf.SECTION_HEADER.read(data, at))
    if head.section_names >= len(headers):
        return []
    names = headers[head.section_names].offset
    return [(elf.text(data, names + header.name, 256) or "", header) for header in headers]


def _table(data: Buffer, sections: list[tuple[str, elf.SectionHeader]], kind: int) -> tuple[Buffer, bytes]:
    for _, header in sections:
        if header.type == kind and header.link < len(sections):
            strings = sections[header.link][1]
            if max(header.size, strings.size) > LONGEST_TABLE:
                break
            size = header.size // _SYMBOL.size * _SYMBOL.size
            table = data[header.offset : header.offset + size]
            names = bytes(data[strings.offset : strings.offset + strings.size])
            return table[: len(table) // _SYMBOL.size * _SYMBOL.size], names
    return b"", b""


def _functions(data: Buffer, sections: list[tuple[str, elf.SectionHeader]], kind: int) -> list[Symbol]:
    table, names = _table(data, sections, kind)
    found = []
    left = 2 * LONGEST_TABLE  # names may share their ends, but a table that repeats long ones is hostile
    for name, info, _other, section, value, size in _SYMBOL.iter_unpack(table):
        if section and (info & 0xF) in (elf.STT_FUNC, elf.STT_GNU_IFUNC) and name < len(names):
            end = names.find(b"\0", name, name + LONGEST_NAME)
            left -= max(0, end - name)
            if left < 0:
                break
            if end > name:
                found.append(Symbol(names[name:end].decode("utf-8", "backslashreplace"), value, size))
        elif section and info & 0xF == 0 and value and names[name : name + 7] == b"_start\0":  # an assembler's label
            found.append(Symbol("_start", value, 0))
    return found


def _wanted_symbols(data: Buffer, sections: list[tuple[str, elf.SectionHeader]], kind: int) -> dict[str, int]:
    table, names = _table(data, sections, kind)
    wanted = {}
    for name in (b"__abort_msg", b"__rseq_offset"):
        places = set()
        at = names.find(b"\0" + name + b"\0")
        while at >= 0:
            places.add(at + 1)
            at = names.find(b"\0" + name + b"\0", at + 1)
        if not places:
            continue
        for place, _info, _other, section, value, _size in _SYMBOL.iter_unpack(table):
            if place in places and section:
                wanted[name.decode()] = value
    return wanted
