"""Cases as rows of the casebook's tables, and back.

What many crashes have in common stands once: frames as a trace, without what address-space randomisation makes of them;
the mapped files as a module set. A case keeps where its modules began, so that every address comes back. Findings come
back without their evidence, which the rules give again from the features.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import pyarrow as pa

from broadstreet.records.case import Case, ModuleFact, ThreadFact, Unreadable
from broadstreet.records.columns import (
    CASEBOOK,
    CASES,
    EVIDENCE,
    FEATURES,
    FINDINGS,
    MODULES,
    SPECIMENS,
    STORED_CASES,
    TRACES,
    Table,
)
from broadstreet.records.exposure import Circumstances
from broadstreet.records.finding import Finding
from broadstreet.records.frame import Frame, frame_name
from broadstreet.records.gap import Gap
from broadstreet.records.specimen import Examined
from broadstreet.store.schema import schema

Row = dict[str, Any]
ID_BYTES = 16
PARTS = ("frames", "below_sp", "handler")
SIGNAL_FRAME, RETURN_ADDRESS = 1, 2
_WORD, _SIGN = 1 << 64, 1 << 63
_ADDRESSES = frozenset(c.name for c in FEATURES if c.type == "address")
_OF_CASE = tuple(c.name for c in CASES if c.name in Case.__dataclass_fields__)
_OF_PLACE = tuple(
    c.name
    for c in STORED_CASES.columns
    if c.name in Circumstances.__dataclass_fields__ and c.name not in ("time", "labels")
)


@dataclass
class Rows:
    """Rows of one batch, by table, as they grow."""

    tables: dict[str, dict[str, list[Any]]] = field(
        default_factory=lambda: {t.name: {c.name: [] for c in t.columns} for t in CASEBOOK}
    )
    ids: set[str] = field(default_factory=set)  # of the traces and module sets that stand in this batch

    def add(self, table: Table, row: Mapping[str, Any]) -> None:
        """One row; a column that it does not name is null."""
        for name, values in self.tables[table.name].items():
            values.append(row.get(name))

    def arrow(self, table: Table) -> pa.Table:
        """All rows of a table."""
        columns = self.tables[table.name]
        shape = schema(table)
        return pa.Table.from_arrays([_array(columns[one.name], one.type) for one in shape], schema=shape)


def add_examined(rows: Rows, one: Examined, reading: int, generation: int, own: Row) -> None:
    """The rows of one specimen; `own` holds what all of a batch share."""
    outcome = one.outcome
    specimen = one.specimen
    row = {"specimen_id": specimen.specimen_id, "size": specimen.size, "stamp": specimen.stamp}
    row |= {"generation": generation, "reading": reading}
    if isinstance(outcome, Unreadable):
        why = {"unreadable": outcome.kind, "reason": outcome.reason, "retry": outcome.unsettled}
        rows.add(SPECIMENS, own | row | why | {"location": specimen.location})
        return
    rows.add(SPECIMENS, own | row)
    add_case(rows, outcome, reading, None if one.evidence is None else reading)
    if one.evidence is not None:
        rows.add(EVIDENCE, own | {"reading": reading, "core": one.evidence})


def add_case(rows: Rows, case: Case, reading: int, evidence: int | None) -> None:
    """The rows of one case, but for its specimen and evidence; `evidence` is the reading that has it."""
    modules = _module_set(rows, case.modules)
    trace = _trace(rows, case)
    where = case.circumstances
    row = {name: getattr(case, name) for name in _OF_CASE}
    row |= {name: getattr(where, name) for name in _OF_PLACE}
    row |= case.features
    for name in _ADDRESSES:
        row[name] = signed(row[name])
    row |= {
        "reading": reading,
        "evidence": evidence,
        "holds": ",".join([f.label for f in case.findings if f.state == "holds"]),
        "could_not_be_judged": ",".join([f.label for f in case.findings if f.state == "not_judged"]),
        "missing": "|".join([gap.what for gap in case.missing]),
        "time": _moment(where.time),
        "labels": list(where.labels),
        "trace_id": trace,
        "module_set": modules,
        "registers": [(name, signed(value)) for name, value in case.registers.items()],
        "module_starts": _steps([module.start for module in case.modules]),
        "threads": [number for t in case.threads for number in (t.tid, signed(t.pc), signed(t.sp))],
        "gaps": json.dumps(case.missing),
        "lacking": lacking(case),
    }
    rows.add(STORED_CASES, row)
    add_findings(rows, case.findings, reading)


def add_findings(rows: Rows, findings: Sequence[Finding], reading: int) -> None:
    """Every rule's answer about a reading."""
    columns = rows.tables[FINDINGS.name]
    columns["reading"] += [reading] * len(findings)
    columns["number"] += range(len(findings))
    columns["label"] += [finding.label for finding in findings]
    columns["state"] += [finding.state for finding in findings]
    columns["needs"] += [",".join(finding.needs) or None for finding in findings]


