"""Draw an atlas: analyse one version of a casebook, and lay out what a page may ask.

It takes the seconds and the memory that an investigation takes, once; what is drawn is asked in milliseconds.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from broadstreet import __version__
from broadstreet.pipeline.investigation import Inquiry, concluded, inquired
from broadstreet.pipeline.syndromes import listed
from broadstreet.population.families import family
from broadstreet.population.population import Population
from broadstreet.population.survey import votes_of
from broadstreet.population.suspects import HOSTS, suspects
from broadstreet.records.atlas import About, AtlasColumn, ColumnKind
from broadstreet.records.columns import FEATURES
from broadstreet.records.outbreak import Outbreak
from broadstreet.records.suspect import Excess, Suspect
from broadstreet.records.verdict import Investigation, Verdict
from broadstreet.store import atlas_tables as store
from broadstreet.store.questions import Questions

OF_HOST = frozenset(("cpu", "numa_node"))  # a case tells the number; the exposure is that of a machine of its own
SYNDROME = "The syndrome that its trace was put into."
GIVEN = {
    "outbreak": ("int", "rank", "The first outbreak that it is inside of.", "It is in none."),
    "syndrome": ("text", "", SYNDROME, "No frame can be trusted."),
    "trace": ("text", "", "The exact key of its trusted frames.", "No frame can be trusted."),
    "site": ("text", "", "The innermost of its trusted frames.", "No frame can be trusted."),
    "episode": ("bool", "", "The first of its episode: the same trace on the same host soon after is not another.", ""),
    "dated": ("bool", "", "Its time says when it happened; an mtime does not.", "Never."),
    "time": ("time", "UTC", "When it happened.", "Nothing tells."),
    "added": ("time", "UTC", "When it was read, by the clock of the reader.", "Never."),
}
Ints = NDArray[np.int64]


def draw(url: str, number: int | None, folder: str) -> tuple[About, Investigation, Inquiry]:
    """The tables of the atlas of a version, into this folder; what it is of, and what the analysis came to."""
    began = monotonic()
    with Questions(url, number) as questions:
        inquiry = inquired(questions)
        found = concluded(inquiry)
        told = _told(inquiry.population, found.verdicts)
        store.write_crashes(questions, folder, told)
        store.write_ids(folder, told)
        store.write_traces(questions, folder)
        store.write_decisions(questions, folder)
        syndromes = listed(questions, inquiry.grouping)
    store.write(folder, "syndromes", [syndromes], syndromes.schema)
    _write_pieces(inquiry.population, folder)
    _write_members(found.verdicts, told, folder)
    ranked = [one for attribute in HOSTS for one in suspects(inquiry.population, attribute)]
    store.write(folder, "suspects", [_suspects(ranked)], SUSPECTS)
    counted = store.distinct(folder, [column.name for column in _columns(inquiry.population, {}) if not column.values])
    return _about(inquiry, found, counted, monotonic() - began), found, inquiry


def _told(crashes: Population, verdicts: Sequence[Verdict]) -> pa.Table:
    order = np.lexsort((np.asarray(crashes.case_ids, np.str_), -crashes.time))
    ids = np.asarray(crashes.case_ids, np.str_)[order]
    votes = np.zeros(len(crashes), np.bool_)
    votes[votes_of(crashes)] = True
    time = crashes.time[order]
    micro = pa.array(np.nan_to_num(time * 1e6).round().astype(np.int64), pa.int64(), mask=np.isnan(time))
    sites = [next(iter(frames), None) for frames in crashes.frames]
    trace = crashes.trace[order]
    columns: dict[str, Any] = {
        "case_id": pa.array(ids, pa.string()),
        "number": pa.array(np.arange(len(ids), dtype=np.int64)),
        "time": micro.cast(pa.timestamp("us", "UTC")),
        "dated": pa.array(crashes.dated[order]),
        "episode": pa.array(votes[order]),
        "outbreak": pa.array(_ranks(ids, verdicts)),
        "syndrome": store.coded(crashes.syndromes, crashes.syndrome[order]),
        "trace": store.coded(crashes.traces, trace),
        "site": pa.array([*sites, None], pa.string()).take(pa.array(np.where(trace < 0, len(sites), trace))),
    }
    for name, exposure in crashes.exposures.items():
        if name not in OF_HOST:
            columns.setdefault(name, store.coded(exposure.values, exposure.cases[order]))
    return pa.table(columns)


def _ranks(ids: NDArray[Any], verdicts: Sequence[Verdict]) -> pa.Array:
    """The rank of the first outbreak that each case is inside of."""
    ranks = np.zeros(len(ids), np.int64)
    order = np.argsort(ids)
    for verdict in reversed(verdicts):
        inside = np.asarray(verdict.outbreak.cases, ids.dtype)
        ranks[order[np.searchsorted(ids, inside, sorter=order)]] = verdict.outbreak.rank
    return pa.array(ranks, mask=ranks == 0)


def _write_pieces(crashes: Population, folder: str) -> None:
    """Each piece of time at risk, those of one host one after another."""
    at_risk = crashes.at_risk
    exposures = {name: one for name, one in crashes.exposures.items() if one.at_risk is not None}
    times = [("start", pa.timestamp("us", "UTC")), ("end", pa.timestamp("us", "UTC"))]
    measures = {} if at_risk is None else at_risk.measures
    kinds = [(name, pa.float64()) for name in measures]
    schema = pa.schema(times + kinds + [(name, pa.dictionary(pa.int32(), pa.string())) for name in exposures])
    if at_risk is None:
        store.write(folder, "pieces", [], schema)
        return
    host = exposures.get("host")
    codes = host.at_risk if host is not None and host.at_risk is not None else np.zeros(len(at_risk.start), np.int32)
    order = np.lexsort((at_risk.start, codes))
    columns: list[Any] = [
        pa.array((some[order] * 1e6).round().astype(np.int64)).cast(times[0][1])
        for some in (at_risk.start, at_risk.end)
    ]
    columns += [pa.array(some[order], pa.float64(), mask=np.isnan(some[order])) for some in measures.values()]
    columns += [store.coded(one.values, one.at_risk[order]) for one in exposures.values() if one.at_risk is not None]
    store.write(folder, "pieces", [pa.table(columns, schema=schema)], schema)


MEMBERS = pa.schema([("outbreak", pa.string()), ("of", pa.string()), ("case_id", pa.string()), ("number", pa.int64())])


def _write_members(verdicts: Sequence[Verdict], told: pa.Table, folder: str) -> None:
    numbers = dict(zip(told["case_id"].to_pylist(), told["number"].to_pylist(), strict=True))
    store.write(folder, "members", (pa.table(one, schema=MEMBERS) for one in _members(verdicts, numbers)), MEMBERS)


def _members(verdicts: Sequence[Verdict], numbers: Mapping[str, int]) -> Iterator[dict[str, Any]]:
    for verdict in verdicts:
        for name, cases in (*_sides(verdict.outbreak), *_arguments(verdict)):
            ordered = sorted((numbers[case], case) for case in cases)  # so that a number is in few row groups
            yield {
                "outbreak": [verdict.outbreak.id] * len(cases),
                "of": [name] * len(cases),
                "case_id": [case for _, case in ordered],
                "number": [number for number, _ in ordered],
            }


def _sides(outbreak: Outbreak) -> Iterator[tuple[str, Sequence[str]]]:
    yield from (("inside", outbreak.cases), ("elsewhere", outbreak.elsewhere), ("unplaced", outbreak.unplaced))


def _arguments(verdict: Verdict) -> Iterator[tuple[str, Sequence[str]]]:
    for argument in (*verdict.evidence_against, *verdict.evidence_for):
        yield argument.name, argument.cases


_EXCESS = (
    *(("episodes", pa.int64()), ("expected", pa.float64()), ("ratio", pa.float64()), ("ratio_low", pa.float64())),
    *(("ratio_high", pa.float64()), ("p", pa.float64()), ("q", pa.float64())),
)
SUSPECTS = pa.schema(
    [
        *(("attribute", pa.string()), ("value", pa.string()), ("rank", pa.int64()), ("hours", pa.float64())),
        *(("measure", pa.string()), *_EXCESS, *((f"hardware_{name}", kind) for name, kind in _EXCESS)),
        *(("against", pa.string()), ("sites", pa.int64()), ("syndromes", pa.int64()), ("asked", pa.int64())),
    ]
)


def _suspects(found: Sequence[Suspect]) -> pa.Table:
    return pa.Table.from_pylist([_suspect(one) for one in found], schema=SUSPECTS)


def _suspect(one: Suspect) -> Mapping[str, Any]:
    own = ("attribute", "value", "rank", "hours", "measure", "against", "sites", "syndromes", "asked")
    hardware = {f"hardware_{name}": value for name, value in _excess(one.hardware).items()}
    return {name: getattr(one, name) for name in own} | _excess(one.every) | hardware


def _excess(one: Excess) -> dict[str, Any]:
    ratio = (None, None, None) if one.ratio is None else (one.ratio.value, one.ratio.low, one.ratio.high)
    told = {"episodes": one.episodes, "expected": one.expected, "p": one.p, "q": one.q}
    return told | {
        name: value if value is None or np.isfinite(value) else None
        for name, value in zip(("ratio", "ratio_low", "ratio_high"), ratio, strict=True)
    }


def _about(inquiry: Inquiry, found: Investigation, values: Mapping[str, int], seconds: float) -> About:
    crashes = inquiry.population
    times = crashes.time[crashes.dated]
    at_risk = crashes.at_risk
    return About(
        casebook=inquiry.casebook,
        version=inquiry.version,
        broadstreet_version=__version__,
        simulated=crashes.simulated,
        start=found.start or None,
        end=found.end or None,
        newest=None if not len(times) else _written(float(times.max())),
        drawn=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 2),
        cases=found.cases,
        dated=len(times),
        episodes=found.episodes,
        syndromes=found.syndromes,
        hosts=found.hosts,
        machines=found.machines,
        measures=() if at_risk is None else tuple(at_risk.measures),
        at_risk=found.at_risk,
        captured=found.captured,
        fatal=found.fatal,
        columns=tuple(_columns(crashes, values)),
    )


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _columns(crashes: Population, values: Mapping[str, int]) -> Iterator[AtlasColumn]:
    declared = {column.name: column for column in store.OF_CASE}
    features = {column.name for column in FEATURES}
    for name, (kind, unit, meaning, null) in GIVEN.items():
        yield AtlasColumn(name, "case", kind, "", False, values.get(name, 0), unit, meaning, null)  # type: ignore[arg-type]
    for name, exposure in crashes.exposures.items():
        if name in OF_HOST:
            continue
        column = declared.get(name)
        yield AtlasColumn(
            name=name,
            kind="exposure",
            type="text",
            family=family(name).kind,
            at_risk=exposure.at_risk is not None,
            values=len(exposure.values),
            unit="",
            meaning=column.meaning if column else "What was true of its host or service at the time.",
            null=column.null if column else "Nothing tells.",
        )
    for column in store.OF_CASE:
        if column.name not in crashes.exposures or column.name in OF_HOST:
            of_kind: ColumnKind = "feature" if column.name in features else "case"
            of_type: Any = "texts" if column.name in store.LISTS else column.type
            count = values.get(column.name, 0)
            yield AtlasColumn(column.name, of_kind, of_type, "", False, count, column.unit, column.meaning, column.null)
