"""The registers against the instructions that were executed just before the crash.

Straight code leaves no choice: what can be computed from registers that are still there, and from memory that nothing
has stored to since, stands in its register, or the processor did not do what it was told. Software cannot make it
otherwise, except by coming into the line from a place that the code does not name: a jump into the middle of a function
through a bad pointer. So where more than one bit differs, the frame must have been entered by a call of its function;
and a difference that a wild index makes is left alone, for a debugger that moves a register looks like it.

What lies in memory may have been changed after the crash by a handler or by other threads: then only the thread's own
stack counts, and constants.
"""

from functools import lru_cache

from broadstreet.features import twins
from broadstreet.features.access import NEAR_NULL
from broadstreet.reading.context import SIGBUS, SIGFPE, SIGILL, SIGSEGV
from broadstreet.reading.executed import Executed, constants, executed, half_done, replay
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.replay import Outcome
from broadstreet.reading.unwinder import frame_address
from broadstreet.records.finding import Value

FAULTS = (SIGSEGV, SIGBUS, SIGILL, SIGFPE)
REACH = 1 << 30  # of a wild index
HALF = 1 << 63


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of replay."""
    if state.signal.number not in FAULTS:
        row["replay"] = None if state.signal.number is None else "none"
        return
    dumped = any(mapping.start <= state.pc < mapping.end for mapping in state.space.dumped_code)
    if row["code_bits_different"] or (dumped and row["code_bits_different"] is None):
        return  # the file does not say what was executed
    run = last_run(state)
    if run is not None:
        row["replay"] = _compared(state, row, *run)


@lru_cache(maxsize=2)
def last_run(state: MachineState) -> tuple[Executed, Outcome] | None:
    """What was executed last, and what it leads to; null where that is not known."""
    done = executed(state.process, state.steps) if state.architecture.link is None else None
    if done is None or not done.line:
        return None
    return done, replay(state.process, state.steps, done, lambda address, size: _memory(state, address, size))


def _memory(state: MachineState, address: int, size: int) -> bytes | None:
    alone = state.thread_count == 1 and state.context == "notes"
    stack = state.space.mapping(state.sp)
    if alone or (stack is not None and state.sp <= address and address + size <= stack.end):
        found = state.space.read(address, size)
        if found is not None:
            return found
    return constants(state.process, address, size)


def _compared(state: MachineState, row: dict[str, Value], done: Executed, outcome: Outcome) -> str | None:
    partial = half_done(done.module, state.pc)
    wrong = [name for name, value in outcome.registers.items() if value.number != state.registers[name]]
    wrong = [name for name in wrong if name not in partial]
    if not wrong:
        return None if outcome.wanted or not outcome.registers else "agrees"
    found = max((_difference(state, outcome, name), name) for name in wrong)
    kind = found[0][1]
    if kind == "unclear" or (kind != "one_bit" and (row["chain"] != "whole" or not _entered(state, done))):
        return "unclear"
    row["replay_register"] = found[1]
    row["replay_value"] = outcome.registers[found[1]].number
    return kind


def _difference(state: MachineState, outcome: Outcome, name: str) -> tuple[int, str]:
    value, actual = outcome.registers[name], state.registers[name]
    if (value.number ^ actual).bit_count() == 1:
        return 3, "one_bit"
    if outcome.before.get(name) == actual:
        return 2, "lost"
    far = REACH < (value.number - actual) % (2 * HALF) < 2 * HALF - REACH
    small = (value.number < NEAR_NULL) != (actual < NEAR_NULL)  # no index leads from a pointer to a small number
    sound = all(_kept(state, pointer) for pointer in outcome.through.get(name, ()))
    return (1, "differs") if (far or small) and sound else (0, "unclear")


def _kept(state: MachineState, pointer: int) -> bool:
    """Whether a pointer stands on the stack, or twice in registers: then it was not moved since it was used."""
    twice = [name for name in state.architecture.general if state.registers[name] == pointer][1:]
    return pointer < NEAR_NULL or bool(twice) or twins.on_stack(state, pointer)


def _entered(state: MachineState, done: Executed) -> bool:
    """Whether the function was entered at its start: by a direct call of it, or with a frame that no pointer tells."""
    process, step = state.process, state.steps[0]
    binary = done.module.binary
    cfa = None if step.row is None else frame_address(process, step.row, step.registers)
    word = None if cfa is None else state.space.word(cfa - 8)
    if step.row is None or word is None or binary is None:
        return False
    caller = process.modules.at(word)
    if process.call_before(word) == "direct" and caller is not None and caller.binary is not None:
        target = caller.binary.callee(caller.vaddr(word))
        if target is not None:
            return caller is done.module and target == step.row.function_start
    return state.architecture.dwarf.get(step.row.cfa_register) == state.architecture.sp
