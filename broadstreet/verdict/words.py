"""Numbers and names as sentences have them: docs and pages use the same forms."""

from collections.abc import Iterable, Mapping

from broadstreet.verdict.profile import Profile

PLACES = {"cpu": "CPU", "physical_host": "machine", "host": "host"}
EXPOSURES = {
    "cpu_model": "CPU model",
    "microcode": "microcode",
    "sku": "SKU",
    "numa_node": "NUMA node",
    "kernel_release": "kernel",
    "service_release": "release",
}


def plural(count: int, word: str, words: str | None = None) -> str:
    """`1 crash`, `2 crashes`, `1,234 releases`."""
    return f"{count:,} {word if count == 1 else words or word + 's'}"


def crashes(p: Profile) -> str:
    """`64 crashes`."""
    return plural(p.cases, "crash", "crashes")


def of(part: int, whole: int) -> str:
    """`63 of 64`."""
    return f"{part:,} of {whole:,}"


def number(value: float) -> str:
    """Two figures, and no false precision: 0.0063, 1.3, 24, 1,234."""
    if value >= 9.95:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    every = list(words)
    return " and ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)


def exposure(name: str) -> str:
    """An exposure as a reader calls it."""
    return PLACES.get(name) or EXPOSURES.get(name, name.replace("_", " "))


def named(cohort: Mapping[str, str]) -> str:
    """`release 26.2 and kernel 6.1`."""
    return listed(f"{exposure(name)} {value}" for name, value in cohort.items())


def machine(p: Profile) -> str:
    """`machine ph-7c41e9`, `CPU 3 of machine ph-7c41e9`; of a linked outbreak its whole cohort."""
    return " of ".join(f"{exposure(name)} {_short(name, p.cohort)}" for name in sorted(p.cohort, key=_narrowness))


def _short(name: str, cohort: Mapping[str, str]) -> str:
    return cohort[name].rsplit(" ", 1)[-1] if name == "cpu" else cohort[name]  # "HOST cpu NUMBER"


def _narrowness(name: str) -> int:
    order = [*PLACES, "rack", "zone", "region"]
    return order.index(name) if name in order else len(order)


def span(p: Profile) -> str:
    """`12 minutes`, `9 hours`, `34 days`."""
    seconds = p.span_seconds or 0.0
    for unit, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= unit:
            return plural(round(seconds / unit), word)
    return plural(round(seconds), "second")


def certainty(probability: float) -> str:
    """`more than 99%`, `96%`: never more than was shown."""
    return "more than 99%" if probability > 0.99 else f"{int(100 * probability)}%"


def odds(value: float) -> str:
    """`21 : 1`, `1 : 3.4`."""
    return f"{number(value)} : 1" if value >= 1 else f"1 : {number(1 / value)}"
