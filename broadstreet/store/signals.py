"""Crashes as another channel counted them, beside the cases that there are: each hour of each host."""

import pyarrow as pa

from broadstreet.store.questions import Questions
from broadstreet.store.stretches import STRETCHES

# A host that came up within the hour is looked up by the hour's end.
CELLS = f"""
WITH signals AS (
    SELECT host, hour, sum(count)::BIGINT AS fatal FROM raw_fatal_signals GROUP BY host, hour
),
found AS (
    SELECT host, date_trunc('hour', time) AS hour, count(*) AS cases, any_value(region) AS region FROM current_cases
    WHERE host IS NOT NULL AND time IS NOT NULL AND time_source <> 'mtime' GROUP BY ALL
),
cells AS (
    SELECT host, hour, epoch_us(hour) + 3_599_999_999 AS moment, coalesce(fatal, 0) AS fatal,
        coalesce(cases, 0) AS cases, region
    FROM signals FULL JOIN found USING (host, hour)
)
SELECT c.host, coalesce(s.region, c.region) AS region, epoch(c.hour) AS hour, c.fatal, c.cases
FROM cells c ASOF LEFT JOIN ({STRETCHES}) s ON c.host = s.host AND c.moment >= s.start
"""


def capture_cells(questions: Questions) -> pa.Table:
    """Host, region (null: not known), hour in seconds since 1970, crashes counted, cases."""
    return questions.answer(CELLS)


def any_signals(questions: Questions) -> bool:
    """Whether another channel counted any crash."""
    return bool(questions.answer("SELECT 1 FROM raw_fatal_signals LIMIT 1").num_rows)


def without_place(questions: Questions) -> int:
    """Cases that no hour of a host can be told of."""
    found = questions.answer(
        "SELECT count(*) AS n FROM current_cases WHERE host IS NULL OR time IS NULL OR time_source = 'mtime'"
    )
    return int(found["n"][0].as_py())
