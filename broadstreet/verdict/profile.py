"""What the crashes of one outbreak show together: the numbers that every item of evidence is read from.

A site is the innermost frame of a crash that is code. Software that makes a hardware finding makes it again at the same
site, so sites with a finding are counted, not crashes. A finding speaks against hardware by its absence only where the
rules that find most faults could be judged; without the binaries they cannot.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.libraries import NOT_LOADED
from broadstreet.population.population import UNKNOWN, Attribute, Population, States
from broadstreet.records.outbreak import Comparison, Outbreak
from broadstreet.records.weights import STRICT, Count

Cases = NDArray[np.int64]

_NO_CODE = re.compile("0x")
"""An address in no file: the frame of a thread that went where no code is. Its caller is the site."""
_NEARBY = re.compile(r"(?<=\+0x)([0-9a-f]*)[0-9a-f]{3}$|(?<=\+0x)[0-9a-f]{1,3}$")
"""Where functions have no names, places within 4 KiB are one site: a crash or two of one function are not two."""

THOROUGH = ("misaligned_stack", "one_bit_off")
"""The strict findings that nine in ten found faults have: only where both were judged does the absence of all count."""

STATED, WRONG_CODE, UNWINDING = "memory_poisoned", "code_mismatch", "unwinding_exception"
MACHINES = ("cpu", "physical_host", "host")
"""One machine or a part of one, the smallest first."""
KINDS_OF_MACHINE = ("cpu_model", "microcode", "sku", "rack", "zone", "region")
VARIES = ("host", "service_release", "kernel_release", "workload", "tenant", "service")
"""What software runs as. A fault of one machine does not mind which."""
LIBRARY = "build of "

NEAR_NULL = ("null_dereference", "call_to_null", "return_to_null", "poison_access")
DELIBERATE = (
    "abort_assertion abort_uncaught_exception abort_fortify abort_other deliberate_trap sent_by_process bad_syscall "
    "resource_limit no_fault"
).split()


@dataclass(frozen=True)
class Profile:
    """One outbreak in numbers. `distinct`, `known` and `common` are by exposure: how many different values its crashes
    have, in how many crashes it is known, and the value where there is but one.

    `strict` counts each strict finding; `strict_sites` are sites with one, on one machine (on all, where a kind of
    machine is hit). `lacking` are crashes at other sites that were judged thoroughly and have none, of an outbreak that
    was linked on one machine all such there; `unjudged` crashes that have none and were not. `strict_machines` are
    machines with a strict finding, inside, or elsewhere at one of the same sites; null where there is none, or none is
    known.
    `sites` is null where no crash has a frame. `span_seconds` is null where fewer than two crashes have a time.
    `mechanisms` counts crashes; empty where none is known. `unwinding` is of the crashes where that could be judged.
    `witnesses` are the case ids behind the numbers.
    """

    kind: str
    mechanism: str
    cohort: Mapping[str, str]
    cases: int
    episodes: int
    elsewhere: int
    comparison: Comparison | None
    strict: Mapping[str, Count]
    strict_sites: int
    strict_cases: int
    strict_machines: int | None
    lacking: int
    unjudged: int
    stated: int
    wrong_code: int
    sites: int | None
    span_seconds: float | None
    mechanisms: Mapping[str, int]
    unwinding: Count
    distinct: Mapping[str, int]
    known: Mapping[str, int]
    common: Mapping[str, str]
    libraries: Mapping[str, str]
    witnesses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def place(self) -> str | None:
        """The machine, or part of one, that the outbreak is on: the name of the exposure."""
        return next((name for name in MACHINES if name in self.cohort), None)

    @property
    def is_stated(self) -> bool:
        """Whether the kernel itself says of most of these crashes that hardware lost memory."""
        return 2 * self.stated > self.cases

    @property
    def is_proven(self) -> bool:
        """Whether most of these crashes prove a wrong bit: by that, or by code that differs from its file."""
        return 2 * (self.stated + self.wrong_code) > self.cases

    @property
    def per_day(self) -> float:
        """Episodes a day; at least as many as there were, where all fell on one day."""
        return self.episodes / max((self.span_seconds or 0.0) / 86_400, 1.0)


def profile(population: Population, outbreak: Outbreak) -> Profile:
    """The profile of an outbreak of this population."""
    return Profiles(population).of(outbreak)


class Profiles:
    """Profiles of the outbreaks of one population, which is looked through once."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.place_of = {case: at for at, case in enumerate(population.case_ids)}
        self.findings = _of_kind(population, "finding")
        self.mechanisms = _of_kind(population, "mechanism")

    def of(self, outbreak: Outbreak) -> Profile:
        """The profile of one outbreak."""
        inside, outside = self._places(outbreak.cases), self._places(outbreak.elsewhere)
        held, judged = self._strict(inside)
        at = self._sites(inside)
        one_machine = outbreak.kind == "linked" and any(name in outbreak.cohort for name in MACHINES)
        lacking = self._lacking(self._at_place(outbreak) if one_machine else inside, inside[held])
        times = self.population.time[inside]
        times = times[~np.isnan(times)]
        exposures = {name: _values(one, inside) for name, one in self.population.exposures.items()}
        unwinding = self._finding(UNWINDING, inside)
        stated, wrong_code = self._finding(STATED, inside) == 1, self._finding(WRONG_CODE, inside) == 1
        return Profile(
            kind=outbreak.kind,
            mechanism=outbreak.mechanism,
            cohort=outbreak.cohort,
            cases=len(inside),
            episodes=outbreak.episodes,
            elsewhere=len(outside),
            comparison=outbreak.comparison,
            strict={name: _count(self._finding(name, inside)) for name in STRICT},
            strict_sites=self._most_sites(outbreak, inside[held]),
            strict_cases=int(held.sum()),
            strict_machines=self._strict_machines(inside[held], outside),
            lacking=len(lacking),
            unjudged=int((~judged & ~held).sum()),
            stated=int(stated.sum()),
            wrong_code=int(wrong_code.sum()),
            sites=len(set(at) - {""}) or None,
            span_seconds=float(np.ptp(times)) if len(times) > 1 else None,
            mechanisms=self._counted_mechanisms(inside),
            unwinding=_count(unwinding),
            distinct={name: len(values) for name, values in exposures.items() if values},
            known={name: values.total() for name, values in exposures.items()},
            common={name: next(iter(values)) for name, values in exposures.items() if len(values) == 1},
            libraries={
                name.removeprefix(LIBRARY): next(iter(values)) if len(values) == 1 else ""
                for name, values in exposures.items()
                if name.startswith(LIBRARY) and values.total() == len(inside) > 0 and NOT_LOADED not in values
            },
            witnesses={
                "all": outbreak.cases,
                "elsewhere": outbreak.elsewhere,
                "strict": self._ids(inside[held]),
                "lacking": self._ids(lacking),
                "stated": self._ids(inside[stated]),
            },
        )

    def _places(self, cases: Sequence[str]) -> Cases:
        return np.array([self.place_of[case] for case in cases], dtype=np.int64)

    def _ids(self, cases: Cases) -> tuple[str, ...]:
        return tuple(self.population.case_ids[at] for at in cases)

    def _finding(self, name: str, cases: Cases) -> NDArray[np.int8]:
        states = self.findings.get(name)
        return np.full(len(cases), UNKNOWN, np.int8) if states is None else states[cases]

    def _strict(self, cases: Cases) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        states = {name: self._finding(name, cases) for name in STRICT}
        held = np.any([one == 1 for one in states.values()], axis=0)
        return held, held | np.all([states[name] == 0 for name in THOROUGH], axis=0)

    def _sites(self, cases: Cases) -> list[str]:
        traces, of = np.unique(self.population.trace[cases], return_inverse=True)
        names = [self._site(int(trace)) for trace in traces]
        return [names[at] for at in of]

    def _site(self, trace: int) -> str:
        frames = self.population.frames[trace] if trace != UNKNOWN else ()
        return next((_NEARBY.sub(r"\1", frame) for frame in frames if not _NO_CODE.match(frame)), "")

    def _lacking(self, cases: Cases, held: Cases) -> Cases:
        """Those of the cases that could be judged and have no finding, at sites where none of `held` is."""
        holds, judged = self._strict(cases)
        strict_sites = set(self._sites(held))
        apart = np.array([site not in strict_sites for site in self._sites(cases)], dtype=np.bool_)
        lacking: Cases = cases[judged & ~holds & apart]
        return lacking

    def _at_place(self, outbreak: Outbreak) -> Cases:
        """All crashes at the place of an outbreak that was found by its findings, so that those without count too."""
        there = np.ones(len(self.population), np.bool_)
        for name, value in outbreak.cohort.items():
            attribute = self.population.exposures[name]
            there &= attribute.cases == attribute.values.index(value)
        return np.flatnonzero(there).astype(np.int64)

    def _machines(self, cases: Cases) -> NDArray[np.int32] | None:
        """The machine of each, as a code: the physical one, where it is known of any; null where nothing is."""
        told = (
            self.population.exposures[name].cases[cases] for name in MACHINES[1:] if name in self.population.exposures
        )
        return next((codes for codes in told if np.any(codes != UNKNOWN)), None)

    def _most_sites(self, outbreak: Outbreak, held: Cases) -> int:
        """Sites with a finding, on the machine that has most: each machine would have to be bad of itself."""
        sites, machines = self._sites(held), self._machines(held)
        if machines is None or any(name in outbreak.cohort for name in (*MACHINES, *KINDS_OF_MACHINE)):
            return len(set(sites))
        of_machine = Counter(int(machine) for machine, _ in set(zip(machines, sites, strict=True)))
        return max(of_machine.values())

    def _strict_machines(self, held: Cases, outside: Cases) -> int | None:
        """Machines of the crashes with a finding, and of those elsewhere with one at the same sites."""
        sites = set(self._sites(held))
        found = outside[self._strict(outside)[0]]
        same = np.array([site in sites for site in self._sites(found)], dtype=np.bool_)
        every = np.concatenate([held, found[same]])
        machines = self._machines(every)
        return None if machines is None else len(np.unique(machines[machines != UNKNOWN]))

    def _counted_mechanisms(self, cases: Cases) -> dict[str, int]:
        counted = {name: int((states[cases] == 1).sum()) for name, states in self.mechanisms.items()}
        return {name: number for name, number in counted.items() if number}


def _of_kind(population: Population, kind: str) -> dict[str, States]:
    signs = (sign for sign in population.signs.values() if sign.kind == kind)
    return {sign.name.removeprefix(f"{kind} "): sign.cases for sign in signs}


def _values(attribute: Attribute, cases: Cases) -> Counter[str]:
    codes, numbers = np.unique(attribute.cases[cases], return_counts=True)
    return Counter({attribute.values[c]: int(n) for c, n in zip(codes, numbers, strict=True) if c != UNKNOWN})


def _count(states: Iterable[int]) -> Count:
    known = [int(state) for state in states if state != UNKNOWN]
    return Count(sum(known), len(known))
