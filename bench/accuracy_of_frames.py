"""Frames against eu-stack's, pc by pc, for every thread of every core dump on which both give any.

Two lists are compared up to the end of the shorter. Each thread falls into a class by what stands where the lists part;
the classes in which eu-stack is at fault, and can be shown to be, are explained, and the others are listed in full on
stderr. Its fallback where no unwind table covers a pc is the frame pointer, which behind a bad pc is still the
caller's own: so it leaves the caller out (elfutils, backends/x86_64_unwind.c).
"""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.crashes import CannotMake, Workshop
from bench.part import Asked, Part, Table
from bench.peers import EU_STACK, PeerThread, available, eu_stack_threads
from broadstreet.errors import UnreadableSpecimen
from broadstreet.pipeline.reading import BinarySources, case_at, close_case_at
from broadstreet.reading.machine_state import MachineState
from broadstreet.records.case import ThreadFact
from broadstreet.records.frame import Frame
from broadstreet.sources.binaries import Binaries

EXAMPLES = 2
EU_STACK_MOST = 256
MOST_LEFT_OUT = 3

SAME = "same"
EXPLAINED = {
    SAME: "the same pcs, and both lists end at the same frame",
    "eu-stack: its limit": "256 frames",
    "eu-stack ends at a bad pc": "no code is there, so it has no rule; we take the return address at sp",
    "eu-stack ends without a rule": "no unwind table covers the pc; we go on by frame pointer or a search of the stack",
    "eu-stack leaves callers out": "no table covers the pc, it follows rbp, and its list goes on as ours a frame later",
    "eu-stack goes on at no code": "its next pc is in no executable mapping: a damaged or a foreign stack",
    "eu-stack guesses on": "no table covers the pc, it follows rbp, here onto another stack; we find nothing to trust",
    "ours: the bytes read end": "a deep stack, of which the crash alone reads 28 KiB; with every thread it is whole",
}
UNEXPLAINED = {
    "eu-stack ends early": "ours goes on by the unwind table",
    "ours lacks the binary": "at the frame before: it was not found, or not accepted",
    "ours ends early": "eu-stack's list goes on, in code",
    "they differ behind a search": "ours was found by frame pointer or by a search of the stack",
    "they differ behind a table": "ours was found by unwind table: one of both is wrong",
}


@dataclass
class Tally:
    """What was compared so far."""

    threads: int = 0
    frames: int = 0
    equal: int = 0
    explained: int = 0
    one_has_none: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)


def measure(workshop: Workshop, folders: Iterable[Path]) -> Part:
    """Compare on every core dump made here, and on those below the folders that were named."""
    if not available(EU_STACK):
        raise CannotMake("eu-stack is not here. On Debian and Ubuntu: apt-get install elfutils")
    binaries = BinarySources().open()
    made = [(crashes.title, crashes.cores) for crashes in (*workshop.ordinary(), workshop.deep_large())]
    given = [(str(folder), tuple(sorted(folder.rglob("*.core")))) for folder in folders]
    table = Table(
        "Frames equal to eu-stack's",
        ("core dumps", "read", "cores", "threads", "frames", "equal", "differ, explained", "differ", "one has none"),
        notes=(
            "Compared up to the end of the shorter list. Every thread: as `broadstreet read` does; crash alone: from"
            " the bytes that a scan reads, where the registers are those of the notes.",
        ),
    )
    tallies = []
    for title, cores in made + given:
        every, alone = Tally(), Tally()
        count = sum(_compare(core, binaries, every, alone) for core in cores)
        for name, tally in (("every thread", every), ("crash alone", alone)):
            numbers = (count, tally.threads, tally.frames, tally.equal, tally.explained)
            wrong = tally.frames - tally.equal - tally.explained
            table.rows.append((title, name, *(f"{n:,}" for n in (*numbers, wrong, tally.one_has_none))))
            tallies.append(tally)
    wrong = sum(tally.frames - tally.equal - tally.explained for tally in tallies)
    return Part(
        "accuracy-of-frames",
        (table, *_classes(tallies)),
        (Asked("frames that differ from eu-stack's and are not explained", "0", f"{wrong:,}", wrong == 0),),
    )


def _classes(tallies: Sequence[Tally]) -> tuple[Table, Table]:
    counts = sum((tally.classes for tally in tallies), Counter[str]())
    known = EXPLAINED | {name: f"{why}; not explained" for name, why in UNEXPLAINED.items()}
    classes = Table(
        "Threads by how the two lists part",
        ("threads", "class", "what it means"),
        [(f"{count:,}", name, known[name]) for name, count in counts.most_common()],
    )
    examples = Table("Examples", ("class", "core dump, thread, and where the lists part"))
    for name in counts:
        lines = [line for tally in tallies for line in tally.examples.get(name, [])]
        examples.rows.extend((name, line) for line in lines[:EXAMPLES])
    return classes, examples


