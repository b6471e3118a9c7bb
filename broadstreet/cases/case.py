"""From a reading to a case: features, findings, frames, and where and when."""

from dataclasses import replace

from broadstreet import features, labels
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.reader import READER_VERSION, Reading
from broadstreet.reading.slim_note import SlimNote
from broadstreet.reading.unwinder import Process, walk
from broadstreet.records.case import Case, ModuleFact, ThreadFact
from broadstreet.records.exposure import Circumstances
from broadstreet.records.frame import Frame

MOST_BELOW = 4
BELOW_WORDS = 64


def case_of(
    reading: Reading, circumstances: Circumstances, bytes_read: int, bytes_present: int, whole: bool = False
) -> Case:
    """The case that one reading shows. With `whole`, every thread's frames are walked."""
    row = features.row(reading.state)
    found = labels.findings(row)
    state = reading.state
    return Case(
        case_id=reading.case_id,
        circumstances=_circumstances(reading, circumstances),
        architecture=reading.architecture,
        mechanism=labels.mechanism(found),
        signal=_integer(row["signal"]),
        si_code=_integer(row["si_code"]),
        fault_address=_integer(row["fault_address"]),
        pc=_integer(row["pc"]),
        sp=_integer(row["sp"]),
        context=state.context if state else None,
        features=row,
        findings=found,
        frames=state.frames if state else (),
        below_sp=tuple(_below(state)) if state else (),
        handler_frames=tuple(state.process.frame(step) for step in state.handler_steps) if state else (),
        threads=_threads(reading, whole),
        thread_count=reading.thread_count,
        modules=tuple(
            ModuleFact(m.path, m.start, m.end, m.build_id, m.build_id_source, m.binary is not None)
            for m in reading.modules.all
        ),
        missing=tuple(reading.gaps),
        bytes_read=bytes_read,
        bytes_present=bytes_present,
        reader_version=READER_VERSION,
        rules_version=labels.RULES_VERSION,
        registers=dict(state.registers) if state else {},
    )


def _circumstances(reading: Reading, given: Circumstances) -> Circumstances:
    process = reading.notes.process
    first = reading.threads[0] if reading.threads else None
    mapped = next((m.path for m in reading.modules.all if m.path.startswith("/")), None)
    name = process.fname.split(b"\0", 1)[0].decode("utf-8", "backslashreplace") if process else None
    return replace(
        _survived(given, reading.slim) if reading.slim else given,
        executable=mapped or given.executable or name,
        pid=process.pid if process else given.pid,
        tid=first.tid if first else given.tid,
        uid=process.uid if process else given.uid,
        cpu=reading.cpu,
        numa_node=reading.numa_node,
        kernel_release=reading.kernel_release or given.kernel_release,
    )


def _survived(given: Circumstances, slim: SlimNote) -> Circumstances:
    known = slim.circumstances
    dated = given.time_source not in ("mtime", "unknown") or known.time is None
    hosted = given.host is not None
    return replace(
        given,
        time=given.time if dated else known.time,
        time_source=given.time_source if dated else known.time_source,
        host=given.host if hosted else known.host,
        host_source=given.host_source if hosted else known.host_source,
        boot_id=given.boot_id or known.boot_id,
        service=given.service or known.service,
        service_release=given.service_release or known.service_release,
        workload=given.workload or known.workload,
        region=given.region or known.region,
        labels=tuple(sorted({**known.labels, **dict(given.labels)}.items())),
    )


def _below(state: MachineState) -> list[Frame]:
    """Return addresses just below the stack pointer: calls that have already returned, nearest first."""
    if state.architecture.link:
        return []
    process = state.process
    low, high = state.space.code_low, state.space.code_high
    words = state.space.words(state.sp - 8 * BELOW_WORDS, BELOW_WORDS)
    found = []
    for index in range(len(words) - 1, -1, -1):
        word = words[index]
        if low <= word < high and process.call_before(word) in ("direct", "indirect"):
            slot = state.sp - 8 * (len(words) - index)
            found.append(process.place(word, slot, "below_sp", returned=True))
            if len(found) == MOST_BELOW:
                break
    return found


def _threads(reading: Reading, whole: bool) -> tuple[ThreadFact, ...]:
    if reading.state is None:
        return ()
    architecture = reading.state.architecture
    process = Process(architecture, reading.space, reading.modules)
    facts = []
    for thread in reading.threads:
        steps = walk(process, thread.registers)[0] if whole else []
        facts.append(
            ThreadFact(
                thread.tid,
                thread.registers[architecture.pc],
                thread.registers[architecture.sp],
                tuple(process.frame(step) for step in steps),
            )
        )
    return tuple(facts)


def _integer(value: object) -> int | None:
    return value if isinstance(value, int) else None
