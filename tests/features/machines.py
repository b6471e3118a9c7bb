"""Crashed machines by hand: which words lay where, and what a reader must make of it.

The program is `walker`: _start calls main, main calls outer, outer calls inner, with a C library, an unwinder and a
vdso beside it. Every function that has a frame begins with `sub`, so inside of each the stack pointer is a multiple of
16, and on entry to each 8 more. INSIDE is the stack pointer inside of inner.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tests import synth
from tests.features.program import PAGE_BYTES, TEXT_AT, Function, Program, program

PROGRAM, HEAP = 0x5555_5555_4000, 0x5555_5600_0000
LIBC, UNWINDER, TLS = 0x7F11_0000_0000, 0x7F12_0000_0000, 0x7F22_0000_0000
STACK, STACK_END, VDSO = 0x7FFE_0000_0000, 0x7FFE_0001_0000, 0x7FFE_0002_0000
INSIDE = STACK + 0x8000
OBJECT = HEAP + 0x200  # a sound pointer: mapped, readable, writable
NOWHERE = 0x7000_0000_1230  # mapped nowhere, 64 MiB and more from everything
PID, OTHER_PID = 4711, 999
THREAD_BLOCK, RSEQ_AT = TLS + 0x100, 2336  # glibc 2.35 and later, x86-64
FORKED = 0x40  # PF_FORKNOEXEC
SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGXCPU, SIGSYS = 3, 4, 5, 6, 7, 8, 11, 24, 31
SI_USER, SI_TKILL, SI_KERNEL = 0, -6, 128
TEXT = int.from_bytes(b"hello wo", "little")  # no address: its bits 47 to 63 differ

_WALKER = program(
    "/opt/walker/bin/walker",
    (
        Function("_start", 0, {"xor": "31ed", "call main": "call main", "hlt": "f4"}, returns=False, outermost=True),
        Function("main", 8, {"call outer": "call outer"}),
        Function(
            "outer",
            0x18,
            {
                "call inner": "call inner",
                "call jumper": "call jumper",
                "call leaf": "call leaf",
                "call hub": "call hub",
                "call large": "call large",
                "call *rax": "ffd0",
            },
        ),
        Function(
            "inner",
            0x18,
            {
                "load": "488b08",  # mov (%rax),%rcx
                "store": "488908",  # mov %rcx,(%rax)
                "load by rbp": "488b4d00",  # mov (%rbp),%rcx
                "load indexed": "488b0cd8",  # mov (%rax,%rbx,8),%rcx
                "divide": "48f7f9",  # idiv %rcx
                "trap": "0f0b",  # ud2
                "vector": "62f17c4858c0",  # vaddps %zmm0,%zmm0,%zmm0
                "call *rax": "ffd0",
            },
        ),
        Function("large", 0x1008, {"store": "48893c24"}),  # mov %rdi,(%rsp)
        Function("jumper", 0, {"jmp *rax": "ffe0"}, returns=False),
        Function("leaf", 0, {"nop": "90"}),
        Function("hub", 0, {"call leaf": "call leaf"}),
        Function("_ZSt9terminatev", 8, {"call *rax": "ffd0"}),
        Function("handler", 8, {"call *rax": "ffd0"}),
        Function("unused", 0, {"nops": "90" * 2 * PAGE_BYTES}),
    ),
)
_LIBC = program(
    "/opt/walker/lib/libc.so.6",
    (
        Function("raise", 8, {"syscall": "0f05"}),
        Function("abort", 0x18, {"call raise": "call raise"}),
        Function("__assert_fail", 8, {"call abort": "call abort"}),
        Function("__restore_rt", 0, {"mov": "48c7c00f000000", "syscall": "0f05"}, returns=False, restorer=True),
    ),
    ("__abort_msg",),
)
_UNWINDER = program("/opt/walker/lib/libgcc_s.so.1", (Function("_Unwind_RaiseException", 8, {"call *rax": "ffd0"}),))


@dataclass(frozen=True)
class Loaded:
    """A program at the place where it was mapped."""

    program: Program
    start: int

    def at(self, function: str, label: str) -> int:
        """Where an instruction lies."""
        return self.start + self.program.at(function, label)

    def after(self, function: str, label: str) -> int:
        """Where the instruction behind it lies: for a call, its return address."""
        return self.start + self.program.after(function, label)


walker, libc, unwinder = Loaded(_WALKER, PROGRAM), Loaded(_LIBC, LIBC), Loaded(_UNWINDER, UNWINDER)
LOADED = (walker, libc, unwinder)
CONSTANT = PROGRAM + _WALKER.constants_at + 0x10
ABORT_MESSAGE_AT = LIBC + _LIBC.variables["__abort_msg"]

# What stands on the stack while inner runs: its caller's return address above its 24 bytes, and so on outward.
CALLERS = {
    INSIDE + 0x18: walker.after("outer", "call inner"),
    INSIDE + 0x38: walker.after("main", "call outer"),
    INSIDE + 0x48: walker.after("_start", "call main"),
}


@dataclass(frozen=True)
class Machine:
    """One crash, and its answer: the mechanism, and the context findings that hold besides."""

    mechanism: str
    signal: synth.Signal
    registers: Mapping[str, int]
    words: Mapping[int, int] = field(default_factory=lambda: CALLERS)
    besides: tuple[str, ...] = ()
    blocks: Mapping[int, bytes] = field(default_factory=dict)
    flag: int = 0x400600
    code_bits: int = 0  # flipped in the dumped text; 0: the text is not dumped
    abort_message: str | None = None
    cpu: int = 3
    node: int = 1
    kernel: tuple[int, int, int] = (6, 1, 90)
    data_at: int | None = None  # a page of data more, where this address lies
    path: str = _WALKER.path
    fname: str = "walker"


def core(machine: Machine) -> synth.Core:
    """The core dump of the crash."""
    registers = {"fs_base": THREAD_BLOCK, **machine.registers}
    vdso = synth.module_page("x86_64", bytes(range(20)), linux_version=machine.kernel)
    message = machine.abort_message
    pointer = {ABORT_MESSAGE_AT: HEAP + 0x800} if message is not None else {}
    text = b"" if message is None else struct.pack("<I", len(message)) + message.encode() + b"\0"
    rseq = struct.pack("<IIQII", machine.cpu, machine.cpu, 0, 0, machine.node)
    return synth.Core(
        architecture="x86_64",
        signal=machine.signal,
        process=synth.Process(pid=PID, fname=machine.fname, psargs="./walker ", flag=machine.flag),
        threads=(
            synth.Thread(tid=PID, registers=registers),
            synth.Thread(tid=PID + 1, registers={"rip": walker.at("leaf", "nop"), "rsp": STACK + 0x100}),
        ),
        mappings=(
            *(mapping for loaded in LOADED for mapping in _mapped(loaded, machine, pointer)),
            synth.Map(start=HEAP, end=HEAP + PAGE_BYTES, flags="rw", data=bytes(0x800) + text),
            synth.Map(start=TLS, end=TLS + PAGE_BYTES, flags="rw", data=bytes(0x100 + RSEQ_AT) + rseq),
            synth.Map(start=STACK, end=STACK_END, flags="rw", data=_stack(machine)),
            *_more(machine),
            synth.Map(start=VDSO, end=VDSO + PAGE_BYTES, flags="rx", data=vdso),
        ),
        auxv=((33, VDSO), (6, PAGE_BYTES)),
    )


def _more(machine: Machine) -> list[synth.Map]:
    if machine.data_at is None:
        return []
    start = machine.data_at & -PAGE_BYTES
    return [synth.Map(start=start, end=start + PAGE_BYTES, flags="rw", data=bytes(PAGE_BYTES))]


def _mapped(loaded: Loaded, machine: Machine, pointer: Mapping[int, int]) -> list[synth.Map]:
    file, start = loaded.program, loaded.start
    text = data = None
    if machine.code_bits and loaded is walker:
        text = bytearray(file.text)
        for bit in range(machine.code_bits):
            text[0x20 + bit] ^= 1
    if loaded is libc:
        data = _words(bytes(PAGE_BYTES), start + file.data_at, pointer)
    ends = (0, TEXT_AT, file.constants_at, file.data_at, file.data_at + PAGE_BYTES)
    contents = ((file.data[:PAGE_BYTES], "r"), (text, "rx"), (None, "r"), (data, "rw"))
    return [
        synth.Map(
            start=start + low,
            end=start + high,
            flags=flags,
            data=None if content is None else bytes(content),
            path=machine.path if loaded is walker else file.path,
            page_offset=low // PAGE_BYTES,
        )
        for (low, high), (content, flags) in zip(pairwise(ends), contents, strict=True)
    ]


def _stack(machine: Machine) -> bytes:
    data = bytearray(_words(bytes(STACK_END - STACK), STACK, machine.words))
    for address, block in machine.blocks.items():
        data[address - STACK : address - STACK + len(block)] = block
    return bytes(data)


def _words(data: bytes, start: int, words: Mapping[int, int]) -> bytes:
    changed = bytearray(data)
    for address, word in words.items():
        struct.pack_into("<Q", changed, address - start, word)
    return bytes(changed)


def fault(signal: int, code: int, address: int = 0) -> synth.Fault:
    """A signal that the kernel raised."""
    return synth.Fault(si_signo=signal, si_code=code, si_addr=address)


def unmapped(address: int) -> synth.Fault:
    """SEGV_MAPERR."""
    return fault(SIGSEGV, 1, address)


NO_ADDRESS = fault(SIGSEGV, SI_KERNEL)  # a general protection fault: si_addr is 0 and means nothing
BY_ITSELF = synth.Sent(si_signo=SIGABRT, si_code=SI_TKILL, si_pid=PID, si_uid=0)


def inside(label: str, sp: int = INSIDE, **registers: int) -> dict[str, int]:
    """The registers at an instruction of inner."""
    return {"rip": walker.at("inner", label), "rsp": sp, **registers}


def _aborting(caller: int, **changes: object) -> Machine:
    """raise, called by abort, called by what returns to `caller`, called by inner."""
    words = {
        INSIDE - 0x28: libc.after("abort", "call raise"),
        INSIDE - 0x8: caller,
        **CALLERS,
    }
    registers = {"rip": libc.after("raise", "syscall"), "rsp": INSIDE - 0x30}
    machine = Machine("abort_other", BY_ITSELF, registers, words)
    return replace(machine, **changes)  # type: ignore[arg-type]


def _by_way_of(place: int) -> dict[int, int]:
    """The words below inner where a function with 8 bytes of frame, called by it, called abort; and CALLERS."""
    return {
        INSIDE - 0x38: libc.after("abort", "call raise"),
        INSIDE - 0x18: place,
        INSIDE - 0x8: walker.after("inner", "call *rax"),
        **CALLERS,
    }


_NULL_READ = fault(SIGSEGV, 1, 0x10)
_FRAME_AT = INSIDE - 0x408  # of a handler that interrupted inner: 8 below a multiple of 16, beyond the red zone
_SAVED = inside("load", rax=0x10)
_HANDLED = synth.signal_frame(
    _SAVED,
    _NULL_READ,
    restorer=libc.at("__restore_rt", "mov"),
    err=4,
    trapno=14,
    cr2=0x10,
)
_IN_HANDLER = {_FRAME_AT - 0x10: walker.after("handler", "call *rax"), **CALLERS}
_AFTER_RETURN = INSIDE + 0x20  # where inner's `ret` leaves the stack pointer

MACHINES: dict[str, Machine] = {
    # Control was lost.
    "ret popped zero": Machine(
        "return_to_null", unmapped(0), {"rip": 0, "rsp": _AFTER_RETURN}, {**CALLERS, INSIDE + 0x18: 0}
    ),
    "call through null": Machine(
        "call_to_null",
        unmapped(0),
        {"rip": 0, "rsp": INSIDE - 8, "rax": 0},
        {**CALLERS, INSIDE - 8: walker.after("inner", "call *rax")},
    ),
    "tail jump through null above a stale zero": Machine(
        "call_to_null",
        unmapped(0),
        {"rip": 0, "rsp": _AFTER_RETURN - 8, "rax": 0},
        {**CALLERS, INSIDE + 0x10: 0, INSIDE + 0x18: walker.after("outer", "call jumper")},
    ),
    "ret popped zero in a function that cannot tail jump": Machine(
        "return_to_null",
        unmapped(0),
        {"rip": 0, "rsp": _AFTER_RETURN - 8, "rax": 0},
        {**CALLERS, INSIDE + 0x10: 0, INSIDE + 0x18: walker.after("outer", "call leaf")},
    ),
    "ret popped a heap address": Machine(
        "return_to_nonexecutable",
        fault(SIGSEGV, 2, OBJECT),
        {"rip": OBJECT, "rsp": _AFTER_RETURN},
        {**CALLERS, INSIDE + 0x18: OBJECT},
    ),
    "ret stopped at text": Machine(
        "return_to_nonexecutable", NO_ADDRESS, inside("ret", INSIDE + 0x18), {**CALLERS, INSIDE + 0x18: TEXT}
    ),
    "call into the heap": Machine(
        "jump_to_nonexecutable",
        fault(SIGSEGV, 2, OBJECT),
        {"rip": OBJECT, "rsp": INSIDE - 8, "rax": OBJECT},
        {**CALLERS, INSIDE - 8: walker.after("inner", "call *rax")},
    ),
    # The stack pointer is wrong.
    "sp 8 low at ret": Machine(
        "misaligned_stack",
        fault(SIGSEGV, 2, OBJECT),
        {"rip": OBJECT, "rsp": INSIDE + 0x18},
        {**CALLERS, INSIDE + 0x10: OBJECT},
    ),
    "sp 8 high at ret": Machine(
        "misaligned_stack",
        fault(SIGSEGV, 2, OBJECT),
        {"rip": OBJECT, "rsp": INSIDE + 0x28},
        {**CALLERS, INSIDE + 0x20: OBJECT, INSIDE + 0x28: 0},
    ),
    "sp 8 low at a ret of text": Machine(
        "misaligned_stack", NO_ADDRESS, inside("ret", INSIDE + 0x10), {**CALLERS, INSIDE + 0x10: TEXT}
    ),
    "sp 8 low in a body": Machine("misaligned_stack", unmapped(NOWHERE), inside("load", INSIDE - 8, rax=NOWHERE)),
    "sp 8 high in a body": Machine("misaligned_stack", unmapped(NOWHERE), inside("load", INSIDE + 8, rax=NOWHERE)),
    "a whole chain at odd parity": Machine(
        "unmapped_access",
        unmapped(NOWHERE),
        inside("load", INSIDE - 8, rax=NOWHERE),
        {address - 8: word for address, word in CALLERS.items()},
    ),
    "a callee's return address overwritten": Machine(
        "return_to_nonexecutable",
        fault(SIGSEGV, 2, OBJECT),
        {"rip": OBJECT, "rsp": INSIDE + 0x18},
        {**CALLERS, INSIDE + 0x10: OBJECT, INSIDE + 0x18: walker.after("outer", "call hub")},
    ),
    "sp in no mapping": Machine(
        "wild_stack_pointer",
        unmapped(NOWHERE - 8),
        {"rip": walker.at("outer", "call inner"), "rsp": NOWHERE},
    ),
    "sp at the lower end of its stack": Machine(
        "stack_overflow", unmapped(STACK - 8), {"rip": walker.at("outer", "call inner"), "rsp": STACK}
    ),
    "a large frame below its stack": Machine(
        "stack_overflow",
        unmapped(STACK - 0x800),
        {"rip": walker.at("large", "store"), "rsp": STACK - 0x800},
        {
            STACK + 0x808: walker.after("outer", "call large"),
            STACK + 0x828: walker.after("main", "call outer"),
            STACK + 0x838: walker.after("_start", "call main"),
        },
    ),
    "sp one bit off": Machine("one_bit_off", _NULL_READ, inside("load", INSIDE ^ 1 << 9, rax=0x10)),
    # The pointer is wrong.
    "pointer one bit off, far": Machine(
        "one_bit_off", unmapped(OBJECT ^ 1 << 45), inside("load", rax=OBJECT ^ 1 << 45)
    ),
    "pointer one bit off, with a twin": Machine(
        "one_bit_off", unmapped(OBJECT ^ 1 << 24), inside("load", rax=OBJECT ^ 1 << 24, rbx=OBJECT)
    ),
    "pointer one bit off, near and without a twin": Machine(
        "unmapped_access", unmapped(OBJECT ^ 1 << 24), inside("load", rax=OBJECT ^ 1 << 24)
    ),
    "pointer one bit off, non-canonical": Machine("one_bit_off", NO_ADDRESS, inside("load", rax=OBJECT ^ 1 << 55)),
    "return address one bit off": Machine(
        "one_bit_off",
        unmapped(walker.after("outer", "call inner") ^ 1 << 44),
        {"rip": walker.after("outer", "call inner") ^ 1 << 44, "rsp": _AFTER_RETURN},
        {**CALLERS, INSIDE + 0x18: walker.after("outer", "call inner") ^ 1 << 44},
    ),
    "pc inside of an instruction": Machine(
        "one_bit_off",
        unmapped(NOWHERE),
        {**inside("load indexed", rax=NOWHERE, rbx=0), "rip": walker.at("inner", "load indexed") + 1},
    ),
    "null pointer with a small offset": Machine("null_dereference", _NULL_READ, inside("load", rax=0x10)),
    "null array with a large index": Machine(
        "unmapped_access", unmapped(0x80_0000), inside("load indexed", rax=0, rbx=0x10_0000)
    ),
    "pointer of garbage": Machine("noncanonical_access", NO_ADDRESS, inside("load", rax=0x1234_5678_9ABC_DEF0)),
    "rbp of text": Machine("noncanonical_access", fault(SIGBUS, SI_KERNEL), inside("load by rbp", rbp=TEXT)),
    "pointer of freed memory": Machine("poison_access", NO_ADDRESS, inside("load", rax=0x5A5A_5A5A_5A5A_5A5A)),
    "pointer of 32 poison bits": Machine("poison_access", unmapped(0xDEAD_BEEF), inside("load", rax=0xDEAD_BEEF)),
    "write to constants": Machine("write_to_readonly", fault(SIGSEGV, 2, CONSTANT), inside("store", rax=CONSTANT)),
    "read of nothing": Machine("unmapped_access", unmapped(NOWHERE), inside("load", rax=NOWHERE)),
    "a fault that is not the instruction's": Machine("impossible_fault", unmapped(NOWHERE), inside("load", rax=OBJECT)),
    # What the kernel says itself.
    "a process of another": Machine(
        "sent_by_process",
        synth.Sent(si_signo=SIGSEGV, si_code=SI_USER, si_pid=OTHER_PID, si_uid=0),
        inside("load", rax=OBJECT),
    ),
    "a poisoned page, consumed": Machine("memory_poisoned", fault(SIGBUS, 4, OBJECT), inside("load", rax=OBJECT)),
    "a poisoned page, found": Machine("memory_poisoned", fault(SIGBUS, 5, OBJECT), inside("load", rax=OBJECT)),
    "a truncated file": Machine("bus_error_truncated_file", fault(SIGBUS, 2, OBJECT), inside("load", rax=OBJECT)),
    "an alignment check": Machine("bus_error_alignment", fault(SIGBUS, 1, OBJECT + 1), inside("load", rax=OBJECT + 1)),
    "a protection key": Machine("protection_key", fault(SIGSEGV, 4, OBJECT), inside("load", rax=OBJECT)),
    "a shadow stack": Machine("control_protection", fault(SIGSEGV, 10), inside("ret", INSIDE + 0x18)),
    # si_syscall stands where si_addr_lsb does, and si_call_addr where si_addr does.
    "a sandbox": Machine(
        "bad_syscall",
        synth.Fault(si_signo=SIGSYS, si_code=1, si_addr=LIBC, si_addr_lsb=435),
        {"rip": libc.after("raise", "syscall"), "rsp": INSIDE},
        {INSIDE + 8: walker.after("inner", "call *rax")},
    ),
    "a limit of CPU time": Machine("resource_limit", fault(SIGXCPU, SI_KERNEL), inside("load", rax=OBJECT)),
    "a living process": Machine("no_fault", fault(0, 0), inside("load", rax=OBJECT)),
    # The instruction is wrong.
    "code one bit off": Machine("code_mismatch", _NULL_READ, inside("load", rax=0x10), code_bits=1),
    "code patched": Machine("null_dereference", _NULL_READ, inside("load", rax=0x10), code_bits=2),
    "a trap": Machine("deliberate_trap", fault(SIGILL, 2, walker.at("inner", "trap")), inside("trap")),
    "an instruction of a newer processor": Machine(
        "illegal_instruction", fault(SIGILL, 2, walker.at("inner", "vector")), inside("vector")
    ),
    "a load with one bit wrong": Machine(
        "wrong_result",
        fault(SIGFPE, 1, walker.at("inner", "divide")),
        inside("divide", rax=INSIDE + 8, rbx=0, rcx=OBJECT ^ 1 << 20),
        {**CALLERS, INSIDE + 8: OBJECT},
    ),
    "a load that was lost": Machine(
        "wrong_result",
        fault(SIGFPE, 1, walker.at("inner", "divide")),
        inside("divide", rax=INSIDE + 8, rbx=0, rbp=INSIDE + 16, rcx=3),
        {**CALLERS, INSIDE + 8: OBJECT, INSIDE + 16: 3},
    ),
    "a division by zero": Machine("divide_error", fault(SIGFPE, 1, walker.at("inner", "divide")), inside("divide")),
    # The program ended itself.
    "abort by free": _aborting(
        walker.after("inner", "call *rax"),
        mechanism="abort_heap_corruption",
        abort_message="free(): invalid pointer",
    ),
    "abort by the stack protector": _aborting(
        walker.after("inner", "call *rax"),
        mechanism="abort_stack_smashing",
        abort_message="*** stack smashing detected ***: terminated",
    ),
    "abort by a checked copy": _aborting(
        walker.after("inner", "call *rax"),
        mechanism="abort_fortify",
        abort_message="*** buffer overflow detected ***: terminated",
    ),
    "abort by assert": Machine(
        "abort_assertion",
        BY_ITSELF,
        {"rip": libc.after("raise", "syscall"), "rsp": INSIDE - 0x40},
        _by_way_of(libc.after("__assert_fail", "call abort")),
    ),
    "abort by terminate": Machine(
        "abort_uncaught_exception",
        BY_ITSELF,
        {"rip": libc.after("raise", "syscall"), "rsp": INSIDE - 0x40},
        _by_way_of(walker.after("_ZSt9terminatev", "call *rax")),
    ),
    "abort without a word": _aborting(walker.after("inner", "call *rax")),
    "quit from its own terminal": Machine(
        "unclassified",
        synth.Sent(si_signo=SIGQUIT, si_code=SI_USER, si_pid=PID, si_uid=0),
        inside("load", rax=OBJECT),
    ),
    # What went on around it.
    "a handler that raises SIGABRT": Machine(
        "null_dereference",
        BY_ITSELF,
        {"rip": libc.after("raise", "syscall"), "rsp": _FRAME_AT - 0x18},
        _IN_HANDLER,
        besides=("re_raised",),
        blocks={_FRAME_AT: _HANDLED},
    ),
    "a handler that raised the fault again and returned": Machine(
        "null_dereference",
        synth.Sent(si_signo=SIGSEGV, si_code=SI_TKILL, si_pid=PID, si_uid=0),
        _SAVED,
        besides=("re_raised",),
        blocks={_FRAME_AT: _HANDLED},
    ),
    "a fault in a handler": Machine(
        "null_dereference",
        _NULL_READ,
        inside("load", _FRAME_AT - 0x28, rax=0x10),
        _IN_HANDLER,
        besides=("in_signal_handler",),
        blocks={
            _FRAME_AT: synth.signal_frame(
                inside("store", rax=OBJECT),
                synth.Sent(si_signo=10, si_code=SI_USER, si_pid=OTHER_PID, si_uid=0),
                restorer=libc.at("__restore_rt", "mov"),
            )
        },
    ),
    "a fault in a cleanup": Machine(
        "null_dereference",
        _NULL_READ,
        inside("load", INSIDE - 0x10, rax=0x10),
        {
            **CALLERS,
            INSIDE + 0x8: unwinder.after("_Unwind_RaiseException", "call *rax"),
            INSIDE + 0x18: walker.after("outer", "call *rax"),
        },
        besides=("unwinding_exception",),
    ),
    "a return to null after an unwinder": Machine(
        "return_to_null",
        unmapped(0),
        {"rip": 0, "rsp": _AFTER_RETURN},
        {**CALLERS, INSIDE + 0x18: 0, INSIDE - 0x100: unwinder.after("_Unwind_RaiseException", "call *rax")},
        besides=("unwinding_exception",),
    ),
    "a fault in a forked child": Machine(
        "null_dereference",
        _NULL_READ,
        inside("load", rax=0x10),
        besides=("forked_child",),
        flag=0x400600 | FORKED,
    ),
}
