"""One case as a page of text, 80 columns, in the order in which a person asks.

Shapes carry what colour would: ● holds, ○ does not hold, ◌ could not be judged. The edge of a frame is its trust. All
of it reads without colour, and in plain ASCII (text.py) where the terminal has no more.
"""

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterator

import click

from broadstreet.cases.close_up import CloseUp
from broadstreet.cases.headline import fault, headline, near_miss, summary_of, whose_registers
from broadstreet.cases.row import readable_name
from broadstreet.formats.names import demangled
from broadstreet.records.case import Case
from broadstreet.records.columns import FEATURES
from broadstreet.records.exposure import SIMULATED
from broadstreet.records.finding import Evidence, Finding
from broadstreet.records.frame import Frame
from broadstreet.records.line import Line
from broadstreet.surfaces.text import safe, shortened, size, width

MARKS = {"holds": "●", "does_not_hold": "○", "not_judged": "◌"}
EDGES = {"register": "┃", "unwind_table": "┃", "frame_pointer": "║", "stack_scan": "┊", "below_sp": "│"}
WORDS = {state: state.replace("_", " ") for state in MARKS} | {"not_judged": "could not be judged"}
MOST_FRAMES, MOST_FOLDED = 40, 8
LABEL_WIDTH = 24  # of the longest label
_ADDRESSES = {column.name for column in FEATURES if column.type == "address"}


def page(case: Case, near: CloseUp | None, lines: dict[int, list[Line]], threads: bool) -> Iterator[str]:
    """The lines of the page."""
    yield ""
    yield from (click.style(line, bold=True) for line in _wrapped(headline(case)))
    yield from _wrapped(_where(case))
    if SIMULATED in case.circumstances.labels:
        yield from _wrapped("Simulated fleet: a real crash made in the lab; host, time and service are made up.")
    yield from _findings(case)
    if near is not None:
        yield from _registers(case)
        yield from _instructions(near)
        yield from _words(near)
    yield from _frames(case, lines)
    if threads:
        yield from _threads(case)
    yield from _modules(case, threads)
    yield from _missing(case)
    yield from _deeper(case)


def _heading(text: str, said: str = "") -> Iterator[str]:
    yield ""
    yield "  " + click.style(text, bold=True) + (click.style(f"  {said}", dim=True) if said else "")


def _wrapped(text: str, indent: str = "  ") -> list[str]:
    return textwrap.wrap(text, width(), initial_indent=indent, subsequent_indent=indent, break_long_words=False)


def _where(case: Case) -> str:
    where = case.circumstances
    parts = [fault(case)]
    if where.tid is not None:
        others = f" ({case.thread_count:,} threads)" if case.thread_count and case.thread_count > 1 else ""
        parts.append(f"in thread {where.tid}{others}")
    if where.executable:
        parts.append(f"of {safe(where.executable)}")
    if where.cpu is not None:
        parts.append(f"last on CPU {where.cpu}" + (f", node {where.numa_node}" if where.numa_node is not None else ""))
    text = " ".join(parts[:3]) + ("".join(", " + part for part in parts[3:])) + "."
    if whose := whose_registers(case):
        text += f" {whose}"
    if where.kernel_release:
        text += f" Linux {where.kernel_release}."
    if where.time and where.time_source != "mtime":
        text += f" {where.time}" + (f" on {safe(where.host)}." if where.host else ".")
    return text + f" {size(case.bytes_read)} of a {size(case.bytes_present)} core dump were read."


def _findings(case: Case) -> Iterator[str]:
    yield from _heading("Findings", f"mechanism: {case.mechanism}")
    by_state = {state: [f for f in case.findings if f.state == state] for state in MARKS}
    for finding in by_state["holds"]:
        mark = click.style(MARKS["holds"], bold=True)
        first, *more = textwrap.wrap(summary_of(finding.label), width() - LABEL_WIDTH - 5)
        yield f"  {mark} {finding.label:{LABEL_WIDTH}} {first}"
        yield from (" " * (LABEL_WIDTH + 5) + line for line in more)
        yield from _evidence(finding)
    near = [finding for finding in by_state["does_not_hold"] if near_miss(finding)]
    for finding in near:
        told = ", ".join(f"{e.feature} = {value_shown(e)}" for e in finding.evidence if e.meaning)
        yield f"  {MARKS['does_not_hold']} {finding.label:{LABEL_WIDTH}} {safe(told, width() - LABEL_WIDTH - 5)}"
    for finding in by_state["not_judged"]:
        yield f"  {MARKS['not_judged']} {finding.label:{LABEL_WIDTH}} not observed: {', '.join(finding.needs)}"
    rest = len(by_state["does_not_hold"]) - len(near)
    if rest:
        yield click.style(f"    {rest} more do not hold for this kind of signal; --json lists them.", dim=True)


def _evidence(finding: Finding) -> Iterator[str]:
    for one in finding.evidence:
        said = f"  {one.meaning}" if one.meaning else ""
        line = f"{one.feature} = {safe(str(value_shown(one)), 60)}{said}"
        yield click.style(f"      {safe(line, width() - 6)}", dim=True)


def value_shown(evidence: Evidence) -> str:
    """An observed feature for people: yes or no, an address in hex."""
    value = evidence.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and evidence.feature in _ADDRESSES:
        return hex(value)
    return "not observed" if value is None else str(value)


