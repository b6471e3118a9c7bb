"""Whether a fix worked, on small fleets of which the truth is known."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from broadstreet.errors import UsageError
from broadstreet.population.fixed import fixed
from broadstreet.population.population import AtRisk, Attribute, Population, Sign
from broadstreet.records import outbreak
from broadstreet.records.capture import Capture, Captured, Dropout, Span
from broadstreet.records.fixed import Fix, Fixed
from broadstreet.records.weights import Interval

DAY = 86_400.0
DAYS, CUT = 60, 30
MIDDLE = Fix(since=datetime.fromtimestamp(CUT * DAY, UTC))
Exposures = dict[str, tuple[Sequence[str], Sequence[str]]]
"""Of each case, and of each day of time at risk."""


def fleet(
    days: Sequence[float],
    hours: Sequence[float] = (100.0,) * DAYS,
    others: Sequence[float] = (),
    exposures: Exposures | None = None,
    exceptions: Sequence[float] | None = None,
) -> Population:
    """Cases of syndrome S on these days, of T on those of `others`; each on a host of its own. A piece a day."""
    every = np.concatenate([np.asarray(days, float), np.asarray(others, float)]) * DAY
    order = np.argsort(every, kind="stable")
    syndrome = np.repeat([0, 1], [len(days), len(others)]).astype(np.int32)[order]
    count = len(every)
    attributes = {}
    for name, (of_cases, of_days) in (exposures or {}).items():
        values = sorted({*of_cases, *of_days} - {""})
        codes = [np.array([values.index(v) if v else -1 for v in some], np.int32) for some in (of_cases, of_days)]
        attributes[name] = Attribute(name, values, codes[0][order], codes[1])
    measures = {"host_hours": np.asarray(hours, float)}
    signs = {}
    if exceptions is not None:
        measures["exceptions"] = np.asarray(exceptions, float)
        name = "finding unwinding_exception"
        signs[name] = Sign(name, "finding", np.ones(count, np.int8))
    start = np.arange(DAYS) * DAY
    return Population(
        case_ids=[f"case{n}" for n in range(count)],
        time=every[order],
        dated=np.ones(count, np.bool_),
        trace=np.arange(count, dtype=np.int32),
        traces=[f"trace{n}" for n in range(count)],
        frames=[("f",)] * count,
        syndrome=syndrome,
        syndromes=["S", "T"],
        exposures=attributes,
        signs=signs,
        at_risk=AtRisk(start, start + DAY, measures) if len(hours) else None,
        start=0.0,
        end=DAYS * DAY,
    )


def spread(count: int, start: float, end: float) -> list[float]:
    return list(np.linspace(start, end, count, endpoint=False) + 0.01)


def asked(population: Population, fix: Fix = MIDDLE, capture: Capture | None = None) -> Fixed:
    return fixed(population, "S", fix, capture)


def seen(before: float, after: float, dropouts: tuple[Dropout, ...] = (), a_day: int = 20) -> Capture:
    shares = [before if day < CUT else after for day in range(DAYS)]
    days = tuple(
        Span(
            datetime.fromtimestamp(day * DAY, UTC),
            datetime.fromtimestamp((day + 1) * DAY, UTC),
            round(share * a_day),
            a_day,
        )
        for day, share in enumerate(shares)
    )
    return Capture(Captured(1, 1, Interval(1, 1, 1)), {}, days, (), dropouts, 0)


def test_none_after_twenty_before_is_fixed() -> None:
    told = asked(fleet(spread(20, 0, 30)))
    assert (told.answer, told.says) == ("fixed", "fixed: none since")
    assert told.test is not None
    assert told.test.p == pytest.approx(0.5**20)
    assert (told.before.episodes, told.after.episodes) == (20, 0)
    assert (told.before.at_risk, told.after.at_risk) == (3000, 3000)
    assert told.expected is not None
    assert told.expected.value == 20


def test_none_after_three_before_is_not_known_yet_and_says_when() -> None:
    told = asked(fleet([5.0, 10.0, 20.0]))
    assert told.answer == "not known yet"
    assert told.test is not None
    assert told.test.p == pytest.approx(0.125)
    # (30 / (60 + d)) ** 3 under 1 %: d is over 79.2
    assert told.days_more == 80
    assert told.known_on == datetime.fromtimestamp((DAYS + 80) * DAY, UTC)
    assert "in 80 days" in told.says


def test_as_many_as_before_is_not_fixed() -> None:
    told = asked(fleet(spread(40, 0, 60)))
    assert told.answer == "not fixed"
    assert told.ratio is not None
    assert told.ratio.value == pytest.approx(1)
    assert told.days_more is None


def test_a_third_of_before_is_fewer_and_not_gone() -> None:
    told = asked(fleet([*spread(60, 0, 30), *spread(20, 30, 60)]))
    assert (told.answer, told.says) == ("fewer", "fewer, not gone: 67 % fewer than before".replace(" %", "%"))


def test_load_that_fell_is_no_fix() -> None:
    """Half as many a day, in half the time at risk."""
    told = asked(fleet([*spread(40, 0, 30), *spread(20, 30, 60)], [100.0] * 30 + [50.0] * 30))
    assert told.answer == "not fixed"
    assert told.a_day == pytest.approx(0.5)
    assert told.ratio is not None
    assert told.ratio.value == pytest.approx(1)


def test_a_crash_of_exceptions_is_held_against_exceptions() -> None:
    exceptions = [1000.0] * 30 + [200.0] * 30
    told = asked(fleet([*spread(50, 0, 30), *spread(10, 30, 60)], exceptions=exceptions))
    assert (told.answer, told.measure) == ("not fixed", "exceptions")
    assert told.ratio is not None
    assert told.ratio.value == pytest.approx(1)


def test_work_that_moved_to_another_workload_is_no_fix() -> None:
    """All crashes are bulk's, at one rate; bulk is all of the time before and a tenth of it after."""
    days = [*spread(40, 0, 30), *spread(4, 30, 60)]
    workload = ["bulk"] * 27 + ["serve"] * 3 + ["serve"] * 27 + ["bulk"] * 3
    told = asked(fleet(days, exposures={"workload": (["bulk"] * 44, workload)}))
    assert told.strata == ("workload",)
    assert told.ratio is not None
    assert told.ratio.value == pytest.approx((4 / 3) / (40 / 27))
    assert told.answer == "not fixed"
    assert told.a_day == pytest.approx(0.1)


