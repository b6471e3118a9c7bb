"""What was true of each crash at its time, and of each piece of time at risk: the fleet's tables, joined.

Of a host, nothing changes between two neighbouring bounds of its rows. Those stretches are made once; a crash falls
into one of them, and time at risk is cut by them. A crash without a time or a host, and time at risk without a host,
know only what they tell themselves.

A service that is not told is the only one that ran there at the time, on the host or else in its region; where there
were two, it is not known.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from broadstreet.records.columns import FLEET
from broadstreet.records.exposure import UPTIME_BANDS
from broadstreet.store.questions import Questions

PLACES = ("region", "zone", "rack", "sku", "cpu_model", "microcode", "kernel_release")
SERVED = ("service", "service_release", "workload")
MEASURES = FLEET["at_risk"].measures
JOINED = ("host", "physical_host", *PLACES, *SERVED, "uptime")
OF_CASES = (*JOINED, "cpu", "numa_node")
OF_TIME = (*JOINED, "tenant")

_VALID = """SELECT * REPLACE (coalesce("from", '-infinity'::TIMESTAMPTZ) AS "from",
    coalesce("to", 'infinity'::TIMESTAMPTZ) AS "to") FROM raw_{0}"""
_UPTIME = (
    'CASE WHEN c."from" < c.boot_time THEN NULL '
    + " ".join(
        f"""WHEN c."from" < c.boot_time + INTERVAL '{band.below_seconds} seconds' THEN '{band.name}'"""
        for band in UPTIME_BANDS
        if band.below_seconds is not None
    )
    + f" WHEN c.boot_time IS NOT NULL THEN '{UPTIME_BANDS[-1].name}' END"
)
_UPTIME_BOUNDS = ", ".join(str(band.below_seconds) for band in UPTIME_BANDS if band.below_seconds is not None)


def _while_it_holds(row: str, names: tuple[str, ...]) -> str:
    return ", ".join(f'CASE WHEN c."from" < {row}."to" THEN {row}."{name}" END AS "{name}"' for name in names)


def _there(name: str) -> str:
    on_host, in_region = (f'CASE WHEN c."from" < {row}."to" THEN {row}."{name}" END' for row in "or")
    return f'coalesce({on_host}, {in_region}) AS "{name}_there"'


STRETCHES = f"""
WITH boots AS ({_VALID.format("hosts")}), placed AS ({_VALID.format("placements")}),
ran AS MATERIALIZED (
    SELECT *, row_number() OVER () AS number, host IS NOT NULL AS on_host, coalesce(host, region) AS place
    FROM ({_VALID.format("services")})
),
changed AS (
    SELECT on_host, place, moment, sum(one) AS ones, sum(one * number) AS numbers FROM (
        SELECT on_host, place, "from" AS moment, 1 AS one, number FROM ran
        UNION ALL SELECT on_host, place, "to", -1, number FROM ran
    ) GROUP BY ALL
),
running AS (
    SELECT on_host, place, moment, sum(ones) OVER so_far AS ones, sum(numbers) OVER so_far AS number
    FROM changed WINDOW so_far AS (PARTITION BY on_host, place ORDER BY moment)
),
sole AS (
    SELECT k.on_host, k.place, k.moment, k.ones, r.service, r.service_release, r.workload, r.exposures
    FROM running k LEFT JOIN ran r ON k.ones = 1 AND r.number = k.number
),
bounds AS (
    SELECT host, "from" AS moment FROM boots UNION SELECT host, "to" FROM boots
    UNION SELECT host, boot_time + seconds * INTERVAL 1 SECOND FROM boots, unnest([0, {_UPTIME_BOUNDS}]) AS b(seconds)
        WHERE boot_time + seconds * INTERVAL 1 SECOND BETWEEN "from" AND "to"
    UNION SELECT host, "from" FROM placed UNION SELECT host, "to" FROM placed
    UNION SELECT place, moment FROM changed WHERE on_host
    UNION SELECT h.host, k.moment FROM changed k JOIN (SELECT DISTINCT host, region FROM raw_hosts) h
        ON NOT k.on_host AND k.place = h.region
    UNION SELECT host, '-infinity'::TIMESTAMPTZ FROM (
        SELECT host FROM boots UNION SELECT host FROM placed UNION SELECT place FROM ran WHERE on_host
    )
),
cells AS (
    SELECT host, moment AS "from",
        lead(moment, 1, 'infinity'::TIMESTAMPTZ) OVER (PARTITION BY host ORDER BY moment) AS "to"
    FROM bounds WHERE moment < 'infinity'::TIMESTAMPTZ
),
housed AS (
    SELECT c.*, {_while_it_holds("h", (*PLACES, "boot_time"))}, {_while_it_holds("p", ("physical_host",))},
        coalesce(c."from" < h."to", false) AS up,
        map_concat(CASE WHEN c."from" < h."to" THEN h.exposures END, CASE WHEN c."from" < p."to" THEN p.exposures END)
        AS exposures
    FROM cells c ASOF LEFT JOIN boots h ON c.host = h.host AND c."from" >= h."from"
    ASOF LEFT JOIN placed p ON c.host = p.host AND c."from" >= p."from"
)
SELECT c.host, c."from", c."to", c.physical_host, {", ".join(f"c.{name}" for name in PLACES)}, c.up, c.boot_time,
    {_UPTIME} AS uptime, coalesce(o.ones, 0) AS services,
    {", ".join(f"CASE WHEN coalesce(o.ones, 0) > 0 THEN o.{name} ELSE r.{name} END AS {name}" for name in SERVED)},
    c.exposures
