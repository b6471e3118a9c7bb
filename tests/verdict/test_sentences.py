"""The answer in one sentence, computed from what was found."""

from dataclasses import replace

import pytest

from broadstreet.records.verdict import Investigation, Verdict
from broadstreet.records.weights import Interval
from broadstreet.verdict import figures
from broadstreet.verdict.sentences import captured, heading, period, scope, would_be_seen
from tests.surfaces import investigations as made


def found(*verdicts: Verdict) -> Investigation:
    return replace(made.FOUNDING, verdicts=verdicts)


def of(verdict: Verdict, syndrome: str, **cohort: str) -> Verdict:
    """The same in another syndrome, which was not parted, and another cohort."""
    return replace(verdict, outbreak=replace(verdict.outbreak, syndrome=syndrome, cohort=cohort, splits=()))


def test_a_syndrome_that_was_parted_looked_like_one_bug() -> None:
    assert heading(made.FOUNDING) == "It looked like one bug. It is one machine and one library."


def test_two_syndromes_never_looked_like_one() -> None:
    release = of(made.SOFTWARE, "S-9", service_release="26.2")
    assert heading(found(made.HARDWARE, release)) == "Two outbreaks: one machine and one release."


def test_things_of_a_kind_are_counted() -> None:
    releases = [of(made.SOFTWARE, f"S-{n}", service_release=str(n)) for n in range(3)]
    assert heading(found(made.HARDWARE, *releases)) == "Four outbreaks: one machine and three releases."


def test_one_outbreak_is_told_by_its_verdict() -> None:
    assert heading(made.ONE) == "Machine ph-7c41e9 has a bad CPU."


def test_software_that_hits_nobody_in_particular_is_a_library_only_where_the_verdict_names_one() -> None:
    everywhere = of(made.SOFTWARE, "S-9")
    elsewhere = replace(of(made.SOFTWARE, "S-8"), title="Null-dereference crashes in one function in 5 regions")
    assert heading(found(everywhere, elsewhere)) == "Two outbreaks: one library and one bug in software."


def test_what_cannot_be_told_is_never_called_a_machine() -> None:
    unknown = of(made.UNDETERMINED, "S-9", physical_host="ph-1")
    assert heading(found(made.HARDWARE, unknown)) == "Two outbreaks: one machine and one that cannot be told."


def test_no_crashes_and_nothing_wrong_are_not_the_same() -> None:
    assert heading(made.EMPTY) == "No crashes yet."
    assert heading(made.NOTHING) == "Nothing stands out of 400 crashes."


def test_a_held_verdict_is_the_answer() -> None:
    assert heading(made.HELD) == "No verdict: only 48% of the fatal signals became cases."


def test_what_would_have_been_seen_is_the_fewest_that_survive_all_questions() -> None:
    """By hand: 396 episodes on 10,000 hosts, P(X >= 3) = 9.9e-6 and P(X >= 4) = 9.7e-8; 10,214 questions at 1%."""
    few = replace(made.NOTHING, questions=1000)
    assert would_be_seen(few).startswith("3 crashes of one kind on one of the 10,000 hosts")
    assert would_be_seen(made.NOTHING).startswith("4 crashes of one kind")
    assert would_be_seen(made.UNKNOWN_FLEET) == ""


def test_the_last_day_is_the_one_before_an_end_at_midnight() -> None:
    assert period(made.FOUNDING) == "15 Jan to 14 Apr 2026"
    assert period(replace(made.FOUNDING, start="2025-12-30T00:00:00Z")) == "30 Dec 2025 to 14 Apr 2026"
    assert period(replace(made.FOUNDING, end=made.FOUNDING.start)) == "undated"


def test_the_scope_says_how_many_of_how_many_and_since_when() -> None:
    assert scope(made.MACHINE) == "63 of 64 misaligned-stack crashes since 12 March; 0.02 expected"


def test_a_captured_share_is_never_rounded_up_to_all() -> None:
    assert captured(replace(made.FOUNDING, captured=9999, fatal=10_000))[0] == "more than 99%"
    assert captured(replace(made.FOUNDING, captured=10, fatal=10, capture_notes=()))[0] == "100%"
    assert captured(made.UNKNOWN_FLEET)[0] == "not known"


@pytest.mark.parametrize(
    ("value", "said"),
    [(5.23, "5.2"), (9.96, "10"), (51.4, "51"), (403, "400"), (32_123, "32,000"), (0.023, "0.02"), (0.0, "0.0")],
)
def test_a_ratio_has_two_figures(value: float, said: str) -> None:
    assert figures.ratio(value) == said


def test_an_interval_without_an_upper_end_says_over_which_and_without_any_that_nothing_is_known() -> None:
    inf = float("inf")
    assert figures.interval(Interval(5.23, 4, 6.8)) == "5.2 (4.0–6.8)"
    assert figures.interval(Interval(inf, 51, inf)) == "over 51"
    assert figures.interval(Interval(inf, 0, inf)) == "not known"


@pytest.mark.parametrize(("p", "said"), [(0.83, "0.83"), (0.0021, "0.0021"), (4e-9, "10^-8"), (1e-9, "10^-9")])
def test_a_small_chance_is_a_power_of_ten_that_is_not_too_small(p: float, said: str) -> None:
    assert figures.small(p) == said


@pytest.mark.parametrize(
    ("value", "said"), [(21_400_000, "21.4 million"), (31_049, "31,000"), (178.3, "178"), (2e9, "2 billion")]
)
def test_a_large_amount_has_three_figures(value: float, said: str) -> None:
    assert figures.amount(value) == said


def test_crashes_that_were_there_before_come_oftener_since() -> None:
    outbreak = made.HARDWARE.outbreak
    assert outbreak.onset is not None
    new = replace(outbreak, onset=replace(outbreak.onset, rates=(None, 2.0, None)))
    before = replace(outbreak, onset=replace(outbreak.onset, rates=(0.5, 2.0, None)))
    assert " since " in scope(new)
    assert " oftener since " not in scope(new)
    assert " oftener since " in scope(before)


def test_a_mechanism_that_only_most_have_is_not_said_of_all() -> None:
    outbreak = made.HARDWARE.outbreak
    every = replace(outbreak, of_mechanism=outbreak.episodes)
    most = replace(outbreak, of_mechanism=outbreak.episodes - 1)
    assert "misaligned-stack crashes" in scope(every)
    assert "crashes, most misaligned stack," in scope(most)
