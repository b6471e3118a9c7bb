"""Synthetic crashes of an aarch64 process as a kernel with 48-bit addresses lays it out: one program, a vdso, a stack.

The program's code stands in its first page, assembled by hand (Arm ARM, C6); it has no unwind table and no names.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from broadstreet.formats.binary import Binary
from broadstreet.reading.machine_state import MachineState
from broadstreet.records.wanted import BinaryWanted
from tests import synth
from tests.reading.driving import driven
from tests.synth.arm_signal_frame import ARM_SIGRETURN

PROGRAM, VDSO = 0xAAAA_AAAA_0000, 0xFFFF_F7FF_0000
STACK, STACK_END = 0xFFFF_FFFD_0000, 0x1_0000_0000_0000
SP = STACK + 0x8000
PATH = "/nowhere/walker"
BUILD_ID = bytes(range(20))
CODE_AT = 0x800
NT_ARM_TLS, NT_ARM_PAC_MASK = 0x401, 0x406
AT_SYSINFO_EHDR = 33
PID = 4711

CODE = {
    "load": 0xB940_0020,  # ldr w0, [x1]
    "store indexed": 0xB822_D820,  # str w0, [x1, w2, sxtw #2]
    "ret": 0xD65F_03C0,
    "blr": 0xD63F_0040,  # blr x2
    "after blr": 0xD503_201F,
    "bl": 0x97FF_FFFB,  # bl load
    "after bl": 0xD503_201F,
    "bl again": 0x97FF_FFF9,
    "after bl again": 0xD503_201F,
    "retaa": 0xD65F_0BFF,
    "zero block": 0xD50B_7421,  # dc zva, x1
    "brk": 0xD420_7D00,  # brk #1000
    "udf": 0x0000_0000,
}
AT = {name: PROGRAM + CODE_AT + 4 * index for index, name in enumerate(CODE)}
SIGRETURN = VDSO + 0x400


def program_page() -> bytes:
    """The only page of the program."""
    page = synth.module_page("aarch64", BUILD_ID)
    code = struct.pack(f"<{len(CODE)}I", *CODE.values())
    return page[:CODE_AT] + code + page[CODE_AT + len(code) :]


def vdso_page() -> bytes:
    """A vdso without unwind rules, as the kernel builds it."""
    page = synth.module_page("aarch64", bytes(20), linux_version=(6, 6, 1))
    return page[:0x400] + ARM_SIGRETURN + page[0x408:]


def find_program(wanted: BinaryWanted) -> Binary | None:
    """The program by its build id."""
    return Binary(program_page()) if wanted.build_id == BUILD_ID.hex() else None


@dataclass(frozen=True)
class Crash:
    """One crash; `stack` maps addresses on the stack to what stands there."""

    registers: Mapping[str, int]
    signal: synth.Signal
    stack: Mapping[int, bytes] = field(default_factory=dict)
    notes: tuple[synth.Note, ...] = ()
    stack_start: int = STACK
    stack_end: int = STACK_END

    def core(self, *others: synth.Map) -> bytes:
        """The core dump, with other mappings beside the usual ones."""
        memory = bytearray(self.stack_end - self.stack_start)
        for address, data in self.stack.items():
            at = address - self.stack_start
            memory[at : at + len(data)] = data
        return synth.core_dump(
            synth.Core(
                architecture="aarch64",
                signal=self.signal,
                process=synth.Process(pid=PID, fname="walker", psargs="./walker "),
                threads=(synth.Thread(tid=PID, registers=self.registers, more=self.notes),),
                mappings=(
                    *others,
                    synth.Map(start=PROGRAM, end=PROGRAM + 0x1000, flags="rx", data=program_page(), path=PATH),
                    synth.Map(start=VDSO, end=VDSO + 0x1000, flags="rx", data=vdso_page()),
                    synth.Map(start=self.stack_start, end=self.stack_end, flags="rw", data=bytes(memory)),
                ),
                auxv=((AT_SYSINFO_EHDR, VDSO),),
            )
        )

    def state(self) -> MachineState:
        """What is read of it, with the program at hand."""
        found = driven(self.core(), find=find_program).reading.state
        assert found is not None
        return found


def words(*values: int) -> bytes:
    """Words as they stand in memory."""
    return struct.pack(f"<{len(values)}Q", *values)
