"""What a casebook lacks for its questions: binaries, time and place of its cases, tables of the fleet."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from broadstreet.pipeline.checks import Answer, Check, diagnoses
from broadstreet.records.diagnosis import Diagnosis, Harm

MOST_NAMED = 10
SCAN = "broadstreet scan SOURCE --casebook URL"
SIDECAR = "a sidecar NAME.json beside each core dump"


class Book(Protocol):
    """What the checks ask of a casebook. Counts are of current cases that nobody made in a lab, unless they all are."""

    def missing_binaries(self) -> Sequence[tuple[str, str | None, int]]:
        """Path, build id (null: not known) and the number of cases that each would unlock, the most first."""
        ...

    def coverage(self) -> Mapping[str, int]:
        """How many cases there are, and how many of them lack what. The names are those of COVERAGE."""
        ...

    def fleet_rows(self) -> Mapping[str, int]:
        """How many rows each table of the fleet has; one that is not there has none."""
        ...

    def hosts_unknown_to_fleet(self) -> Sequence[tuple[str, int]]:
        """Hosts of cases that the table `hosts` does not have, with their cases, the most first."""
        ...


class Lack(NamedTuple):
    """Cases that lack something: its name in the coverage, how it reads after their number, and how it is mended."""

    name: str
    harm: Harm
    reads: str
    why: str
    remedy: str


COVERAGE = (
    Lack(
        "without_host",
        "evidence is lost",
        "do not say on which host they happened",
        "Without a host no machine can be blamed, or cleared.",
        f'"host" in {SIDECAR}, --layout with {{host}}, or copy with attributes: rsync -X, cp --preserve=xattr',
    ),
    Lack(
        "without_time",
        "evidence is lost",
        "have no time",
        "They count in no rate, and date no onset.",
        f'"time" in {SIDECAR}, or --layout with {{time}}',
    ),
    Lack(
        "mtime_only",
        "evidence is lost",
        "have only the time of their file",
        "A copied file has the time of the copy; it never dates an onset.",
        f'"time" in {SIDECAR}, --layout with {{time}}, or copy with attributes: rsync -X, cp --preserve=xattr',
    ),
    Lack(
        "unreadable",
        "evidence is lost",
        "could not be read",
        "They are in no count of crashes.",
        "broadstreet casebook info   # names why",
    ),
    Lack(
        "cut_off",
        "evidence is lost",
        "come from core dumps that were cut off",
        "What lies behind the cut was lost for good, often the stack.",
        "broadstreet doctor   # on a host where they come from: limits, sizes, disk",
    ),
    Lack(
        "not_judged",
        "evidence is lost",
        "could not be judged",
        "No mechanism was found, and at least one rule had no evidence; as a rule binaries are missing.",
        f"broadstreet binaries add DIR && {SCAN} --reread stale",
    ),
    Lack(
        "stale_reader",
        "less can be said",
        "were read by an older reader",
        "A newer one sees more, or sees it right.",
        f"{SCAN} --reread stale",
    ),
    Lack(
        "stale_rules",
        "less can be said",
        "were judged by older rules",
        "Labels of two versions cannot be counted together.",
        "broadstreet relabel",
    ),
    Lack(
        "without_cpu",
        "less can be said",
        "do not say on which CPU the thread ran",
        "One bad core among many is seen by that alone. glibc 2.35 and newer leave it in the core dump.",
        "programs with glibc 2.35 or newer, without GLIBC_TUNABLES=glibc.pthread.rseq=0; past ones stay as they are",
    ),
    Lack(
        "without_kernel_release",
        "less can be said",
        "do not say which kernel ran",
        "A regression of a kernel is not told from one of a release. The table `hosts` can say it instead.",
        "broadstreet fleet add hosts FILE   # with the column kernel_release",
    ),
)


class FleetTable(NamedTuple):
    """A table of the fleet, and the analysis that needs it."""

    name: str
    harm: Harm
    why: str


FLEET_TABLES = (
    FleetTable("hosts", "evidence is lost", "Needed to compare regions, racks, SKUs, CPU models and microcode."),
    FleetTable(
        "at_risk", "evidence is lost", "Needed for every rate: crashes without their process hours blame the busy."
    ),
    FleetTable("placements", "less can be said", "Needed to see one physical machine behind several virtual ones."),
    FleetTable("services", "less can be said", "Needed to compare releases of a service, and its workloads."),
    FleetTable("builds", "less can be said", "Needed to name the library release that a build id is."),
    FleetTable("fatal_signals", "less can be said", "Needed to say how many crashes left no core dump."),
)


def casebook_diagnoses(book: Book) -> list[Diagnosis]:
    """What a casebook lacks, the worst first."""
    coverage, rows = book.coverage(), book.fleet_rows()
    facts: dict[str, object] = {"cases": coverage.get("cases")}
    facts |= {lack.name: coverage.get(lack.name) for lack in COVERAGE}
    facts |= {f"fleet.{table.name}": rows.get(table.name, 0) for table in FLEET_TABLES}
    facts |= {"missing_binaries": book.missing_binaries(), "unknown_hosts": book.hosts_unknown_to_fleet()}
    return diagnoses(CASEBOOK_CHECKS, "casebook", facts)


def _cases(count: int) -> Answer:
    return Answer(count == 0, f"{_cases_are(count)} in it.", SCAN)


def _cases_are(count: int) -> str:
    return "1 case" if count == 1 else f"{count:,} cases"


def _missing_binaries(missing: Sequence[tuple[str, str | None, int]]) -> Answer:
    if not missing:
        return Answer(False, "No binary was asked for in vain.")
    ranked = sorted(missing, key=lambda one: (-one[2], one[0]))
    details = [f"{cases:9,}  {build_id or 'no build id known':40}  {path}" for path, build_id, cases in ranked]
    if len(details) > MOST_NAMED:
        details[MOST_NAMED:] = [f"{'':9}  and {len(details) - MOST_NAMED:,} more"]
    most = ranked[0][2]
    seen = f"{len(ranked):,} binaries are missing; the first would unlock {_cases_are(most)}."
    return Answer(True, seen, f"broadstreet binaries add DIR && {SCAN} --reread stale", most, tuple(details))


def _unknown_hosts(hosts: Sequence[tuple[str, int]], rows: int) -> Answer:
    if not hosts or not rows:  # without the table, that is what is lacking
        return Answer(False, "Every host of a case is in the tables of the fleet.")
    ranked = sorted(hosts, key=lambda one: (-one[1], one[0]))
    details = [f"{cases:9,}  {host}" for host, cases in ranked[:MOST_NAMED]]
    seen = f"{len(hosts):,} hosts with cases are in no table of the fleet."
    return Answer(True, seen, "broadstreet fleet add hosts FILE", sum(cases for _, cases in hosts), tuple(details))


def _lacks(lack: Lack) -> Callable[[int, int], Answer]:
    def judge(count: int, cases: int) -> Answer:
        if count == 0:
            return Answer(False, f"None of {_cases_are(cases)}.")
        if lack.name == "unreadable":
            return Answer(True, f"{count:,} specimens {lack.reads}.", lack.remedy, count)
        return Answer(True, f"{count:,} of {_cases_are(cases)} {lack.reads}.", lack.remedy, count)

    return judge


def _fleet_table(table: FleetTable) -> Callable[[int, int], Answer]:
    def judge(rows: int, cases: int) -> Answer:
        if rows:
            return Answer(False, f"{rows:,} rows.")
        seen = f"The fleet has no table `{table.name}`."
        return Answer(True, seen, f"broadstreet fleet add {table.name} FILE", cases)

    return judge


def _checks() -> Iterable[Check]:
    yield Check("cases", ("cases",), "nothing is kept", "There is nothing to ask.", "cases", _cases)
    yield Check(
        "missing_binaries",
        ("missing_binaries",),
        "evidence is lost",
        "Without its binaries a case loses most of its frames, and many rules abstain.",
        "cases, modules",
        _missing_binaries,
    )
    for lack in COVERAGE:
        yield Check(lack.name, (lack.name, "cases"), lack.harm, lack.why, "cases", _lacks(lack))
    for table in FLEET_TABLES:
        yield Check(
            f"fleet_{table.name}", (f"fleet.{table.name}", "cases"), table.harm, table.why, "fleet", _fleet_table(table)
        )
    yield Check(
        "unknown_hosts",
        ("unknown_hosts", "fleet.hosts"),
        "evidence is lost",
        "They count on no side of a comparison.",
        "cases, fleet",
        _unknown_hosts,
    )


CASEBOOK_CHECKS = tuple(_checks())
