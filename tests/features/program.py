"""Writes programs and libraries for synthetic crashes: ELF files with code, unwind table, names and a build id.

The code is assembled by hand; each instruction has a label, so that a test names the place and not an offset. It never
imports broadstreet: what a reader and a writer share, both can have wrong. x86-64 only. Authorities: gABI, LSB Core 5.0
chapter 10.6 (.eh_frame, .eh_frame_hdr), Intel SDM volume 2.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha1

PAGE_BYTES = 4096
TEXT_AT = PAGE_BYTES
RSP, RIP = 7, 16  # DWARF numbers
_SIGNAL_ORDER = (8, 9, 10, 11, 12, 13, 14, 15, 5, 4, 6, 3, 1, 0, 2, 7, 16)  # struct sigcontext, as DWARF numbers
_GREGS_AT = 40  # of the ucontext, where rsp points after the handler's return
ENTRY_PUSHED = 8  # bytes of the return address


@dataclass(frozen=True)
class Function:
    """One function: `body` maps labels to instructions in hex, or to `call NAME`.

    With `frame`, `sub $frame,%rsp` stands before the body and `add $frame,%rsp` behind it. A body that does not jump
    away ends with a return, whose label is `ret`.
    """

    name: str
    frame: int
    body: Mapping[str, str]
    returns: bool = True
    outermost: bool = False  # the unwind table calls its return address undefined
    restorer: bool = False  # the unwind table calls its caller's frame a signal frame


@dataclass(frozen=True)
class Program:
    """An ELF file, and where everything in it is linked. `functions` maps names to (start, end).

    Offsets are addresses: headers at 0, code at TEXT_AT, the unwind table at `constants_at`, one page of data behind.
    """

    path: str
    data: bytes
    build_id: bytes
    text: bytes
    constants_at: int
    data_at: int
    functions: Mapping[str, tuple[int, int]]
    labels: Mapping[tuple[str, str], int]
    variables: Mapping[str, int]

    def at(self, function: str, label: str) -> int:
        """The link-time address of an instruction."""
        return self.labels[function, label]

    def after(self, function: str, label: str) -> int:
        """The link-time address behind an instruction: for a call, its return address."""
        return self.labels[function, f"after {label}"]


@dataclass
class _Assembly:
    code: bytearray = field(default_factory=bytearray)
    functions: dict[str, tuple[int, int]] = field(default_factory=dict)
    labels: dict[tuple[str, str], int] = field(default_factory=dict)
    calls: list[tuple[int, str]] = field(default_factory=list)

    def add(self, function: Function) -> None:
        """Put the code of a function behind the others, at a multiple of 16 and behind a nop."""
        self.code += b"\x90" * (16 - len(self.code) % 16)
        start = TEXT_AT + len(self.code)
        instructions = {}
        if function.frame:
            instructions["sub"] = _on_rsp(0xEC, function.frame).hex()
        instructions |= function.body
        if function.frame:
            instructions["add"] = _on_rsp(0xC4, function.frame).hex()
        if function.returns:
            instructions["ret"] = "c3"
        for label, instruction in instructions.items():
            self.labels[function.name, label] = TEXT_AT + len(self.code)
            if instruction.startswith("call "):
                self.code += b"\xe8\0\0\0\0"
                self.calls.append((len(self.code), instruction.removeprefix("call ")))
            else:
                self.code += bytes.fromhex(instruction)
            self.labels[function.name, f"after {label}"] = TEXT_AT + len(self.code)
        self.functions[function.name] = (start, TEXT_AT + len(self.code))

    def link(self) -> None:
        """Fill in the targets of calls."""
        for end, name in self.calls:
            self.code[end - 4 : end] = struct.pack("<i", self.functions[name][0] - TEXT_AT - end)


def program(path: str, functions: tuple[Function, ...], variables: tuple[str, ...] = ()) -> Program:
    """The file. Each variable is a word of its data page, with a name in .symtab."""
    assembly = _Assembly()
    for function in functions:
        assembly.add(function)
    assembly.link()
    text = bytes(assembly.code)
    frames_at = TEXT_AT + _page_end(len(text))
    header, frames = _unwind_table(functions, assembly.functions, frames_at)
    data_at = frames_at + _page_end(len(header) + len(frames))
    places = {name: data_at + 16 * index for index, name in enumerate(variables)}
    build_id = sha1(path.encode() + text).digest()
    data = _file(text, header, frames, frames_at, data_at, build_id, _symbols(assembly.functions, places))
    return Program(path, data, build_id, text, frames_at, data_at, assembly.functions, assembly.labels, places)


def _on_rsp(operation: int, value: int) -> bytes:
    if value < 0x80:
        return bytes((0x48, 0x83, operation, value))
    return bytes((0x48, 0x81, operation)) + struct.pack("<I", value)


def _unwind_table(
    functions: tuple[Function, ...], places: Mapping[str, tuple[int, int]], at: int
) -> tuple[bytes, bytes]:
    header_bytes = 12 + 8 * len(functions)
    frames_at = at + header_bytes + -header_bytes % 8
    # version 1, code alignment 1, data alignment -8, return address 16; pointers are relative, four bytes
    common = _entry(0, b"\x01zR\0\x01\x78\x10\x01\x1b" + bytes((0x0C, RSP, 8, 0x80 | RIP, 1)))
    of_signal = _entry(0, b"\x01zRS\0\x01\x78\x10\x01\x1b")
    frames = common + of_signal
    table = []
    for function in functions:
        start, end = places[function.name]
        start -= function.restorer  # the handler returns to it without a call: the nop before counts as one
        here = len(frames)
        owner = len(common) if function.restorer else 0
        range_at = frames_at + here + 8
        body = struct.pack("<ii", start - range_at, end - start) + b"\0" + _rules(function, end - start)
        frames += _entry(here + 4 - owner, body)
        table.append((start - at, frames_at + here - at))
    header = b"\x01\x1b\x03\x3b" + struct.pack("<iI", frames_at - at - 4, len(functions))
    header += b"".join(struct.pack("<ii", *row) for row in sorted(table))
    return header.ljust(frames_at - at, b"\0"), frames + bytes(4)


def _rules(function: Function, size: int) -> bytes:
    if function.outermost:
        return bytes((0x07, RIP))  # DW_CFA_undefined
    if function.restorer:
        rules = bytes((0x0F, 4, 0x70 + RSP, *_leb128(_GREGS_AT + 8 * 15), 0x06))
        for index, number in enumerate(_SIGNAL_ORDER):  # DW_CFA_expression: breg7 + offset
            rules += bytes((0x10, number, 3, 0x70 + RSP, *_leb128(_GREGS_AT + 8 * index)))
        return rules
    if not function.frame:
        return b""
    entry = len(_on_rsp(0xEC, function.frame))
    begun = bytes((0x40 | entry, 0x0E, *_leb128(ENTRY_PUSHED + function.frame)))
    return begun + bytes((0x02, size - entry - 1, 0x0E, ENTRY_PUSHED))  # from the ret on


def _leb128(value: int) -> bytes:
    return bytes((value & 0x7F | 0x80, value >> 7))  # of two bytes: up to 8191, below which nothing is negative


def _entry(identifier: int, body: bytes) -> bytes:
    body = struct.pack("<I", identifier) + body
    body += bytes(-(len(body) + 4) % 8)  # DW_CFA_nop
    return struct.pack("<I", len(body)) + body


def _symbols(functions: Mapping[str, tuple[int, int]], variables: Mapping[str, int]) -> tuple[bytes, bytes]:
    names, table = b"\0", bytes(24)
    rows = [(name, 2, 1, start, end - start) for name, (start, end) in functions.items()]  # STT_FUNC
    rows += [(name, 1, 2, address, 8) for name, address in variables.items()]  # STT_OBJECT
    for name, kind, section, address, size in rows:
        table += struct.pack("<IBBHQQ", len(names), 0x10 | kind, 0, section, address, size)
        names += name.encode("utf-8", "surrogateescape") + b"\0"
    return table, names


def _file(
    text: bytes,
    header: bytes,
    frames: bytes,
    frames_at: int,
    data_at: int,
    build_id: bytes,
    symbols: tuple[bytes, bytes],
) -> bytes:
    note_at = 64 + 56 * 6
    note = struct.pack("<III", 4, len(build_id), 3) + b"GNU\0" + build_id
    read_only = len(header) + len(frames)
    segments = (
        (1, 4, 0, note_at + len(note), PAGE_BYTES),
        (1, 5, TEXT_AT, len(text), PAGE_BYTES),
        (1, 4, frames_at, read_only, PAGE_BYTES),
        (1, 6, data_at, PAGE_BYTES, PAGE_BYTES),
        (4, 4, note_at, len(note), 4),
        (0x6474E550, 4, frames_at, len(header), 4),
    )
    table, names = symbols
    sections_names = b"\0.text\0.data\0.eh_frame\0.symtab\0.strtab\0.shstrtab\0"
    symbols_at = data_at + PAGE_BYTES
    names_at = symbols_at + len(table)
    own_at = names_at + len(names)
    sections_at = own_at + len(sections_names) + -(own_at + len(sections_names)) % 8
    sections = (
        ("", 0, 0, 0, 0, 0),
        (".text", 1, TEXT_AT, TEXT_AT, len(text), 0),
        (".data", 1, data_at, data_at, PAGE_BYTES, 0),
        (".eh_frame", 1, frames_at + len(header), frames_at + len(header), len(frames), 0),
        (".symtab", 2, 0, symbols_at, len(table), 5),
        (".strtab", 3, 0, names_at, len(names), 0),
        (".shstrtab", 3, 0, own_at, len(sections_names), 0),
    )
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQI", 3, 62, 1, TEXT_AT, 64, sections_at, 0)
    head += struct.pack("<HHHHHH", 64, 56, len(segments), 64, len(sections), 6)
    for kind, flags, at, size, alignment in segments:
        head += struct.pack("<IIQQQQQQ", kind, flags, at, at, at, size, size, alignment)
    image = (head + note).ljust(TEXT_AT, b"\0") + text.ljust(frames_at - TEXT_AT, b"\0")
    image += (header + frames).ljust(data_at - frames_at, b"\0") + bytes(PAGE_BYTES)
    image = (image + table + names + sections_names).ljust(sections_at, b"\0")
    for name, kind, address, at, size, link in sections:
        place = sections_names.index(name.encode() + b"\0")
        entry = 24 if kind == 2 else 0
        image += struct.pack("<IIQQQQIIQQ", place, kind, 0, address, at, size, link, kind == 2, 8, entry)
    return image


def _page_end(size: int) -> int:
    return -(-size // PAGE_BYTES) * PAGE_BYTES