def lacking(case: Case) -> list[str]:
    """The binaries that a reading asked for in vain: by build id, else by path."""
    asked = {gap.what.removeprefix("binary ") for gap in case.missing if gap.what.startswith("binary ")}
    return sorted(
        {module.build_id or module.path for module in case.modules if module.path in asked and not module.found}
    )


def signed(value: Any) -> Any:
    """An unsigned word as Delta Lake can hold it; null stays null."""
    return value - _WORD if value is not None and value >= _SIGN else value


def unsigned(value: Any) -> Any:
    """The word again."""
    return value + _WORD if value is not None and value < 0 else value


def case_of(row: Row, findings: Iterable[Finding], trace: Row | None, modules: Sequence[Row]) -> Case:
    """The case again, from its row, its findings, its trace and its modules.

    In a bucket, where nobody can know that a scan runs, forgetting may take away a trace that the scan had found there:
    that is a gap of the case then.
    """
    starts = _sums(row["module_starts"])
    lost = trace is None or len(starts) != len(modules)
    facts = tuple(
        ModuleFact(m["path"], start, start + m["size"], m["build_id"], m["build_id_source"], m["found"])
        for m, start in zip([] if lost else modules, [] if lost else starts, strict=True)
    )
    features = {c.name: unsigned(row[c.name]) if c.name in _ADDRESSES else row[c.name] for c in FEATURES}
    frames = _frames(_NO_TRACE if lost or trace is None else trace, starts, features["sp"])
    words = [unsigned(number) for number in row["threads"]]
    time = row["time"]
    place = {name: row[name] for name in _OF_PLACE}
    return Case(
        **{name: row[name] for name in _OF_CASE if name not in _GIVEN},
        circumstances=Circumstances(
            **place,
            time=None
            if time is None
            else time.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
            labels=tuple(row["labels"]),
        ),
        signal=features["signal"],
        si_code=features["si_code"],
        fault_address=features["fault_address"],
        pc=features["pc"],
        sp=features["sp"],
        context=features["context"],
        features=features,
        findings=tuple(findings),
        frames=frames["frames"],
        below_sp=frames["below_sp"],
        handler_frames=frames["handler"],
        threads=tuple(ThreadFact(*words[at : at + 3]) for at in range(0, len(words), 3)),
        modules=facts,
        missing=(*(Gap(*gap) for gap in json.loads(row["gaps"])), *((LOST,) if lost else ())),
        registers={name: unsigned(value) for name, value in row["registers"]},
    )


_GIVEN = frozenset({"missing", "frames"})


