"""A case as JSON: the stable fields that other programs may rely on. Addresses are hex strings.

The published schema, docs/case.schema.json, is made from these types.
"""

from typing import Any

import msgspec

from broadstreet.records.case import Case
from broadstreet.records.columns import FEATURES
from broadstreet.records.finding import Value
from broadstreet.records.frame import Frame
from broadstreet.surfaces.text import encodable

_ENCODER = msgspec.json.Encoder()
_ADDRESSES = frozenset(column.name for column in FEATURES if column.type == "address")
Address = str


class EvidenceJson(msgspec.Struct, frozen=True):
    """An observed feature and what it says."""

    feature: str
    value: bool | int | str | None
    meaning: str


class FindingJson(msgspec.Struct, frozen=True):
    """One rule's answer: holds, does_not_hold or not_judged; `needs` names what was missing."""

    label: str
    state: str
    evidence: list[EvidenceJson]
    needs: list[str]


class FrameJson(msgspec.Struct, frozen=True):
    """A frame. `offset` is from the module's first mapped byte."""

    pc: Address
    module: str | None
    build_id: str | None
    offset: Address | None
    function: str | None
    trust: str


class ThreadJson(msgspec.Struct, frozen=True):
    """A thread that was read; its frames where every thread was asked for."""

    tid: int
    pc: Address
    sp: Address
    frames: list[FrameJson]


class ModuleJson(msgspec.Struct, frozen=True):
    """A file that was mapped as code; `found` says whether its binary was at hand."""

    path: str
    start: Address
    end: Address
    build_id: str | None
    build_id_source: str | None
    found: bool


class MissingJson(msgspec.Struct, frozen=True):
    """What could not be observed, why, and what would make it observable."""

    what: str
    why: str
    remedy: str | None


class CaseJson(msgspec.Struct, frozen=True):
    """One crash."""

    case_id: str
    path: str
    executable: str | None
    pid: int | None
    tid: int | None
    signal: int | None
    si_code: int | None
    fault_address: Address | None
    pc: Address | None
    sp: Address | None
    context: str | None
    mechanism: str
    findings: list[FindingJson]
    frames: list[FrameJson]
    below_sp: list[FrameJson]
    handler_frames: list[FrameJson]
    threads: list[ThreadJson]
    thread_count: int | None
    modules: list[ModuleJson]
    cpu: int | None
    numa_node: int | None
    kernel_release: str | None
    missing: list[MissingJson]
    bytes_read: int
    bytes_present: int
    time: str | None
    time_source: str
    host: str | None
    host_source: str
    boot_id: str | None
    uid: int | None
    service: str | None
    service_release: str | None
    workload: str | None
    region: str | None
    labels: dict[str, str]
    architecture: str
    registers: dict[str, Address]
    features: dict[str, bool | int | str | None]
    reader_version: int
    rules_version: int


def case_json(case: Case) -> CaseJson:
    """The case with its addresses as hex strings."""
    where = case.circumstances
    return CaseJson(
        case_id=case.case_id,
        path=encodable(where.path),
        executable=None if where.executable is None else encodable(where.executable),
        pid=where.pid,
        tid=where.tid,
        signal=case.signal,
        si_code=case.si_code,
        fault_address=address(case.fault_address),
        pc=address(case.pc),
        sp=address(case.sp),
        context=case.context,
        mechanism=case.mechanism,
        findings=[
            FindingJson(
                f.label,
                f.state,
                [EvidenceJson(e.feature, _value(e.feature, e.value), e.meaning) for e in f.evidence],
                list(f.needs),
            )
            for f in case.findings
        ],
        frames=_frames(case.frames),
        below_sp=_frames(case.below_sp),
        handler_frames=_frames(case.handler_frames),
        threads=[ThreadJson(t.tid, hex(t.pc), hex(t.sp), _frames(t.frames)) for t in case.threads],
        thread_count=case.thread_count,
        modules=[
            ModuleJson(m.path, hex(m.start), hex(m.end), m.build_id, m.build_id_source, m.found) for m in case.modules
        ],
        cpu=where.cpu,
        numa_node=where.numa_node,
        kernel_release=where.kernel_release,
        missing=[MissingJson(g.what, g.why, g.remedy) for g in case.missing],
        bytes_read=case.bytes_read,
        bytes_present=case.bytes_present,
        time=where.time,
        time_source=where.time_source,
        host=where.host,
        host_source=where.host_source,
        boot_id=where.boot_id,
        uid=where.uid,
        service=where.service,
        service_release=where.service_release,
        workload=where.workload,
        region=where.region,
        labels=dict(where.labels),
        architecture=case.architecture,
        registers={name: hex(value) for name, value in case.registers.items()},
        features={name: _value(name, value) for name, value in case.features.items()},
        reader_version=case.reader_version,
        rules_version=case.rules_version,
    )


def encoded(case: Case) -> bytes:
    """The case as JSON in one line."""
    return written(case_json(case))


def written(value: msgspec.Struct) -> bytes:
    """JSON in one line. Characters that steer a terminal or end a line are escaped, as JSON allows."""
    data = _ENCODER.encode(value)
    if data.isascii() and b"\x7f" not in data:
        return data
    return "".join(c if c.isprintable() else _escaped(c) for c in data.decode()).encode()


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def schema() -> dict[str, Any]:
    """The JSON Schema of a case."""
    return msgspec.json.schema(CaseJson)


def address(value: int | None) -> Address | None:
    """An address as a hex string."""
    return None if value is None else hex(value)


def _value(name: str, value: Value) -> Value:
    return hex(value) if name in _ADDRESSES and isinstance(value, int) else value


def _frames(frames: tuple[Frame, ...]) -> list[FrameJson]:
    return [FrameJson(hex(f.pc), f.module, f.build_id, address(f.offset), f.function, f.trust) for f in frames]
