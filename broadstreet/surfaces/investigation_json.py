"""An investigation as JSON: the stable fields that other programs may rely on.

The published schema, docs/investigation.schema.json, is made from these types. What is not known is null; a ratio
without an upper end has `high` null, and `value` null where there is no case to compare with.
"""

import math
from collections.abc import Callable
from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

import msgspec

from broadstreet.records.outbreak import Alarm, Comparison, Outbreak, Split, Test
from broadstreet.records.verdict import Argument, Investigation, Judgement, Says, Verdict
from broadstreet.records.weights import Count, Interval
from broadstreet.surfaces.answer import answer
from broadstreet.surfaces.text import encodable
from broadstreet.verdict.sentences import who_is_hit, would_be_seen
from broadstreet.verdict.words import certainty

MOST_IDS = 1_000  # of one list; all cases of an outbreak are given once
Value = TypeVar("Value")
Told = TypeVar("Told")


class IntervalJson(msgspec.Struct, frozen=True):
    """A figure with its 95 % interval; null where it is infinite or cannot be told."""

    value: float | None
    low: float | None
    high: float | None


class TestJson(msgspec.Struct, frozen=True):
    """A test of broadstreet.statistics with its arguments; q is p corrected for the `asked` questions of `family`."""

    name: str
    arguments: dict[str, float | list[float]]
    p: float
    q: float | None
    family: str
    asked: int


class ComparisonJson(msgspec.Struct, frozen=True):
    """The crashes that share an exposure against all others: naive, and adjusted for `strata`.

    `same_as` are the exposures that it cannot be told apart from. `share` is that of the time at risk, or of the other
    crashes: `against` says of which.
    """

    attribute: str
    value: str
    inside: int
    of: int
    share: float
    against: Literal["time at risk", "other crashes"]
    measure: str
    naive: IntervalJson
    adjusted: IntervalJson | None
    strata: list[str]
    same_as: list[str]
    test: TestJson
    adjusted_test: TestJson | None


class CountJson(msgspec.Struct, frozen=True):
    """In how many crashes of the lab something held, of how many in which it was judged."""

    held: int
    judged: int


class ArgumentJson(msgspec.Struct, frozen=True):
    """One item of evidence.

    `ratio`: how many times likelier it is if the hardware is at fault than if the software is; `hardware`, `software`
    and `campaign` are the counts of the lab behind it. `reads` is the SQL of what was observed, empty where it names so
    many cases that no shell takes it. `cases` are the first of `case_count`.
    """

    name: str
    says: str
    observed: dict[str, float | str | None]
    ratio: IntervalJson
    capped: bool
    campaign: str
    hardware: CountJson | None
    software: CountJson | None
    cases: list[str]
    case_count: int
    reads: str


class UncheckedJson(msgspec.Struct, frozen=True):
    """What could not be checked, in how many cases, and how to make it checkable."""

    what: str
    cases: int
    remedy: str


class ArrivalJson(msgspec.Struct, frozen=True):
    """A value of an exposure that was not in the fleet before `at`."""

    attribute: str
    value: str
    at: str


class SplitJson(msgspec.Struct, frozen=True):
    """Why one syndrome is more than one: `by` goes with `goes_with`; `part` and `rest` are episodes."""

    syndrome: str
    by: str
    goes_with: str
    part: int
    rest: int
    test: TestJson


class RatesJson(msgspec.Struct, frozen=True):
    """Cases per day before, within and after an outbreak."""

    before: float | None
    within: float
    after: float | None


class JudgementJson(msgspec.Struct, frozen=True):
    """What a person said of a verdict last.

    `truth` is what it really was: hardware, software or something else; `note`, `author` and `made` (UTC) are theirs.
    `says` and `probability` are the verdict then, under the id `outbreak`, at `casebook_version`.
    """

    kind: Literal["confirm", "refute"]
    truth: str | None
    note: str | None
    author: str
    made: str
    says: Literal["hardware", "software", "undetermined"]
    probability: float
    outbreak: str
    casebook_version: int


