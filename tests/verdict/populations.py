"""Populations and outbreaks made by hand: a crash is a few words, and what they leave out is not known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from broadstreet.population.population import Attribute, Population, Sign
from broadstreet.records.outbreak import Comparison, Outbreak, Survey, Test
from broadstreet.records.weights import STRICT, Interval
from broadstreet.verdict.profile import STATED, UNWINDING

START = datetime(2026, 3, 1, tzinfo=UTC)
END = datetime(2026, 4, 15, tzinfo=UTC)
NONE_OF_THEM = dict.fromkeys((*STRICT, STATED, UNWINDING), 0) | {"code_mismatch": -1}


@dataclass(frozen=True)
class Crash:
    """One crash: when (days after the start), where it stopped, what it showed, and where it happened."""

    day: float
    site: str
    mechanism: str = "null_dereference"
    findings: Mapping[str, int] = field(default_factory=lambda: NONE_OF_THEM)
    at: Mapping[str, str] = field(default_factory=dict)


def shows(*findings: str) -> dict[str, int]:
    """The states of all findings, where these hold and no other."""
    return NONE_OF_THEM | dict.fromkeys(findings, 1)


def population(crashes: Sequence[Crash]) -> Population:
    """These crashes as a population, without time at risk."""
    sites = sorted({crash.site for crash in crashes})
    names = sorted({name for crash in crashes for name in crash.at})
    labels = sorted({name for crash in crashes for name in crash.findings})
    mechanisms = sorted({crash.mechanism for crash in crashes})
    signs = [
        *(Sign(n, "finding", np.array([crash.findings.get(n, -1) for crash in crashes], np.int8)) for n in labels),
        *(Sign(n, "mechanism", np.array([crash.mechanism == n for crash in crashes], np.int8)) for n in mechanisms),
    ]
    return Population(
        case_ids=[f"case-{at:03d}" for at in range(len(crashes))],
        time=np.array([START.timestamp() + crash.day * 86_400 for crash in crashes]),
        dated=np.ones(len(crashes), np.bool_),
        trace=np.array([sites.index(crash.site) for crash in crashes], np.int32),
        traces=[f"trace-{at}" for at in range(len(sites))],
        frames=[(site, "main") if site else () for site in sites],
        syndrome=np.zeros(len(crashes), np.int32),
        syndromes=["S-12a"],
        exposures={name: _attribute(name, crashes) for name in names},
        signs={f"{sign.kind} {sign.name}": sign for sign in signs},
        at_risk=None,
        start=START.timestamp(),
        end=END.timestamp(),
    )


def _attribute(name: str, crashes: Sequence[Crash]) -> Attribute:
    values = sorted({crash.at[name] for crash in crashes if name in crash.at})
    codes = [values.index(crash.at[name]) if name in crash.at else -1 for crash in crashes]
    return Attribute(name, values, np.array(codes, np.int32))


def compared(
    attribute: str, value: str, inside: int, of: int, share: float, same_as: tuple[str, ...] = ()
) -> Comparison:
    """A comparison against time at risk that stands out; adjusted if it can be told apart."""
    ratio = Interval(40.0, 20.0, 90.0)
    return Comparison(
        attribute=attribute,
        value=value,
        inside=inside,
        of=of,
        share=share,
        against="time at risk",
        measure="host_hours",
        naive=ratio,
        test=Test("tails.binomial_tail", {"k": inside, "n": of, "share": share}, 1e-9, 1e-6, attribute, 1000),
        adjusted=None if same_as else ratio,
        same_as=same_as,
    )


def outbreak(
    inside: Sequence[int],
    elsewhere: Sequence[int] = (),
    cohort: Mapping[str, str] | None = None,
    comparison: Comparison | None = None,
    kind: str = "",
    mechanism: str = "null_dereference",
    rank: int = 1,
) -> Outbreak:
    """An outbreak of the cases at these places."""
    return Outbreak(
        id=f"O-{rank}",
        rank=rank,
        kind=kind or ("cohort" if cohort else "everywhere"),  # type: ignore[arg-type]
        syndrome="S-12a",
        mechanism=mechanism,
        cohort=dict(cohort or {}),
        parts=(),
        cases=tuple(f"case-{at:03d}" for at in inside),
        elsewhere=tuple(f"case-{at:03d}" for at in elsewhere),
        episodes=len(inside),
        onset=None,
        comparison=comparison,
        others=(),
        splits=(),
    )


def survey(*outbreaks: Outbreak) -> Survey:
    """A survey that found these."""
    return Survey(START, END, 100, 100, 1000, {"host": 1000}, outbreaks)


FUNCTIONS = "parse encode hash flush compact route merge decode lookup verify".split()


def bad_machine(
    crashes: int, sites: int = 10, found: int | None = None, elsewhere: int = 0
) -> tuple[Population, Outbreak]:
    """A machine whose crashes show a misaligned stack, `found` of them, in so many functions."""
    found = crashes if found is None else found
    here = [
        Crash(
            0.6 * at,
            FUNCTIONS[at % sites],
            "misaligned_stack" if at < found else "null_dereference",
            shows("misaligned_stack") if at < found else NONE_OF_THEM,
            {
                "physical_host": "ph-7c41e9",
                "host": f"vm-{at % 4}",
                "region": "eu-west",
                "service_release": f"26.{at % 3}",
                "kernel_release": f"6.1.{at % 2}",
            },
        )
        for at in range(crashes)
    ]
    there = [
        Crash(3.0 * at, "parse", "null_dereference", NONE_OF_THEM, {"physical_host": f"ph-{at}", "host": f"vm-9{at}"})
        for at in range(elsewhere)
    ]
    comparison = compared("physical_host", "ph-7c41e9", crashes, crashes + elsewhere, 0.0001)
    found_outbreak = outbreak(
        range(crashes),
        range(crashes, crashes + elsewhere),
        {"physical_host": "ph-7c41e9"},
        comparison,
        mechanism="misaligned_stack",
    )
    return population([*here, *there]), found_outbreak


def race(crashes: int, builds: int = 1) -> tuple[Population, Outbreak]:
    """A race in an unwinder, everywhere."""
    every = [
        Crash(
            0.3 * at,
            "",
            "return_to_null",
            shows(UNWINDING),
            {
                "physical_host": f"ph-{at}",
                "host": f"vm-{at}",
                "region": ("eu-west", "us-east", "ap-south")[at % 3],
                "build of libunwind.so.8": "dbd50d23f0d2 (8.0.1)" if at % builds == 0 else "aa11bb22cc33",
                "build of libc.so.6": "93ac61ec5a8eb139",
            },
        )
        for at in range(crashes)
    ]
    return population(every), outbreak(range(crashes), mechanism="return_to_null")
