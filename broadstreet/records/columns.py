"""Every column of every table, declared once: features fill them, stores type them, documents print them."""

from typing import Literal, NamedTuple

Type = Literal["bool", "int", "address", "text"]


class Column(NamedTuple):
    """A column; `unit` is empty for names and yes/no; `null` says what was not observed when it is null."""

    name: str
    type: Type
    unit: str
    meaning: str
    null: str


FEATURES: tuple[Column, ...] = (
    Column("signal", "int", "signal number", "The signal of the crash itself.", "No siginfo and no cursig."),
    Column("si_code", "int", "si_code", "Why the kernel sent it; 0 and below: a process did.", "No NT_SIGINFO."),
    Column(
        "fault_address", "address", "address", "What the kernel gave as si_addr.", "The signal has none; si_code 128."
    ),
    Column("raised_signal", "int", "signal number", "The signal that ended the process.", "No siginfo and no cursig."),
    Column("origin", "text", "", "kernel, self, other_process, timer, or none (alive).", "No NT_SIGINFO or psinfo."),
    Column("sender_pid", "int", "pid", "The process that sent the signal.", "The kernel raised it, or no NT_SIGINFO."),
    Column(
        "context", "text", "", "Registers are from notes, a live signal_frame, or a dead one (recovered).", "Never."
    ),
    Column("self_sent_fault", "bool", "", "The process sent itself a signal that means a fault.", "Origin not known."),
    Column(
        "earlier_context",
        "text",
        "",
        "Where an earlier fault was found: signal_frame, recovered, none.",
        "It was lost.",
    ),
    Column("page_fault_error", "int", "bits", "The page-fault error code.", "Only a signal frame holds it."),
    Column("forked_without_exec", "bool", "", "Task flag PF_FORKNOEXEC.", "No NT_PRPSINFO."),
    Column("in_signal_handler", "bool", "", "A signal frame is among the callers.", "The walk did not reach the end."),
    Column("syscall", "int", "number", "The system call that was refused.", "Only with SIGSYS."),
    Column("pc", "address", "address", "Where the thread was executing.", "No NT_PRSTATUS."),
    Column("sp", "address", "address", "The stack pointer.", "No NT_PRSTATUS."),
    Column("pc_in", "text", "", "executable, nonexecutable, unmapped or noncanonical memory.", "No NT_PRSTATUS."),
    Column("sp_mod_16", "int", "bytes", "The stack pointer modulo 16.", "No NT_PRSTATUS."),
    Column(
        "word_below_sp", "address", "word", "The word that a ret would have popped; x30 on AArch64.", "Not fetched."
    ),
    Column(
        "word_at_sp", "address", "word", "Where a called function finds its return; x30 on AArch64.", "Not fetched."
    ),
    Column("call_before_word_at_sp", "text", "", "The call that ends there: direct, indirect, none.", "No binary."),
    Column("call_reached_pc", "bool", "", "That indirect call had the pc as its target.", "Its target is not known."),
    Column("arrival", "text", "", "How a bad pc was reached: return, call, jump; none: pc is code.", "Words missing."),
    Column("branch_target", "address", "address", "Where the branch at the pc would go.", "No branch, or unknown."),
    Column(
        "bad_branch", "text", "", "How control left the code: return, call, jump, none.", "Arrival or code unknown."
    ),
    Column("pc_on_boundary", "bool", "", "An instruction begins at the pc.", "No binary, or no function known."),
    Column("instruction", "text", "", "The instruction at the pc.", "Its bytes are not at hand, or pc is no code."),
    Column("instruction_kind", "text", "", "call, jump, return, trap, divide, ..., undecodable.", "As above."),
    Column("instruction_source", "text", "", "core or binary.", "As above."),
    Column("access_kind", "text", "", "read, write, fetch, or none.", "Instruction not known."),
    Column("access_address", "address", "address", "The address that failed, given or computed.", "Not known."),
    Column(
        "access_in",
        "text",
        "",
        "null_page, unmapped, noncanonical, readonly, writable, no_rights; no_access: nothing failed.",
        "Address not known.",
    ),
    Column("access_matches", "bool", "", "The instruction can touch the fault address.", "No instruction or address."),
    Column("base_register", "text", "", "The register that the failing address is based on.", "No instruction."),
    Column("base_value", "address", "word", "Its value.", "No instruction."),
    Column("null_base", "bool", "", "The address is a small offset from a null base.", "Address or base not known."),
    Column("poison", "text", "", "The fill pattern of base or address; none.", "Neither is known."),
    Column(
        "sp_in", "text", "", "writable, readonly, no_rights, below_mapping, above_mapping, unmapped.", "No registers."
    ),
    Column(
        "stack_overflow_distance", "int", "bytes", "Access below the stack, with sp near it; 0: not so.", "Unknown."
    ),
    Column("chain", "text", "", "Return addresses by unwind table: whole or broken.", "No table, words or code."),
    Column("stack_shift", "int", "bytes", "Moving sp by this mends the chain; 0: not needed, no help.", "As chain."),
    Column(
        "one_bit_access",
        "text",
        "",
        "Best one-bit repair: noncanonical, twin, near, far, behind (of a pointer loaded through), mapped, none.",
        "No instruction.",
    ),
    Column("one_bit_access_bit", "int", "bit", "Which bit.", "None found."),
    Column("one_bit_sp", "bool", "", "One bit of sp mends the chain.", "As chain."),
    Column("one_bit_pc", "bool", "", "One bit of pc gives code that fits the stack.", "No binary."),
    Column(
        "one_bit",
        "text",
        "",
        "Strict one-bit repair: sp, pc, noncanonical, twin, near, far, behind; none.",
        "One is not known.",
    ),
    Column(
        "code_bits_different", "int", "bits", "Dumped code near pc against the binary.", "Code not dumped; no binary."
    ),
    Column(
        "replay",
        "text",
        "",
        "Registers against the code just executed: agrees, one_bit, lost, differs, unclear; none: no fault.",
        "Nothing could be computed.",
    ),
    Column("replay_register", "text", "", "A register that is not as that code leaves it.", "All are."),
    Column("replay_value", "address", "word", "What it must hold.", "As above."),
    Column("abort_message", "text", "", "glibc's __abort_msg.", "None, or not dumped."),
    Column(
        "abort_kind",
        "text",
        "",
        "heap_corruption, assertion, stack_smashing, fortify, uncaught_exception, message, silent; none: no abort.",
        "No message at hand and no telling frame.",
    ),
    Column("unwinder_frame", "bool", "", "An exception unwinder is among the frames.", "The walk is not whole."),
    Column("unwinder_below_sp", "bool", "", "An unwinder's code pointers are left below sp.", "Words not fetched."),
    Column("unwinder", "text", "", "Where an unwinder was seen: frame, below_sp, none.", "Not seen, and not all was."),
)