class HowSureJson(msgspec.Struct, frozen=True):
    """Of the verdicts with at least this stated probability and below that, how many people confirmed of those judged.

    `least` is the lower bound of that share; null where nobody judged one.
    """

    at_least: float
    below: float
    confirmed: int
    judged: int
    least: float | None


class OutbreakJson(msgspec.Struct, frozen=True):
    """One outbreak and its verdict.

    `onset` and `end` are UTC with their 95 % intervals; null where it holds from the first day, or goes on. `arrivals`
    are what came into the fleet shortly before the onset, the last first; that is no evidence.
    `rate_ratio` is the adjusted one where there is one. `probability` is that the verdict is right,
    `probability_of_hardware` that the hardware is at fault. `held` says why no verdict may be given. `who` says in a
    sentence who is hit, `certainty` the probability in words. `cases` are all (of `case_count`), `elsewhere` the first
    of `elsewhere_count`, `unplaced` the first of `unplaced_count` of which it is not known whether they are inside.
    `judgement` is the newest word of a person; null: nobody's.
    """

    id: str
    rank: int
    title: str
    who: str
    kind: Literal["cohort", "everywhere", "linked"]
    syndrome: str
    mechanism: str
    cohort: dict[str, str]
    parts: list[str]
    onset: str | None
    onset_interval: list[str] | None
    end: str | None
    end_interval: list[str] | None
    arrivals: list[ArrivalJson]
    rates_per_day: RatesJson | None
    rate_ratio: IntervalJson | None
    verdict: Literal["hardware", "software", "undetermined"]
    probability: float
    certainty: str
    probability_of_hardware: IntervalJson
    held: str | None
    prior: ArgumentJson
    evidence_against: list[ArgumentJson]
    evidence_for: list[ArgumentJson]
    not_checked: list[UncheckedJson]
    overturned_by: str
    action: list[str]
    episodes: int
    cases: list[str]
    case_count: int
    elsewhere: list[str]
    elsewhere_count: int
    unplaced: list[str]
    unplaced_count: int
    comparison: ComparisonJson | None
    others: list[ComparisonJson]
    splits: list[SplitJson]
    judgement: JudgementJson | None


class AgainJson(msgspec.Struct, frozen=True):
    """One number of a verdict again: `reads` is the SQL of its inputs, `python` the line that prints it.

    `value` is null where it is infinite. `reads` is empty where the inputs stand under another number or name so many
    cases that no shell takes it; `python` is null where no single line gives it.
    """

    what: str
    value: float | None
    reads: str
    python: str | None


class AlarmJson(msgspec.Struct, frozen=True):
    """A syndrome that came oftener than its own past.

    `at`: the alarm, UTC; `since`: from when it rose. From then to the alarm `seen` episodes came where `expected` were
    likely: `per_day` and `usual_per_day`. By chance one syndrome gives one in `days_per_false_alarm`.
    """

    syndrome: str
    at: str
    since: str
    seen: int
    expected: float
    per_day: float
    usual_per_day: float
    days_per_false_alarm: float


class CaptureJson(msgspec.Struct, frozen=True):
    """How many of the fatal signals that another channel saw became cases; null where none is told."""

    captured: int | None
    fatal: int | None
    notes: list[str]


class InvestigationJson(msgspec.Struct, frozen=True):
    """The answer, the versions that it came from, what was asked, the outbreaks, the most certain first, and alarms.

    `would_be_seen` says how few crashes on one host would have stood out; empty where that is not known.
    `only` is the syndrome that was asked about; null: all. `alarms` are in the order of time. `how_sure` is empty where
    nobody judged a verdict.
    """

    answer: str
    casebook: str
    casebook_version: int
    broadstreet_version: str
    weights_version: str
    only: str | None
    simulated: bool
    start: str | None
    end: str | None
    cases: int
    episodes: int
    syndromes: int
    hosts: int | None
    machines: int | None
    at_risk: float | None
    measure: str | None
    questions: int
    would_be_seen: str
    families: dict[str, int]
    capture: CaptureJson
    outbreaks: list[OutbreakJson]
    alarms: list[AlarmJson]
    how_sure: list[HowSureJson]


