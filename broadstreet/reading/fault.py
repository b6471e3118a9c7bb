"""The fault behind a saved context whose siginfo was not written: from the trap number, checked by the instruction.

The kernel saves trap number, error code and address of the thread's last fault into every signal frame, also into one
of a signal that was no fault. So they count only if the instruction at the saved pc can have failed that way.
x86-64 only: AArch64 saves no trap number.
"""

from broadstreet.formats.instruction import decode
from broadstreet.reading import context as contexts
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.context import SignalFrame
from broadstreet.reading.machine_state import Signal
from broadstreet.reading.operands import accesses
from broadstreet.reading.unwinder import Process

SI_KERNEL, MAPERR, ACCERR, ADRERR = 128, 1, 2, 2
PAGE_FAULT, GENERAL_PROTECTION, STACK_FAULT = 14, 13, 12
WRITE, FETCH = 2, 16  # of the page-fault error code
NEAR = 4096

# Trap number (arch/x86/include/asm/trapnr.h): signal and code that the kernel makes of it.
TRAPS: dict[int, tuple[int, int | None]] = {
    0: (contexts.SIGFPE, 1),
    3: (contexts.SIGTRAP, SI_KERNEL),
    6: (contexts.SIGILL, 2),
    STACK_FAULT: (contexts.SIGBUS, SI_KERNEL),
    GENERAL_PROTECTION: (contexts.SIGSEGV, SI_KERNEL),
    16: (contexts.SIGFPE, None),  # which floating-point error, the control words would say
    17: (contexts.SIGBUS, 1),
    19: (contexts.SIGFPE, None),
}


def inferred(process: Process, frame: SignalFrame, raised: int | None) -> Signal | None:
    """The fault signal of this frame; null where its trap does not fit its instruction, or the signal raised later."""
    if frame.trap is None:
        return None
    if frame.trap == PAGE_FAULT:
        signal = _page_fault(process.space, frame)
    elif frame.trap in TRAPS:
        number, code = TRAPS[frame.trap]
        signal = Signal(number, code, None, None, frame.error)
    else:
        return None
    if raised in contexts.FAULTS and raised != signal.number:
        return None
    return signal if _explained(process, frame) else None


def _page_fault(space: AddressSpace, frame: SignalFrame) -> Signal:
    address = frame.fault or 0
    if (frame.error or 0) & FETCH:
        code = MAPERR if space.mapping(address) is None else ACCERR
        return Signal(contexts.SIGSEGV, code, address, None, frame.error)
    mapping = space.mapping(address)
    if mapping is None:
        return Signal(contexts.SIGSEGV, MAPERR, address, None, frame.error)
    wrote = bool((frame.error or 0) & WRITE)
    if mapping.writable if wrote else mapping.readable:
        return Signal(contexts.SIGBUS, ADRERR, address, None, frame.error)
    return Signal(contexts.SIGSEGV, ACCERR, address, None, frame.error)


def _explained(process: Process, frame: SignalFrame) -> bool:
    architecture, space = process.architecture, process.space
    pc = frame.registers[architecture.pc]
    if not space.executable(pc):
        return frame.trap == PAGE_FAULT and frame.fault == pc
    module = process.modules.at(pc)
    code = space.read(pc, 15) or (module.binary.code(module.vaddr(pc), 15) if module and module.binary else None)
    if code is None:
        return False
    instruction = decode(architecture.name, code, pc)
    if frame.trap in (3, 6, 16, 19):
        return True
    if instruction is None:
        return False
    if frame.trap == 0:
        return instruction.kind == "divide"
    tried = accesses(architecture, frame.registers, instruction) or []
    if frame.trap == PAGE_FAULT:
        return any(abs((frame.fault or 0) - access.address) <= NEAR for access in tried)
    branch = instruction.indirect or instruction.kind == "return"
    return branch or bool(tried) or instruction.kind in ("privileged", "trap")
