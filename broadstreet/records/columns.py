"""Every column of every table, declared once: features fill them, stores type them, documents print them."""

from typing import Literal, NamedTuple

Type = Literal["bool", "int", "float", "address", "text", "time", "bytes", "ints", "texts", "labels", "registers"]


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


class Table(NamedTuple):
    """A table of the casebook. A row of one with a `key` never changes and is never written twice."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()


READING = Column("reading", "int", "number", "The reading of a specimen that this row came of; random.", "Never.")
TRACE_ID = Column(
    "trace_id", "text", "", "BLAKE2b of the frames without what differs from process to process.", "Never."
)
MODULE_SET = Column("module_set", "text", "", "BLAKE2b of the files that were mapped as code.", "Never.")
_OTHERWISE = ("frames", "time")  # of CASES: they stand with the trace; it is a text there

SPECIMENS = Table(
    "specimens",
    "What was read: one row for each reading of a specimen. A row here is what makes a reading visible.",
    (
        Column("specimen_id", "text", "", "BLAKE2b of location, size and stamp.", "Never."),
        Column("generation", "int", "count", "0: first read; more: read or judged again so many times.", "Never."),
        READING,
        Column("location", "text", "", "Absolute path or URL.", "There is a case: it is the case's path."),
        Column("size", "int", "bytes", "Of the file, as it was listed.", "Never."),
        Column("stamp", "text", "", "ETag, or modification time in nanoseconds.", "Never."),
        Column("unreadable", "text", "", "Why there is no case: what aggregates count by.", "There is a case."),
        Column("reason", "text", "", "The same in full.", "There is a case."),
        Column("retry", "bool", "", "The next scan reads it again: its source failed.", "There is a case."),
        Column("reader_version", "int", "version", "Of the reader.", "Never."),
        Column("scan", "text", "", "The scan that read it.", "Never."),
        Column("added", "time", "UTC", "When it was read, by the clock of the reader.", "Never."),
    ),
    ("specimen_id", "generation"),
)
STORED_CASES = Table(
    "cases",
    "What each reading shows, sorted by time: one row for each case, older ones are history.",
    (
        READING,
        *(column for column in CASES if column.name not in _OTHERWISE),
        Column("time", "time", "UTC", "When it happened.", "Nothing says it."),
        TRACE_ID,
        MODULE_SET,
        Column("uid", "int", "uid", "The user.", "Nothing says it."),
        Column("boot_id", "text", "", "The boot, as the collector names it.", "Nothing says it."),
        Column("labels", "labels", "", "Free labels of sidecar or layout.", "Never; empty: none."),
        Column("registers", "registers", "word", "General registers of the crashing thread.", "Never; empty: none."),
        Column("module_starts", "ints", "bytes", "Start of the first module, then from each to the next.", "Never."),
        Column("threads", "ints", "", "tid, pc and sp of each thread that was read.", "Never; empty: none."),
        Column("evidence", "int", "number", "The reading whose evidence is this one's.", "None is kept."),
        Column("gaps", "text", "JSON", "What could not be observed: [what, why, remedy], ...", "Never."),
        Column("lacking", "texts", "", "Build ids (else paths) of the binaries that it lacked.", "Never; empty: none."),
        *FEATURES,
    ),
)
TRACES = Table(
    "traces",
    "Each distinct trace once, innermost frame first. The lists run in parallel.",
    (
        TRACE_ID,
        next(column for column in CASES if column.name == "frames"),
        Column("parts", "texts", "", "frames, below_sp (already returned) or handler.", "Never."),
        Column("modules", "ints", "number", "The frame's module by its place in the module set; -1: none.", "Never."),
        Column("module_paths", "texts", "", "Its path.", "Element: none is known."),
        Column("build_ids", "texts", "", "Its build id.", "Element: not known."),
        Column("offsets", "ints", "bytes", "From the module's first mapped byte.", "Element: no module."),
        Column("pcs", "ints", "address", "Where no module is known; signed.", "Element: a module is known."),
        Column("sp_offsets", "ints", "bytes", "Stack pointer from that of the case.", "Element: not known."),
        Column("functions", "texts", "", "The function, as the linker names it.", "Element: not known."),
        Column("function_offsets", "ints", "bytes", "From its start.", "Element: not known."),
        Column("trusts", "texts", "", "How the frame was found.", "Never."),
        Column("kinds", "ints", "bits", "1: a signal frame; 2: the pc lies after a call.", "Never."),
    ),
    ("trace_id",),
)
MODULES = Table(
    "modules",
    "Each distinct set of modules once: a row for each file that was mapped as code.",
    (
        MODULE_SET,
        Column("number", "int", "number", "By address.", "Never."),
        Column("path", "text", "", "As it was mapped.", "Never."),
        Column("build_id", "text", "", "Of the file.", "Not in the core dump."),
        Column("build_id_source", "text", "", "core, or file (at that path on the reading machine).", "No build id."),
        Column("size", "int", "bytes", "From its first to its last mapped byte.", "Never."),
        Column("found", "bool", "", "Its binary was at hand.", "Never."),
    ),
    ("module_set", "number"),
)
FINDINGS = Table(
    "findings",
    "Every rule's answer about every reading.",
    (
        READING,
        Column("number", "int", "number", "The rule's place in the order of precedence.", "Never."),
        Column("label", "text", "", "The rule.", "Never."),
        Column("state", "text", "", "holds, does_not_hold or not_judged.", "Never."),
        Column("needs", "text", "", "The features that were missing, comma-separated.", "It could be judged."),
    ),
)
EVIDENCE = Table(
    "evidence",
    "A slim core dump for each reading, so that each answer can be checked when the core dump is gone.",
    (
        READING,
        Column("kept", "text", "", "pointers, or full.", "Never."),
        Column("core", "bytes", "", "An ELF core dump.", "Never."),
    ),
)
SCANS = Table(
    "scans",
    "What was asked, and what came of it: a row when a scan starts, one when it ends.",
    (
        Column("scan", "text", "", "Its name; random.", "Never."),
        Column("sources", "texts", "", "What was read.", "Never."),
        Column("version", "text", "", "Of Broad Street.", "Never."),
        Column("started", "time", "UTC", "When it began.", "Never."),
        Column("ended", "time", "UTC", "When it ended.", "It has not, or it was killed."),
        Column("read", "int", "specimens", "Read now.", "It has not ended."),
        Column("known", "int", "specimens", "Read before, and left alone.", "It has not ended."),
        Column("unreadable", "int", "specimens", "Not readable, of those read now.", "It has not ended."),
    ),
)
COMMITS = Table(
    "commits",
    "The versions of the casebook: each row names the version of every table.",
    (
        Column("number", "int", "version", "Of the casebook: 1, 2, 3 ...", "Never."),
        Column("made", "time", "UTC", "When, by the clock of the writer.", "Never."),
        Column("verb", "text", "", "scan, reread, relabel, fleet, group, tidy, forget or pin.", "Never."),
        Column("tables", "text", "JSON", "The version of each table.", "Never."),
        Column("note", "text", "", "What was done.", "Never."),
        Column("pinned", "ints", "version", "Versions of the casebook that verdicts cite, which are kept.", "Never."),
    ),
    ("number",),
)
CASEBOOK: tuple[Table, ...] = (
    SPECIMENS,
    STORED_CASES,
    TRACES,
    MODULES,
    FINDINGS,
    EVIDENCE,
    SCANS,
    COMMITS,
)


class FleetTable(NamedTuple):
    """A table that a fleet gives (docs/fleet.md).

    Rows of one `key` must not hold at the same time. `needs` must have a value in every row, and so must one column
    of each of `one_of`. `measures` are summed: a row twice would double them.
    """

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    needs: tuple[str, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    measures: tuple[str, ...] = ()


_FROM = Column("from", "time", "UTC", "Since when the row holds.", "Since before anything that is known.")
_TO = Column("to", "time", "UTC", "From when it holds no more.", "Open: until a later row of the same key begins.")
_EXPOSURES = Column("exposures", "labels", "", "Every other column of the file, as text.", "Never; empty: no other.")
_HOST = Column("host", "text", "", "The name that the host has in its core dumps' sidecars.", "Never.")
_PLACES = (
    Column("region", "text", "", "The geographic region.", "Not told."),
    Column("zone", "text", "", "The zone of the region.", "Not told."),
    Column("rack", "text", "", "The rack.", "Not told."),
    Column("sku", "text", "", "The kind of machine that was bought or rented.", "Not told."),
    Column("cpu_model", "text", "", "The model of its CPU.", "Not told."),
    Column("microcode", "text", "", "The revision of its microcode.", "Not told."),
    Column("kernel_release", "text", "", "What uname -r says.", "Not told."),
)
_SERVICES = (
    Column("service", "text", "", "The service.", "Not told."),
    Column("service_release", "text", "", "Its release.", "Not told."),
    Column("workload", "text", "", "What it was doing.", "Not told."),
)

FLEET: dict[str, FleetTable] = {
    table.name: table
    for table in (
        FleetTable(
            "hosts",
            "One boot of one host in one place.",
            (
                _HOST,
                *_PLACES,
                Column("boot_time", "time", "UTC", "When it booted; may lie before `from`.", "Not told."),
                *(_FROM, _TO, _EXPOSURES),
            ),
            key=("host",),
            needs=("host",),
        ),
        FleetTable(
            "placements",
            "The physical host that a virtual one ran on.",
            (_HOST, Column("physical_host", "text", "", "The machine under it.", "Never."), _FROM, _TO, _EXPOSURES),
            key=("host",),
            needs=("host", "physical_host"),
        ),
        FleetTable(
            "services",
            "What ran on a host, or in a whole region.",
            (
                Column("host", "text", "", "Where it ran.", "The row is of a region."),
                Column("region", "text", "", "Where it ran, if no host is given.", "The row is of a host."),
                *(_SERVICES[0]._replace(null="Never."), *_SERVICES[1:], _FROM, _TO, _EXPOSURES),
            ),
            key=("host", "region", "service"),
            needs=("service",),
            one_of=(("host", "region"),),
        ),
        FleetTable(
            "builds",
            "The library and release that a build id is.",
            (
                Column("build_id", "text", "", "As in the ELF file, in hex.", "Never."),
                Column("library", "text", "", "The soname, or the name of the program.", "Never."),
                Column("library_release", "text", "", "Its release.", "Not told."),
                _EXPOSURES,
            ),
            key=("build_id",),
            needs=("build_id", "library"),
        ),
        FleetTable(
            "at_risk",
            "Time during which a crash could happen, crashed or not.",
            (
                *(_HOST._replace(null="Not told."), Column("physical_host", "text", "", "As placements.", "Not told.")),
                *(*_PLACES, *_SERVICES, Column("tenant", "text", "", "Whose work it was.", "Not told.")),
                *(_FROM._replace(null="Never."), _TO._replace(null="Never.")),
                Column("host_hours", "float", "hours", "Hours that hosts were up.", "Not counted."),
                Column("process_hours", "float", "hours", "Hours that processes ran.", "Not counted."),
                Column("exceptions", "int", "exceptions", "Exceptions thrown, or another count.", "Not counted."),
                _EXPOSURES,
            ),
            key=(
                *("host", "physical_host", *(place.name for place in _PLACES)),
                *("service", "service_release", "workload", "tenant", "exposures"),
            ),
            needs=("from", "to"),
            one_of=(("host_hours", "process_hours", "exceptions"),),
            measures=("host_hours", "process_hours", "exceptions"),
        ),
        FleetTable(
            "fatal_signals",
            "How many processes a fatal signal ended, captured or not; an hour without a row had none.",
            (
                _HOST,
                Column("hour", "time", "UTC", "The hour, by its beginning.", "Never."),
                Column("count", "int", "signals", "Processes that it ended in that hour.", "Never."),
                _EXPOSURES,
            ),
            key=("host", "hour"),
            needs=("host", "hour", "count"),
            measures=("count",),
        ),
    )
}
STORED_FLEET: tuple[Table, ...] = tuple(Table(one.name, one.meaning, one.columns) for one in FLEET.values())

ASSIGNMENTS = Table(
    "assignments",
    "Which syndrome each trace was put into, and why. Rows are only added; the newest of a trace counts.",
    (
        TRACE_ID,
        Column("trace", "text", "", "The exact key: hash of the trusted, normalised frames.", "Never."),
        Column("frames", "texts", "", "These frames, innermost first; ~: had returned.", "Never."),
        Column("syndrome", "text", "", "As it was then; what people merged since stands in syndrome_events.", "Never."),
        Column("outcome", "text", "", "same, new, ask (new, but near to its rival), or person.", "Never."),
        Column("similarity", "float", "", "To the nearest trace of the syndrome.", "It founded it."),
        Column("probability", "float", "", "That both have one cause, as in the lab.", "As similarity."),
        Column("nearest", "text", "", "The exact key of that trace.", "As similarity."),
        Column(
            "aligned", "text", "JSON", "Frames of both, with what each counted: [frame, weight], ...", "As similarity."
        ),
        Column("rival", "text", "", "The nearest other syndrome.", "There is none."),
        Column("margin", "float", "", "The probability less that of the rival.", "There is no rival."),
        Column("algorithm", "text", "", "The version of the grouping, and of the rules on frames.", "Never."),
        Column("made", "time", "UTC", "When, by the clock of the writer.", "Never."),
    ),
)
SYNDROME_EVENTS = Table(
    "syndrome_events",
    "What people, and later evidence, said of syndromes. Rows are only added, and every recomputation obeys them.",
    (
        Column("number", "int", "number", "1, 2, 3 ...; a later one outweighs an earlier one.", "Never."),
        Column("kind", "text", "", "merge, split, name, note or rules.", "Never."),
        Column("syndrome", "text", "", "Of a merge: the one that goes. Of a split: the parent.", "Rules."),
        Column("other", "text", "", "Of a merge: the one that stays. Of a split: the child.", "Name, note, rules."),
        Column("text", "text", "", "The name, note or rules; of a split: which traces went.", "Not said."),
        Column("author", "text", "", "Who said it; broadstreet: a trace that was like both.", "Never."),
        Column("made", "time", "UTC", "When, by the clock of the writer.", "Never."),
    ),
    ("number",),
)
GROUPING: tuple[Table, ...] = (ASSIGNMENTS, SYNDROME_EVENTS)
JUDGEMENTS = Table(
    "judgements",
    "What people said of verdicts. Rows are only added; the newest of an outbreak counts.",
    (
        Column("number", "int", "number", "1, 2, 3 ...; a later one outweighs an earlier one.", "Never."),
        Column("outbreak", "text", "", "The id of the outbreak whose verdict it is about.", "Never."),
        Column("formerly", "text", "", "Its id when it was judged before, if that was another.", "It was not."),
        Column("kind", "text", "", "confirm, refute or withdraw.", "Never."),
        Column("says", "text", "", "The verdict then: hardware, software or undetermined.", "Never."),
        Column("certainty", "float", "", "The probability, as stated, that this verdict is right.", "Never."),
        Column("held", "text", "", "Why no verdict might be given.", "One might be."),
        Column("syndrome", "text", "", "Of the outbreak.", "It is of several."),
        Column("cohort", "text", "JSON", "Who was hit, by exposure; nobody in particular: {}.", "Never."),
        Column("version", "int", "", "The version of the casebook that gave the verdict.", "Never."),
        Column("truth", "text", "", "What it really was: hardware, software, or something else.", "Not said."),
        Column("text", "text", "", "A note.", "Not said."),
        Column("author", "text", "", "Who said it.", "Never."),
        Column("made", "time", "UTC", "When, by the clock of the writer.", "Never."),
    ),
    ("number",),
)
OPTIONAL: tuple[Table, ...] = (*STORED_FLEET, *GROUPING, JUDGEMENTS)  # that a casebook has once something is in them