def investigation_json(found: Investigation, most: int | None = None) -> InvestigationJson:
    """The whole investigation; with `most`, no more cases of each outbreak than so many."""
    return InvestigationJson(
        answer=answer(found),
        casebook=encodable(found.casebook),
        casebook_version=found.casebook_version,
        broadstreet_version=found.broadstreet_version,
        weights_version=found.weights_version,
        only=found.only,
        simulated=found.simulated,
        start=found.start or None,
        end=found.end or None,
        cases=found.cases,
        episodes=found.episodes,
        syndromes=found.syndromes,
        hosts=found.hosts,
        machines=found.machines,
        at_risk=found.at_risk,
        measure=found.measure,
        questions=found.questions,
        would_be_seen=would_be_seen(found),
        families=dict(found.families),
        capture=CaptureJson(found.captured, found.fatal, list(found.capture_notes)),
        outbreaks=[outbreak_json(one, most) for one in found.verdicts],
        alarms=[alarm_json(one) for one in found.alarms],
        how_sure=how_sure_json(found),
    )


def outbreak_json(verdict: Verdict, most: int | None = None) -> OutbreakJson:
    """One outbreak with its verdict; with `most`, no more of its cases than so many."""
    outbreak, onset = verdict.outbreak, verdict.outbreak.onset
    return OutbreakJson(
        id=outbreak.id,
        rank=outbreak.rank,
        title=verdict.title,
        who=encodable(who_is_hit(outbreak)),
        kind=outbreak.kind,
        syndrome=outbreak.syndrome,
        mechanism=outbreak.mechanism,
        cohort=dict(outbreak.cohort),
        parts=list(outbreak.parts),
        onset=_maybe(onset, lambda o: _time(o.at)),
        onset_interval=_maybe(onset, lambda o: _times(o.low, o.high)),
        end=_maybe(onset, lambda o: _time(o.end)),
        end_interval=_maybe(onset, lambda o: _times(o.end_low, o.end_high)),
        arrivals=[ArrivalJson(one.attribute, one.value, _time(one.at) or "") for one in outbreak.arrivals],
        rates_per_day=_maybe(onset, lambda o: RatesJson(*o.rates)),
        rate_ratio=_rate_ratio(outbreak),
        verdict=_says(verdict),
        probability=verdict.certainty,
        certainty=certainty(verdict.certainty),
        probability_of_hardware=_interval(verdict.probability),
        held=verdict.held,
        prior=_argument(verdict.prior),
        evidence_against=[_argument(one) for one in verdict.evidence_against],
        evidence_for=[_argument(one) for one in verdict.evidence_for],
        not_checked=[UncheckedJson(one.what, one.cases, one.remedy) for one in verdict.not_checked],
        overturned_by=verdict.overturned_by,
        action=list(verdict.action),
        episodes=outbreak.episodes,
        cases=list(outbreak.cases[:most]),
        case_count=len(outbreak.cases),
        elsewhere=list(outbreak.elsewhere[:MOST_IDS]),
        elsewhere_count=len(outbreak.elsewhere),
        unplaced=list(outbreak.unplaced[:MOST_IDS]),
        unplaced_count=len(outbreak.unplaced),
        comparison=_maybe(outbreak.comparison, _comparison),
        others=[_comparison(one) for one in outbreak.others],
        splits=[_split(one) for one in outbreak.splits],
        judgement=_maybe(verdict.judgement, judgement_json),
    )


def how_sure_json(found: Investigation) -> list[HowSureJson]:
    """How verdicts of this casebook fared that people judged."""
    return [HowSureJson(*astuple(one)) for one in found.how_sure]


