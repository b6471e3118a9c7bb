"""The held-out set: other programs, handlers and flags, same labels. Rules are frozen first, then scored once."""

import signal

from broadstreet.lab.zoo.entries import UNLABELLED, Build, Catalogue, Program, Variant, alike

BUILDS = (
    Build("O1", ("-O1",)),
    Build("Os", ("-Os",)),
    Build("O3-noplt", ("-O3", "-fno-plt")),
    Build("O2-static", ("-O2", "-static")),
    Build("O2-cfnone", ("-O2", "-fcf-protection=none", "-s")),
    Build("O2-cfull", ("-O2", "-fcf-protection=full")),
    Build("O3-native", ("-O3", "-march=native")),
    Build("O2-lto", ("-O2", "-flto")),
)
PIE = ("O1", "Os", "O3-noplt", "O2-cfull", "O3-native", "O2-lto")

VARIANTS = (
    Variant("plain"),
    Variant("worker"),
    Variant("grandchild", holds=("forked_child",)),
    Variant("alarm", holds=("in_signal_handler",), note="in a SIGALRM handler that interrupted a loop"),
    Variant("killed", holds=("re_raised",), open=("in_signal_handler",), note="the handler sends kill() to itself"),
    Variant(
        "killed_same",
        holds=("re_raised",),
        open=("in_signal_handler",),
        needs_stack=True,
        note="the handler sends kill() to itself",
    ),
    Variant(
        "queued",
        open=("re_raised", "in_signal_handler"),
        note="re-raised by rt_tgsigqueueinfo with the first siginfo: looks like the fault itself",
    ),
    Variant("reported", holds=("re_raised",), open=("in_signal_handler",), note="raised inside the handler"),
    Variant("reported_same", holds=("re_raised",), open=("in_signal_handler",), needs_stack=True),
    Variant("aborting", holds=("re_raised",), open=("in_signal_handler",), signal=signal.SIGABRT),
    Variant("returned", note="SA_RESETHAND: the fault happens a second time, nothing is raised"),
)
FAULT = tuple(variant.name for variant in VARIANTS if variant.name != "plain")
TURNS = tuple((name,) for name in FAULT)
NO_HANDLER = ("worker", "grandchild")
BACK_TO_BODY = ("worker",)
ONCE = ("plain",)

FLOW = ("flow.c", "shapes.S")
DATA = ("data.c", "shapes.S")
EVENTS = ("events.c",)
ASSERTS = ("asserts.c",)
CHECKS = ("checks.c",)
THROWS = ("throws.cc",)

PERTURB = (("MALLOC_PERTURB_", "107"),)
IMITATION = "imitates a bad processor by hand: rsp moves by eight behind the back of the unwind tables"
ABI = "hand-written assembler breaks the ABI's alignment; the unwind tables are right and the chain is whole"
FILE_SIZE = "si_code is SI_USER and si_pid the process itself: the kernel sends it so"
SELF = "the program sends the signal to itself; no fault came before"
PRIVILEGED = "a privileged instruction: general protection, the address is not wrong"
THROWN = ("unwinding_exception",)

RETURNS = (
    *alike(FLOW, "return_to_null", "shape_into_point", "erased_by_thread"),
    Program("row_of_zeros", FLOW, ("return_to_null",), variants=FAULT),
    Program("context_without_target", FLOW, ("return_to_null",), note="setcontext pushes the target and returns to it"),
    *alike(
        FLOW, "return_to_nonexecutable", "row_of_pointers", "row_of_constants", "row_of_own_frame", "row_of_lengths"
    ),
    Program("row_of_doubles", FLOW, ("return_to_nonexecutable",), note="the ret itself faults"),
    Program("wide_text", FLOW, ("return_to_nonexecutable",), note="pops two 32-bit characters"),
)

CALLS = (
    *alike(FLOW, "call_to_null", "empty_slot", "device_without_read", "table_of_zeros"),
    *alike(
        FLOW,
        "call_to_null",
        "empty_once",
        "empty_comparison",
        "empty_tree_comparison",
        note="called by the C library",
    ),
    Program(
        "empty_exit_handler",
        FLOW,
        ("abort_assertion",),
        signal.SIGABRT,
        variants=NO_HANDLER,
        note="the C library asserts that it is given a function",
    ),
    *alike(FLOW, "jump_to_nonexecutable", "session_on_heap", "call_into_stack", "call_flags", "call_two_integers"),
    *alike(FLOW, "jump_to_nonexecutable", "session_name_too_long", "call_double", note="the call itself faults"),
    Program("call_cut_pointer", FLOW, ("jump_to_nonexecutable",), builds=PIE, note="the low half of a code address"),
    Program("goto_data", FLOW, ("jump_to_nonexecutable",), note="a jump, nothing is pushed"),
    Program(
        "jump_to_unset_place",
        FLOW,
        ("jump_to_nonexecutable", "wild_stack_pointer"),
        stack_lost=True,
        note="longjmp through zeros loads a wild rsp, then jumps to a wild address: both are true",
    ),
)

