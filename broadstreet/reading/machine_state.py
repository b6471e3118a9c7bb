"""What the machine was doing when it crashed: the only thing that features and labels see."""

from dataclasses import dataclass
from functools import cached_property

from broadstreet.formats.architecture import Architecture
from broadstreet.formats.instruction import Instruction
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.context import Context
from broadstreet.reading.modules import Modules
from broadstreet.reading.unwinder import End, Process, Registers, Step
from broadstreet.records.frame import Frame


@dataclass(frozen=True)
class Signal:
    """The signal of the crash. `address` only where the kernel gave one; `sender` only where a process sent it."""

    number: int | None
    code: int | None
    address: int | None
    sender: int | None
    error: int | None = None  # the page-fault error code, from a signal frame
    syscall: int | None = None


@dataclass(frozen=True, eq=False)
class MachineState:
    """One crashing thread. `raised` is the signal of the core dump, `signal` that of the crash context."""

    architecture: Architecture
    context: Context
    signal: Signal
    raised: Signal
    own_pid: int | None
    task_flags: int | None
    registers: Registers
    space: AddressSpace
    modules: Modules
    steps: tuple[Step, ...]
    end: End
    handler_steps: tuple[Step, ...]  # frames inside of the context: a handler that raised again
    instruction: Instruction | None
    instruction_source: str | None  # core or binary
    abort_message: str | None
    abort_message_observed: bool
    thread_count: int | None
    notes_complete: bool

    @cached_property
    def process(self) -> Process:
        """What the unwinder needs."""
        return Process(self.architecture, self.space, self.modules)

    @property
    def pc(self) -> int:
        """The program counter at the crash."""
        return self.registers[self.architecture.pc]

    @property
    def sp(self) -> int:
        """The stack pointer at the crash."""
        return self.registers[self.architecture.sp]

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frames of the crash, innermost first."""
        process = self.process
        return tuple(process.frame(step) for step in self.steps)
