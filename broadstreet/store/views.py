"""The views that every question is asked of, as data.

Each is one SELECT over the tables as they lie (`raw_...`) and `hidden`, the readings that do not count: those whose
batch never became visible, those that were read or judged again, and all but the best of several readings of one crash.
"""

from typing import NamedTuple

from broadstreet.records.columns import CASES, FEATURES, STORED_CASES, Column, Table
from broadstreet.store.stretches import EXPOSURES, STRETCHES, TIME_AT_RISK

_UNSIGNED = '(CASE WHEN "{0}" < 0 THEN "{0}"::HUGEINT + 18446744073709551616 ELSE "{0}" END)::UBIGINT AS "{0}"'


class View(NamedTuple):
    """A view: its name, what it shows, and its SELECT."""

    name: str
    meaning: str
    select: str


def _shown(column: Column, table: str) -> str:
    if column.type == "address":
        return _UNSIGNED.format(column.name).replace(f'"{column.name}" <', f'{table}."{column.name}" <')
    return f'{table}."{column.name}"'


_ORDER = [column.name for column in (*CASES, *FEATURES)]
_MORE = [c.name for c in STORED_CASES.columns if c.name not in _ORDER]
_OF_CASE = {column.name: column for column in STORED_CASES.columns}
_CASE_COLUMNS = ", ".join(
    't."frames"' if name == "frames" else _shown(_OF_CASE[name], "c") for name in (*_ORDER, *_MORE)
)

HELD_ANEW = "stretches"  # a view as `current_cases` is: not for operators

VIEWS: tuple[View, ...] = (
    View(
        "cases",
        "One row for each crash: the best of its readings. The columns of [the case](#the-case) and of its features, "
        "and those of the table `cases`.",
        f"SELECT {_CASE_COLUMNS} FROM current_cases c LEFT JOIN raw_traces t ON t.trace_id = c.trace_id",
    ),
    View(
        "history",
        "Every visible reading of every crash, older ones too.",
        "SELECT s.specimen_id, s.generation, s.added, s.scan, c.* "
        "FROM raw_cases c JOIN raw_specimens s USING (reading)",
    ),
    View(
        "specimens",
        "Every file that was read, and whether it could be.",
        "SELECT s.specimen_id, coalesce(s.location, c.path) AS location, s.size, s.stamp, c.case_id, s.unreadable, "
        "s.reason, s.retry, s.reader_version, s.scan, s.added, s.generation, s.reading "
        "FROM current_specimens s LEFT JOIN raw_cases c USING (reading)",
    ),
    View(
        "findings",
        "Every rule's answer about each case.",
        "SELECT c.case_id, f.number, f.label, f.state, f.needs "
        "FROM raw_findings f JOIN current_cases c USING (reading)",
    ),
    View("traces", "Each distinct trace.", "SELECT * FROM raw_traces"),
    View(
        "frames",
        "Each frame of each distinct trace, innermost first.",
        "SELECT trace_id, unnest(generate_series(0, len(trusts) - 1)) AS number, unnest(parts) AS part, "
        "unnest(functions) AS function, unnest(function_offsets) AS function_offset, unnest(module_paths) AS module, "
        'unnest(build_ids) AS build_id, unnest(offsets) AS "offset", unnest(trusts) AS trust FROM raw_traces',
    ),
    View(
        "modules",
        "The files that each case had mapped as code. `build_id_inferred` is the one build id that other cases of the "
        "same service and release show at this path; features and labels never read it.",
        """SELECT c.case_id, c.module_set, m.number, m.path, m.build_id, m.build_id_source, m.build_id_inferred, m.size,
            m.found
        FROM current_cases c JOIN modules_of_sets m ON m.module_set = c.module_set AND
            m.service IS NOT DISTINCT FROM c.service AND m.service_release IS NOT DISTINCT FROM c.service_release""",
    ),
    View(
        "exposures",
        "What was true of each case at its time, by its sidecar and the fleet ([population.md](population.md)).",
        f"SELECT * EXCLUDE (reading, time_source) FROM ({EXPOSURES.format(stretches=HELD_ANEW)})",
    ),
    View(
        "time_at_risk",
        "The same of all time in which a crash could happen: `at_risk`, cut where anything of its host changes; where "
        "nobody tells it, the time that `hosts` were up.",
        TIME_AT_RISK.format(stretches=HELD_ANEW, at_risk="raw_at_risk"),
    ),
    View(
        "evidence",
        "What is kept of each case's core dump.",
        "SELECT c.case_id, e.kept, octet_length(e.core) AS size, e.core "
        "FROM raw_evidence e JOIN current_cases c ON c.evidence = e.reading",
    ),
    View(
        "contradictions",
        "Findings that hold in one reading of a crash and not in another, which observed as much.",
        "SELECT c.case_id, f.label, list(DISTINCT f.state ORDER BY f.state) AS states FROM raw_findings f "
        "JOIN raw_cases c USING (reading) JOIN current_specimens s USING (reading) "
        "WHERE f.state <> 'not_judged' GROUP BY c.case_id, f.label HAVING count(DISTINCT f.state) > 1",
    ),
    View(
        "scans",
        "Each scan.",
        'SELECT scan, arg_max(sources, coalesce("read", -1)) AS sources, max(version) AS version, '
        'min(started) AS started, max(ended) AS ended, max("read") AS "read", max(known) AS known, '
        "max(unreadable) AS unreadable FROM raw_scans GROUP BY scan",
    ),
    View(
        "assignments",
        "The syndrome of each case that was grouped, under the name by which it goes now, and why.",
        """WITH RECURSIVE newest AS (
            SELECT * FROM raw_assignments
            QUALIFY row_number() OVER (PARTITION BY trace_id ORDER BY made DESC) = 1
        ),
        gone AS (
            SELECT syndrome, arg_max(other, number) AS other FROM raw_syndrome_events WHERE kind = 'merge' GROUP BY ALL
        ),
        called AS (
            SELECT syndrome, other FROM gone
            UNION SELECT c.syndrome, g.other FROM called c JOIN gone g ON g.syndrome = c.other
        ),
        now AS (SELECT syndrome, other FROM called WHERE other NOT IN (SELECT syndrome FROM gone))
        SELECT c.case_id, n.trace_id, n.trace, coalesce(now.other, n.syndrome) AS syndrome, n.outcome, n.similarity,
            n.probability, n.nearest, n.aligned, n.rival, n.margin, n.algorithm, n.made
        FROM current_cases c JOIN newest n USING (trace_id) LEFT JOIN now ON now.syndrome = n.syndrome""",
    ),
    View(
        "syndromes",
        "Each syndrome: its cases, since when and until when, their mechanisms, and the commonest of their traces.",
        """WITH named AS (
            SELECT syndrome, arg_max(text, number) AS name FROM raw_syndrome_events WHERE kind = 'name' GROUP BY ALL
        )
        SELECT a.syndrome, any_value(n.name) AS name, count(*) AS cases, min(c.time) AS first, max(c.time) AS last,
            list(DISTINCT c.mechanism ORDER BY c.mechanism) AS mechanisms, mode(t.frames) AS frames
        FROM "assignments" a JOIN current_cases c USING (case_id) JOIN raw_traces t ON t.trace_id = a.trace_id
        LEFT JOIN named n ON n.syndrome = a.syndrome GROUP BY a.syndrome""",
    ),
    View("judgements", "What people said of verdicts, each word.", "SELECT * FROM raw_judgements"),
    View("commits", "The versions of the casebook.", "SELECT * FROM raw_commits"),
)

