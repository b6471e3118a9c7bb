"""What to do now, as data: which machine to take out and how to test it, or which code to look at."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from broadstreet.records.outbreak import Outbreak
from broadstreet.records.verdict import Says
from broadstreet.verdict.not_checked import not_checked
from broadstreet.verdict.profile import LIBRARY, Profile
from broadstreet.verdict.titles import unwinder
from broadstreet.verdict.words import machine, named

EXPECTED = 3.0
"""After so many expected crashes none has a chance of 5 % if nothing changed: the rule of three."""
LONGEST_DAYS = 90
MEND = "find out why core dumps get lost (disk space, limits, a collector that is down) and mend it: broadstreet doctor"


class Action(NamedTuple):
    """`when` says whether it helps in this outbreak."""

    verdict: tuple[Says, ...]
    when: Callable[[Profile], bool]
    do: Callable[[Profile], str]


def _virtual(p: Profile) -> bool:
    return p.place == "physical_host"


def _memory(p: Profile) -> bool:
    return p.is_proven


def _release(p: Profile) -> bool:
    return "service_release" in p.cohort


ACTIONS = (
    Action(
        ("hardware",),
        lambda p: p.place is not None and p.place != "cpu",
        lambda p: f"take {machine(p)} out of placement; keep it for the tests",
    ),
    Action(
        ("hardware",),
        lambda p: p.place == "cpu",
        lambda p: f"take {machine(p)} offline (chcpu -d), or the whole machine out if it is virtual",
    ),
    Action(
        ("hardware",),
        lambda p: p.place is None and p.kind != "linked",
        lambda p: f"move work off machines with {named(p.cohort)}; ask their maker, with these cases",
    ),
    Action(
        ("hardware",),
        _virtual,
        lambda p: "ask for the test on the physical machine: within a virtual one only opendcdiag and memtest run",
    ),
    Action(
        ("hardware", "undetermined"),
        lambda p: p.place is not None and not _memory(p),
        lambda p: f"run opendcdiag on {machine(p)}, each core for 2 minutes, several times: half of bad CPUs pass once",
    ),
    Action(
        ("hardware", "undetermined"),
        lambda p: p.place is not None and _memory(p),
        lambda p: f"run memtest on {machine(p)}; read ras-mc-ctl --errors",
    ),
    Action(
        ("hardware",),
        lambda p: p.place is not None and not _memory(p),
        lambda p: "if it passes: lower its clock, run the same work, raise it again (A-B-A); then it is the CPU",
    ),
    Action(
        ("software",),
        _release,
        lambda p: f"look at what came with {named({'service_release': p.cohort['service_release']})}, or roll it back",
    ),
    Action(
        ("software",),
        lambda p: any(name.startswith(LIBRARY) for name in p.cohort),
        lambda p: f"replace {named({n: v for n, v in p.cohort.items() if n.startswith(LIBRARY)})}",
    ),
    Action(
        ("software",),
        lambda p: unwinder(p) is not None,
        lambda p: f"read the unwinder of {(unwinder(p) or ('', ''))[0]}; signals that arrive meanwhile come first",
    ),
    Action(
        ("software",),
        lambda p: any(name in p.cohort for name in ("workload", "tenant")),
        lambda p: f"replay the input of {named({n: v for n, v in p.cohort.items() if n in ('workload', 'tenant')})}",
    ),
    Action(
        ("software",),
        lambda p: p.place is not None,
        lambda p: f"compare the configuration of {machine(p)} with that of its neighbours",
    ),
    Action(
        ("undetermined",),
        lambda p: p.place is not None,
        lambda p: f"move the work of {machine(p)} elsewhere for a while: what goes along is software",
    ),
)


def only(outbreak: Outbreak) -> str:
    """The option by which `fixed` counts this part of its syndrome alone; empty where no mechanism parts it."""
    by = "mechanism "
    return next((f" --mechanism {sign.removeprefix(by)}" for sign in outbreak.parts if sign.startswith(by)), "")


def action(says: Says, p: Profile, outbreak: Outbreak, until: datetime, held: bool = False) -> tuple[str, ...]:
    """What to do, the first thing first; the last is when to look again. `until` is the end of what was observed.

    `held`: too few crashes were captured for a verdict.
    """
    found = [MEND] if held else []
    found += [one.do(p) for one in ACTIONS if says in one.verdict and one.when(p)]
    if says == "software":
        found.append(f"start from the frames of one case: broadstreet read {outbreak.cases[0]}")
    if says == "undetermined":
        found.extend(f"make it checkable: {one.remedy}" for one in not_checked(p)[:1])
    check = until + timedelta(days=min(max(1.0, EXPECTED / p.per_day), LONGEST_DAYS))
    fixed = f"broadstreet fixed --syndrome {outbreak.syndrome}{only(outbreak)} --since {until.astimezone(UTC):%Y-%m-%d}"
    found.append(f"look again on {check.astimezone(UTC):%Y-%m-%d}: {fixed}")
    return tuple(found)
