"""What the zoo's catalogues are written in: programs, builds and the manners in which a program crashes."""

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import product

from broadstreet.lab.truth import Family

CONTEXTS = ("in_signal_handler", "re_raised", "forked_child", "unwinding_exception")

UNLABELLED = "unlabelled"
"""Stands among the expected labels where it is right to find none."""


@dataclass(frozen=True)
class Build:
    """How a program is compiled; `compiler` is the family of it. A script is not compiled: its compiler is python3."""

    name: str
    flags: tuple[str, ...]
    compiler: str = "gcc"


@dataclass(frozen=True)
class Variant:
    """How a program comes to its crash: `name` is its argv[2].

    `holds` are context findings that are then true; `open` are those of which nothing is claimed.
    """

    name: str
    holds: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    signal: int | None = None  # null: the one of the crash itself
    needs_stack: bool = False  # a handler runs on the stack of the crash
    unwinds: bool = False  # the handler calls backtrace()
    note: str = ""


@dataclass(frozen=True)
class Program:
    """One crash: `name` is its argv[1].

    `expected` are the labels that a perfect reader of the one core could give (null: nothing is claimed); where more
    than one is honest, `note` says why. `signal` is null where it may be any. `stack_lost` means that the kernel cannot
    push a signal frame on the stack of the crash, `stops_unwinder` that backtrace() crashes too when it starts from
    this one (it reads the code at a wild rip, or a wild stack).
    """

    name: str
    sources: tuple[str, ...]
    expected: tuple[str, ...] | None
    signal: int | None = signal.SIGSEGV
    holds: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    builds: tuple[str, ...] = ()  # only these; empty: any
    variants: tuple[str, ...] = ()  # only these, each of them; empty: by turns
    stack_lost: bool = False
    stops_unwinder: bool = False
    environment: tuple[tuple[str, str], ...] = ()
    note: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        """What its sources are written in."""
        names = {"c": "C", "cc": "C++", "S": "assembler", "py": "Python"}
        return tuple(names[source.rpartition(".")[2]] for source in self.sources)


def alike(
    sources: tuple[str, ...],
    expected: str | tuple[str, ...],
    *names: str,
    signal: int = signal.SIGSEGV,
    holds: tuple[str, ...] = (),
    open: tuple[str, ...] = (),
    builds: tuple[str, ...] = (),
    variants: tuple[str, ...] = (),
    stack_lost: bool = False,
    stops_unwinder: bool = False,
    note: str = "",
) -> tuple[Program, ...]:
    """Programs of which the same is true."""
    labels = (expected,) if isinstance(expected, str) else expected
    return tuple(
        Program(name, sources, labels, signal, holds, open, builds, variants, stack_lost, stops_unwinder, note=note)
        for name in names
    )


@dataclass(frozen=True)
class Run:
    """One program, in one build and one variant: one core."""

    program: Program
    build: Build
    variant: Variant

    @property
    def name(self) -> str:
        """Of the core dump, without its ending."""
        return f"{self.program.name}.{self.build.name}.{self.variant.name}"

    @property
    def handler_cannot_run(self) -> bool:
        """Whether the kernel cannot push the frame of the handler that this variant needs."""
        return self.program.stack_lost and self.variant.needs_stack

    @property
    def signal(self) -> int | None:
        """What it dies of; null: of any."""
        if self.handler_cannot_run:
            return signal.SIGSEGV  # what the kernel forces when the signal frame does not fit
        return self.program.signal if self.variant.signal is None else self.variant.signal

    @property
    def context(self) -> tuple[str, ...]:
        """The context findings that are true."""
        own = self.variant.holds if not self.handler_cannot_run else ()
        return tuple(name for name in CONTEXTS if name in own + self.program.holds)

    @property
    def context_not(self) -> tuple[str, ...]:
        """Those that are false."""
        own = self.variant.open if not self.handler_cannot_run else ()
        claimed = self.context + own + self.program.open
        return tuple(name for name in CONTEXTS if name not in claimed)

    @property
    def note(self) -> str:
        """What a reader of the truth should know."""
        lost = "the signal frame does not fit on the stack: the handler never runs" if self.handler_cannot_run else ""
        return "; ".join(part for part in (self.program.note, self.variant.note, lost) if part)


@dataclass(frozen=True)
class Catalogue:
    """A set of programs. Each runs plain in `plain_builds`, by turns, and in its variants in `variant_builds`.

    `in_every_build` instead: each of its variants in each build. `libraries` are pairs of a source and what is built
    of it beside the programs.
    """

    folder: str
    programs: tuple[Program, ...]
    builds: tuple[Build, ...]
    variants: tuple[Variant, ...]
    family: Family = "bug"
    plain_builds: tuple[tuple[str, ...], ...] = ()  # turns
    variant_builds: tuple[str, ...] = ()
    turns: tuple[tuple[str, ...], ...] = ()
    in_every_build: bool = False
    source_flags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    libraries: tuple[tuple[str, str], ...] = ()

    def runs(self) -> list[Run]:
        """Every crash of the set."""
        builds = {build.name: build for build in self.builds}
        variants = {variant.name: variant for variant in self.variants}
        return [
            Run(program, builds[build], variants[variant])
            for turn, program in enumerate(self.programs)
            for build, variant in self._pairs(turn, program)
        ]

    def _pairs(self, turn: int, program: Program) -> Iterable[tuple[str, str]]:
        if self.in_every_build:
            yield from product((build.name for build in self.builds), program.variants)
            return
        for build in _allowed(self.plain_builds[turn % len(self.plain_builds)], program.builds):
            yield build, "plain"
        chosen = program.variants or self.turns[turn % len(self.turns)]
        builds = _allowed(self.variant_builds, program.builds)
        for place, variant in enumerate(name for name in chosen if name != "plain"):
            if program.stops_unwinder and self._variant(variant).unwinds:
                continue
            yield builds[(turn + place) % len(builds)], variant

    def _variant(self, name: str) -> Variant:
        return next(variant for variant in self.variants if variant.name == name)


def _allowed(builds: tuple[str, ...], only: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(build for build in builds if build in only) or only[: len(builds)] or builds
