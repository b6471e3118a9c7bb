"""A stack pointer below its stack: the words above still name the modules of the callers."""

from dataclasses import replace

from tests import synth
from tests.features.machines import MACHINES, STACK, core, unwinder, walker
from tests.features.read_back import reading


def test_a_library_that_only_the_stack_names_is_known_where_sp_lies_below_it() -> None:
    overflowed = MACHINES["a large frame below its stack"]
    words = {
        STACK + 0x808: unwinder.after("_Unwind_RaiseException", "call *rax"),
        STACK + 0x818: walker.after("main", "call outer"),
        STACK + 0x828: walker.after("_start", "call main"),
    }
    state = reading(synth.core_dump(core(replace(overflowed, words=words)))).state
    assert state
    assert [(frame.function, frame.trust) for frame in state.frames[:3]] == [
        ("large", "register"),
        ("_Unwind_RaiseException", "unwind_table"),
        ("main", "unwind_table"),
    ]
