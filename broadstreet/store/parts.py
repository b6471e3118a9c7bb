"""What the pages of outbreaks and syndromes ask of an atlas: their cases over time, what they show, how they died."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from broadstreet.records.selection import Condition, Selection
from broadstreet.store.atlas import AMONG, Answer, Atlas, named, text
from broadstreet.store.looking import bin_of

SIDES = ("inside", "elsewhere", "unplaced")
SUREST = ("register", "unwind_table", "frame_pointer", "stack_scan", "below_sp")  # of how a frame was found
MOST_NAMED = 5_000  # cases of an outbreak whose ids may stand in a SELECT that was kept
_IN = re.compile(r"case_id IN \((?P<ids>'[0-9a-f]+'(?:, '[0-9a-f]+')*)\)")


def part_of(outbreak: str, *sides: str) -> Selection:
    """The cases of an outbreak on these sides; on all of them, where none is named."""
    return Selection(conditions=(Condition(AMONG, "is", tuple(f"{outbreak}:{one}" for one in sides or SIDES)),))


def curve_of(atlas: Atlas, outbreaks: Sequence[str], start: datetime, hours: int) -> Answer:
    """Dated cases of these outbreaks in bins of so many hours from `start`: outbreak, side, bin, cases."""
    names = ", ".join(map(text, outbreaks))
    return atlas.ask(
        f'SELECT outbreak, "of" AS side, {bin_of(start, hours)} '
        'AS bin, count(*) AS cases\nFROM (SELECT "number", "time" FROM crashes WHERE "dated") '
        f'JOIN members USING (number)\nWHERE outbreak IN ({names}) AND "of" IN ({", ".join(map(text, SIDES))})\n'
        "GROUP BY ALL ORDER BY ALL"
    )


def cases_of(atlas: Atlas, selection: Selection, columns: Sequence[str], order: str, most: int) -> Answer:
    """Cases with these columns (null where the atlas has none), `first` or `last` of them."""
    shown = ", ".join(_maybe(atlas, name) for name in columns)
    way = '"time" NULLS LAST, "number" DESC' if order == "first" else '"number"'
    return atlas.ask(
        f'SELECT "case_id", "number", {shown}\nFROM crashes WHERE {atlas.where(selection)}\n'
        f"ORDER BY {way} LIMIT {int(most)}"
    )


def stacks(atlas: Atlas, selection: Selection) -> Answer:
    """The distinct traces of these cases: their frames, each with its trust, and how many cases have them."""
    return atlas.ask(
        f'WITH counted AS (SELECT "trace_id", count(*) AS cases FROM crashes WHERE {atlas.where(selection)} '
        'GROUP BY "trace_id")\n'
        "SELECT trace_id, cases, parts, functions, module_paths, offsets, trusts\n"
        "FROM counted JOIN traces USING (trace_id) ORDER BY cases DESC, trace_id"
    )


def modules_met(atlas: Atlas, selection: Selection, most: int) -> Answer:
    """In how many of these cases a frame lies in each module, and the case whose frame there is the surest.

    module, cases, case_id, trust; those met oftenest first.
    """
    surer = " ".join(f"WHEN {text(trust)} THEN {rank}" for rank, trust in enumerate(SUREST))
    return atlas.ask(
        f'WITH counted AS (SELECT "trace_id", count(*) AS cases, min("case_id") AS case_id FROM crashes\n'
        f'  WHERE {atlas.where(selection)} GROUP BY "trace_id"),\n'
        "met AS (SELECT trace_id, cases, case_id, unnest(module_paths) AS module, unnest(trusts) AS trust\n"
        "  FROM counted JOIN traces USING (trace_id)),\n"
        "once AS (SELECT trace_id, parse_filename(module) AS module, any_value(cases) AS cases, "
        f"any_value(case_id) AS case_id, min(CASE trust {surer} ELSE {len(SUREST)} END) AS surest\n"
        "  FROM met WHERE module IS NOT NULL GROUP BY ALL)\n"
        "SELECT module, sum(cases)::BIGINT AS cases, arg_min(case_id, (surest, case_id)) AS case_id, "
        "min(surest) AS surest\n"
        f"FROM once GROUP BY module ORDER BY cases DESC, module LIMIT {int(most)}"
    )


def members(atlas: Atlas, outbreak: str, of: str) -> str:
    """The SELECT of the cases of one side of an outbreak, or of one of its arguments."""
    selection = part_of(outbreak, of)
    return f'SELECT * FROM crashes WHERE {atlas.where(selection)} ORDER BY "number"'


def sizes(atlas: Atlas) -> str:
    """The SELECT of how many cases each outbreak has inside of it, beside all time at risk."""
    hours = f"(SELECT sum({named(atlas.about.measures[0])}) FROM pieces)" if atlas.about.measures else "NULL"
    return (
        f"SELECT outbreak, count(*) AS cases, {hours} AS at_risk\n"
        "FROM members WHERE \"of\" = 'inside' GROUP BY outbreak ORDER BY cases DESC"
    )


def by_members(atlas: Atlas, outbreak: str, selects: Sequence[str]) -> list[str]:
    """SELECTs that name the cases of an outbreak one by one, with the name of their side in place of their ids."""
    if not any(_IN.search(one) for one in selects):
        return list(selects)
    sides = ", ".join(map(text, SIDES))
    told = atlas.ask(
        f'SELECT "of", list(case_id) AS ids FROM members WHERE outbreak = {text(outbreak)} AND "of" IN ({sides}) '
        f"GROUP BY 1 HAVING count(*) <= {MOST_NAMED}"
    )
    known = {row["of"]: frozenset(row["ids"]) for row in told.dicts()}
    return [_IN.sub(lambda found: _shorter(found, outbreak, known), one) for one in selects]


def _shorter(found: re.Match[str], outbreak: str, known: Mapping[str, frozenset[str]]) -> str:
    ids = frozenset(one.strip("'") for one in found["ids"].split(", "))
    for sides in (("inside",), ("elsewhere",), ("inside", "elsewhere"), ("unplaced",), SIDES):
        if ids == frozenset().union(*(known.get(side, frozenset()) for side in sides)):
            of = " OR ".join(f'"of" = {text(side)}' for side in sides if side in known)
            return f"case_id IN (SELECT case_id FROM members WHERE outbreak = {text(outbreak)} AND ({of}))"
    return found[0]


def _maybe(atlas: Atlas, name: str) -> str:
    return named(name) if name in atlas.columns else f"NULL AS {named(name)}"


def listed(atlas: Atlas, search: str, order: str, most: int) -> Answer:
    """Syndromes in whose id, name, frames or mechanisms the text stands: at most so many rows, `of` so many."""
    orders = {"cases": "cases DESC", "newest": '"last" DESC NULLS LAST', "first": '"first" DESC NULLS LAST'}
    places = ("syndrome", "coalesce(name, '')", "array_to_string(frames, ' ')", "array_to_string(mechanisms, ' ')")
    tests = [f"contains(lower({place}), lower({text(search)}))" for place in places]
    where = " OR ".join(tests) if search else "TRUE"
    return atlas.ask(
        f"SELECT *, count(*) OVER () AS of FROM syndromes WHERE {where}\n"
        f"ORDER BY {orders[order]}, syndrome LIMIT {int(most)}"
    )


def syndrome_row(atlas: Atlas, syndrome: str) -> Answer:
    """The row of a syndrome; none where there is no such one."""
    return atlas.ask(f"SELECT * FROM syndromes WHERE syndrome = {text(syndrome)}")


def named_so(atlas: Atlas, name: str) -> Answer:
    """The ids of the syndromes that go by a name, or begin so."""
    return atlas.ask(
        f"SELECT syndrome FROM syndromes WHERE name = {text(name)} OR starts_with(lower(syndrome), "
        f"{text(name.lower())})\nORDER BY name IS DISTINCT FROM {text(name)}, syndrome LIMIT 3"
    )


def said(atlas: Atlas) -> Answer:
    """What people said of syndromes, in order."""
    return atlas.ask("SELECT number, kind, syndrome, other, text, author, made FROM said ORDER BY number")


def decisions(atlas: Atlas, syndrome: str) -> Answer:
    """By which rule the cases of a syndrome came to it: outcome, `measured` (by a probability), traces, cases, first.

    The outcome is null where that is not kept yet.
    """
    return atlas.ask(
        "WITH of_it AS (SELECT trace_id, count(*) AS cases FROM crashes "
        f"WHERE syndrome = {text(syndrome)} GROUP BY trace_id)\n"
        "SELECT outcome, probability IS NOT NULL AS measured, count(DISTINCT coalesce(trace, trace_id)) AS traces, "
        "sum(cases)::BIGINT AS cases, min(made) AS first, min(probability) AS least\n"
        "FROM of_it LEFT JOIN decisions USING (trace_id) GROUP BY ALL ORDER BY cases DESC"
    )


def most_evidence(atlas: Atlas, selection: Selection, columns: Sequence[str]) -> Answer:
    """The case of which most could be judged, and whose evidence is kept if that of any is."""
    shown = ", ".join(_maybe(atlas, name) for name in columns)
    return atlas.ask(
        f'SELECT "case_id", "number", {shown}\nFROM crashes WHERE {atlas.where(selection)}\n'
        'ORDER BY "evidence" DESC, len("could_not_be_judged"), len("holds") DESC, "number" LIMIT 1'
    )
