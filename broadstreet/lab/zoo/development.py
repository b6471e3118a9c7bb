"""The development set: what the rules may be tuned on."""

import signal

from broadstreet.lab.zoo.entries import UNLABELLED, Build, Catalogue, Program, Variant, alike
from broadstreet.lab.zoo.interpreted import FAULTHANDLER, INTERPRETED, PYTHON

BUILDS = (
    Build("O0", ("-O0",)),
    Build("O2", ("-O2",)),
    Build("O2-nopie-stripped", ("-O2", "-no-pie", "-fno-pie", "-s")),
    Build("O0-nopie", ("-O0", "-no-pie", "-fno-pie")),
    Build("O2-fp", ("-O2", "-fno-omit-frame-pointer")),
    Build("O1-nofp", ("-O1", "-fomit-frame-pointer")),
    Build("clang-O0", ("-O0",), "clang"),
    Build("clang-O2", ("-O2",), "clang"),
    PYTHON,
)
OPTIMISED = ("O2", "O2-nopie-stripped", "O2-fp")
WITH_FRAME_POINTER = ("O0", "O0-nopie", "O2-fp")
FORTIFIED = (*OPTIMISED, "O1-nofp")
PIE = ("O0", "O2", "O2-fp", "O1-nofp")

AGAIN = "the handler restores the default and raises, on return the signal is delivered at the faulting instruction"
VARIANTS = (
    Variant("plain"),
    Variant("thread"),
    Variant("forked", holds=("forked_child",)),
    Variant("forked_threaded", holds=("forked_child",), note="the parent had other threads: the child has one"),
    Variant("in_handler", holds=("in_signal_handler",)),
    Variant("in_handler_alternate", holds=("in_signal_handler",)),
    Variant("raised_alternate", holds=("re_raised",), open=("in_signal_handler",), note=AGAIN),
    Variant("raised_same", holds=("re_raised",), open=("in_signal_handler",), needs_stack=True, note=AGAIN),
    Variant(
        "raised_live", holds=("re_raised",), open=("in_signal_handler",), unwinds=True, note="raised inside the handler"
    ),
    Variant("aborted", holds=("re_raised",), open=("in_signal_handler",), signal=signal.SIGABRT),
    Variant("aborted_same", holds=("re_raised",), open=("in_signal_handler",), signal=signal.SIGABRT, needs_stack=True),
    Variant(
        "executed_again", note="the handler resets and returns: the fault happens a second time, nothing is raised"
    ),
    FAULTHANDLER,
)
EVERY = tuple(variant.name for variant in VARIANTS if variant is not FAULTHANDLER)
NO_HANDLER = ("thread", "forked", "in_handler")
ON_CHECK = ("thread", "raised_alternate")
OVERFLOW = ("thread", "forked", "raised_alternate", "raised_same", "raised_live", "aborted")
TEARS = ("forked", "forked_threaded", "raised_alternate", "aborted")
TURNS = (
    ("thread", "raised_alternate"),
    ("forked", "raised_same"),
    ("in_handler", "aborted"),
    ("in_handler_alternate", "raised_live"),
    ("executed_again", "aborted_same"),
)

CONTROL = ("control.c", "frames.S")
MEMORY = ("memory.c", "frames.S")
TRAPS = ("traps.c",)
ABORTS = ("aborts.c",)
EXCEPTIONS = ("exceptions.cc",)
OBJECTS = ("objects.cc",)
RACES = ("races.c",)

PERTURB = (("MALLOC_PERTURB_", "90"),)

IMITATION = "imitates a bad processor by hand: rsp moves by eight behind the back of the unwind tables"
ABI = "hand-written assembler breaks the ABI's alignment; the unwind tables are right and the chain is whole"
FILE_SIZE = "si_code is SI_USER and si_pid the process itself: the kernel sends it so"
SELF = "the program sends the signal to itself; no fault came before"
INDEX = "whether the base was null or the index wrong depends on what the compiler left in the registers"