FROM housed c ASOF LEFT JOIN (SELECT * FROM sole WHERE on_host) o ON c.host = o.place AND c."from" >= o.moment
ASOF LEFT JOIN (SELECT * FROM sole WHERE NOT on_host) r ON c.region = r.place AND c."from" >= r.moment
"""

# The row of the service that is told or was the only one: on the host, else in the region. `{0}` has host, region,
# service and "from", the time that is asked about.
_SERVED = f"""
ran AS ({_VALID.format("services")}),
served AS (
    SELECT c.*, {", ".join(map(_there, (*SERVED[1:], "exposures")))}
    FROM {{0}} c
    ASOF LEFT JOIN (SELECT * FROM ran WHERE host IS NOT NULL) o
        ON c.host = o.host AND c.service = o.service AND c."from" >= o."from"
    ASOF LEFT JOIN (SELECT * FROM ran WHERE host IS NULL) r
        ON c.region = r.region AND c.service = r.service AND c."from" >= r."from"
)
"""
_TOLD_SERVED = ", ".join(f'coalesce("{name}", "{name}_there") AS "{name}"' for name in SERVED[1:])
# Of a virtual host's CPUs nobody knows which of the machine they are. A host is a machine of its own if it is placed
# nowhere, or always on one that never had another host at the same time.
_VIRTUAL = f"""
placed AS ({_VALID.format("placements")}),
shared AS (
    SELECT DISTINCT physical_host FROM placed
    QUALIFY "from" < max("to") OVER (
        PARTITION BY physical_host ORDER BY "from" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
virtual AS (
    SELECT host FROM placed SEMI JOIN shared USING (physical_host)
    UNION SELECT host FROM placed GROUP BY host HAVING count(DISTINCT physical_host) > 1
),
machines AS (SELECT DISTINCT host FROM raw_hosts ANTI JOIN virtual USING (host))
"""

EXPOSURES = f"""
WITH joined AS (
    SELECT c.reading, c.case_id, c.time, c.time_source, c.host, c.time AS "from", c.cpu, c.numa_node, c.labels,
        s.physical_host, {", ".join(f"s.{name}" for name in PLACES if name not in ("region", "kernel_release"))},
        coalesce(s.region, c.region) AS region, coalesce(s.kernel_release, c.kernel_release) AS kernel_release,
        coalesce(c.service, s.service) AS service, c.service_release, c.workload, s.uptime, s.exposures
    FROM current_cases c ASOF LEFT JOIN {{stretches}} s ON c.host = s.host AND c.time >= s."from"
),
{_SERVED.format("joined")},
{_VIRTUAL}
SELECT c.reading, c.case_id, c.time, c.time_source, c.host, c.physical_host, {", ".join(PLACES)}, c.service,
    {_TOLD_SERVED}, c.uptime,
    CASE WHEN m.host IS NOT NULL THEN c.host || ' cpu ' || c.cpu END AS cpu,
    CASE WHEN m.host IS NOT NULL THEN c.host || ' node ' || c.numa_node END AS numa_node,
    c.labels, map_concat(c.exposures, c.exposures_there) AS exposures
FROM served c LEFT JOIN machines m ON m.host = c.host
"""

TIME_AT_RISK = f"""
WITH cells AS (SELECT *, row_number() OVER (PARTITION BY host ORDER BY "from") AS number FROM {{stretches}}),
known AS (
    SELECT "from" AS moment FROM raw_hosts UNION ALL SELECT "to" FROM raw_hosts
    UNION ALL SELECT "from" FROM raw_services UNION ALL SELECT "to" FROM raw_services
    UNION ALL SELECT "from" FROM raw_placements UNION ALL SELECT "to" FROM raw_placements
    UNION ALL SELECT hour FROM raw_fatal_signals UNION ALL SELECT hour + INTERVAL 1 HOUR FROM raw_fatal_signals
    UNION ALL SELECT time FROM current_cases WHERE time_source <> 'mtime'
),
counted AS (SELECT count(*) > 0 AS any_told FROM raw_at_risk),
span AS (SELECT min(moment) AS first, max(moment) AS last FROM known),
up AS (
    SELECT s.host, greatest(s."from", first) AS "from", least(s."to", last) AS "to", s.service, s.service_release,
        s.workload, s.services
    FROM {{stretches}} s, span, counted
    WHERE s.up AND NOT any_told AND greatest(s."from", first) < least(s."to", last)
),
derived AS (
    SELECT u.host, u."from", u."to", coalesce(r.service, u.service) AS service,
        coalesce(r.service_release, u.service_release) AS service_release, coalesce(r.workload, u.workload) AS workload
    FROM up u LEFT JOIN ({_VALID.format("services")}) r
        ON u.services > 1 AND r.host = u.host AND r."from" <= u."from" AND u."from" < r."to"
),
told AS (
    SELECT *, epoch("to" - "from") AS seconds FROM raw_at_risk
    UNION ALL BY NAME SELECT *, epoch("to" - "from") AS seconds, epoch("to" - "from") / 3600 AS host_hours FROM derived
),
within AS (
    SELECT t.*, coalesce(a.number, 0) AS first, coalesce(b.number, 0) AS last
    FROM told t ASOF LEFT JOIN cells a ON t.host = a.host AND t."from" >= a."from"
    ASOF LEFT JOIN cells b ON t.host = b.host AND t."to" > b."from"
),
cut AS (SELECT *, unnest(generate_series(first, last)) AS number FROM within),
joined AS (
    SELECT c.host, greatest(c."from", s."from") AS "from", least(c."to", s."to") AS "to",
        {", ".join(f"coalesce(c.{name}, s.{name}) AS {name}" for name in ("physical_host", *PLACES, "service"))},
        c.service_release, c.workload, s.uptime, c.tenant, c.seconds, {", ".join(f"c.{name}" for name in MEASURES)},
        map_concat(s.exposures, c.exposures) AS exposures
    FROM cut c LEFT JOIN cells s ON c.host = s.host AND c.number = s.number
),
{_SERVED.format("joined")}
SELECT host, "from", "to", physical_host, {", ".join(PLACES)}, service, {_TOLD_SERVED}, uptime, tenant,
    {", ".join(f'{name} * (epoch("to" - "from") / nullif(seconds, 0)) AS {name}' for name in MEASURES)},
    map_concat(exposures_there, exposures) AS exposures
FROM served
"""

HELD = "held_stretches"  # the same while one population is put together; the view would make them each time
_WITH_EXPOSURES = ("hosts", "placements", "services", "at_risk")


def hold_stretches(questions: Questions) -> None:
    """Make the stretches once, for the questions that follow."""
    questions.tell(f"CREATE OR REPLACE TEMP TABLE {HELD} AS {STRETCHES}")


def fleet_keys(questions: Questions) -> list[str]:
    """The exposures that the fleet's tables have besides the declared columns."""
    keys = " UNION ".join(f"SELECT unnest(map_keys(exposures)) AS key FROM raw_{table}" for table in _WITH_EXPOSURES)
    found: list[str] = questions.answer(f"SELECT DISTINCT key FROM ({keys}) ORDER BY key")["key"].to_pylist()
    return found


def label_keys(questions: Questions) -> list[tuple[str, int, int]]:
    """The keys of free labels, how many different values each has, and how many cases have it."""
    found = questions.answer(
        """SELECT label.key AS key, count(DISTINCT label.value) AS different, count(*) AS cases
        FROM (SELECT unnest(map_entries(labels)) AS label FROM current_cases WHERE cardinality(labels) > 0)
        GROUP BY key ORDER BY key"""
    )
    return [(row["key"], row["different"], row["cases"]) for row in found.to_pylist()]


def case_exposures(questions: Questions, names: Sequence[str], more: Sequence[str], labels: Sequence[str]) -> Any:
    """Every case, in batches: reading, case_id, time, time_source, and what was true of it, under these names.

    `more` are keys that the fleet gives, `labels` keys of free labels. A label that has the name of an exposure says
    it where nothing else does.
    """
    shown = [_text(name, OF_CASES, more, labels) for name in names]
    shown += [f"labels[{_quoted(key)}] AS {_named('label ' + key)}" for key in labels if key not in names]
    select = EXPOSURES.format(stretches=HELD)
    return questions.stream(
        f"SELECT reading, case_id, epoch_us(time) AS microseconds, time_source, {', '.join(shown)} FROM ({select})"
    )


def time_at_risk(questions: Questions, names: Sequence[str], more: Sequence[str]) -> Any:
    """Every piece of time at risk, in batches: start and end in microseconds, the measures, and its exposures."""
    shown = [_text(name, OF_TIME, more, ()) for name in names]
    select = TIME_AT_RISK.format(stretches=HELD)
    return questions.stream(
        f"""SELECT epoch_us("from") AS start, epoch_us("to") AS "end", {", ".join(MEASURES)}, {", ".join(shown)}
        FROM ({select})"""
    )


def shown(questions: Questions, features: Sequence[str]) -> Any:
    """Every case, in batches: reading, what its rules said, what was mapped and called, and these features as text."""
    columns = ", ".join(f'"{name}"::VARCHAR AS "{name}"' for name in features)
    return questions.stream(
        f"""SELECT reading, mechanism, holds, could_not_be_judged, rules_version::VARCHAR AS rules_version, missing,
        module_set, service, service_release, trace_id, {columns} FROM current_cases"""
    )


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
        """WITH one AS (
            SELECT min(case_id) AS case_id, module_set, service, service_release FROM current_cases
            GROUP BY module_set, service, service_release
        )
        SELECT o.*, m.path, coalesce(m.build_id, m.build_id_inferred) AS build_id, b.library, b.library_release
        FROM one o JOIN modules m ON m.case_id = o.case_id
        LEFT JOIN raw_builds b ON b.build_id = coalesce(m.build_id, m.build_id_inferred)
        ORDER BY o.module_set, o.service, o.service_release, m.number"""
    ).to_pylist()


def traces(questions: Questions) -> dict[str, str]:
    """The readable frames of each trace, joined by |."""
    found = questions.answer("SELECT trace_id, frames FROM raw_traces ORDER BY trace_id")
    return dict(zip(found["trace_id"].to_pylist(), found["frames"].to_pylist(), strict=True))


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


def _text(name: str, declared: Sequence[str], more: Sequence[str], labels: Sequence[str]) -> str:
    said = [f'"{name}"'] if name in declared else []
    said += [f"exposures[{_quoted(name)}]"] if name in more else []
    said += [f"labels[{_quoted(name)}]"] if name in labels else []
    return f"coalesce({', '.join(said)}) AS {_named(name)}" if said else f"NULL::VARCHAR AS {_named(name)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _named(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