STACKS = (
    *alike(FLOW, "misaligned_stack", "pushed_unseen_text", "popped_unseen_number", note=IMITATION),
    *alike(FLOW, "misaligned_stack", "pushed_unseen", "popped_unseen", note=IMITATION, variants=FAULT[:6]),
    *alike(FLOW, "misaligned_stack", "raised_before_vector", "raised_before_vector_deep", note=IMITATION),
    Program("lowered_before_print", FLOW, ("misaligned_stack",), note=IMITATION, variants=FAULT),
    *alike(FLOW, UNLABELLED, "odd_caller", "odd_caller_deep", "odd_caller_base", note=ABI),
    *alike(FLOW, "wild_stack_pointer", "stack_exchanged", "stack_exchanged_small", stack_lost=True),
    Program("stack_exchanged_text", FLOW, ("wild_stack_pointer",), signal.SIGBUS, stack_lost=True),
    Program(
        "pivot_to_zeros",
        FLOW,
        ("return_to_null", "wild_stack_pointer"),
        note="a wrong rbp made the heap the stack, and ret popped zero there: both are true",
    ),
    Program("leave_to_text", FLOW, ("noncanonical_access",), signal.SIGBUS, note="leave reads through a wrong rbp"),
    Program(
        "leave_to_unmapped", FLOW, ("unmapped_access",), note="leave reads through a wrong rbp; rsp is still right"
    ),
    Program("fiber_stack_sealed", FLOW, ("write_to_readonly",), stack_lost=True, note="rsp is right"),
    Program(
        "fiber_stack_gone",
        FLOW,
        ("wild_stack_pointer", "unmapped_access"),
        stack_lost=True,
        note="the stack was unmapped while the fiber waited: rsp was right once, one core cannot tell",
    ),
    *alike(FLOW, "stack_overflow", "even_and_odd", "many_rows_on_stack", stack_lost=True),
    Program("one_large_frame", FLOW, ("stack_overflow",), stack_lost=True, variants=("grandchild", "killed")),
    Program("tree_within_tree", FLOW, ("stack_overflow",), stack_lost=True, variants=BACK_TO_BODY),
    Program(
        "long_list",
        THROWS,
        ("stack_overflow",),
        stack_lost=True,
        variants=BACK_TO_BODY,
        note="recursive destructors of a list",
    ),
)

NULLS = (
    *alike(DATA, "null_dereference", "no_partner", "no_account_rates", "no_counter", "no_r13", "no_source"),
    Program("no_account", DATA, ("null_dereference",), variants=FAULT),
    *alike(
        DATA,
        "null_dereference",
        "no_text",
        "no_file",
        "no_destination",
        "no_environment",
        note="inside the C library, but for memset in some builds",
    ),
    Program("no_table", DATA, ("null_dereference",), note="call *24(%rdi) with rdi 0: the load faults, not the jump"),
    *alike(
        DATA,
        ("null_dereference", "unmapped_access"),
        "far_field",
        "far_row",
        note="a null base with a large offset: the base need not be in a register any more",
    ),
    Program(
        "descriptor_as_pointer",
        DATA,
        ("unmapped_access", "null_dereference"),
        note="a small number used as a pointer looks like a field of a null structure",
    ),
    Program("error_code_as_pointer", DATA, ("unmapped_access",), note="address -2"),
    Program("year_as_pointer", DATA, ("unmapped_access",), builds=PIE),
    *alike(THROWS, "null_dereference", "object_never_made", "lease_ends_normally"),
)