RETURNS = (
    *alike(CONTROL, "return_to_null", "return_zero_slot", "return_zero_stale"),
    Program("return_zero_overrun", CONTROL, ("return_to_null",), variants=EVERY, note="memset past a local array"),
    Program("return_zero_pushed", CONTROL, ("return_to_null",), note="push 0; ret, by hand"),
    *alike(CONTROL, "return_to_nonexecutable", "return_heap", "return_data", "return_constants", "return_stack"),
    Program("return_unmapped", CONTROL, ("return_to_nonexecutable",), stops_unwinder=True),
    Program("return_small_number", CONTROL, ("return_to_nonexecutable",), stops_unwinder=True, note="pops 0x1f"),
    Program(
        "return_text",
        CONTROL,
        ("return_to_nonexecutable",),
        stops_unwinder=True,
        variants=EVERY,
        note="pops text: the ret itself faults",
    ),
    Program("return_integers", CONTROL, ("return_to_nonexecutable",), builds=OPTIMISED, note="two ints in the slot"),
)

CALLS = (
    Program("call_null", CONTROL, ("call_to_null",), variants=EVERY),
    Program("call_null_member", CONTROL, ("call_to_null",)),
    Program("jump_null_tail", CONTROL, ("call_to_null",), note="a tail jump when optimised"),
    Program("jump_null_assembler", CONTROL, ("call_to_null",), note="jmp *%rdi with rdi 0"),
    Program(
        "jump_null_over_zero",
        CONTROL,
        ("call_to_null",),
        note="jmp *%rdi with rdi 0 and a stale zero below rsp: only the code at the call before [rsp] tells",
    ),
    Program("call_null_weak", CONTROL, ("call_to_null",), note="an undefined weak function; without PIE a direct call"),
    Program("call_null_comparator", CONTROL, ("call_to_null",), note="called by the C library"),
    Program("call_null_thread_start", CONTROL, ("call_to_null",), note="called by the thread library"),
    *alike(CONTROL, "jump_to_nonexecutable", "call_data", "call_heap", "call_constants"),
    Program("call_unmapped", CONTROL, ("jump_to_nonexecutable",), stops_unwinder=True),
    Program("call_small_number", CONTROL, ("jump_to_nonexecutable",), stops_unwinder=True, note="calls 0x1f"),
    Program("call_noncanonical", CONTROL, ("jump_to_nonexecutable",), note="the call itself faults"),
    Program("call_freed_object", CONTROL, ("jump_to_nonexecutable",), note="a pointer made of text, read from memory"),
    Program("jump_data_tail", CONTROL, ("jump_to_nonexecutable",), note="a tail jump when optimised"),
    Program("jump_unmapped_assembler", CONTROL, ("jump_to_nonexecutable",), stops_unwinder=True),
    Program(
        "call_closed_library",
        CONTROL,
        ("jump_to_nonexecutable",),
        stops_unwinder=True,
        note="into a library after dlclose",
    ),
    Program("call_unmapped_code", CONTROL, ("jump_to_nonexecutable",), stops_unwinder=True),
    Program("call_code_made_writable", CONTROL, ("jump_to_nonexecutable",)),
)

