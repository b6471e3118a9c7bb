"""Frames against eu-stack's, pc by pc, for every thread of every core dump on which both give any.

Two lists are compared up to the end of the shorter; which one ends first, and why, is counted apart. A difference is
put into a class by what stands at the first pc that differs, and each class is explained beside its count.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from bench.crashes import CannotMake, Workshop
from bench.part import Asked, Part, Table
from bench.peers import EU_STACK, PeerThread, available, eu_stack_threads
from broadstreet.errors import UnreadableSpecimen
from broadstreet.pipeline import BinarySources, case_at
from broadstreet.records.case import Case, ThreadFact
from broadstreet.sources.binaries import Binaries

EXAMPLES = 3
EU_STACK_MOST = 256

EXPLAINED = {
    "same": "the same pcs, and both end at the same frame",
    "eu-stack stops at a pc outside of all code": "it has no unwind rule there; we take the return address at sp",
    "eu-stack stops at a frame without unwind table": "we go on by frame pointer or by a search of the stack",
    "eu-stack stops, error": "it says why (mostly: address out of range, no matching address range)",
    "eu-stack stops, silently": "its list ends and no error is printed; ours goes on by the unwind table",
    "eu-stack stops at its limit": "256 frames, as ours by default",
    "ours stops": "eu-stack's list goes on",
    "differ behind a guess of ours": "the first pc that differs was found by frame pointer or by a search of the stack",
    "differ behind a table of ours": "the first pc that differs was found by unwind table: one of both is wrong",
}


@dataclass
class Tally:
    """What was compared so far."""

    cores: int = 0
    threads: int = 0
    frames: int = 0
    equal: int = 0
    not_both: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)


def measure(workshop: Workshop, folders: Iterable[Path]) -> Part:
    """Compare on every core dump made here, and on those below the folders that were named."""
    if not available(EU_STACK):
        raise CannotMake("eu-stack is not here. On Debian and Ubuntu: apt-get install elfutils")
    binaries = BinarySources().open()
    sets = [(crashes.title, crashes.cores) for crashes in (*workshop.ordinary(), workshop.deep_large())]
    sets += [(str(folder), tuple(sorted(folder.rglob("*core*")))) for folder in folders]
    rows, all_classes, examples = [], Counter[str](), []
    different = 0
    for title, cores in sets:
        tally = Tally()
        for core in cores:
            if core.is_file():
                compare(core, binaries, tally)
        rows.append(
            tuple(
                [title]
                + [f"{n:,}" for n in (tally.cores, tally.threads, tally.frames, tally.equal, tally.not_both)]
                + [f"{100 * tally.equal / max(1, tally.frames):.2f} %"]
            )
        )
        all_classes += tally.classes
        different += tally.frames - tally.equal
        examples += [(name, line) for name, lines in tally.examples.items() for line in lines]
    table = Table(
        "Frames equal to eu-stack's, for every thread",
        ("core dumps", "cores", "threads compared", "frames compared", "equal", "threads not in both", "equal"),
        rows,
        ("Compared up to the end of the shorter list; a thread counts where both give at least one frame.",),
    )
    classes = Table(
        "Threads by how the two lists differ",
        ("threads", "class", "explained"),
        [(f"{count:,}", name, EXPLAINED[name]) for name, count in all_classes.most_common()],
    )
    shown = Table("Examples", ("class", "core dump, thread, and the first difference"), examples)
    return Part(
        "accuracy-of-frames",
        (table, classes, shown),
        (Asked("frames that differ from eu-stack's", "0, or explained", f"{different:,}", different == 0),),
    )


def compare(core: Path, binaries: Binaries, tally: Tally) -> None:
    """Compare every thread of one core dump."""
    try:
        case = case_at(str(core), binaries, whole=True)
    except UnreadableSpecimen:
        return
    theirs = eu_stack_threads(core)
    tally.cores += 1
    for thread in case.threads:
        peer = theirs.get(thread.tid)
        if peer is None or not peer.pcs or not thread.frames:
            tally.not_both += 1
            continue
        tally.threads += 1
        _compare_thread(core, case, thread, peer, tally)


def _compare_thread(core: Path, case: Case, thread: ThreadFact, peer: PeerThread, tally: Tally) -> None:
    ours = [frame.pc for frame in thread.frames]
    shorter = min(len(ours), len(peer.pcs))
    equal = next((at for at in range(shorter) if ours[at] != peer.pcs[at]), shorter)
    tally.frames += shorter
    tally.equal += sum(ours[at] == peer.pcs[at] for at in range(shorter))
    name = _class(case, thread, peer, equal)
    tally.classes[name] += 1
    if name != "same":
        examples = tally.examples.setdefault(name, [])
        if len(examples) < EXAMPLES:
            examples.append(f"{core.name} {thread.tid}: {_first_difference(thread, peer, equal)}")
    if name in ("ours stops", "differ behind a table of ours", "differ behind a guess of ours"):
        print(f"{name}: {core} thread {thread.tid}\n{_both(thread, peer)}", file=sys.stderr)


def _class(case: Case, thread: ThreadFact, peer: PeerThread, equal: int) -> str:
    ours = thread.frames
    if equal == len(ours) == len(peer.pcs):
        return "same"
    if equal == len(ours):
        return "ours stops"
    if equal < len(peer.pcs):
        guessed = ours[equal].trust in ("frame_pointer", "stack_scan")
        return "differ behind a guess of ours" if guessed else "differ behind a table of ours"
    if len(peer.pcs) == EU_STACK_MOST:
        return "eu-stack stops at its limit"
    if ours[equal - 1].module is None:
        return "eu-stack stops at a pc outside of all code"
    if ours[equal].trust != "unwind_table":
        return "eu-stack stops at a frame without unwind table"
    return "eu-stack stops, error" if peer.error else "eu-stack stops, silently"


def _first_difference(thread: ThreadFact, peer: PeerThread, equal: int) -> str:
    ours = thread.frames[equal] if equal < len(thread.frames) else None
    theirs = hex(peer.pcs[equal]) if equal < len(peer.pcs) else f"end{f' ({peer.error})' if peer.error else ''}"
    mine = f"{ours.pc:#x} in {ours.function or ours.module} ({ours.trust})" if ours else "end"
    return f"frame {equal}: ours {mine}, eu-stack {theirs}"


def _both(thread: ThreadFact, peer: PeerThread) -> str:
    lines = []
    for at in range(max(len(thread.frames), len(peer.pcs))):
        ours = thread.frames[at] if at < len(thread.frames) else None
        mine = f"{ours.pc:#018x} {ours.trust:12} {ours.function}" if ours else "-"
        theirs = f"{peer.pcs[at]:#018x}" if at < len(peer.pcs) else "-"
        lines.append(f"  {at:3} {theirs:18}  {mine}")
    return "\n".join([*lines, f"  eu-stack: {peer.error or 'no error'}"])