# One row per case in CSV and Parquet: these, then every feature.
CASES: tuple[Column, ...] = (
    Column("case_id", "text", "", "The identity of the crash.", "Never."),
    Column("path", "text", "", "The specimen.", "Never."),
    Column("mechanism", "text", "", "The first mechanism that holds, unclassified, or not_judged.", "Never."),
    Column("holds", "text", "", "Every label that holds, comma-separated, in the order of precedence.", "Never."),
    Column("could_not_be_judged", "text", "", "Every label that could not be judged, comma-separated.", "Never."),
    Column(
        "executable", "text", "", "The program: first mapped file, else the collector's or the process's name.", "None."
    ),
    Column("pid", "int", "pid", "The process.", "No NT_PRPSINFO, sidecar or name that holds it."),
    Column("tid", "int", "tid", "The crashing thread.", "No NT_PRSTATUS."),
    Column("thread_count", "int", "threads", "Threads of the process.", "Notes that do not come out even, or are cut."),
    Column("cpu", "int", "cpu", "The CPU that the thread last ran on.", "No rseq area, or not dumped."),
    Column("numa_node", "int", "node", "The NUMA node of that CPU.", "No rseq area; an old kernel writes 0."),
    Column(
        "kernel_release", "text", "", "From the vdso's note; the last part is at most 255.", "No vdso in the core dump."
    ),
    Column("time", "text", "UTC", "When it happened, ISO 8601.", "Nothing says it."),
    Column(
        "time_source",
        "text",
        "",
        "sidecar, xattr, layout, collector, file_name, mtime (never dates an onset), unknown.",
        "Never.",
    ),
    Column("host", "text", "", "Where it happened.", "Nothing says it."),
    Column("host_source", "text", "", "sidecar, xattr, layout, collector, file_name, unknown.", "Never."),
    Column("service", "text", "", "From the sidecar.", "No sidecar."),
    Column("service_release", "text", "", "From the sidecar.", "No sidecar."),
    Column("workload", "text", "", "From the sidecar.", "No sidecar."),
    Column("region", "text", "", "From the sidecar.", "No sidecar."),
    Column(
        "frames", "text", "", "Innermost first: function, else module + offset; joined by |.", "Never; empty: none."
    ),
    Column("missing", "text", "", "What could not be observed, joined by |.", "Never; empty: nothing."),
    Column("bytes_read", "int", "bytes", "Read of the core dump.", "Never."),
    Column("bytes_present", "int", "bytes", "The size of the file.", "Never."),
    Column("architecture", "text", "", "x86_64 or aarch64.", "Never."),
    Column("reader_version", "int", "version", "Of the reader that made this row.", "Never."),
    Column("rules_version", "int", "version", "Of the rules.", "Never."),
)
