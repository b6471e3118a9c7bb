"""The page of an investigation, from records made by hand with the numbers of the founding story."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import click
import pytest

from broadstreet.records.outbreak import Large
from broadstreet.records.verdict import Investigation
from broadstreet.records.weights import Interval
from broadstreet.surfaces.investigation_page import Sheet, page
from broadstreet.surfaces.text import in_ascii
from tests.surfaces import investigations as made
from tests.surfaces.test_snapshots import same

A_PAGE = 66  # lines of a printed page of 11 inches
STATES = {
    "founding": made.FOUNDING,
    "nothing": made.NOTHING,
    "empty": made.EMPTY,
    "unknown_fleet": made.UNKNOWN_FLEET,
    "cannot_tell": made.CANNOT_TELL,
    "held": made.HELD,
}


def lines(found: Investigation, sheet: Sheet | None = None, times: Mapping[str, datetime] | None = None) -> list[str]:
    """The page without colours."""
    return [click.unstyle(line) for line in page(found, made.times() if times is None else times, sheet or Sheet())]


@pytest.mark.parametrize("state", STATES)
def test_a_page_of_an_investigation(state: str) -> None:
    same(f"investigate.{state}.txt", "\n".join(lines(STATES[state])) + "\n")


def test_a_narrow_page_in_ascii() -> None:
    text = "\n".join(lines(made.FOUNDING, Sheet(60, plain=True)))
    same("investigate.founding.narrow.ascii.txt", in_ascii(text) + "\n")


def test_two_outbreaks_fit_on_one_page() -> None:
    assert len(lines(made.FOUNDING)) <= A_PAGE


@pytest.mark.parametrize("width", [60, 72, 80])
@pytest.mark.parametrize("state", STATES)
def test_no_line_is_wider_than_the_page(state: str, width: int) -> None:
    commands = ("broadstreet ", "  broadstreet ", "  Simulated fleet")
    wide = [line for line in lines(STATES[state], Sheet(width)) if len(line) > width]
    assert [line for line in wide if not any(name in line for name in commands)] == []


def test_ascii_and_shapes_have_the_same_columns() -> None:
    shapes = lines(made.FOUNDING)
    assert [len(in_ascii(line)) for line in shapes if "…" not in line and "¼" not in line] == [
        len(line) for line in shapes if "…" not in line and "¼" not in line
    ]


@pytest.mark.parametrize("state", STATES)
def test_a_plain_page_has_only_shapes_that_ascii_has_counterparts_for(state: str) -> None:
    assert "\\" not in in_ascii("\n".join(lines(STATES[state], Sheet(plain=True))))


def test_what_speaks_against_stands_before_what_speaks_for() -> None:
    text = "\n".join(lines(made.FOUNDING))
    against, speaks = text.index("Against  1 crash of 64"), text.index("For      63 of 63")
    assert against < speaks


def test_a_verdict_that_nothing_speaks_against_says_so() -> None:
    alone = replace(made.HARDWARE, evidence_against=())
    assert "       Against  Nothing that was asked." in lines(replace(made.FOUNDING, verdicts=(alone,)))


def test_no_certainty_is_above_what_the_lab_has_shown() -> None:
    text = "\n".join(lines(made.FOUNDING))
    assert "HARDWARE, more than 99%" in text
    assert "99.99" not in text
    assert "100%" not in text


def test_a_case_without_a_time_is_counted_and_not_drawn() -> None:
    times = made.times()
    for case in made.BAD[:5]:
        del times[case]
    assert "  5 cases of these without a time" in lines(made.FOUNDING, times=times)


def test_a_single_case_is_drawn_beside_many() -> None:
    when = {case: made.ONSET for case in (*made.BAD, *made.RACE)} | {made.ELSEWHERE[0]: made.START}
    curve = next(line for line in lines(made.FOUNDING, times=when) if line.startswith("  ■ misaligned stack"))
    assert curve.startswith("  ■ misaligned stack  ▁ ")


def test_a_page_without_any_time_has_no_curve() -> None:
    text = "\n".join(lines(made.FOUNDING, times={}))
    assert "Cases per" not in text
    assert "HARDWARE" in text


def test_outbreaks_of_one_mechanism_are_told_apart_by_who_is_hit() -> None:
    second = replace(made.LIBRARY, mechanism="misaligned_stack", cohort={"service_release": "26.2"})
    found = replace(made.FOUNDING, verdicts=(made.HARDWARE, replace(made.SOFTWARE, outbreak=second)))
    curves = [line for line in lines(found) if line.startswith(("  ■ ", "  ● "))][:2]
    assert [line[4:].split("  ")[0] for line in curves] == ["machine ph-7c41e9", "release 26.2"]
    assert [line.split()[-1] for line in curves] == ["63", "309"]  # without the one that was elsewhere


def test_of_several_syndromes_the_comparison_says_of_which_it_is() -> None:
    linked = replace(made.HARDWARE, outbreak=replace(made.MACHINE, kind="linked", episodes=90))
    text = " ".join("\n".join(lines(replace(made.ONE, verdicts=(linked,)))).split())
    assert "90 crashes of several kinds since 12 March; of S-12a alone 63 of 64, 0.02 expected" in text


def test_hosts_at_risk_stand_on_machines_where_placements_are_told() -> None:
    told = lines(replace(made.FOUNDING, machines=1260))
    assert any("10,000 hosts" in line and "on 1,260 machines, 21.4 million host-hours" in line for line in told)
    assert not any("machines, 21.4" in line for line in lines(made.FOUNDING))


def test_no_question_is_not_none_that_survived() -> None:
    assert any("too few crashes to ask any" in line for line in lines(replace(made.NOTHING, questions=0)))


def test_a_third_outbreak_is_told_in_one_line_and_a_twentieth_is_counted() -> None:
    more = [
        replace(made.UNDETERMINED, outbreak=replace(made.MACHINE, rank=rank, id=f"O-{rank}")) for rank in range(3, 21)
    ]
    found = replace(made.FOUNDING, verdicts=(*made.FOUNDING.verdicts, *more))
    told = lines(found)
    assert any(line.startswith("  ◇ 3  CANNOT TELL: hardware with 20% to 95%: 63 crashes on machine") for line in told)
    named = sum(line.startswith("  ◇ ") for line in told)
    assert f"       and {18 - named} more: broadstreet outbreaks" in told
    assert "  20 outbreaks: one machine, one library and 18 that cannot be told." in told
    assert len(told) <= A_PAGE


def test_a_ratio_without_an_upper_end_says_over_which() -> None:
    assert any(line.endswith("─▶ over 51") for line in lines(made.FOUNDING))


def test_an_exposure_that_cannot_be_separated_has_no_adjusted_ratio_and_says_from_what() -> None:
    text = lines(made.FOUNDING)
    at = next(i for i, line in enumerate(text) if line.strip().startswith("workload ingest"))
    assert text[at].endswith("◦─             3.2 (2.4–4.1)")
    assert text[at + 1].strip() == "cannot be told apart from sku e96-ingest"


def test_a_ratio_below_the_axis_has_an_arrow_to_the_left() -> None:
    rare = made.compared("region", "eu-west", 1, Interval(0.1, 0.01, 0.6))
    found = replace(made.FOUNDING, verdicts=(replace(made.SOFTWARE, outbreak=replace(made.LIBRARY, others=(rare,))),))
    line = next(line for line in lines(found) if "region eu-west" in line)
    assert "◀──── │ " in line
    assert line.endswith("0.1 (0.01–0.6)")


def test_text_of_a_core_dump_cannot_steer_the_terminal() -> None:
    evil = replace(made.HARDWARE, title="Machine \x1b[2Jph", action=("Do \x07 this.",), overturned_by="\x9b1m")
    text = "\n".join(lines(replace(made.FOUNDING, casebook="\x1b]0;x", verdicts=(evil,))))
    assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 for c in text.replace("\n", ""))


def test_commands_name_the_casebook_that_was_asked() -> None:
    text = "\n".join(lines(made.FOUNDING, Sheet(casebook=" --casebook s3://b/c")))
    assert "broadstreet explain 1 --casebook s3://b/c" in text


def test_bad_hardware_is_told_in_full_however_far_down_it_stands() -> None:
    ranked = [
        replace(one, outbreak=replace(one.outbreak, rank=rank))
        for rank, one in enumerate((made.SOFTWARE, made.SOFTWARE, made.SOFTWARE, made.HARDWARE), 1)
    ]
    text = "\n".join(lines(replace(made.FOUNDING, verdicts=tuple(ranked))))
    assert text.count("Flips") == 2
    assert "■ 4  HARDWARE" in text
    assert text.index("● 1  SOFTWARE") < text.index("■ 4  HARDWARE") < text.index("● 2  SOFTWARE")


def test_what_is_most_is_told_where_nothing_stands_out() -> None:
    most = (Large("S-1", 10, 1, "web-1", "walk", "null_dereference"), Large("S-2", 3, None, None, "", ""))
    text = "\n".join(lines(replace(made.NOTHING, largest=most)))
    assert "  10 × null dereference in walk, all on web-1: S-1" in text
    assert "  3 × crashes: S-2" in text


def test_a_crash_whose_machine_is_not_known_has_a_row_of_its_own() -> None:
    unplaced = replace(made.HARDWARE, outbreak=replace(made.HARDWARE.outbreak, unplaced=("case-1", "case-2")))
    assert any(
        line.split()[:2] == ["not", "known"] and line.endswith(" 2")
        for line in lines(replace(made.ONE, verdicts=(unplaced,)))
    )