def test_a_piece_that_the_fix_cuts_counts_on_both_sides() -> None:
    told = asked(fleet(spread(20, 0, 30)), Fix(since=datetime.fromtimestamp((CUT + 0.25) * DAY, UTC)))
    assert (told.before.at_risk, told.after.at_risk) == pytest.approx((3025, 2975))


def rollout() -> tuple[list[float], Exposures]:
    """26.1 has the fix; it reaches the last hosts two weeks later, so old ones go on crashing."""
    days = [*spread(20, 0, 30), *spread(6, 30, 44)]
    of_days = ["26.0"] * 30 + ["26.0", "26.1"] * 7 + ["26.1"] * 8 + ["26.2"] * 8
    return days, {"service_release": (["26.0"] * 26, of_days)}


def test_a_release_is_judged_by_what_ran_it_and_later_ones() -> None:
    days, exposures = rollout()
    told = asked(fleet(days, exposures=exposures), Fix(release="26.1"))
    assert (told.answer, told.after.episodes, told.before.episodes) == ("fixed", 0, 26)
    assert (told.before.at_risk, told.after.at_risk) == (3700, 2300)
    assert told.moment == datetime.fromtimestamp(31 * DAY, UTC)
    by_date = asked(fleet(days, exposures=exposures))
    assert by_date.answer != "fixed"


def test_a_release_that_never_ran_is_refused() -> None:
    days, exposures = rollout()
    with pytest.raises(UsageError, match=r"nothing ran the release 27\.0") as error:
        asked(fleet(days, exposures=exposures), Fix(release="27.0"))
    assert "26.1" in error.value.hint


def removed(last: int) -> Population:
    of_days = ["bad" if day < last and day % 2 else f"h{day}" for day in range(DAYS)]
    days = spread(20, 1, 29)
    return fleet(days, exposures={"physical_host": (["bad"] * 20, of_days)})


