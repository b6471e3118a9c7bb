"""What is said of casebooks, of which these exist only in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from broadstreet.pipeline.casebook_checks import CASEBOOK_CHECKS, COVERAGE, FLEET_TABLES, MOST_NAMED, casebook_diagnoses
from broadstreet.records.diagnosis import Diagnosis

NOTHING_LACKS = {"cases": 1000, **{lack.name: 0 for lack in COVERAGE}}
WHOLE_FLEET = {table.name: 12 for table in FLEET_TABLES}


@dataclass(frozen=True)
class InMemory:
    """A casebook that says what it was told."""

    coverage_is: Mapping[str, int] = field(default_factory=lambda: NOTHING_LACKS)
    fleet_is: Mapping[str, int] = field(default_factory=lambda: WHOLE_FLEET)
    missing: Sequence[tuple[str, str | None, int]] = ()
    unknown: Sequence[tuple[str, int]] = ()

    def missing_binaries(self) -> Sequence[tuple[str, str | None, int]]:
        return self.missing

    def coverage(self) -> Mapping[str, int]:
        return self.coverage_is

    def fleet_rows(self) -> Mapping[str, int]:
        return self.fleet_is

    def hosts_unknown_to_fleet(self) -> Sequence[tuple[str, int]]:
        return self.unknown


def answers(book: InMemory) -> dict[str, Diagnosis]:
    return {one.name: one for one in casebook_diagnoses(book)}


def lacking(book: InMemory) -> list[str]:
    return [one.name for one in casebook_diagnoses(book) if one.state == "lacking"]


def test_a_casebook_that_has_everything_lacks_nothing() -> None:
    found = casebook_diagnoses(InMemory())
    assert {one.state for one in found} == {"ok"}
    assert len(found) == len(CASEBOOK_CHECKS)


@pytest.mark.parametrize("lack", COVERAGE, ids=lambda lack: lack.name)
def test_cases_that_lack_something_are_counted_and_can_be_mended(lack: object) -> None:
    name = lack.name  # type: ignore[attr-defined]
    found = answers(InMemory({**NOTHING_LACKS, name: 7}))[name]
    assert (found.state, found.cases, found.seen[:2]) == ("lacking", 7, "7 ")
    assert found.remedy
    assert "\n" not in found.remedy
    assert lacking(InMemory({**NOTHING_LACKS, name: 7})) == [name]


def test_what_a_casebook_did_not_count_is_not_known() -> None:
    found = answers(InMemory({"cases": 1000}))
    assert {name for name, one in found.items() if one.state == "not_known"} == {lack.name for lack in COVERAGE}


def test_an_empty_casebook_says_how_to_fill_it() -> None:
    found = answers(InMemory({**NOTHING_LACKS, "cases": 0}))["cases"]
    assert (found.state, found.remedy) == ("lacking", "broadstreet scan SOURCE --casebook URL")


def test_missing_binaries_stand_in_the_order_of_the_cases_that_they_would_unlock() -> None:
    missing = [("/lib/rare.so", "aa" * 20, 1), ("/bin/api", None, 30), ("/lib/often.so", "bb" * 20, 200)]
    found = answers(InMemory(missing=missing))["missing_binaries"]
    assert (found.cases, "3 binaries" in found.seen, "200 cases" in found.seen) == (200, True, True)
    assert [line.split()[0] for line in found.details] == ["200", "30", "1"]
    assert "no build id known" in found.details[1]


def test_of_many_missing_binaries_the_first_are_named() -> None:
    missing = [(f"/lib/{index}.so", None, index) for index in range(MOST_NAMED + 5)]
    details = answers(InMemory(missing=missing))["missing_binaries"].details
    assert len(details) == MOST_NAMED + 1
    assert details[-1].split() == ["and", "5", "more"]


@pytest.mark.parametrize("table", FLEET_TABLES, ids=lambda table: table.name)
def test_a_table_of_the_fleet_that_is_missing_says_for_what_it_is_needed(table: object) -> None:
    name = table.name  # type: ignore[attr-defined]
    rows = {key: value for key, value in WHOLE_FLEET.items() if key != name}
    found = answers(InMemory(fleet_is=rows))[f"fleet_{name}"]
    assert (found.state, found.remedy) == ("lacking", f"broadstreet fleet add {name} FILE")
    assert found.why.startswith("Needed ")


def test_hosts_that_no_table_knows_are_named() -> None:
    found = answers(InMemory(unknown=[("db-7", 3), ("db-9", 40)]))["unknown_hosts"]
    assert (found.cases, [line.split() for line in found.details]) == (43, [["40", "db-9"], ["3", "db-7"]])


def test_without_a_table_of_hosts_only_the_table_is_lacking() -> None:
    book = InMemory(fleet_is={**WHOLE_FLEET, "hosts": 0}, unknown=[("db-9", 40)])
    assert lacking(book) == ["fleet_hosts"]


def test_of_what_is_equally_bad_that_with_the_most_cases_comes_first() -> None:
    book = InMemory({**NOTHING_LACKS, "mtime_only": 10, "without_host": 900, "stale_rules": 1000})
    assert lacking(book) == ["without_host", "mtime_only", "stale_rules"]
