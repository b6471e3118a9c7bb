"""A crash that happened, as other programs may rely on it: the fields of the published JSON Schema.

Addresses are 64-bit integers here, and hex strings in JSON.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

from broadstreet.records.exposure import Circumstances
from broadstreet.records.finding import Finding, Value
from broadstreet.records.frame import Frame
from broadstreet.records.gap import Gap


@dataclass(frozen=True)
class ModuleFact:
    """A file that was mapped as code. `found` says whether its binary was at hand."""

    path: str
    start: int
    end: int
    build_id: str | None
    build_id_source: Literal["core", "file"] | None
    found: bool


@dataclass(frozen=True)
class ThreadFact:
    """One thread: its registers at the core dump, and its frames where they were asked for."""

    tid: int
    pc: int
    sp: int
    frames: tuple[Frame, ...] = ()


@dataclass(frozen=True)
class Case:
    """One crash. Null is not observed."""

    case_id: str
    circumstances: Circumstances
    architecture: str
    mechanism: str
    signal: int | None
    si_code: int | None
    fault_address: int | None
    pc: int | None
    sp: int | None
    context: str | None
    features: dict[str, Value]
    findings: tuple[Finding, ...]
    frames: tuple[Frame, ...]
    below_sp: tuple[Frame, ...]
    handler_frames: tuple[Frame, ...]
    threads: tuple[ThreadFact, ...]
    thread_count: int | None
    modules: tuple[ModuleFact, ...]
    missing: tuple[Gap, ...]
    bytes_read: int
    bytes_present: int
    reader_version: int
    rules_version: int
    registers: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Unreadable:
    """A specimen that is no core dump, could not be had, or broke the reader. `kind` is what aggregates count by.

    `retry`: its source was throttled, slow or broken, and may give it later in the same scan. `unsettled`: nothing is
    known of its bytes, so the next scan reads it again.
    """

    path: str
    kind: str
    reason: str
    retry: bool = False
    unsettled: bool = False


Outcome = Case | Unreadable
Json = dict[str, Any]
