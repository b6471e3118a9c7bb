"""What could not be checked in an outbreak, in how many crashes, and how to make it checkable, as data."""

from collections.abc import Callable
from typing import NamedTuple

from broadstreet.records.verdict import Unchecked
from broadstreet.verdict.profile import WRONG_CODE, Profile


class Check(NamedTuple):
    """`missing` counts the crashes that lack it; `remedy` is the command or setting that mends it."""

    what: str
    missing: Callable[[Profile], int]
    remedy: str


def _unknown(name: str) -> Callable[[Profile], int]:
    return lambda p: p.cases - p.known.get(name, 0)


def _unjudged(finding: str) -> Callable[[Profile], int]:
    return lambda p: p.cases - p.strict[finding].judged


def _cpu(p: Profile) -> int:
    return 0 if _virtual(p) or p.place is None else p.cases - p.known.get("cpu", 0)


def _vcpu(p: Profile) -> int:
    return p.cases if _virtual(p) else 0


def _virtual(p: Profile) -> bool:
    hosts = p.distinct.get("host", 0)
    return p.place == "physical_host" and (hosts > 1 or p.common.get("host") != p.cohort["physical_host"])


CHECKS = (
    Check(
        "whether the stack and the registers are as the code leaves them: the binaries are not at hand",
        lambda p: p.unjudged,
        "broadstreet binaries add DIR, then broadstreet scan SOURCE --reread stale",
    ),
    Check(
        "whether code in memory is as in its file: code pages are not in the core dumps",
        _unjudged(WRONG_CODE),
        "echo 0x37 > /proc/self/coredump_filter, in what starts the service",
    ),
    Check(
        "on which host: the core dumps do not say it",
        _unknown("host"),
        "a sidecar with host beside each core dump; broadstreet doctor says where it is lost",
    ),
    Check(
        "which physical machine was under the virtual one: no placement is recorded",
        _unknown("physical_host"),
        "broadstreet fleet add placements FILE",
    ),
    Check(
        "rates: nothing tells how long who was at risk, so other crashes are the comparison",
        lambda p: p.cases if p.comparison is not None and p.comparison.against == "other crashes" else 0,
        "broadstreet fleet add at_risk FILE",
    ),
    Check(
        "which CPU: the core dumps do not hold it",
        _cpu,
        "glibc 2.35 or later, or %C in kernel.core_pattern",
    ),
    Check(
        "which CPU of the physical machine: a virtual machine sees only its own",
        _vcpu,
        "pin its virtual CPUs, or run the CPU test on the physical machine",
    ),
    Check(
        "which release: nothing says it",
        _unknown("service_release"),
        "broadstreet fleet add services FILE, or service_release in the sidecar",
    ),
    Check(
        "whether the machine logged an error: machine checks are not read yet",
        lambda p: p.cases if p.place else 0,
        "ras-mc-ctl --errors on the machine; that it logged none proves nothing",
    ),
)


def not_checked(p: Profile) -> tuple[Unchecked, ...]:
    """What was not checked, what lacks in the most crashes first."""
    found = [Unchecked(check.what, missing, check.remedy) for check in CHECKS if (missing := check.missing(p)) > 0]
    return tuple(sorted(found, key=lambda one: -one.cases))