STACKS = (
    Program("misaligned_low_return", CONTROL, ("misaligned_stack",), note=IMITATION, variants=EVERY),
    Program("misaligned_low_return_text", CONTROL, ("misaligned_stack",), stops_unwinder=True, note=IMITATION),
    Program(
        "misaligned_low_return_zero",
        CONTROL,
        ("misaligned_stack", "return_to_null"),
        note=IMITATION + "; the word popped is zero, both are true",
    ),
    *alike(CONTROL, "misaligned_stack", "misaligned_high_return", note=IMITATION),
    Program("misaligned_high_return_number", CONTROL, ("misaligned_stack",), stops_unwinder=True, note=IMITATION),
    *alike(CONTROL, "misaligned_stack", "misaligned_high_call", "misaligned_low_deep", note=IMITATION),
    Program("misaligned_low_call", CONTROL, ("misaligned_stack",), note=IMITATION, variants=EVERY),
    *alike(CONTROL, UNLABELLED, "unaligned_caller", "unaligned_caller_push", "unaligned_caller_print", note=ABI),
    Program("unaligned_heap_vector", CONTROL, (UNLABELLED,), note="movaps to an odd heap address; the stack is right"),
    Program(
        "wild_push_unmapped", CONTROL, ("wild_stack_pointer",), stack_lost=True, stops_unwinder=True, variants=EVERY
    ),
    Program(
        "wild_push_noncanonical", CONTROL, ("wild_stack_pointer",), signal.SIGBUS, stack_lost=True, stops_unwinder=True
    ),
    *alike(
        CONTROL,
        "wild_stack_pointer",
        "wild_call_unmapped",
        "wild_return_unmapped",
        "wild_push_null",
        stack_lost=True,
        stops_unwinder=True,
    ),
    Program(
        "coroutine_overflow",
        CONTROL,
        ("stack_overflow",),
        stack_lost=True,
        note="of a coroutine stack with a guard page",
    ),
    Program(
        "coroutine_read_only",
        CONTROL,
        ("write_to_readonly",),
        stack_lost=True,
        note="the stack was made read-only: rsp is right",
    ),
    Program(
        "coroutine_unmapped",
        CONTROL,
        ("wild_stack_pointer", "unmapped_access"),
        stack_lost=True,
        stops_unwinder=True,
        note="the stack was unmapped while the coroutine waited: rsp was right once, one core cannot tell",
    ),
    Program("overflow_recursion", CONTROL, ("stack_overflow",), stack_lost=True, variants=OVERFLOW),
    Program("overflow_alloca", CONTROL, ("stack_overflow",), stack_lost=True, variants=OVERFLOW[:2]),
    Program("overflow_through_library", CONTROL, ("stack_overflow",), stack_lost=True, variants=OVERFLOW[:2]),
    Program("write_below_mapping", CONTROL, ("unmapped_access",), note="just below a mapping that is no stack"),
)

NULLS = (
    *alike(MEMORY, "null_dereference", "null_read", "null_write", "null_field_40", "null_field_ff8", "null_chain"),
    Program("null_field_8", MEMORY, ("null_dereference",), variants=EVERY),
    *alike(MEMORY, "null_dereference", "null_strlen", "null_memcpy", note="inside the C library"),
    *alike(
        MEMORY, ("null_dereference", "unmapped_access"), "null_array_far", "null_index", "small_negative", note=INDEX
    ),
    *alike(
        MEMORY,
        ("unmapped_access", "null_dereference"),
        "small_number_10",
        "small_number_5000",
        note="a small number used as a pointer looks like a field of a null structure",
    ),
    Program("small_number_as_pointer", MEMORY, ("unmapped_access",), note="0x1e240: too large for a field"),
    Program("minus_one", MEMORY, ("unmapped_access",), note="address -1"),
)