def _compare(core: Path, binaries: Binaries, every: Tally, alone: Tally) -> int:
    try:
        case, state = close_case_at(str(core), binaries, whole=True)
        quick = case_at(str(core), binaries)
    except UnreadableSpecimen:
        return 0
    if state is None:
        return 0
    theirs = eu_stack_threads(core)
    for thread in case.threads:
        _tally(core, state, thread, thread.frames, theirs.get(thread.tid), every)
    if quick.context == "notes":
        _tally(core, state, case.threads[0], quick.frames, theirs.get(case.threads[0].tid), alone)
    return 1


def _tally(
    core: Path,
    state: MachineState,
    thread: ThreadFact,
    frames: Sequence[Frame],
    peer: PeerThread | None,
    tally: Tally,
) -> None:
    if peer is None or not peer.pcs or not frames:
        tally.one_has_none += 1
        return
    ours = [frame.pc for frame in frames]
    shorter = min(len(ours), len(peer.pcs))
    parting = next((at for at in range(shorter) if ours[at] != peer.pcs[at]), shorter)
    equal = sum(ours[at] == peer.pcs[at] for at in range(shorter))
    name = _class(state, frames, peer, parting)
    if name == "ours ends early" and len(thread.frames) > len(frames):
        name = "ours: the bytes read end"
    tally.threads += 1
    tally.frames += shorter
    tally.equal += equal
    tally.explained += shorter - equal if name in EXPLAINED else 0
    tally.classes[name] += 1
    if name != SAME:
        tally.examples.setdefault(name, []).append(f"{core.name} {thread.tid}: {_parting(frames, peer, parting)}")
    if name in UNEXPLAINED:
        print(f"{name}: {core} thread {thread.tid}\n{_both(frames, peer)}", file=sys.stderr)


def _class(state: MachineState, frames: Sequence[Frame], peer: PeerThread, parting: int) -> str:
    ours, theirs = [frame.pc for frame in frames[parting:]], list(peer.pcs[parting:])
    if not ours and not theirs:
        return SAME
    if theirs and not state.space.executable(theirs[0]):
        return "eu-stack goes on at no code"
    before = frames[max(0, parting - 1)]
    module, row = state.process.row(before.pc, before.return_address)
    guessed = bool(ours) and frames[parting].trust in ("frame_pointer", "stack_scan")
    if module is not None and module.binary is None:
        return "ours lacks the binary"
    if not ours:
        return "ours ends early" if row is not None else "eu-stack guesses on"
    if not theirs:
        return _why_theirs_end(state, before, len(peer.pcs), guessed)
    if guessed and any(_goes_on_as(theirs, ours[left_out:]) for left_out in range(1, MOST_LEFT_OUT + 1)):
        return "eu-stack leaves callers out"
    return "they differ behind a search" if guessed else "they differ behind a table"


def _why_theirs_end(state: MachineState, before: Frame, count: int, guessed: bool) -> str:
    if count == EU_STACK_MOST:
        return "eu-stack: its limit"
    if not state.space.executable(before.pc):
        return "eu-stack ends at a bad pc"
    return "eu-stack ends without a rule" if guessed else "eu-stack ends early"


def _goes_on_as(one: list[int], other: list[int]) -> bool:
    shorter = min(len(one), len(other))
    return shorter > 0 and one[:shorter] == other[:shorter]


def _parting(frames: Sequence[Frame], peer: PeerThread, parting: int) -> str:
    ours = frames[parting] if parting < len(frames) else None
    theirs = hex(peer.pcs[parting]) if parting < len(peer.pcs) else f"ends ({peer.error or 'no error'})"
    mine = f"{ours.pc:#x} in {ours.function or ours.module} ({ours.trust})" if ours else "ends"
    return f"frame {parting}: ours {mine}, eu-stack {theirs}"


def _both(frames: Sequence[Frame], peer: PeerThread) -> str:
    lines = []
    for at in range(max(len(frames), len(peer.pcs))):
        ours = frames[at] if at < len(frames) else None
        mine = f"{ours.pc:#018x} {ours.trust:12} {ours.function or ours.module}" if ours else "-"
        theirs = f"{peer.pcs[at]:#018x}" if at < len(peer.pcs) else "-"
        lines.append(f"  {at:3} {theirs:18}  {mine}")
    return "\n".join([*lines, f"  eu-stack: {peer.error or 'no error'}"])