# The modules of each set, as cases of each service and release have it.
MODULES_OF_SETS = """
WITH sets AS (SELECT DISTINCT module_set, service, service_release FROM current_cases),
placed AS (SELECT s.service, s.service_release, m.* FROM sets s JOIN raw_modules m USING (module_set)),
known AS (
    SELECT path, service, service_release, min(build_id) AS build_id FROM placed
    WHERE build_id IS NOT NULL AND service IS NOT NULL AND service_release IS NOT NULL
    GROUP BY ALL HAVING count(DISTINCT build_id) = 1
)
SELECT m.*, CASE WHEN m.build_id IS NULL THEN k.build_id END AS build_id_inferred
FROM placed m LEFT JOIN known k USING (path, service, service_release)
"""

CURRENT = """
CREATE TEMP TABLE superseded AS
    SELECT s.reading FROM raw_specimens s JOIN raw_specimens newer
    ON newer.specimen_id = s.specimen_id AND newer.generation > s.generation WHERE newer.generation > 0;
CREATE TEMP TABLE hidden AS
    SELECT reading FROM superseded
    UNION SELECT reading FROM raw_cases WHERE reading NOT IN (SELECT reading FROM raw_specimens);
INSERT INTO hidden
    WITH several AS (
        SELECT case_id FROM raw_cases WHERE reading NOT IN (SELECT reading FROM hidden)
        GROUP BY case_id HAVING count(*) > 1
    )
    SELECT unnest(list(reading ORDER BY reader_version DESC, rules_version DESC,
        length(could_not_be_judged), bytes_read DESC, path, reading)[2:])
    FROM raw_cases SEMI JOIN several USING (case_id) WHERE reading NOT IN (SELECT reading FROM hidden)
    GROUP BY case_id;
"""


def definitions(tables: tuple[Table, ...], any_hidden: bool, any_superseded: bool) -> list[str]:
    """CREATE VIEW for what counts, and for every view; a filter only where there is something to leave out."""
    cases = " WHERE reading NOT IN (SELECT reading FROM hidden)" if any_hidden else ""
    specimens = " WHERE reading NOT IN (SELECT reading FROM superseded)" if any_superseded else ""
    current = [
        f"CREATE TEMP VIEW current_cases AS SELECT * FROM raw_cases{cases}",
        f"CREATE TEMP VIEW current_specimens AS SELECT * FROM raw_specimens{specimens}",
    ]
    current.append(f"CREATE TEMP VIEW {HELD_ANEW} AS {STRETCHES}")
    current.append(f"CREATE TEMP VIEW modules_of_sets AS {MODULES_OF_SETS}")
    views = [f'CREATE TEMP VIEW "{view.name}" AS {view.select}' for view in VIEWS]
    return [*current, *views, *(f'CREATE TEMP VIEW "{t.name}" AS SELECT * FROM raw_{t.name}' for t in tables)]
