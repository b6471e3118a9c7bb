"""The sentences of an investigation: the answer, and who is hit, each computed from what was found.

The answer names things and counts them: `one machine and one library`. It says that one bug looked like one only where
the statistics parted a syndrome.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from broadstreet.population.families import ERROR, LEAST
from broadstreet.records.outbreak import Onset, Outbreak
from broadstreet.records.verdict import Investigation, Says, Verdict
from broadstreet.records.weights import Interval
from broadstreet.statistics.tails import binomial_tail
from broadstreet.verdict.figures import amount, day, percent, ratio, short_day
from broadstreet.verdict.titles import MAPPED
from broadstreet.verdict.words import certainty, named, plural

# What a cohort of this attribute is, by the first of these that its name contains.
THINGS = (
    ("physical_host", "machine"),
    ("library", "library"),
    ("build", "library"),
    ("kernel_release", "kernel"),
    ("release", "release"),
    ("microcode", "microcode"),
    ("cpu_model", "CPU model"),
    ("cpu", "CPU"),
    ("core", "CPU"),
    ("rack", "rack"),
    ("zone", "zone"),
    ("region", "region"),
    ("sku", "SKU"),
    ("workload", "workload"),
    ("service", "service"),
    ("host", "machine"),
)
UNTOLD = "that cannot be told"
MANY = {"library": "libraries", "bug in software": "bugs in software", UNTOLD: UNTOLD}
MEASURES = {"host_hours": "host-hours", "process_hours": "process-hours"}
DIFFERENT = "different syndromes"  # the measure of who asks how many of them a place has
VERDICTS: dict[Says, str] = {"hardware": "Hardware", "software": "Software", "undetermined": "Cannot tell"}
TELLING = 0.05
"""Nearer to all or nothing, what keeps a verdict from being given is in its title, not in its odds."""
WORDS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def heading(found: Investigation) -> str:
    """The answer, in one sentence or two."""
    verdicts = found.verdicts
    if not found.cases:
        return "No crashes yet."
    if not verdicts:
        return f"Nothing stands out of {found.cases:,} crashes." if found.cases > 1 else "One crash: it stands alone."
    if any(one.held for one in verdicts) or len(verdicts) == 1:
        return f"{verdicts[0].title.rstrip('.')}."
    parted = {split.syndrome for one in verdicts for split in one.outbreak.splits}
    if len(verdicts) == 2 and len({_origin(one.outbreak) for one in verdicts}) == 1 and parted:
        return f"It looked like one bug. It is {things(verdicts)}."
    return f"{count(len(verdicts)).capitalize()} outbreaks: {things(verdicts)}."


def said(says: Says, held: str | None, sure: float, hardware: Interval) -> tuple[str, str]:
    """A verdict in a word, and how certain it is: empty where that says nothing. `hardware` is its probability."""
    if held:
        return "Held", ""
    if says != "undetermined":
        return VERDICTS[says], certainty(sure)
    if not TELLING <= hardware.value <= 1 - TELLING:
        return VERDICTS[says], ""
    low, high = percent(hardware.low), percent(hardware.high)
    return VERDICTS[says], f"hardware with {low if low == high else f'{low} to {high}'}"


def would_be_seen(found: Investigation) -> str:
    """How few crashes on one host would have stood out; empty where the time at risk is not known."""
    if not found.hosts or not found.questions or found.at_risk is None:
        return ""
    few = range(LEAST, max(LEAST, found.episodes) + 1)
    told = (n for n in few if binomial_tail(n, found.episodes, 1 / found.hosts) * found.questions < ERROR)
    least = next(told, None)
    if least is None:
        return f"There are too few crashes for one of {found.hosts:,} hosts to stand out."
    return f"{least:,} crashes of one kind on one of the {found.hosts:,} hosts would have stood out."


def things(verdicts: Sequence[Verdict]) -> str:
    """What the outbreaks are, each kind counted: one machine and two releases."""
    counted = Counter(thing(one) for one in verdicts)
    named = [f"{count(n)} {name if n == 1 else MANY.get(name, name + 's')}" for name, n in counted.items()]
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"


def thing(verdict: Verdict) -> str:
    """What one outbreak points at: the kind of its cohort, or that it is in software, or not known."""
    if verdict.says == "undetermined":
        return UNTOLD
    for attribute in verdict.outbreak.cohort:
        for part, name in THINGS:
            if part in attribute.lower():
                return name
    if verdict.says == "hardware":
        return "machine"
    return "library" if MAPPED in verdict.title else "bug in software"


def count(number: int) -> str:
    """A small number as a word."""
    return WORDS[number] if number < len(WORDS) else f"{number:,}"


def mechanism(outbreak: Outbreak) -> str:
    """The mechanism as words: misaligned stack."""
    return outbreak.mechanism.replace("_", " ")


def cohort(outbreak: Outbreak) -> str:
    """Who is hit, in words: machine ph-7c41e9; nobody in particular where the cohort is empty."""
    return named(outbreak.cohort) or "everywhere"


def scope(outbreak: Outbreak) -> str:
    """How many of which crashes are in the cohort, of how many expected, since when."""
    compared, onset = outbreak.comparison, outbreak.onset
    inside, every = (outbreak.episodes, None) if compared is None else (compared.inside, compared.of)
    counted = f"{inside:,}" if every is None else f"{inside:,} of {every:,}"
    one = (inside if every is None else every) == 1
    word = "crash" if one else "crashes"
    if outbreak.of_mechanism in (None, outbreak.episodes):
        text = f"{counted} {mechanism(outbreak).replace(' ', '-')} {word}"
    else:
        text = f"{counted} {word}, most {mechanism(outbreak)},"
    text += since(onset)
    if onset is not None and onset.end is not None:
        text += f" until {day(onset.end)}"
    if compared is None:
        return text
    by = "" if compared.against == "time at risk" else " by other crashes"
    expected = compared.of * compared.share
    return f"{text}; {ratio(expected) if expected else 'none'} expected{by}"


def oftener(before: float | None, within: float) -> str:
    """How the rate since the onset compares with that before it; empty where nothing was before."""
    if before is None:
        return ""
    return f"{ratio(within / before)} times as often as before." if before else "Before it there were none."


def who_is_hit(outbreak: Outbreak) -> str:
    """How many of which crashes, of how many expected; of several syndromes the comparison is about one alone."""
    compared, onset = outbreak.comparison, outbreak.onset
    if outbreak.kind != "linked" or compared is None:
        return scope(outbreak)
    counted = f"{compared.inside:,} of {compared.of:,}, {ratio(compared.of * compared.share)} expected"
    about = "" if compared.measure == DIFFERENT else f"of {outbreak.syndrome} alone " if outbreak.syndrome else ""
    kinds = " syndromes" if compared.measure == DIFFERENT else ""
    return f"{plural(outbreak.episodes, 'crash', 'crashes')} of several kinds{since(onset)}; {about}{counted}{kinds}"


def since(onset: Onset | None) -> str:
    """When it began; where there were such crashes before, they come oftener since."""
    if onset is None or onset.at is None:
        return ""
    return f" {'oftener ' if onset.rates[0] else ''}since {day(onset.at)}"


def period(found: Investigation) -> str:
    """15 Jan to 14 Apr 2026: the first and the last day that were observed; undated where no case has a time."""
    if start(found) >= end(found):
        return "undated"
    first, last = start(found), end(found) - timedelta(seconds=1)
    year = f" {first.year}" if first.year != last.year else ""
    return f"{short_day(first)}{year} to {short_day(last)} {last.year}"


def start(found: Investigation) -> datetime:
    """The beginning of what was observed."""
    return datetime.fromisoformat(found.start)


def end(found: Investigation) -> datetime:
    """The end of what was observed, exclusive."""
    return datetime.fromisoformat(found.end)


def at_risk(found: Investigation) -> tuple[str, str]:
    """What the crashes are held against: how many hosts, how much time."""
    if found.at_risk is None or found.measure is None:
        return "not known", "crashes are compared with other crashes; broadstreet fleet add at_risk FILE"
    hosts = f"{found.hosts:,} hosts" if found.hosts is not None else "every host"
    return hosts, f"{amount(found.at_risk)} {measure(found.measure)}"


def captured(found: Investigation) -> tuple[str, str]:
    """How much of what another channel saw became cases."""
    if found.captured is None or not found.fatal:
        return "not known", "broadstreet fleet add fatal_signals FILE"
    share = found.captured / found.fatal
    return percent(share), "; ".join(found.capture_notes) or f"{found.captured:,} of {found.fatal:,} fatal signals"


def measure(name: str) -> str:
    """A measure of time at risk as words."""
    return MEASURES.get(name, name.replace("_", " "))


def _origin(outbreak: Outbreak) -> str:
    return outbreak.splits[0].syndrome if outbreak.splits else outbreak.syndrome
