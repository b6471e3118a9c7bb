"""A casebook as one population: every crash with what was true of it, and the time at risk that it is held against.

docs/population.md says what is joined with what.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as arrow
import pyarrow.compute as compute
from numpy.typing import NDArray

from broadstreet.pipeline.grouping import Grouping
from broadstreet.population import libraries, signs
from broadstreet.population.coding import Coding
from broadstreet.population.naming import exposure_names
from broadstreet.population.pieces import falls_in, load_bands, together
from broadstreet.population.population import UNKNOWN, AtRisk, Attribute, Codes, Floats, Population, Sign
from broadstreet.records.exposure import SIMULATED, UPTIME_BANDS
from broadstreet.store import exposures as store
from broadstreet.store.questions import Questions
from broadstreet.store.stretches import MEASURES, OF_CASES

SECOND = 1e6  # microseconds
LOAD = "exceptions per hour"
DECLARED = (*OF_CASES, "tenant")
INCOMPLETE = frozenset(("file mappings", "program headers", "notes", "registers"))  # modules may be among the missing
ORDERS = {"uptime": tuple(band.name for band in UPTIME_BANDS)}
FEATURES = (
    *("signal", "si_code", "origin", "in_signal_handler", "forked_without_exec", "pc_in", "sp_in", "arrival"),
    *("bad_branch", "call_before_word_at_sp", "pc_on_boundary", "instruction_kind", "access_kind", "access_in"),
    *("access_matches", "null_base", "poison", "chain", "stack_shift", "one_bit", "one_bit_access", "one_bit_sp"),
    *("one_bit_pc", "code_bits_different", "replay", "abort_kind", "unwinder", "unwinder_frame", "unwinder_below_sp"),
)
_SHOWN = ("mechanism", "holds", "could_not_be_judged", "rules_version", "missing", "module_set", "service")
SHOWN = (*_SHOWN, "service_release", *FEATURES)
Numbers = NDArray[np.int64]


class _Coded(NamedTuple):
    """Columns as they came, in numbers and in codes, and the coding of each."""

    numbers: dict[str, NDArray[Any]]
    codes: dict[str, Codes]
    codings: dict[str, Coding]


def population(questions: Questions, grouping: Grouping) -> Population:
    """All that is known of a casebook's crashes and of its time at risk."""
    store.hold_stretches(questions)
    more = exposure_names(store.fleet_keys(questions), DECLARED)
    names = list(dict.fromkeys((*DECLARED, *more)))
    keys = {key: name for name, key in more.items()} | {name: name for name in DECLARED}
    labels = [key for key in store.label_keys(questions) if key != SIMULATED[0]]
    free = exposure_names([key for key in labels if key not in keys], names, "label ")
    of_label = {key: keys[key] for key in labels if key in keys} | {key: name for name, key in free.items()}
    codings = {name: Coding() for name in (*names, *of_label.values())}

    cases = _coded(store.case_exposures(questions, names, more), codings | {"time_source": Coding()})
    of_time = [name for name in names if name not in ("cpu", "numa_node")]
    pieces = _coded(store.time_at_risk(questions, of_time, more), codings)
    said = {f"label {number}": codings[name] for number, name in enumerate(of_label.values())}
    asked = dict(zip(said, of_label, strict=True))
    shown = _coded(store.shown(questions, SHOWN, asked), {name: Coding() for name in SHOWN} | said)

    order = np.lexsort((cases.numbers["case_id"], cases.numbers["microseconds"].astype(np.float64)))
    time = _seconds(cases.numbers["microseconds"])[order]
    true = _in_order(cases.codes, order)
    found = _in_order(shown.codes, _places(shown.numbers["reading"], cases.numbers["reading"][order]))
    for number, name in zip(said, of_label.values(), strict=True):
        told = found.pop(number)
        if name not in true and _names_the_case(told):
            continue
        true[name] = np.where(true[name] == UNKNOWN, told, true[name]) if name in true else told
    sources = [source != "mtime" for source in cases.codings["time_source"].values()]
    dated = ~np.isnan(time) & np.array([*sources, False])[true.pop("time_source")]

    at_risk = _at_risk(pieces)
    attributes = _attributes(true, codings, time, pieces, at_risk)
    builds, modules = _libraries(questions, found, shown.codings)
    attributes |= {one.name: one for one in builds if np.any(one.cases != UNKNOWN)}
    start, end, notes = _observed(questions, time[dated])
    return Population(
        case_ids=grouping.case_ids,
        time=time,
        dated=dated,
        trace=grouping.trace,
        traces=grouping.traces,
        frames=grouping.frames,
        syndrome=grouping.syndrome,
        syndromes=grouping.syndromes,
        exposures=attributes,
        signs=signs.telling(_signs(found, shown.codings, store.labels_of_rules(questions), modules)),
        at_risk=at_risk,
        start=start,
        end=end,
        simulated=bool(questions.simulated()),
        notes=notes,
    )