WILD = (
    *alike(MEMORY, "noncanonical_access", "noncanonical_read", "noncanonical_field", "noncanonical_write"),
    *alike(MEMORY, "noncanonical_access", "noncanonical_index", "noncanonical_strlen", "noncanonical_free"),
    Program("noncanonical_rbp", MEMORY, ("noncanonical_access",), signal.SIGBUS, variants=EVERY),
    Program(
        "noncanonical_rsp",
        MEMORY,
        ("noncanonical_access", "wild_stack_pointer"),
        signal.SIGBUS,
        stack_lost=True,
        stops_unwinder=True,
        note="a store through rsp, which is itself wild",
    ),
    Program("noncanonical_tag", MEMORY, ("noncanonical_access",), note="a tag in the high bits of a good pointer"),
    Program(
        "noncanonical_smashed_base",
        MEMORY,
        ("noncanonical_access",),
        signal.SIGBUS,
        builds=WITH_FRAME_POINTER,
        note="a saved rbp was overwritten with text",
    ),
    *alike(MEMORY, "poison_access", "poison_dead_beef", "poison_dead_beef_short", "poison_int3_fill", "poison_junk"),
    *alike(MEMORY, "poison_access", "poison_list", "poison_feee"),
    Program("poison_freed", MEMORY, ("poison_access",), environment=PERTURB, note="freed fill 0x5a"),
    Program("poison_uninitialised", MEMORY, ("poison_access",), environment=PERTURB, note="new fill 0xa5"),
    *alike(MEMORY, "unmapped_access", "unmapped_after_munmap", "unmapped_freed_block", "unmapped_past_end"),
    *alike(MEMORY, "unmapped_access", "unmapped_write", "unmapped_huge_index", "unmapped_heap_index"),
    Program("unmapped_read", MEMORY, ("unmapped_access",)),
    Program("unmapped_truncated_pointer", MEMORY, ("unmapped_access",), builds=PIE, note="a pointer kept in an int"),
    *alike(
        MEMORY,
        ("unmapped_access", UNLABELLED),
        "refused_read",
        "refused_thread_guard",
        note="the page is mapped without any right: no label names that",
    ),
    *alike(MEMORY, "write_to_readonly", "readonly_literal", "readonly_constant", "readonly_relocated", "readonly_code"),
    *alike(MEMORY, "write_to_readonly", "readonly_strtok", "readonly_protected", "readonly_file"),
    Program("use_after_free_reused", MEMORY, ("noncanonical_access",), note="use after free: text stands there now"),
    Program(
        "use_after_free_next", MEMORY, ("unmapped_access",), builds=PIE, note="the allocator's safe-linked pointer"
    ),
    Program("overrun_into_pointer", MEMORY, ("noncanonical_access",), note="heap overrun into a neighbour's pointer"),
    Program("overrun_low_bytes", MEMORY, ("unmapped_access",), note="overrun of the five low bytes of a pointer"),
    Program("uninitialised_pointer", MEMORY, ("noncanonical_access",), note="text of an earlier frame"),
)

TRAPPED = (
    *alike(TRAPS, "illegal_instruction", "illegal_byte", "illegal_salc", "illegal_lock", signal=signal.SIGILL),
    Program(
        "illegal_ud1",
        TRAPS,
        ("illegal_instruction", "deliberate_trap"),
        signal.SIGILL,
        note="ud1 is undefined on purpose, and some compilers trap with it",
    ),
    Program(
        "illegal_on_this_processor",
        TRAPS,
        ("illegal_instruction",),
        signal.SIGILL,
        note="ldtilecfg; a processor with AMX does not refuse it",
    ),
    Program("illegal_jump_into_garbage", TRAPS, ("illegal_instruction",), signal.SIGILL),
    Program("illegal_jump_into_text", TRAPS, ("illegal_instruction",), signal.SIGILL),
    *alike(TRAPS, "deliberate_trap", "trap_builtin", "trap_ud2", "trap_overflow_check", signal=signal.SIGILL),
    *alike(TRAPS, "deliberate_trap", "trap_breakpoint", "trap_int_3", signal=signal.SIGTRAP, variants=NO_HANDLER),
    *alike(
        TRAPS, "divide_error", "divide_zero", "divide_minimum", "divide_modulo", "divide_quotient", signal=signal.SIGFPE
    ),
    Program(
        "float_divide",
        TRAPS,
        ("divide_error", UNLABELLED),
        signal.SIGFPE,
        note="FPE_FLTDIV: a division by zero, though not of integers",
    ),
    Program("float_overflow", TRAPS, (UNLABELLED,), signal.SIGFPE, note="FPE_FLTOVF: no division"),
    *alike(
        TRAPS,
        (UNLABELLED, "illegal_instruction"),
        "privileged_halt",
        "privileged_interrupts",
        note="a privileged instruction: general protection, the address is not wrong",
    ),
    *alike(
        TRAPS,
        "bus_error_truncated_file",
        "truncated_read",
        "truncated_memcpy",
        "short_file_write",
        signal=signal.SIGBUS,
    ),
    *alike(
        TRAPS, "bus_error_alignment", "alignment_load", "alignment_store", signal=signal.SIGBUS, variants=("thread",)
    ),
    *alike(TRAPS, "protection_key", "protection_key_write", "protection_key_read"),
    Program("syscall_killed", TRAPS, ("bad_syscall",), signal.SIGSYS, variants=NO_HANDLER),
    Program("syscall_trapped", TRAPS, ("bad_syscall",), signal.SIGSYS, variants=ON_CHECK),
    Program("limit_cpu", TRAPS, ("resource_limit",), signal.SIGXCPU, builds=("O2",), variants=("thread",)),
    Program("limit_file_size", TRAPS, ("resource_limit",), signal.SIGXFSZ, variants=NO_HANDLER, note=FILE_SIZE),
    *alike(TRAPS, "sent_by_process", "sent_segv", "sent_queued", variants=ON_CHECK),
    Program("sent_abort", TRAPS, ("sent_by_process",), signal.SIGABRT, variants=ON_CHECK),
    Program("sent_quit", TRAPS, ("sent_by_process",), signal.SIGQUIT, variants=("thread", "in_handler")),
    Program("sent_bus", TRAPS, ("sent_by_process",), signal.SIGBUS, variants=("plain",)),
    Program("sent_while_busy", TRAPS, ("sent_by_process",), signal.SIGILL, variants=("thread",)),
    Program("raised_by_itself", TRAPS, (UNLABELLED,), variants=("plain",), note=SELF),
    Program("killed_by_itself", TRAPS, (UNLABELLED,), signal.SIGQUIT, variants=("plain",), note=SELF),
)

