"""What one crash shows, as a page tells it: findings, words, registers, code, frames, threads.

Only words and shapes are made here, the same as `broadstreet read` has; addresses are hex strings of one width, and
what was not observed is null.
"""

import re
import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from broadstreet.cases.close_up import CloseUp, StackWord
from broadstreet.cases.headline import near_miss, summary_of
from broadstreet.cases.pointed import Pointed
from broadstreet.cases.row import readable_name
from broadstreet.formats.names import demangled
from broadstreet.records.case import Case, ModuleFact, ThreadFact
from broadstreet.records.finding import Finding, State
from broadstreet.records.frame import Frame, Trust
from broadstreet.records.line import Line
from broadstreet.surfaces.page import WORDS, value_shown
from broadstreet.surfaces.text import encodable

TRUSTS = {
    "register": "register",
    "unwind_table": "unwind table",
    "frame_pointer": "frame pointer",
    "stack_scan": "stack scan",
    "below_sp": "below the stack pointer",
}
FOLDED_FRAMES = 6  # that two stacks must have in common to be one
ABOVE, RED_ZONE = 24, 128
COMPRESSIONS = {".zst": "zstd -dc", ".gz": "gzip -dc", ".xz": "xz -dc", ".lz4": "lz4 -dc"}
LONGEST_ARGUMENT = 1000
LONGEST_SHOWN = 20_000  # characters; the whole stands in the case's own JSON
ID, SURE_ID = 8, 12  # characters of a case's id: to be read, and to be asked for among a million cases
RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
OPERATOR = re.compile(r"operator\s?(?:<<=?|>>=?|->\*?|<=>|[<>]=?|\(\)|(?=\w))")
HIDDEN = str.maketrans("<>() ", "\1\2\3\4\5")  # such characters of an operator's name bracket nothing
SHOWN = str.maketrans("\1\2\3\4\5", "<>() ")
REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://")


class EvidenceTold(msgspec.Struct, frozen=True):
    """An observed feature as words, and what it says."""

    feature: str
    value: str
    meaning: str


class FindingTold(msgspec.Struct, frozen=True):
    """A rule's answer. `near`: it was asked in earnest, and did not hold; `needs` is what was not observed."""

    label: str
    state: State
    word: str
    summary: str
    mechanism: bool
    near: bool
    evidence: list[EvidenceTold]
    needs: list[str]


class RegisterTold(msgspec.Struct, frozen=True):
    """A register; `matters`: a finding that holds rests on it."""

    name: str
    value: str
    matters: bool


class WordTold(msgspec.Struct, frozen=True):
    """A word of the stack by its place from the stack pointer; the value is null where it was not dumped."""

    place: str
    value: str | None
    meaning: str
    red_zone: bool
    at_sp: bool
    matters: bool


class CodeTold(msgspec.Struct, frozen=True):
    """An instruction; `offset` is from the start of its function, null where that is not known."""

    offset: str | None
    code: str
    text: str
    here: bool


class LineTold(msgspec.Struct, frozen=True):
    """A line of source; `function` is named where it was inlined."""

    place: str
    function: str | None


class FrameTold(msgspec.Struct, frozen=True):
    """A frame. Those that had already returned have numbers below zero."""

    number: int
    trust: Trust
    word: str
    name: str
    offset: str | None
    module: str | None
    path: str | None
    build_id: str | None
    pc: str
    lines: list[LineTold]


class ThreadsTold(msgspec.Struct, frozen=True):
    """Threads that stand in the same frames; none: their stacks are not at hand, `pc` is where the first stands."""

    threads: int
    frames: list[str]
    pc: str


class CommandTold(msgspec.Struct, frozen=True):
    """A command to paste, and what it gives."""

    what: str
    line: str


def cut(text: str) -> str:
    """As much of a text as a page can show."""
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"


