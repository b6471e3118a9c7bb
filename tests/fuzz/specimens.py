"""The core dumps that are cut and mutated: one written by tests/synth, and real ones made on the spot."""

import struct
import sys
from pathlib import Path
from typing import NamedTuple

from tests import synth
from tests.kernel_cores import compiled, dumped

STACK, PROGRAM, LIBRARY, HEAP = 0x7FFE_0000_0000, 0x5555_5555_4000, 0x7F11_0000_0000, 0x5555_5560_0000

SP_AT = {62: 112 + 8 * 19, 183: 112 + 8 * 31}  # by e_machine, in struct elf_prstatus
STACK_BELOW, STACK_ABOVE = 512, 4096  # around the stack pointer

CPLUSPLUS = """
#include <map>
#include <string>
#include <stdexcept>
#include <thread>
#include <vector>
struct Node { std::map<std::string, int> names; Node *next = nullptr; };
static int sum(const Node *node, int depth) {
    if (depth == 0) return node->next->names.at("missing");
    return sum(node, depth - 1) + static_cast<int>(node->names.size());
}
int main() {
    Node node;
    for (int i = 0; i < 40000; i++) node.names["name" + std::to_string(i)] = i;
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++) threads.emplace_back([] { std::this_thread::sleep_for(std::chrono::seconds(9)); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    return sum(&node, 12);
}
"""
PYTHON = "import ctypes, json, re, sqlite3, threading; ctypes.string_at(8)"


class Field(NamedTuple):
    """A number in the file that decides how the rest is read."""

    at: int
    width: int


class Specimen(NamedTuple):
    """A core dump before mutation. Headers and notes end at `head_bytes`; `stack` is where the crashing stack lies."""

    name: str
    data: bytes
    head_bytes: int
    stack: range
    fields: tuple[Field, ...]


def specimen(name: str, data: bytes) -> Specimen:
    """The core dump, with its fields found."""
    (table,) = struct.unpack_from("<Q", data, 32)
    (count,) = struct.unpack_from("<H", data, 56)
    fields = [Field(at, 2) for at in (16, 18, 54, 56, 58, 60, 62)] + [Field(at, 8) for at in (24, 32, 40)]
    end = table
    for index in range(count):
        at = table + 56 * index
        fields += [Field(at, 4), Field(at + 4, 4), *(Field(at + 8 * word, 8) for word in range(1, 7))]
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind == 4:
            fields += _note_fields(data, offset, offset + size)
            end = max(end, offset + size)
    return Specimen(name, data, max(end, table + 56 * count), _stack(data), tuple(fields))


def synthetic() -> Specimen:
    """Two threads, a handler's frame on the stack, two modules, an abort: all kinds of note."""
    interrupted = {"rip": LIBRARY + 0x2345, "rsp": STACK + 0x2800, "rbp": STACK + 0x2900, "rbx": 0xDEAD}
    fault = synth.Fault(si_signo=11, si_code=1, si_addr=0x10)
    frame = synth.signal_frame(interrupted, fault, restorer=LIBRARY + 0x2100, err=4, trapno=14, cr2=0x10)
    words = struct.pack("<64Q", *(LIBRARY + 0x2000 + 64 * word for word in range(64)))
    stack = bytes(0x1000) + words + bytes(0x1200 - len(words)) + frame
    build_ids = bytes(range(20)), bytes(range(20, 40))
    core = synth.Core(
        architecture="x86_64",
        signal=synth.Sent(si_signo=6, si_code=-6, si_pid=4711, si_uid=1000),
        process=synth.Process(pid=4711, fname="walker", psargs="./walker "),
        threads=(
            synth.Thread(
                tid=4711,
                registers={"rip": LIBRARY + 0x2010, "rsp": STACK + 0x1000, "rbp": STACK + 0x1100, "fs_base": HEAP},
                more=(synth.Note("LINUX", 0x202, bytes(832)),),
            ),
            synth.Thread(tid=4712, registers={"rip": LIBRARY + 0x2050, "rsp": STACK + 0x1080}),
        ),
        mappings=(
            _module(PROGRAM, "/nowhere/walker", build_ids[0]),
            synth.Map(start=PROGRAM + 0x1000, end=PROGRAM + 0x2000, flags="rx", path="/nowhere/walker", page_offset=1),
            synth.Map(start=HEAP, end=HEAP + 0x2000, flags="rw", data=bytes(0x2000)),
            _module(LIBRARY, "/nowhere/libwalk.so", build_ids[1]),
            synth.Map(
                start=LIBRARY + 0x2000,
                end=LIBRARY + 0x4000,
                flags="rx",
                data=bytes.fromhex("ffd0 e800000000 c3 90 488b04c8") * 340,
                path="/nowhere/libwalk.so",
                page_offset=2,
            ),
            synth.Map(start=STACK, end=STACK + 0x4000, flags="rw", data=stack),
        ),
        auxv=((6, 4096), (9, PROGRAM + 0x1040), (33, LIBRARY + 0x10_0000)),
    )
    return specimen("synthetic", synth.core_dump(core))