def test_a_host_that_was_taken_out_is_the_moment() -> None:
    told = asked(removed(30), Fix(without_host="bad"))
    assert told.moment == datetime.fromtimestamp(30 * DAY, UTC)
    assert told.answer == "fixed"


def test_a_host_that_is_still_there_was_not_taken_out() -> None:
    with pytest.raises(UsageError, match="at risk until the end"):
        asked(removed(DAYS), Fix(without_host="bad"))


def test_a_host_and_a_date_mean_that_it_took_no_work_since() -> None:
    date = datetime.fromtimestamp(30 * DAY, UTC)
    told = asked(removed(DAYS), Fix(since=date, without_host="bad"))
    assert (told.moment, told.answer) == (date, "fixed")
    assert any("bad was at risk since then too" in note for note in told.notes)
    assert not any("did take work" in note for note in told.notes)
    early = datetime.fromtimestamp(20 * DAY, UTC)
    back = asked(removed(20), Fix(since=early, without_host="bad"))
    assert [note for note in back.notes if "bad" in note] == ["6 crashes on bad came since then: it did take work"]
    with pytest.raises(UsageError, match="there is no host other"):
        asked(removed(DAYS), Fix(since=date, without_host="other"))


def test_a_host_of_which_no_time_at_risk_is_told_is_asked_when() -> None:
    with pytest.raises(UsageError, match="nothing tells when bad was taken out") as refused:
        asked(removed(0), Fix(without_host="bad"))
    assert "--without-host bad --since DATE" in refused.value.hint


def test_a_host_that_nobody_knows_is_refused() -> None:
    with pytest.raises(UsageError, match="there is no host other"):
        asked(removed(30), Fix(without_host="other"))


@pytest.mark.parametrize("day", [-5, 0, 60, 90])
def test_a_date_outside_of_what_was_observed_is_refused(day: int) -> None:
    with pytest.raises(UsageError, match="is not within what was observed"):
        asked(fleet(spread(20, 0, 30)), Fix(since=datetime.fromtimestamp(day * DAY, UTC)))


@pytest.mark.parametrize(
    ("before", "after", "held"), [(0.95, 0.95, False), (0.95, 0.5, True), (0.5, 0.5, True), (1.0, 0.85, True)]
)
def test_no_fix_is_seen_where_fewer_crashes_are_captured(before: float, after: float, held: bool) -> None:
    told = asked(fleet(spread(20, 0, 30)), capture=seen(before, after))
    assert (told.answer == "held") == held
    assert (told.held is not None) == held
    assert told.capture is not None


def test_a_difference_of_a_hundredth_in_capture_holds_nothing() -> None:
    assert asked(fleet(spread(20, 0, 30)), capture=seen(0.99, 0.97, a_day=10_000)).answer == "fixed"


def test_a_collector_that_failed_for_some_days_since_holds_the_answer() -> None:
    start, end = (datetime.fromtimestamp(day * DAY, UTC) for day in (32, 35))
    outage = Dropout("collector", ("eu-west",), start, end, 1, 50, 1, outbreak.Test("tables.fisher.greater", {}, 1e-9))
    told = asked(fleet(spread(20, 0, 30)), capture=seen(0.95, 0.95, (outage,)))
    assert told.answer == "held"
    assert "only 1 of 50 crashes in eu-west were captured" in told.says
    before = replace(outage, start=datetime.fromtimestamp(DAY, UTC), end=datetime.fromtimestamp(2 * DAY, UTC))
    assert asked(fleet(spread(20, 0, 30)), capture=seen(0.95, 0.95, (before,))).answer == "fixed"


def mechanisms(population: Population, *shown: tuple[str, Sequence[int]]) -> Population:
    signs = {f"mechanism {name}": Sign(f"mechanism {name}", "mechanism", np.array(s, np.int8)) for name, s in shown}
    return replace(population, signs={**population.signs, **signs})