def findings(case: Case) -> list[FindingTold]:
    """Those that hold, those that could not be judged, near misses, and the rest."""
    order = {"holds": 0, "does_not_hold": 1, "not_judged": 2}
    told = [_finding(case, one) for one in case.findings]
    return sorted(told, key=lambda one: order[one.state] if one.near or one.state != "does_not_hold" else 3)


def _finding(case: Case, finding: Finding) -> FindingTold:
    return FindingTold(
        label=finding.label,
        state=finding.state,
        word=WORDS[finding.state],
        summary=summary_of(finding.label),
        mechanism=finding.label == case.mechanism,
        near=near_miss(finding),
        evidence=[EvidenceTold(one.feature, cut(value_shown(one)), one.meaning) for one in finding.evidence],
        needs=list(finding.needs),
    )


def registers(case: Case, matter: Pointed, dull: frozenset[str]) -> list[RegisterTold]:
    """Every register but the dull ones, pc and sp first."""
    named = [name for name in case.registers if name not in dull]
    first = [name for name in named if name in ("rip", "rsp", "pc", "sp")]
    return [
        RegisterTold(name, f"{case.registers[name]:016x}", name in matter.registers)
        for name in (*sorted(first, key=lambda name: name.endswith("sp")), *(n for n in named if n not in first))
    ]


def words(some: Iterable[StackWord], matter: Pointed, sp: str) -> list[WordTold]:
    """Words of the stack; `sp` is the name of the stack pointer."""
    return [
        WordTold(
            place=sp if one.offset == 0 else f"{sp}{'+' if one.offset > 0 else '−'}{abs(one.offset)}",
            value=None if one.value is None else f"{one.value:016x}",
            meaning=cut(one.meaning),
            red_zone=one.red_zone,
            at_sp=one.offset == 0,
            matters=one.offset in matter.words,
        )
        for one in some
    ]


def code(near: CloseUp) -> list[CodeTold]:
    """The last instructions; that of the crash is the last."""
    return [
        CodeTold(None if one.offset is None else f"+{one.offset:#x}", one.code.hex(" "), one.text, one.here)
        for one in near.code
    ]


def frames(case: Case, lines: Mapping[int, Sequence[Line]]) -> list[FrameTold]:
    """Calls that had returned, then the frames, innermost first."""
    below = [_frame(-number, frame, ()) for number, frame in enumerate(case.below_sp, 1)]
    return [*reversed(below), *(_frame(at, frame, lines.get(at, ())) for at, frame in enumerate(case.frames))]


def handlers(case: Case) -> list[str]:
    """The frames of a handler that ran after the fault, nearer to the core dump."""
    return [cut(readable_name(frame)) for frame in case.handler_frames]


def _frame(number: int, frame: Frame, lines: Sequence[Line]) -> FrameTold:
    function = demangled(frame.function) if frame.function else None
    module = frame.module.rsplit("/", 1)[-1] if frame.module else None
    inside = frame.function_offset if function else frame.offset
    return FrameTold(
        number=number,
        trust=frame.trust,
        word="signal frame" if frame.signal_frame else "already returned" if number < 0 else TRUSTS[frame.trust],
        name=cut(function or module or f"{frame.pc:#018x}"),
        offset=f"{inside:#x}" if inside else None,
        module=cut(module) if function and module else None,
        path=None if frame.module is None else cut(frame.module),
        build_id=None if frame.build_id is None else cut(frame.build_id),
        pc=f"{frame.pc:#x}",
        lines=[
            LineTold(f"{one.file}:{one.line}", demangled(one.function) if one is not lines[-1] else None)
            for one in lines
        ],
    )


def brief(function: str) -> str:
    """A function for a table: without what it takes, gives and is made with."""
    plain = OPERATOR.sub(lambda found: found[0].translate(HIDDEN), demangled(function))
    depth, kept = 0, list[str]()
    for character in plain:
        if character == "(" and depth == 0 and kept and kept[-1] != ":":
            break
        depth += {"<": 1, ">": -1}.get(character, 0)
        if depth == 0 and character != ">":
            kept.append(character)
    text = "".join(kept)
    return (text if text.startswith("(") else text.rsplit(" ", 1)[-1]).translate(SHOWN) or demangled(function)