CHECKED = (
    *alike(
        ABORTS,
        "abort_heap_corruption",
        "double_free_cache",
        "double_free_fast",
        "double_free_large",
        "heap_top_size",
        "heap_free_middle",
        "heap_free_stack",
        "heap_free_size",
        "heap_unsorted",
        "heap_overrun_size",
        "heap_realloc",
        "heap_unaligned_cache",
        signal=signal.SIGABRT,
        open=("re_raised",),
        variants=ON_CHECK,
    ),
    Program(
        "heap_top_size_small",
        ABORTS,
        ("abort_heap_corruption", "abort_assertion"),
        signal.SIGABRT,
        variants=NO_HANDLER,
        note="an assertion of malloc itself",
    ),
    *alike(
        ABORTS,
        "abort_assertion",
        "assertion",
        "assertion_error",
        "assertion_deep",
        signal=signal.SIGABRT,
        variants=NO_HANDLER,
    ),
    Program(
        "assertion_imitated",
        ABORTS,
        ("abort_other",),
        signal.SIGABRT,
        variants=("thread",),
        note="prints what assert() prints, then calls abort()",
    ),
    *alike(
        ABORTS,
        "abort_stack_smashing",
        "smashed_text",
        "smashed_zero",
        "smashed_one_byte",
        signal=signal.SIGABRT,
        variants=NO_HANDLER,
    ),
    *alike(
        ABORTS,
        "abort_fortify",
        "fortify_memcpy",
        "fortify_sprintf",
        "fortify_strcpy",
        "fortify_descriptor",
        "fortify_longjmp",
        signal=signal.SIGABRT,
        builds=FORTIFIED,
        variants=("thread", "in_handler"),
    ),
    Program("fortify_percent_n", ABORTS, ("abort_fortify",), signal.SIGABRT, builds=FORTIFIED, variants=("thread",)),
    *alike(
        ABORTS,
        "abort_other",
        "abort_plain",
        "abort_deep",
        "abort_with_message",
        signal=signal.SIGABRT,
        variants=NO_HANDLER,
    ),
    Program("abort_raised", ABORTS, ("abort_other", UNLABELLED), signal.SIGABRT, variants=("plain",), note=SELF),
)