def _names_the_case(label: Codes) -> bool:
    """A label of which each case has its own value says nothing of where it happened."""
    told = label[label != UNKNOWN]
    return len(np.unique(told)) == len(told)


def _coded(batches: Any, codings: dict[str, Coding]) -> _Coded:
    numbers: dict[str, list[NDArray[Any]]] = {}
    codes: dict[str, list[Codes]] = {}
    for name in batches.schema.names:
        (codes if name in codings else numbers)[name] = []
    for batch in batches:
        for name, parts in codes.items():
            parts.append(codings[name].codes(batch.column(name)))
        for name, more in numbers.items():
            more.append(_plain(batch.column(name)))
    return _Coded(
        {name: _joined(numbers.pop(name), np.float64) for name in list(numbers)},
        {name: _joined(codes.pop(name), np.int32) for name in list(codes)},
        codings,
    )


def _joined(parts: list[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _plain(column: Any) -> NDArray[Any]:
    if arrow.types.is_string(column.type):
        return np.asarray(column.cast(arrow.binary()).to_pylist(), np.bytes_)
    if column.null_count or arrow.types.is_floating(column.type):
        return np.asarray(compute.fill_null(column.cast(arrow.float64(), safe=False), np.nan))
    return np.asarray(column)


def _in_order(codes: dict[str, Codes], order: Numbers) -> dict[str, Codes]:
    """All of them in this order; what came is let go of, for of a million crashes it is much."""
    return {name: codes.pop(name)[order] for name in list(codes)}


def _places(numbers: Numbers, wanted: Numbers) -> Numbers:
    """Where each of the wanted stands among the numbers."""
    order = np.argsort(numbers, kind="stable")
    places: Numbers = order[np.searchsorted(numbers, wanted, sorter=order)]
    return places


def _seconds(microseconds: NDArray[Any]) -> Floats:
    return microseconds.astype(np.float64) / SECOND


def _at_risk(pieces: _Coded) -> AtRisk | None:
    start, end = (_seconds(pieces.numbers[name]) for name in ("start", "end"))
    if not len(start):
        return None
    told = {name: pieces.numbers[name].astype(np.float64) for name in MEASURES}
    return AtRisk(start, end, {name: some for name, some in told.items() if not np.isnan(some).all()})


def _attributes(
    cases: dict[str, Codes], codings: dict[str, Coding], time: Floats, pieces: _Coded, at_risk: AtRisk | None
) -> dict[str, Attribute]:
    piece = _pieces(cases, time, pieces, at_risk)
    found = {}
    for name, codes in cases.items():
        of_time = pieces.codes.get(name)
        if of_time is not None:
            told = np.append(of_time, UNKNOWN)[piece]
            codes = np.where(codes == UNKNOWN, told, codes)
        values, places = codings[name].sorted(ORDERS.get(name, ()))
        if np.any(codes != UNKNOWN):
            known = of_time is not None and bool(np.any(of_time != UNKNOWN))
            at = places[of_time] if known and of_time is not None else None
            found[name] = Attribute(name, values, places[codes], at)
    if at_risk is not None and "exceptions" in at_risk.measures:
        hours = at_risk.measures.get("host_hours", (at_risk.end - at_risk.start) / 3600)
        bands, of_pieces = load_bands(at_risk.measures["exceptions"], hours)
        of_cases = np.append(of_pieces, np.int32(UNKNOWN))[piece]
        if np.any(of_cases != UNKNOWN):
            found[LOAD] = Attribute(LOAD, bands, of_cases, of_pieces)
    return found


def _pieces(cases: dict[str, Codes], time: Floats, pieces: _Coded, at_risk: AtRisk | None) -> Numbers:
    """The piece of time at risk that each crash falls into, by its host and service, else by its host; -1: unknown."""
    if at_risk is None:
        return np.full(len(time), UNKNOWN, np.int64)
    host, service = pieces.codes["host"], pieces.codes["service"]
    counted = ~np.isnan(next(iter(at_risk.measures.values())))
    width = max(int(codes.max(initial=0)) for codes in (service, cases["service"])) + 2
    of = np.where(counted, together(host, service, width), UNKNOWN)
    found = falls_in(together(cases["host"], cases["service"], width), time, of, at_risk.start, at_risk.end)
    untold = np.where(counted & (service == UNKNOWN), host, UNKNOWN).astype(np.int64)
    by_host = falls_in(cases["host"].astype(np.int64), time, untold, at_risk.start, at_risk.end)
    return np.where(found == UNKNOWN, by_host, found)


def _libraries(
    questions: Questions, found: dict[str, Codes], codings: dict[str, Coding]
) -> tuple[list[Attribute], list[Sign]]:
    keys = ("module_set", "service", "service_release")
    of_sets = libraries.builds(store.mapped(questions))
    names = [codings[key].values() for key in keys]
    one = together(together(found[keys[0]], found[keys[1]], len(names[1]) + 1), found[keys[2]], len(names[2]) + 1)
    _, first, which = np.unique(one, return_index=True, return_inverse=True)
    triples = zip(
        *([[*names[at], None][code] for code in found[key][first]] for at, key in enumerate(keys)), strict=True
    )
    sets = [of_sets.get(triple, {}) for triple in triples]
    empty = np.array([not one for one in sets])
    of_case: Codes = np.where(empty[which], UNKNOWN, which).astype(np.int32)
    missing = codings["missing"].values()
    whole = np.array([INCOMPLETE.isdisjoint(text.split("|")) for text in missing] + [False])
    return libraries.attributes(of_case, sets, whole[found["missing"]])


def _signs(
    found: dict[str, Codes], codings: dict[str, Coding], labels: Mapping[str, Sequence[str]], modules: list[Sign]
) -> Iterator[Sign]:
    def told(name: str) -> tuple[Codes, Sequence[str]]:
        values, places = codings[name].sorted()
        return places[found[name]], values

    yield from signs.mechanisms(*told("mechanism"))
    yield from signs.findings(told("holds"), told("could_not_be_judged"), told("rules_version"), labels)
    for name in FEATURES:
        yield from signs.features(name, *told(name))
    yield from modules


def _observed(questions: Questions, dated: Floats) -> tuple[float, float, dict[str, str]]:
    """What bounds the period, and by which table: time at risk, else all that the fleet tells, else the crashes."""
    extent = store.extent(questions)
    fleet = [one for one in (extent["hosts"], extent["fatal_signals"], extent["cases"]) if one is not None]
    if extent["at_risk"] is not None:
        by, (start, end) = "at_risk", extent["at_risk"]
    elif fleet:
        by, start, end = "hosts, fatal_signals and cases", min(one[0] for one in fleet), max(one[1] for one in fleet)
    else:
        by, start, end = "nothing: no crash is dated", 0.0, 0.0
    outside = int(np.sum((dated < start) | (dated > end)))
    notes = {"period": by, "cases outside of the period": f"{outside:,}"}
    return start, end, notes
