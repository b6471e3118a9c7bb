"""The SQL behind the two sides of a fix: its crashes, and the time at risk, each as one SELECT."""

from broadstreet.records.fixed import Fixed
from broadstreet.verdict.reads import in_cases


def crashes(found: Fixed) -> str:
    """The crashes that were counted, by what tells them apart: the release, or whether they came after."""
    after = f"CASE WHEN epoch(time) >= {found.moment.timestamp()!r} THEN 'after' ELSE 'before' END"
    side = "service_release" if found.fix.release is not None else after
    return f"SELECT {side} AS side, count(*) AS crashes FROM exposures WHERE {in_cases(found.cases)} GROUP BY 1"


def at_risk(found: Fixed) -> str:
    """The time at risk, likewise; a piece that the fix cuts counts on both sides."""
    if found.fix.release is not None:
        return f"SELECT service_release AS side, sum({found.measure}) AS at_risk FROM time_at_risk GROUP BY 1"
    length = 'epoch("to") - epoch("from")'
    part = f'greatest(0, least(1, (epoch("to") - {found.moment.timestamp()!r}) / ({length})))'
    return (
        f"SELECT sum({found.measure} * (1 - part)) AS before, sum({found.measure} * part) AS after "
        f"FROM (SELECT {found.measure}, {part} AS part FROM time_at_risk)"
    )