def _registers(case: Case) -> Iterator[str]:
    yield from _heading("Registers")
    shown = [name for name in case.registers if name not in DULL]
    columns = 3
    for at in range(0, len(shown), columns):
        yield "  " + "   ".join(f"{name:>6} {case.registers[name]:016x}" for name in shown[at : at + columns])


DULL = frozenset({"cs", "ss", "ds", "es", "fs", "gs", "orig_rax"})


def _instructions(near: CloseUp) -> Iterator[str]:
    if not near.code:
        return
    yield from _heading("Instructions", f"from the {near.code_source}" if near.code_source else "")
    for line in near.code:
        place = f"+{line.offset:#x}" if line.offset is not None else ""
        arrow = "▶" if line.here else " "
        text = f"  {arrow} {place:>8}  {line.code.hex(' '):30}  {line.text}"
        yield click.style(text, bold=True) if line.here else text


def _words(near: CloseUp) -> Iterator[str]:
    yield from _heading("Stack words", "edge: the red zone, which a signal handler leaves alone")
    zeros = 0
    for word in near.words:
        if word.value == 0 and word.offset not in (-8, 0):
            zeros += 1
            continue
        if zeros:
            yield click.style(f"              {zeros} × zero", dim=True)
            zeros = 0
        edge = "▏" if word.red_zone else " "
        name = "sp" if word.offset == 0 else f"sp{'+' if word.offset > 0 else '-'}{abs(word.offset)}"
        value = f"{word.value:016x}" if word.value is not None else "................"
        line = f"  {edge} {name:>7}  {value}  {safe(word.meaning, width() - 32)}".rstrip()
        yield click.style(line, bold=True) if word.offset == 0 else line
    if zeros:
        yield click.style(f"              {zeros} × zero", dim=True)


def _frames(case: Case, lines: dict[int, list[Line]]) -> Iterator[str]:
    if not case.frames:
        return
    yield from _heading("Frames", "the edge and the word say how far each can be trusted")
    for index, frame in enumerate(reversed(case.below_sp)):
        yield click.style(_frame(index - len(case.below_sp), frame, "already returned"), dim=True)
    for index, frame in enumerate(case.frames[:MOST_FRAMES]):
        yield _frame(index, frame, "signal frame" if frame.signal_frame else frame.trust.replace("_", " "))
        for line in lines.get(index, []):
            place = safe(f"{line.file}:{line.line}", width() - 28)
            inlined = f"{safe(demangled(line.function), 60)} " if line is not lines[index][-1] else ""
            yield click.style(f"                          {inlined}{place}", dim=True)
    if len(case.frames) > MOST_FRAMES:
        yield f"       and {len(case.frames) - MOST_FRAMES} more; --json lists them"
    if case.handler_frames:
        names = ", ".join(safe(readable_name(frame), 40) for frame in case.handler_frames[:6])
        yield from _wrapped(f"The handler, nearer to the core dump: {names}", "       ")


def _frame(index: int, frame: Frame, said: str) -> str:
    module = safe(frame.module.rsplit("/", 1)[-1], 40) if frame.module else ""
    if frame.function:
        offset = f" + {frame.function_offset:#x}" if frame.function_offset else ""
        name = safe(demangled(frame.function), max(24, width() - 32 - len(module) - len(offset))) + offset
    elif frame.offset is not None:
        name = f"+ {frame.offset:#x}"
    else:
        name = f"{frame.pc:#x}"
    return f"  {index:>3} {EDGES[frame.trust]} {said:16}  {name}  {module}".rstrip()


def _threads(case: Case) -> Iterator[str]:
    stacks: Counter[tuple[str, ...]] = Counter()
    for thread in case.threads[1:]:
        stacks[tuple(readable_name(frame) for frame in thread.frames[:6])] += 1
    if not stacks:
        return
    others = len(case.threads) - 1
    yield from _heading("Other threads", f"{others} fold into {len(stacks)} stacks")
    for names, count in stacks.most_common(MOST_FOLDED):
        yield f"  {count:>4} × {safe(' ← '.join(names), width() - 10)}"
    if len(stacks) > MOST_FOLDED:
        yield f"         and {len(stacks) - MOST_FOLDED} more stacks"


def _modules(case: Case, every: bool) -> Iterator[str]:
    shown = [m for m in case.modules if every or m.build_id]
    if not shown:
        return
    yield from _heading("Modules", "" if every else "those that the stack points into; --threads reads all")
    for module in shown:
        missing = "" if module.found else "  binary not at hand"
        path = shortened(safe(module.path), width() - 44 - len(missing))
        yield f"  {module.build_id or 'no build id':40}  {path}{missing}"


def _missing(case: Case) -> Iterator[str]:
    if not case.missing:
        return
    yield from _heading("Not observed")
    for gap in case.missing:
        remedy = f" To see it: {gap.remedy}." if gap.remedy else ""
        yield from _wrapped(f"{safe(gap.what)}: {safe(gap.why)}.{remedy}")


def _deeper(case: Case) -> Iterator[str]:
    program = case.circumstances.executable or "PROGRAM"
    yield from _heading("Go deeper")
    yield f"  gdb -nx {shlex.quote(safe(program))} {shlex.quote(safe(case.circumstances.path))}"
    yield f"  case {case.case_id}"
