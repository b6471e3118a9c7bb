"""Software that imitates hardware faults, made by hand.

Each case is a bug whose crash has one mark of a bad CPU or bad memory (a stack pointer off by 8, an address one bit
from a good one, code that differs from its file). They are no sample of real bugs and so stand in no false-alarm rate,
and nothing is claimed of their labels. A variant is a number that the program takes.
"""

from broadstreet.lab.zoo.entries import Build, Catalogue, Program, Variant

FLAGS = (
    "-fno-stack-protector",
    "-fno-stack-clash-protection",
    "-fcf-protection=none",
    "-Wl,--enable-new-dtags,-rpath,$ORIGIN",
)
BUILDS = (Build("O0", ("-O0", *FLAGS)), Build("O2", ("-O2", *FLAGS)))
MOST_VARIANTS = 8

VARIANTS: dict[str, dict[str, int]] = {
    "wrong_stack": {
        "misaligned": 4,
        "unbalanced_push": 3,
        "unbalanced_pop": 2,
        "zero_return": 1,
        "rbp_smashed": 3,
        "coroutine_freed": 4,
        "coroutine_unmapped": 1,
        "coroutine_protected": 2,
        "coroutine_overflow": 2,
        "jump_to_dead_frame": 2,
        "huge_alloca": 4,
    },
    "wrong_address": {
        "index_minus_1": 2,
        "index_power_of_two": 5,
        "high_tag": 5,
        "middle_flag": 5,
        "pointer_cut_to_32_bits": 2,
        "unmapped_neighbour": 4,
        "protected_neighbour": 4,
        "freed_large_block": 3,
        "moved_block": 2,
        "read_only_page": 2,
        "truncated_file": 2,
        "mprotect_race": 4,
        "munmap_race": 4,
    },
    "wrong_code": {
        "hooked": 2,
        "hooked_in_the_wrong_place": 4,
        "breakpoint_left": 2,
        "branch_turned": 1,
        "closed_library_called": 2,
        "closed_library_returned_to": 1,
        "middle_of_function": 8,
        "flagged_function": 6,
        "data_called": 4,
        "null_called": 4,
    },
}

IMITATORS = Catalogue(
    folder="programs/imitators",
    family="imitator",
    programs=tuple(
        Program(case, (f"{source}.c",), None, signal=None, variants=tuple(map(str, range(variants))))
        for source, cases in VARIANTS.items()
        for case, variants in cases.items()
    ),
    builds=BUILDS,
    variants=tuple(Variant(str(number)) for number in range(MOST_VARIANTS)),
    in_every_build=True,
    libraries=(("plugin.c", "plugin.so"),),
)
