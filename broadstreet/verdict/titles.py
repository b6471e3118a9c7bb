"""The one sentence of a verdict. It says what the evidence bears out and no more: a place, a code, never a guess."""

import re

from broadstreet.records.verdict import Says
from broadstreet.verdict.profile import LIBRARY, VARIES, Profile
from broadstreet.verdict.words import machine, named, of, plural

UNWINDERS = (r"libunwind(-\w+)?\.so", r"libgcc_s\.so", r"libc\+\+abi\.so")
"""Libraries that unwind exceptions; where more than one is mapped, the first of these wins, as it does in the linker
where it was put before libgcc_s."""
NEARLY_ALL = 0.9
"""A few other bugs may look the same: of crashes that need no exception, under half seem to be unwinding one."""
MAPPED = "in processes that map"  # the title of a verdict that blames a library says so, and no other
OF_THE_CPU = ("misaligned_stack", "wrong_result")
"""What no bit of memory explains: a register that instructions left wrong. Other findings may be memory's."""


def title(says: Says, p: Profile, held: str | None, short_of: str | None) -> str:
    """What is at fault where, in one sentence of at most three lines; why it cannot be told, where a law keeps it."""
    if held is not None:
        return f"No verdict: {held}"
    if says == "hardware":
        return _hardware(p)
    subject = _software(p)
    if says == "software":
        return subject
    why = short_of or "hardware or software cannot be told yet"
    return f"{_first_up(plural(p.cases, 'crash', 'crashes'))} {_where(p)}: {why}"


def unwinder(p: Profile) -> tuple[str, str] | None:
    """The library that unwinds exceptions in every one of these crashes, and its build (empty if there are several);
    null where not nearly all were unwinding, or no such library is common to all."""
    judged = p.unwinding.judged
    if judged < 2 or p.unwinding.held < NEARLY_ALL * judged or 2 * judged < p.cases:
        return None
    for pattern in UNWINDERS:
        for library, build in sorted(p.libraries.items()):
            if re.match(pattern, library):
                return library, build
    return None


def _hardware(p: Profile) -> str:
    within = _within(p)
    if "cpu" in p.cohort:
        return f"{_first_up(machine(p))}{within} is bad"
    if p.place:
        return f"{_first_up(machine(p))}{within} has {_part(p)}"
    return f"Machines with {named(p.cohort)} have bad hardware"


def _part(p: Profile) -> str:
    if p.is_stated:
        return "bad memory"
    in_registers = sum(p.strict[name].held for name in OF_THE_CPU)
    return "a bad CPU" if 2 * in_registers > p.strict_cases else "bad hardware"


def _within(p: Profile) -> str:
    region = p.common.get("region")
    return f" in {region}" if region and "region" not in p.cohort else ""


def _software(p: Profile) -> str:
    what = f"{_kind(p)} crashes"
    found = unwinder(p)
    if found:
        library, build = found
        every = p.unwinding.held == p.unwinding.judged
        when = " only while" if every else f", {of(p.unwinding.held, p.unwinding.judged)} of them while"
        mapped = f"{MAPPED} {library}{_build(build)}"
        return f"{_first_up(what)}{when} unwinding an exception, {mapped}{_with(p)}"
    return f"{_first_up(what)}{_in_code(p)} {_where(p)}"


def _build(build: str) -> str:
    found = re.fullmatch(r"(\w+) \((.+)\)", build)  # "5d1f0c (8.0.1)", where the fleet names the release of the build
    if found:
        return f" {found[2]} (build {found[1]})"
    return f" (build {build})" if build else ""


def _kind(p: Profile) -> str:
    known = p.mechanism not in ("", "mixed", "not_judged", "unclassified")
    return p.mechanism.replace("_", "-") if known else "unexplained"


def _in_code(p: Profile) -> str:
    return " in one function" if p.sites == 1 and p.episodes > 1 else ""


def _with(p: Profile) -> str:
    software = {name: value for name, value in p.cohort.items() if name in VARIES[1:]}
    return f", with {named(software)}" if software else ""


def _where(p: Profile) -> str:
    if p.place:
        return f"on {machine(p)}{_within(p)}"
    if p.cohort:
        return f"with {named({name.replace(LIBRARY, 'build of '): value for name, value in p.cohort.items()})}"
    regions = p.distinct.get("region", 0)
    return f"in {plural(regions, 'region')}" if regions > 1 else "on no machine in particular"


def _first_up(text: str) -> str:
    return text[:1].upper() + text[1:]
