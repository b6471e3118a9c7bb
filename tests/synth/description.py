"""What a synthetic core dump says. Registers and fields have the names of their authority."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Architecture = Literal["x86_64", "aarch64"]

PAGE_BYTES = 4096


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A signal that the kernel raised for an instruction; `si_addr_lsb` is for SIGBUS from a memory error."""

    si_signo: int
    si_code: int
    si_addr: int
    si_addr_lsb: int = 0


@dataclass(frozen=True, kw_only=True)
class Sent:
    """A signal that a process sent: `kill` has si_code 0, `tgkill` (so `abort` too) has -6."""

    si_signo: int
    si_code: int
    si_pid: int
    si_uid: int


Signal = Fault | Sent


@dataclass(frozen=True)
class Note:
    """A note as it stands in the file: owner without its NUL, `n_type`, data."""

    owner: str
    type: int
    data: bytes


@dataclass(frozen=True, kw_only=True)
class Thread:
    """One thread.

    A register that is not named is 0, but on x86-64 cs, ss, eflags and orig_rax have the values of a process
    that faulted in user mode. `more` follows FPREGSET, where the kernel writes XSTATE, ARM_TLS or ARM_PAC_MASK.
    """

    tid: int
    registers: Mapping[str, int]
    more: tuple[Note, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Process:
    """PRPSINFO, and what all threads' PRSTATUS repeat. The kernel leaves a space after the last argument."""

    pid: int
    fname: str
    psargs: str
    flag: int = 0x400600
    ppid: int = 1
    pgrp: int = 1
    sid: int = 1
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, kw_only=True)
class Map:
    """One mapping. `data` None: the kernel wrote a program header and no bytes.

    Shorter data is padded to a whole page: a text mapping that has only its first page in the core is one page
    of data. `path` puts the mapping into NT_FILE, `page_offset` is its place in the file, in pages.
    """

    start: int
    end: int
    flags: str
    data: bytes | None = None
    path: str | None = None
    page_offset: int = 0


@dataclass(frozen=True, kw_only=True)
class Core:
    """One core dump. The first thread is the one that took the signal. AT_NULL is added after `auxv`."""

    architecture: Architecture
    signal: Signal
    process: Process
    threads: tuple[Thread, ...]
    mappings: tuple[Map, ...] = ()
    auxv: tuple[tuple[int, int], ...] = ()