THROWN = (
    *alike(
        EXCEPTIONS,
        "abort_uncaught_exception",
        "uncaught_deep",
        "uncaught_number",
        "uncaught_range",
        "uncaught_memory",
        "uncaught_noexcept",
        "uncaught_in_destructor",
        signal=signal.SIGABRT,
        open=("unwinding_exception",),
        variants=NO_HANDLER[:2],
    ),
    *alike(
        EXCEPTIONS,
        "abort_uncaught_exception",
        "uncaught_again",
        "terminated",
        "terminated_joinable",
        signal=signal.SIGABRT,
        variants=NO_HANDLER[:2],
        note="std::terminate without an exception in flight",
    ),
    Program("pure_virtual", EXCEPTIONS, ("abort_uncaught_exception",), signal.SIGABRT, variants=NO_HANDLER[:2]),
    Program(
        "caught_and_aborted",
        EXCEPTIONS,
        ("abort_other",),
        signal.SIGABRT,
        variants=("thread",),
        note="abort() in a catch block: the unwinding is over",
    ),
    *alike(EXCEPTIONS, "null_dereference", "unwinding_null", holds=("unwinding_exception",)),
    *alike(EXCEPTIONS, "noncanonical_access", "unwinding_noncanonical", holds=("unwinding_exception",)),
    *alike(EXCEPTIONS, "call_to_null", "unwinding_call_null", holds=("unwinding_exception",)),
    *alike(EXCEPTIONS, "return_to_null", "unwinding_return_zero", holds=("unwinding_exception",), variants=EVERY),
    Program("caught_then_null", EXCEPTIONS, ("null_dereference",), note="in a catch block: the unwinding is over"),
    Program("destructor_null", EXCEPTIONS, ("null_dereference",), note="in a destructor, no exception is thrown"),
    Program("null_object", EXCEPTIONS, ("null_dereference",), note="the table of virtual functions of no object"),
    Program("null_table", EXCEPTIONS, ("null_dereference",), note="a zeroed object: the table's address is null"),
    Program("wrong_table", EXCEPTIONS, ("call_to_null",), note="a table of zeros"),
)

FREED = (
    Program("virtual_after_free_text", OBJECTS, ("noncanonical_access",), note="the call loads from a table of text"),
    Program("virtual_after_free_linked", OBJECTS, ("unmapped_access",), builds=PIE, note="the allocator's safe link"),
    Program("virtual_after_free_zeroed", OBJECTS, ("null_dereference",), note="the table's address is null"),
    Program("virtual_after_free_other", OBJECTS, ("jump_to_nonexecutable",), note="a table of addresses of data"),
    Program("write_after_free_text", OBJECTS, ("noncanonical_access",), note="the block's next owner crashes"),
    Program("write_after_free_counts", OBJECTS, ("unmapped_access",), note="the block's next owner crashes"),
)

TORN = (
    Program("torn_pointer_halves", RACES, ("unmapped_access",), variants=TEARS, note="written as two halves"),
    Program("torn_pointer_line", RACES, ("unmapped_access",), variants=TEARS, note="it crosses a cache line"),
    Program("nulled_after_check", RACES, ("null_dereference",), variants=TEARS, note="set to null by another thread"),
)

DEVELOPMENT = Catalogue(
    folder="programs",
    programs=RETURNS + CALLS + STACKS + NULLS + WILD + TRAPPED + CHECKED + THROWN + FREED + TORN + INTERPRETED,
    builds=BUILDS,
    variants=VARIANTS,
    plain_builds=(
        ("O0", "O2-nopie-stripped"),
        ("O2", "O0-nopie"),
        ("O2-fp", "O1-nofp", "clang-O2"),
        ("O0", "clang-O0"),
    ),
    variant_builds=("O2", "O0", "O2-fp", "O2-nopie-stripped"),
    turns=TURNS,
    source_flags={"aborts.c": ("-D_FORTIFY_SOURCE=2", "-fstack-protector-all")},
)
