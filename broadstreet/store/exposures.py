"""What a population is made of, asked of a casebook: exposures, time at risk, and what each crash shows."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from broadstreet.store.literals import named
from broadstreet.store.literals import text as quoted
from broadstreet.store.questions import Questions
from broadstreet.store.stretches import BY_DAY, EXPOSURES, MEASURES, OF_CASES, OF_TIME, STRETCHES, TIME_AT_RISK

HELD = "held_stretches"  # the same while one population is put together; the view would make them each time
AT_ONCE = 100_000  # rows of a batch: texts of so many are numbered together
MOST_ROWS = 2_000_000  # of time at risk: so many pieces are a gigabyte
_WITH_EXPOSURES = ("hosts", "placements", "services", "at_risk")


def hold_stretches(questions: Questions) -> None:
    """Make the stretches once, for the questions that follow."""
    questions.tell(f"CREATE OR REPLACE TEMP TABLE {HELD} AS {STRETCHES}")


def fleet_keys(questions: Questions) -> list[str]:
    """The exposures that the fleet's tables have besides the declared columns."""
    keys = " UNION ".join(f"SELECT unnest(map_keys(exposures)) AS key FROM raw_{table}" for table in _WITH_EXPOSURES)
    found: list[str] = questions.answer(f"SELECT DISTINCT key FROM ({keys}) ORDER BY key")["key"].to_pylist()
    return found


def label_keys(questions: Questions) -> list[str]:
    """The keys of free labels."""
    found = questions.answer("SELECT DISTINCT unnest(map_keys(labels)) AS key FROM current_cases ORDER BY key")
    keys: list[str] = found["key"].to_pylist()
    return keys


def case_exposures(questions: Questions, names: Sequence[str], more: Mapping[str, str]) -> Any:
    """Every case, in batches: reading, case_id, time, time_source, and what was true of it, under these names.

    `more` are the names that are keys of the fleet, and these keys.
    """
    shown = ", ".join(_text(name, OF_CASES, more) for name in names)
    select = EXPOSURES.format(stretches=HELD)
    return questions.stream(
        f"SELECT reading, case_id, epoch_us(time) AS microseconds, time_source, {shown} FROM ({select}) "
        "ORDER BY reading",
        AT_ONCE,
    )


def time_at_risk(questions: Questions, names: Sequence[str], more: Mapping[str, str]) -> Any:
    """Every piece of time at risk, in batches: start and end in microseconds, the measures, and its exposures.

    In one order: sums of hours would else differ in their last digits from one asking to the next.
    Of more than `MOST_ROWS` rows, those of one day and the same exposures are one.
    """
    shown = ", ".join(_text(name, OF_TIME, more) for name in names)
    rows = questions.answer("SELECT count(*) AS n FROM raw_at_risk")["n"][0].as_py()
    at_risk = "raw_at_risk" if rows <= MOST_ROWS else f"({BY_DAY})"
    select = TIME_AT_RISK.format(stretches=HELD, at_risk=at_risk)
    return questions.stream(
        f"""SELECT epoch_us("from") AS start, epoch_us("to") AS "end", {", ".join(MEASURES)}, {shown}
        FROM ({select}) ORDER BY ALL""",
        AT_ONCE,
    )


def shown(questions: Questions, names: Sequence[str], labels: Mapping[str, str]) -> Any:
    """Every case, in batches: reading, these columns as text, and under their names the free labels of these keys."""
    columns = [f'"{name}"::VARCHAR AS "{name}"' for name in names]
    columns += [f"labels[{quoted(key)}] AS {named(name)}" for name, key in labels.items()]
    return questions.stream(f"SELECT reading, {', '.join(columns)} FROM current_cases ORDER BY reading", AT_ONCE)


def labels_of_rules(questions: Questions) -> dict[str, list[str]]:
    """The labels that each version of the rules gives, by one of the readings that it judged."""
    found = questions.answer(
        """SELECT c.rules_version::VARCHAR AS version, list(f.label) AS labels FROM raw_findings f
        JOIN (SELECT rules_version, min(reading) AS reading FROM current_cases GROUP BY rules_version) c USING (reading)
        GROUP BY c.rules_version"""
    )
    return dict(zip(found["version"].to_pylist(), found["labels"].to_pylist(), strict=True))


def mapped(questions: Questions) -> Iterator[dict[str, Any]]:
    """The modules of each module set, as cases of each service and release have it, with what `builds` says of them."""
    yield from questions.answer(
        """SELECT m.*, b.library, b.library_release FROM (
            SELECT module_set, service, service_release, number, path, coalesce(build_id, build_id_inferred) AS build_id
            FROM modules_of_sets
        ) m LEFT JOIN raw_builds b USING (build_id) ORDER BY module_set, service, service_release, number"""
    ).to_pylist()


def extent(questions: Questions) -> dict[str, tuple[float, float] | None]:
    """First and last moment, in seconds since 1970, that each table speaks of, and that cases are dated."""
    ends = {
        "at_risk": ('"from"', '"to"', "raw_at_risk", ""),
        "hosts": ('"from"', 'coalesce("to", "from")', "raw_hosts", ""),
        "fatal_signals": ("hour", "hour + INTERVAL 1 HOUR", "raw_fatal_signals", ""),
        "cases": ("time", "time", "current_cases", "WHERE time_source <> 'mtime'"),
    }
    result: dict[str, tuple[float, float] | None] = {}
    for name, (first, last, table, where) in ends.items():
        row = questions.answer(
            f"SELECT epoch(min({first})) AS first, epoch(max({last})) AS last FROM {table} {where}"
        ).to_pylist()[0]
        result[name] = None if row["first"] is None else (row["first"], row["last"])
    return result


def _text(name: str, declared: Sequence[str], more: Mapping[str, str]) -> str:
    said = [f'"{name}"'] if name in declared else []
    said += [f"exposures[{quoted(more[name])}]"] if name in more else []
    return f"coalesce({', '.join(said)}) AS {named(name)}" if said else f"NULL::VARCHAR AS {named(name)}"