def judgement_json(one: Judgement) -> JudgementJson:
    """A word on a verdict that was not withdrawn."""
    return JudgementJson(
        kind="confirm" if one.kind == "confirm" else "refute",
        truth=one.truth,
        note=one.text,
        author=one.author,
        made=_written(one.made),
        says=one.says,
        probability=one.certainty,
        outbreak=one.outbreak,
        casebook_version=one.version,
    )


def again_json(verdict: Verdict) -> list[AgainJson]:
    """Every number of a verdict that comes of a test."""
    from broadstreet.verdict.again import again

    return [
        AgainJson(encodable(one.what), one.value if math.isfinite(one.value) else None, one.reads, one.python)
        for one in again(verdict)
    ]


def alarm_json(alarm: Alarm) -> AlarmJson:
    """One alarm."""
    from broadstreet.statistics.cusum import FIVE_YEARS_OF_DAYS

    return AlarmJson(
        syndrome=alarm.syndrome,
        at=_written(datetime.fromtimestamp(alarm.until, UTC)),
        since=_written(datetime.fromtimestamp(alarm.since, UTC)),
        seen=alarm.seen,
        expected=float(alarm.expected),
        per_day=alarm.seen / float(alarm.days),
        usual_per_day=float(alarm.expected / alarm.days),
        days_per_false_alarm=FIVE_YEARS_OF_DAYS,
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of an investigation."""
    return msgspec.json.schema(InvestigationJson)


def _says(verdict: Verdict) -> Says:
    return "undetermined" if verdict.held else verdict.says


def _rate_ratio(outbreak: Outbreak) -> IntervalJson | None:
    return _maybe(outbreak.comparison, lambda compared: _interval(compared.adjusted or compared.naive))


def _interval(of: Interval) -> IntervalJson:
    return IntervalJson(*(value if math.isfinite(value) else None for value in (of.value, of.low, of.high)))


def _comparison(one: Comparison) -> ComparisonJson:
    return ComparisonJson(
        attribute=one.attribute,
        value=encodable(one.value),
        inside=one.inside,
        of=one.of,
        share=one.share,
        against=one.against,
        measure=one.measure,
        naive=_interval(one.naive),
        adjusted=_maybe(one.adjusted, _interval),
        strata=list(one.strata),
        same_as=list(one.same_as),
        test=_test(one.test),
        adjusted_test=_maybe(one.adjusted_test, _test),
    )


def _test(one: Test) -> TestJson:
    arguments = {name: list(value) if isinstance(value, tuple) else value for name, value in one.arguments.items()}
    return TestJson(one.name, arguments, one.p, one.q, one.family, one.asked)


def _split(one: Split) -> SplitJson:
    return SplitJson(one.syndrome, one.by, one.goes_with, one.part, one.rest, _test(one.test))


def _argument(one: Argument) -> ArgumentJson:
    observed = {
        name: encodable(value) if isinstance(value, str) else value if math.isfinite(value) else None
        for name, value in one.observed.items()
    }
    return ArgumentJson(
        name=one.name,
        says=encodable(one.says),
        observed=observed,
        ratio=_interval(one.ratio),
        capped=one.capped,
        campaign=one.campaign,
        hardware=_maybe(one.hardware, _count),
        software=_maybe(one.software, _count),
        cases=list(one.cases[:MOST_IDS]),
        case_count=len(one.cases),
        reads=one.reads,
    )


def _count(one: Count) -> CountJson:
    return CountJson(one.held, one.judged)


def _maybe(value: Value | None, of: Callable[[Value], Told]) -> Told | None:
    return None if value is None else of(value)


def _times(low: datetime | None, high: datetime | None) -> list[str] | None:
    return None if low is None or high is None else [_written(low), _written(high)]


def _time(at: datetime | None) -> str | None:
    return None if at is None else _written(at)


def _written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
