"""What differs between processors: register sets, their order in notes and signal frames, and their DWARF numbers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

EM_X86_64, EM_AARCH64 = 62, 183
KERNEL_HALF = 1 << 63
TOP_BYTE = 0xFF << 56


@dataclass(frozen=True)
class Architecture:
    """One processor family, as Linux core dumps show it. Register names are those of its authority."""

    name: str
    machine: int
    registers: tuple[str, ...]  # in the order of NT_PRSTATUS
    pc: str
    sp: str
    frame_pointer: str
    link: str | None  # the register that holds a leaf's return address, if there is one
    thread_pointer: str | None  # the register in NT_PRSTATUS that points at the thread block
    general: tuple[str, ...]  # the registers that hold data and addresses
    dwarf: Mapping[int, str]
    dwarf_return: int
    red_zone_bytes: int
    address_bits: int
    rseq_offset: int  # of glibc's rseq area from the thread pointer
    rseq_offset_assumed: bool  # also when the binary of ld.so, which says it, is not at hand
    signal_frame_registers: Mapping[str, int]  # offset from the sp on entry to a signal handler
    signal_frame_extras: Mapping[str, int] = field(default_factory=dict)
    signal_frame_siginfo: int = 0
    signal_frame_bytes: int = 0
    sigreturn: bytes = b""  # the code that a handler returns to, where the vdso has no unwind rule for it
    top_byte_ignored: bool = False  # in the address of a load or store: it may hold a tag

    def canonical(self, address: int) -> bool:
        """Whether the address fits the user half of the virtual address space or the kernel half."""
        top = address >> (self.address_bits - 1)
        return top == 0 or top == (1 << (65 - self.address_bits)) - 1

    def untagged(self, address: int) -> int:
        """The address that a load or store goes to: bit 55 fills the byte above it where that may hold a tag."""
        if not self.top_byte_ignored:
            return address
        return address | TOP_BYTE if address >> 55 & 1 else address & ~TOP_BYTE


_X86_SIGNAL_ORDER = "r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx rsp rip eflags".split()
_X86_DWARF = "rax rdx rcx rbx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()
_X86_GENERAL = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split()

# arch/x86/include/asm/user_64.h (user_regs_struct), arch/x86/include/uapi/asm/sigcontext.h, psABI 3.6.2.
# On entry to a handler: [rsp] the restorer, rsp+8 the ucontext, whose gregs begin 40 bytes in; then the siginfo.
X86_64 = Architecture(
    name="x86_64",
    machine=EM_X86_64,
    registers=tuple(
        "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi orig_rax rip cs eflags rsp ss"
        " fs_base gs_base ds es fs gs".split()
    ),
    pc="rip",
    sp="rsp",
    frame_pointer="rbp",
    link=None,
    thread_pointer="fs_base",
    general=tuple(_X86_GENERAL),
    dwarf=dict(enumerate(_X86_DWARF)),
    dwarf_return=16,
    red_zone_bytes=128,
    address_bits=48,
    rseq_offset=2336,  # glibc 2.35 to 2.41, x86-64: sizeof(struct pthread) rounded up
    rseq_offset_assumed=True,
    signal_frame_registers={name: 48 + 8 * index for index, name in enumerate(_X86_SIGNAL_ORDER)},
    signal_frame_extras={"err": 200, "trapno": 208, "cr2": 224},
    signal_frame_siginfo=312,
    signal_frame_bytes=440,
)

_ARM_X = tuple(f"x{number}" for number in range(31))

# arch/arm64/include/uapi/asm/ptrace.h and sigcontext.h: siginfo first, then the ucontext, whose mcontext is 16-aligned
# at 176; behind its registers, 16-aligned again, records, of which the kernel writes that of FPSIMD first. The vdso's
# __kernel_rt_sigreturn has no unwind rule (arch/arm64/kernel/vdso/sigreturn.S says why): `mov x8, #139; svc #0`.
AARCH64 = Architecture(
    name="aarch64",
    machine=EM_AARCH64,
    registers=(*_ARM_X, "sp", "pc", "pstate"),
    pc="pc",
    sp="sp",
    frame_pointer="x29",
    link="x30",
    thread_pointer=None,  # in NT_ARM_TLS, not in NT_PRSTATUS
    general=(*_ARM_X, "sp"),
    dwarf=dict(enumerate((*_ARM_X, "sp"))),
    dwarf_return=30,
    red_zone_bytes=0,
    address_bits=49,  # 48 bits of user space, and the kernel half apart
    rseq_offset=-32,  # glibc 2.35 to 2.40: the end of struct pthread, which lies below the thread pointer
    rseq_offset_assumed=False,  # later ones put it into the TLS block, and 32 zero bytes below would read as CPU 0
    signal_frame_registers={name: 312 + 8 * index for index, name in enumerate((*_ARM_X, "sp", "pc", "pstate"))},
    signal_frame_extras={"cr2": 304},
    signal_frame_siginfo=0,
    signal_frame_bytes=128 + 176 + 288 + 8,
    sigreturn=bytes.fromhex("681180d2010000d4"),
    top_byte_ignored=True,
)

ARCHITECTURES = {architecture.machine: architecture for architecture in (X86_64, AARCH64)}
