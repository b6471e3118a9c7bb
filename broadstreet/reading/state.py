"""Assemble the machine state from notes and memory: choose the crash context, walk, decode the instruction."""

from broadstreet.formats import linux_core as linux
from broadstreet.formats.architecture import Architecture
from broadstreet.formats.instruction import LONGEST_X86, Instruction, decode
from broadstreet.reading import context as contexts
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.context import Context, SignalFrame
from broadstreet.reading.fault import inferred
from broadstreet.reading.machine_state import MachineState, Signal
from broadstreet.reading.memory_plan import MemoryPlan
from broadstreet.reading.modules import Modules
from broadstreet.reading.notes import Notes
from broadstreet.reading.unwinder import Process, Step, saved_context, walk
from broadstreet.records.gap import Gap

SI_KERNEL = 128
SENDER_NAMED = (0, -1, -6)  # SI_USER, SI_QUEUE, SI_TKILL; a timer or a queue has other fields there


def assembled(
    notes: Notes,
    architecture: Architecture,
    space: AddressSpace,
    modules: Modules,
    threads: int | None,
    gaps: list[Gap],
    plan: MemoryPlan,
) -> MachineState:
    """The machine state of the crashing thread."""
    process = Process(architecture, space, modules)
    raised = _raised(notes)
    registers = notes.threads[0].registers
    steps, end = walk(process, registers)
    context, frame, told, inner = _context(process, notes, raised, steps)
    if context == "signal_frame" and frame is not None:
        registers = {**registers, **frame.registers}
        registers.pop("orig_rax", None)
        steps, end = walk(process, registers)
    if end == "words":
        gaps.append(Gap("outer frames", "the stack words that they lie in were not fetched or not dumped"))
    instruction, source = _instruction(process, registers[architecture.pc])
    if instruction is None and space.executable(registers[architecture.pc]):
        gaps.append(Gap("instruction", "its bytes are neither in the core dump nor in a binary at hand"))
    message, observed = plan.abort_message()
    return MachineState(
        architecture=architecture,
        context=context,
        signal=told or raised,
        raised=raised,
        own_pid=notes.process.pid if notes.process else None,
        task_flags=notes.process.flag if notes.process else None,
        registers=registers,
        space=space,
        modules=modules,
        steps=tuple(steps),
        end=end,
        handler_steps=tuple(inner),
        instruction=instruction,
        instruction_source=source,
        abort_message=message,
        abort_message_observed=observed,
        thread_count=threads,
        notes_complete=notes.siginfo is not None and notes.process is not None,
    )


def _raised(notes: Notes) -> Signal:
    if notes.siginfo is None:
        return Signal(notes.threads[0].cursig, None, None, None)
    return _signal(notes.siginfo, notes.siginfo_bytes, None)


def _signal(info: linux.SigInfo, data: bytes, error: int | None) -> Signal:
    by_kernel = info.code > 0
    faults = (contexts.SIGSEGV, contexts.SIGBUS, contexts.SIGILL, contexts.SIGFPE, contexts.SIGTRAP)
    address = info.address if by_kernel and info.signal in faults and info.code != SI_KERNEL else None
    sender = linux.SIGINFO_SENDER.read(data).pid if info.code in SENDER_NAMED and info.signal else None
    syscall = linux.SIGINFO_SYSCALL.read(data).number if info.signal == contexts.SIGSYS and by_kernel else None
    return Signal(info.signal, info.code, address, sender, error, syscall)


def _context(
    process: Process, notes: Notes, raised: Signal, steps: list[Step]
) -> tuple[Context, SignalFrame | None, Signal | None, list[Step]]:
    """Which registers are those of the crash: the note's, or those that a signal frame saved."""
    if raised.code is None or raised.code > 0:
        return "notes", None, None, []
    for index, step in enumerate(steps):
        frame = saved_context(process, step) if step.signal_frame else None
        told = _told(process, frame, raised) if frame is not None else None
        if told is not None:
            return "signal_frame", frame, told, steps[:index]
    architecture, space = process.architecture, process.space
    sp, pc = (notes.threads[0].registers[name] for name in (architecture.sp, architecture.pc))
    for frame in contexts.live_frames(architecture, space, sp, 1 << 64):
        restorer = space.word(frame.address) or 0
        told = _told(process, frame, raised) if raised.number == contexts.SIGABRT else None
        if told is not None and space.executable(restorer):
            return "signal_frame", frame, told, []
    if raised.sender is not None and notes.process is not None and raised.sender != notes.process.pid:
        return "notes", None, None, []
    dead = contexts.dead_frames(architecture, space, sp, pc)
    for frame in dead:
        told = _told(process, frame, raised)
        if told is not None and told.number == raised.number:
            return "recovered", frame, told, []
    if dead:
        aborted = any(process.frame(step).function == "abort" for step in steps)
        lost = raised if aborted else Signal(raised.number, None, None, None)
        return "recovered", dead[0], lost, []
    return "notes", None, None, []


def _told(process: Process, frame: SignalFrame, raised: Signal) -> Signal | None:
    """The signal that this frame was written for, if it is one that ends a process; null where it is another."""
    info = frame.siginfo
    if info is not None and frame.of_fault:
        return _signal(info, frame.siginfo_bytes, frame.error)
    if info is not None and info.code <= 0 and info.signal == raised.number:
        sent = _signal(info, frame.siginfo_bytes, None)
        if sent.sender and sent.sender != raised.sender:
            return sent
    return inferred(process, frame, raised.number)


def _instruction(process: Process, pc: int) -> tuple[Instruction | None, str | None]:
    if not process.space.executable(pc):
        return None, None
    name = process.architecture.name
    for size in (LONGEST_X86, 8, 4, 2, 1):
        code = process.space.read(pc, size)
        if code is not None:
            return decode(name, code, pc), "core"
    module = process.modules.at(pc)
    if module is None or module.binary is None:
        return None, None
    code = module.binary.code(module.vaddr(pc), LONGEST_X86)
    return (decode(name, code, pc), "binary") if code else (None, None)