def _array(values: list[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except (UnicodeEncodeError, OverflowError, pa.ArrowInvalid):
        return pa.array([storable(value) for value in values], kind)


def storable(value: Any) -> Any:
    """What a hostile specimen may say and no column can hold: names that are not UTF-8, numbers beyond 64 bits."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int):
        return value if -_SIGN <= value < _SIGN else None
    if isinstance(value, list | tuple):
        return type(value)(storable(one) for one in value)
    return value


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _identity(*parts: object) -> str:
    return blake2b(repr(parts).encode("utf-8", "backslashreplace"), digest_size=ID_BYTES).hexdigest()


def _module_set(rows: Rows, modules: Sequence[ModuleFact]) -> str:
    facts = [(m.path, m.build_id, m.build_id_source, m.end - m.start, m.found) for m in modules]
    name = _identity(*facts)
    if facts and name not in rows.ids:  # no modules are no rows, and must not stand for a trace without frames
        rows.ids.add(name)
        for number, (path, build_id, source, size, found) in enumerate(facts):
            row = {"path": path, "build_id": build_id, "build_id_source": source, "size": size, "found": found}
            rows.add(MODULES, {"module_set": name, "number": number} | row)
    return name


def _trace(rows: Rows, case: Case) -> str:
    starts = {(m.path, m.build_id): at for at, m in reversed(list(enumerate(case.modules)))}
    sp = case.sp
    told = []
    for part, frames in zip(PARTS, (case.frames, case.below_sp, case.handler_frames), strict=True):
        for f in frames:
            module = _module_of(f, case.modules, starts)
            told.append(
                (
                    part,
                    module,
                    f.module,
                    f.build_id,
                    f.offset,
                    None if module >= 0 else signed(f.pc),
                    None if f.sp is None or sp is None else f.sp - sp,
                    f.function,
                    f.function_offset,
                    f.trust,
                    SIGNAL_FRAME * f.signal_frame + RETURN_ADDRESS * f.return_address,
                )
            )
    name = _identity(*told)
    if name not in rows.ids:
        rows.ids.add(name)
        lists = [list(values) for values in zip(*told, strict=True)] or [[] for _ in _LISTS]
        readable = "|".join(frame_name(f) for f in case.frames)
        rows.add(TRACES, {"trace_id": name, "frames": readable} | dict(zip(_LISTS, lists, strict=True)))
    return name


_LISTS = tuple(c.name for c in TRACES.columns if c.type in ("ints", "texts"))


_NO_TRACE: Row = {name: [] for name in _LISTS}
LOST = Gap("trace", "it was forgotten together with another case", "broadstreet scan SOURCE --reread stale")


def _module_of(frame: Frame, modules: Sequence[ModuleFact], numbers: Mapping[tuple[str, str | None], int]) -> int:
    """Which module, if its start and the offset give the pc again; else -1."""
    if frame.module is None or frame.offset is None:
        return -1
    number = numbers.get((frame.module, frame.build_id), -1)
    return number if number >= 0 and modules[number].start + frame.offset == frame.pc else -1


def _frames(trace: Row, starts: Sequence[int], sp: int | None) -> dict[str, tuple[Frame, ...]]:
    found: dict[str, list[Frame]] = {part: [] for part in PARTS}
    for part, module, path, build_id, offset, at, sp_offset, function, function_offset, trust, kind in zip(
        *(trace[name] for name in _LISTS), strict=True
    ):
        place = starts[module] + offset if module >= 0 else unsigned(at)
        found[part].append(
            Frame(
                place,
                None if sp_offset is None or sp is None else sp + sp_offset,
                path,
                build_id,
                offset,
                function,
                function_offset,
                trust,
                bool(kind & SIGNAL_FRAME),
                bool(kind & RETURN_ADDRESS),
            )
        )
    return {part: tuple(frames) for part, frames in found.items()}


def _steps(starts: Sequence[int]) -> list[int]:
    return [signed(after - before) for before, after in zip([0, *starts], starts, strict=False)]


def _sums(steps: Sequence[int]) -> list[int]:
    at, sums = 0, []
    for step in steps:
        at += step
        sums.append(at)
    return sums