def test_a_mechanism_is_asked_for_alone_and_a_mixed_syndrome_says_so() -> None:
    nulls = [1] * 20 + [0] * 10
    mixed = mechanisms(
        fleet([*spread(20, 0, 30), *spread(10, 30, 60)]),
        ("return_to_null", nulls),
        ("abort_assertion", [1 - one for one in nulls]),
    )
    whole, one = asked(mixed), fixed(mixed, "S", MIDDLE, None, "return_to_null")
    assert any("20 return_to_null, 10 abort_assertion" in note for note in whole.notes)
    assert (one.answer, one.before.episodes, one.after.episodes, one.mechanism) == ("fixed", 20, 0, "return_to_null")
    with pytest.raises(UsageError, match="has no stack_overflow"):
        fixed(mixed, "S", MIDDLE, None, "stack_overflow")


def test_fewer_by_one_measure_and_not_by_another_is_held() -> None:
    """Exceptions fell to a fifth; nothing shows that these crashes come of them, nor that they do not."""
    days = [*spread(50, 0, 30), *spread(10, 30, 60)]
    untold = fleet(days, exceptions=[1000.0] * 30 + [200.0] * 30)
    untold = replace(untold, signs={})
    told = asked(untold)
    assert told.answer == "held"
    assert "fewer by host_hours, but 1.0 times as many by exceptions" in told.says
    gone = replace(fleet(spread(50, 0, 30), exceptions=[1000.0] * 30 + [200.0] * 30), signs={})
    assert asked(gone).answer == "fixed"


def test_without_another_channel_the_answer_says_that_nobody_counted() -> None:
    assert any("fatal_signals" in note for note in asked(fleet(spread(20, 0, 30))).notes)


def test_without_time_at_risk_the_other_crashes_are_the_measure() -> None:
    told = asked(fleet(spread(20, 0, 30), hours=(), others=spread(60, 0, 60)))
    assert (told.answer, told.against) == ("fixed", "other crashes")
    assert (told.before.at_risk, told.after.at_risk) == (30, 30)
    fewer = asked(fleet([*spread(20, 0, 30), *spread(10, 30, 60)], hours=(), others=spread(60, 0, 30)))
    assert fewer.answer != "fixed"


def test_a_crash_loop_is_one_case() -> None:
    loop = replace(
        fleet([1.0 + n * 1e-3 for n in range(20)], exposures={"host": (["a"] * 20, ["a"] * DAYS)}),
        trace=np.zeros(20, np.int32),
    )
    assert asked(loop).before.episodes == 1


def test_what_an_mtime_dates_is_left_out_and_counted() -> None:
    undated = replace(fleet(spread(20, 0, 30)), dated=np.arange(20) >= 5)
    told = asked(undated)
    assert (told.before.episodes, told.undated) == (15, 5)
    assert any("5 episodes have no time" in note for note in told.notes)


@pytest.mark.parametrize("others", [(), (5.0, 40.0)], ids=["nothing", "others"])
def test_where_no_crash_has_a_time_that_dates_it_that_is_said(others: tuple[float, ...]) -> None:
    crashes = fleet(spread(20, 0, 30), hours=(), others=others)
    undated = replace(crashes, dated=crashes.syndrome == 1, start=0.0, end=DAYS * DAY if others else 0.0)
    with pytest.raises(UsageError, match="has a time that can date it") as refused:
        asked(undated)
    assert "NAME.json" in refused.value.hint
    assert ("crash of S" in refused.value.what) == bool(others)


def test_without_other_crashes_nor_time_at_risk_it_says_which_is_lacking() -> None:
    told = asked(fleet(spread(20, 0, 60), hours=()))
    assert told.says == "not known: there are no other crashes to compare with"
    assert any(note.endswith("broadstreet fleet add at_risk FILE") for note in told.notes)


def test_with_none_before_nothing_can_be_told() -> None:
    told = asked(fleet([]))
    assert told.answer == "not known yet"
    assert "nothing to compare with" in told.says


def test_what_began_with_the_fix_is_not_fixed() -> None:
    told = asked(fleet(spread(15, 30, 60)))
    assert (told.answer, told.says) == ("not fixed", "not fixed: none before, 15 since")


def test_a_fix_that_did_nothing_is_hardly_ever_called_one() -> None:
    generator = np.random.default_rng(3)
    answers = [asked(fleet(sorted(generator.random(12) * DAYS))).answer for _ in range(300)]
    assert sum(answer in ("fixed", "fewer") for answer in answers) <= 6