WILD = (
    *alike(DATA, "noncanonical_access", "text_as_partner", "double_as_account", "text_in_r13", "text_as_source"),
    *alike(DATA, "noncanonical_access", "text_as_file", "text_freed", note="inside the C library"),
    *alike(DATA, "noncanonical_access", "high_half", "marked_pointer", note="one or more high bits set by software"),
    Program("text_in_rbp", DATA, ("noncanonical_access",), signal.SIGBUS, variants=FAULT),
    Program("text_as_table", DATA, ("noncanonical_access",), note="call *24(%rdi): the load faults, not the jump"),
    Program("object_of_text", THROWS, ("noncanonical_access",)),
    *alike(DATA, "poison_access", "fill_cd", "fill_dd", "fill_bad_food", "fill_bad_food_short", "fill_feed_face"),
    Program("fill_freed", DATA, ("poison_access",), environment=PERTURB, note="freed fill 0x6b"),
    Program(
        "fill_fresh",
        DATA,
        ("poison_access", "noncanonical_access"),
        environment=PERTURB,
        note="new fill 0x94: a repeated byte, but no usual pattern",
    ),
    *alike(DATA, "unmapped_access", "block_moved", "segment_detached", "text_without_end", "buffer_underrun"),
    *alike(DATA, "unmapped_access", "hash_as_index", "negative_row", "two_integers_as_account"),
    Program("counter_as_account", DATA, ("unmapped_access",), builds=PIE),
    Program(
        "closed_window",
        DATA,
        ("unmapped_access", UNLABELLED),
        note="the page is mapped without any right: no label names that",
    ),
    *alike(DATA, "write_to_readonly", "frozen_account", "name_upper_case", "name_appended", "names_sorted"),
    *alike(DATA, "write_to_readonly", "own_code", "segment_read_only", "kernel_page", "snapshot"),
    Program("list_item_freed", DATA, ("noncanonical_access",), note="use after free: text stands there now"),
    Program("list_neighbour_overrun", DATA, ("noncanonical_access",), note="heap overrun into a neighbour's pointer"),
    Program("account_never_set", DATA, ("unmapped_access",), note="two ints of an earlier frame"),
)

TRAPPED = (
    *alike(
        EVENTS,
        "illegal_instruction",
        "opcode_aaa",
        "opcode_group_five",
        "locked_load",
        "two_prefixes",
        "code_overwritten",
        signal=signal.SIGILL,
    ),
    Program(
        "opcode_ud0",
        EVENTS,
        ("illegal_instruction", "deliberate_trap"),
        signal.SIGILL,
        note="ud0 is undefined on purpose",
    ),
    *alike(
        EVENTS,
        (UNLABELLED, "illegal_instruction"),
        "read_port",
        "read_control_register",
        "call_interrupt",
        note=PRIVILEGED,
    ),
    Program("thirteenth_month", EVENTS, ("deliberate_trap",), signal.SIGILL),
    *alike(EVENTS, "deliberate_trap", "stop_for_debugger", "one_byte_trap", signal=signal.SIGTRAP, variants=NO_HANDLER),
    *alike(
        ASSERTS,
        "deliberate_trap",
        "checked_sum",
        "checked_index",
        "checked_shift",
        "checked_null",
        "checked_quotient",
        signal=signal.SIGILL,
        note="a trap of the sanitizer: the faulty access never happens",
    ),
    *alike(
        EVENTS, "divide_error", "average_of_none", "rest_of_long", "byte_division", "scaled_ratio", signal=signal.SIGFPE
    ),
    Program("root_of_minus_one", EVENTS, (UNLABELLED,), signal.SIGFPE, note="FPE_FLTINV: no division"),
    *alike(EVENTS, "bus_error_truncated_file", "file_emptied", "file_searched_too_far", signal=signal.SIGBUS),
    Program("code_file_emptied", EVENTS, ("bus_error_truncated_file",), signal.SIGBUS, note="rip is in the lost page"),
    *alike(
        EVENTS,
        "bus_error_alignment",
        "word_at_odd_address",
        "sum_at_odd_address",
        signal=signal.SIGBUS,
        variants=BACK_TO_BODY,
    ),
    *alike(EVENTS, "bad_syscall", "open_forbidden", "time_trapped", signal=signal.SIGSYS, variants=BACK_TO_BODY),
    Program("thread_forbidden", EVENTS, ("bad_syscall",), signal.SIGSYS, variants=("grandchild",)),
    Program("second_used_up", EVENTS, ("resource_limit",), signal.SIGXCPU, variants=ONCE),
    Program("file_grown_too_far", EVENTS, ("resource_limit",), signal.SIGXFSZ, variants=NO_HANDLER, note=FILE_SIZE),
    Program("killed_while_reading", EVENTS, ("sent_by_process",), variants=("worker", "killed")),
    Program("killed_thread", EVENTS, ("sent_by_process",), signal.SIGBUS, variants=ONCE),
    Program("killed_while_computing", EVENTS, ("sent_by_process",), signal.SIGFPE, variants=BACK_TO_BODY),
    Program("quit_while_waiting", EVENTS, ("sent_by_process",), signal.SIGQUIT, variants=ONCE),
    Program("bad_system_call_sent", EVENTS, ("sent_by_process",), signal.SIGSYS, variants=ONCE),
    Program("child_killed", EVENTS, ("sent_by_process",), signal.SIGABRT, holds=("forked_child",), variants=ONCE),
    Program(
        "watchdog_expired",
        EVENTS,
        (UNLABELLED,),
        signal.SIGABRT,
        variants=ONCE,
        note="SI_TIMER: a timer sent the signal, no process and no abort()",
    ),
    Program("own_trap", EVENTS, (UNLABELLED,), signal.SIGTRAP, variants=ONCE, note=SELF),
    Program("own_fault", EVENTS, (UNLABELLED,), signal.SIGBUS, variants=ONCE, note=SELF),
)