def raised(text: str) -> str:
    """10^-8 as 10⁻⁸."""
    base, mark, power = text.partition("^")
    return base + power.translate(RAISED) if mark else text


def threads(case: Case) -> list[ThreadsTold]:
    """The other threads that were read, folded by equal stacks, the most first."""
    stacks: Counter[tuple[str, ...]] = Counter()
    first: dict[tuple[str, ...], ThreadFact] = {}
    for thread in case.threads[1:]:
        stack = tuple(cut(readable_name(frame)) for frame in thread.frames[:FOLDED_FRAMES]) or (_spot(case, thread.pc),)
        stacks[stack] += 1
        first.setdefault(stack, thread)
    return [
        ThreadsTold(count, list(stack), f"{first[stack].pc:#x}")
        for stack, count in sorted(stacks.items(), key=lambda one: (-one[1], one[0]))
    ]


def _spot(case: Case, pc: int) -> str:
    module = next((one for one in case.modules if one.start <= pc < one.end), None)
    return f"{pc:#x}" if module is None else f"{module.path.rsplit('/', 1)[-1]}+{pc - module.start:#x}"


def on_the_stack(case: Case, module: ModuleFact) -> bool:
    """Whether a frame of the crash lies in a module."""
    return any(frame.module == module.path for frame in (*case.frames, *case.below_sp, *case.handler_frames))


def commands(case: Case, casebook: str, kept: bool) -> Iterator[CommandTold]:
    """How to go deeper: a debugger on the core dump and on what is kept of it, and our own commands."""
    path = case.circumstances.path
    short = case.case_id[:ID]
    own = _argument(casebook, "URL")
    where: Literal["here", "elsewhere"] = "elsewhere" if REMOTE.match(path) else "here"
    program, core = _argument(case.circumstances.executable or "", "PROGRAM"), _argument(path, "CORE")
    unpack = next((tool for ending, tool in COMPRESSIONS.items() if path.endswith(ending)), None)
    options = "-nx -ex bt" + _words_option(case)
    if where == "elsewhere":
        yield CommandTold(f"In gdb, once {encodable(path)} is here as CORE", f"gdb {options} {program} CORE")
    elif unpack:
        bare = f"case-{short}.whole.core"
        yield CommandTold("The core dump in gdb", f"{unpack} {core} > {bare} && gdb {options} {program} {bare}")
    else:
        yield CommandTold("The core dump in gdb", f"gdb {options} {program} {core}")
    if kept:
        yield CommandTold(
            "What is kept, downloaded, in gdb: registers and words, no whole backtrace",
            f"gdb -nx -ex 'info registers'{_words_option(case)} {program} case-{short}.core",
        )
    yield CommandTold("This page in a terminal", f"broadstreet read {case.case_id[:SURE_ID]} --casebook {own}")
    yield CommandTold(
        "With its syndrome, its outbreaks and the arguments",
        f"broadstreet explain {case.case_id[:SURE_ID]} --casebook {own}",
    )
    if where == "here":
        yield CommandTold(
            "A small core dump to pass on, that gdb can walk",
            f"broadstreet slim --standalone {core} case-{short}.slim.core.zst",
        )


def _words_option(case: Case) -> str:
    return f" -ex 'x/{(RED_ZONE + 8) // 8 + ABOVE}gx {case.sp - RED_ZONE:#x}'" if case.sp and case.sp > RED_ZONE else ""


def _argument(text: str, otherwise: str) -> str:
    """A word of a command; a text that no shell takes as it is shown is named instead."""
    return shlex.quote(text) if text and text.isprintable() and len(text) <= LONGEST_ARGUMENT else otherwise