def synthetic_aarch64() -> Specimen:
    """One thread with its thread pointer, a chain of frame records, signed return addresses."""
    records = [(STACK + 0x1000 + 32 * at, 0x2A << 48 | LIBRARY + 0x2004 + 4 * at) for at in range(1, 60)]
    stack = bytes(0x1000) + b"".join(struct.pack("<QQQQ", place, link, 0, 0) for place, link in records)
    registers = {"pc": LIBRARY + 0x2010, "sp": STACK + 0x1000, "x29": STACK + 0x1000, "x30": LIBRARY + 0x2004}
    page = synth.module_page("aarch64", bytes(range(20)))
    code = (0x94000001).to_bytes(4, "little") * 512 + (0xF9400021).to_bytes(4, "little") * 512  # bl; ldr x1, [x1]
    core = synth.Core(
        architecture="aarch64",
        signal=synth.Fault(si_signo=11, si_code=1, si_addr=0x10),
        process=synth.Process(pid=4711, fname="walker", psargs="./walker "),
        threads=(
            synth.Thread(tid=4711, registers=registers, more=(synth.Note("LINUX", 0x401, struct.pack("<Q", HEAP)),)),
        ),
        mappings=(
            synth.Map(start=HEAP, end=HEAP + 0x1000, flags="rw", data=bytes(0x1000)),
            synth.Map(start=LIBRARY, end=LIBRARY + 0x1000, flags="r", data=page, path="/nowhere/libwalk.so"),
            synth.Map(
                start=LIBRARY + 0x2000,
                end=LIBRARY + 0x3000,
                flags="rx",
                data=code,
                path="/nowhere/libwalk.so",
                page_offset=2,
            ),
            synth.Map(start=STACK, end=STACK + 0x3000, flags="rw", data=stack),
        ),
        auxv=((6, 4096), (33, LIBRARY + 0x10_0000)),
    )
    return specimen("aarch64", synth.core_dump(core))


def cplusplus(folder: Path) -> Specimen:
    """A small C++ program with four threads that dies in a standard library's container."""
    program = compiled(folder, CPLUSPLUS, "-O1", compiler="g++")
    return specimen("c++", dumped(folder, str(program)).read_bytes())


def python(folder: Path) -> Specimen:
    """This interpreter with extension modules loaded, made to read address 8."""
    return specimen("python3", dumped(folder, sys.executable, "-c", PYTHON).read_bytes())


def _module(start: int, path: str, build_id: bytes) -> synth.Map:
    page = synth.module_page("x86_64", build_id)
    return synth.Map(start=start, end=start + 0x1000, flags="r", data=page, path=path)


def _stack(data: bytes) -> range:
    (notes_at,) = struct.unpack_from("<Q", data, 64 + 8)
    (machine,) = struct.unpack_from("<H", data, 18)
    (sp,) = struct.unpack_from("<Q", data, notes_at + 20 + SP_AT[machine])
    (count,) = struct.unpack_from("<H", data, 56)
    for at in range(64, 64 + 56 * count, 56):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", data, at)
        if kind == 1 and address <= sp < address + size:
            place = offset + sp - address
            return range(max(offset, place - STACK_BELOW), min(offset + size, place + STACK_ABOVE))
    raise ValueError("the crashing thread has no stack in its core dump")


def _note_fields(data: bytes, at: int, end: int) -> list[Field]:
    fields = []
    while at + 12 <= end:
        name_size, size, _ = struct.unpack_from("<III", data, at)
        start = at + 12 + (name_size + 3 & ~3)
        fields += [Field(at, 4), Field(at + 4, 4), Field(at + 8, 4)]
        fields += [Field(place, 4) for place in range(start, min(start + 64, end - 4), 4)]
        fields += [Field(place, 8) for place in range(start, min(start + size, end - 8), 8)]
        at = start + (size + 3 & ~3)
    return fields