CHECKED = (
    *alike(
        CHECKS,
        "abort_heap_corruption",
        "released_by_both_owners",
        "released_in_list",
        "size_after_string",
        "previous_size_wrong",
        "mapped_block_wrong",
        "small_next_size_wrong",
        "unsorted_size_wrong",
        "not_from_the_heap",
        "resized_after_release",
        signal=signal.SIGABRT,
        variants=BACK_TO_BODY,
    ),
    *alike(
        CHECKS,
        "abort_assertion",
        "queue_full",
        "error_asserted",
        "queue_full_in_callback",
        signal=signal.SIGABRT,
        variants=("alarm",),
    ),
    *alike(
        CHECKS,
        "abort_stack_smashing",
        "packet_too_long",
        "packet_little_too_long",
        signal=signal.SIGABRT,
        variants=NO_HANDLER,
    ),
    *alike(
        CHECKS,
        "abort_fortify",
        "guarded_copy",
        "guarded_fill",
        "guarded_append",
        "guarded_print",
        "guarded_read",
        "guarded_poll",
        signal=signal.SIGABRT,
        variants=BACK_TO_BODY,
    ),
    *alike(CHECKS, "abort_other", "fatal_error", "gave_up_at_end", signal=signal.SIGABRT, variants=NO_HANDLER),
    Program("stopped_own_thread", CHECKS, ("abort_other", UNLABELLED), signal.SIGABRT, variants=ONCE, note=SELF),
)

EXCEPTIONS = (
    *alike(
        THROWS,
        "abort_uncaught_exception",
        "overloaded_server",
        "thread_overloaded",
        "empty_function",
        "wrong_alternative",
        "wrong_any",
        "missing_key",
        "broken_promise",
        "destructor_overloaded",
        "overloaded_while_overloaded",
        "wrong_cast",
        "own_terminate",
        signal=signal.SIGABRT,
        open=THROWN,
        variants=("grandchild",),
    ),
    Program(
        "described_at_end",
        THROWS,
        ("abort_uncaught_exception",),
        signal.SIGABRT,
        variants=BACK_TO_BODY,
        note="a pure virtual call ends in std::terminate; no exception is in flight",
    ),
    Program(
        "replacement_assertion",
        THROWS,
        ("abort_assertion", "abort_other"),
        signal.SIGABRT,
        variants=BACK_TO_BODY,
        note="an assertion of the C++ library, which calls abort() itself",
    ),
    Program(
        "caught_and_gave_up",
        THROWS,
        ("abort_other",),
        signal.SIGABRT,
        variants=BACK_TO_BODY,
        note="in a catch block: the unwinding is over",
    ),
    *alike(THROWS, "null_dereference", "lease_without_owner", holds=THROWN, variants=FAULT[:5]),
    *alike(THROWS, "noncanonical_access", "lease_of_text_owner", holds=THROWN),
    *alike(THROWS, "call_to_null", "finally_nothing", holds=THROWN),
    *alike(THROWS, "jump_to_nonexecutable", "finally_data", holds=THROWN),
    *alike(THROWS, "divide_error", "finally_division", holds=THROWN, signal=signal.SIGFPE),
    Program("finally_abort", THROWS, ("abort_other",), signal.SIGABRT, holds=THROWN, variants=BACK_TO_BODY),
    *alike(THROWS, "return_to_null", "erased_while_unwinding", holds=THROWN, variants=FAULT[:5]),
    Program("caught_then_wrote", THROWS, ("null_dereference",), note="in a catch block: the unwinding is over"),
    Program(
        "after_the_catch", THROWS, ("call_to_null",), note="after a catch block; traces of the unwinder lie below rsp"
    ),
)

HELD_OUT = Catalogue(
    folder="programs/held_out",
    programs=RETURNS + CALLS + STACKS + NULLS + WILD + TRAPPED + CHECKED + EXCEPTIONS,
    builds=BUILDS,
    variants=VARIANTS,
    plain_builds=tuple((build.name,) for build in BUILDS),
    variant_builds=("Os", "O3-noplt", "O2-static", "O2-lto", "O1", "O3-native", "O2-cfull"),
    turns=TURNS,
    source_flags={
        "asserts.c": ("-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"),
        "checks.c": ("-D_FORTIFY_SOURCE=2", "-fstack-protector-strong"),
        "throws.cc": ("-std=c++17", "-D_GLIBCXX_ASSERTIONS"),
    },
)
