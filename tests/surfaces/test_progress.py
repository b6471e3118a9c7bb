"""How far a scan is: what is counted, lines for people, objects for programs, and the bar on a real terminal."""

import dataclasses
import json
import re

import pytest

from broadstreet.records.case import Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.surfaces.progress import Counts, Progress, Reached, bar_lines, duration, plain_line
from broadstreet.surfaces.text import echo
from tests.cases.test_case import case
from tests.surfaces.shell import Fleet, broadstreet
from tests.surfaces.test_terminal import on_a_terminal

COLUMNS = 80
MIDWAY = Reached(45120, 100_000, 3, 0, 41_000_000, 1_900_000_000, 612.3, 73.2, 89.6)
UNKNOWN_TOTAL = dataclasses.replace(MIDWAY, total=None, eta_seconds=None)
STALLED = dataclasses.replace(MIDWAY, per_second=0.0, eta_seconds=None)
LARGEST = Reached(999_999, 1_000_000, 12_345, 88_000, 128 * 10**9, 64 * 10**12, 1612.3, 7300.2, 3599.0)
START = Reached(0, 100, 0, 0, 0, 0, None, 0.2, None)
ALL = [(MIDWAY, 0.0), (UNKNOWN_TOTAL, 0.0), (STALLED, 42.0), (LARGEST, 0.0), (START, 0.2)]
NAMES = ["midway", "no total", "stalled", "largest", "start"]
SPECIMEN = Specimen("/cores/core.1", 4096, "1")
READ = Examined(SPECIMEN, dataclasses.replace(case("call through null"), bytes_read=100, bytes_present=4096))
NOT_READ = Examined(SPECIMEN, Unreadable("/cores/core.1", "no core dump", "no core dump"))
every = pytest.mark.parametrize(("reached", "idle"), ALL, ids=NAMES)


def counted(seconds: int, per_second: int, total: int | None = None) -> Counts:
    """So many were read in each of so many seconds, from second 0."""
    counts = Counts(total, 0.0)
    for second in range(1, seconds + 1):
        for _ in range(per_second):
            counts.add(READ, float(second))
    return counts


def test_what_is_read_unreadable_and_known_before_is_done() -> None:
    counts = Counts(10, 0.0)
    counts.add(READ, 1.0)
    counts.add(NOT_READ, 2.0)
    counts.skip(5, 2.0)
    reached = counts.reached(4.0)
    assert (reached.done, reached.total, reached.unreadable, reached.known_before) == (7, 10, 1, 5)
    assert (reached.bytes_read, reached.bytes_present, reached.seconds) == (100, 4096, 4.0)


def test_a_rate_that_changes_is_the_last_one_and_no_mean() -> None:
    counts = counted(60, 10)
    for second in range(61, 91):
        counts.add(READ, float(second))
    assert counts.reached(90.0).per_second == pytest.approx(1.0, rel=0.1)


def test_what_was_known_before_makes_no_rate() -> None:
    counts = counted(20, 2, total=1000)
    counts.skip(500, 20.0)
    reached = counts.reached(20.0)
    assert reached.per_second == pytest.approx(2.0, rel=0.1)
    assert reached.eta_seconds == pytest.approx((1000 - 540) / 2, rel=0.1)


def test_nothing_is_claimed_of_time_before_anything_was_seen() -> None:
    reached = Counts(100, 0.0).reached(0.1)
    assert (reached.per_second, reached.eta_seconds) == (None, None)


def test_where_nothing_comes_the_rate_is_zero_and_the_time_left_is_not_known() -> None:
    reached = counted(20, 10, total=1000).reached(40.0)
    assert (reached.per_second, reached.eta_seconds) == (0.0, None)


def test_without_a_total_there_is_no_time_left_until_the_listing_is_complete() -> None:
    counts = counted(20, 10)
    assert counts.reached(20.0).eta_seconds is None
    counts.total = 400
    assert counts.reached(20.0).eta_seconds == pytest.approx(20.0, rel=0.1)


def test_when_all_is_done_no_time_is_left_and_the_rate_is_that_of_the_whole() -> None:
    reached = counted(20, 10, total=200).reached(80.0)
    assert (reached.per_second, reached.eta_seconds) == (2.5, 0.0)


def test_more_than_the_listing_promised_is_no_negative_time() -> None:
    assert counted(20, 10, total=100).reached(20.0).eta_seconds == 0.0


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
@pytest.mark.parametrize("ascii_only", [False, True], ids=["shapes", "ascii"])
@every
def test_no_line_of_the_bar_reaches_the_last_column(
    reached: Reached, idle: float, ascii_only: bool, columns: int
) -> None:
    lines = bar_lines(reached, idle, columns, ascii_only)
    assert max(map(len, lines)) < columns
    assert not ascii_only or "".join(lines).isascii()


@every
def test_eighty_columns_show_every_figure(reached: Reached, idle: float) -> None:
    shown = " ".join(bar_lines(reached, idle, 80, True))
    wanted = [f"{reached.done:,}", f"{reached.unreadable:,} unreadable", f"{reached.known_before:,} were known before"]
    assert [one for one in wanted if not one.startswith("0") and one not in shown] == []


def test_the_bar_of_an_unknown_total_has_no_percentage() -> None:
    assert bar_lines(UNKNOWN_TOTAL, 0.0, 80, True) == [
        "  Reading   for 1 min 13 s",
        "  45,120 so far   612 a second   3 unreadable   41 MB of 1.9 GB read",
    ]


def test_the_bar_does_not_change_its_length_while_time_passes() -> None:
    at = {dataclasses.replace(MIDWAY, eta_seconds=left) for left in (0.4, 9.0, 61.0, 3599.0, 7201.0)}
    assert len({re.sub("[#.]", "x", bar_lines(one, 0.0, 80, True)[0]).rindex("x]") for one in at}) == 1


def test_it_is_at_a_hundred_percent_only_when_all_is_done() -> None:
    assert " 99 % " in bar_lines(LARGEST, 0.0, 80, True)[0]
    done = dataclasses.replace(LARGEST, done=1_000_000, eta_seconds=0.0)
    assert "100 %" in bar_lines(done, 0.0, 80, True)[0]


def test_a_line_for_a_log_says_all_of_it() -> None:
    assert plain_line(MIDWAY, 0.0) == (
        "  read 45,120 of 100,000 (45 %), 612 a second, 3 unreadable, 41 MB of 1.9 GB read, 1 min 30 s left"
    )


def test_a_stalled_scan_says_for_how_long() -> None:
    assert plain_line(STALLED, 42.0).endswith(", nothing new for 42 s")
    assert "nothing new for 42 s" in bar_lines(STALLED, 42.0, 80, True)[0]


def test_where_all_was_known_before_there_is_no_rate() -> None:
    known = Reached(391, 391, 0, 391, 0, 0, 0.0, 0.8, 0.0)
    assert plain_line(known, 0.0) == "  read 391 of 391 (100 %), 391 were known before, in 1 s"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (12000, "3 h 20 min"), (367200, "4 d 6 h")],
)
def test_a_duration_has_two_units_at_most(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_progress_as_json_is_an_object_a_line_and_ends_with_the_whole(small_fleet: Fleet) -> None:
    arguments = ("scan", small_fleet.cores, "-o", "ndjson", "--progress", "json")
    said = broadstreet(*arguments, store=small_fleet.store)
    objects = [json.loads(line) for line in said.err.splitlines() if line.startswith("{")]
    assert [list(one) for one in objects] == [[field.name for field in dataclasses.fields(Reached)]] * len(objects)
    last = objects[-1]
    assert (last["done"], last["total"], last["unreadable"], last["known_before"]) == (8, 8, 0, 0)
    assert last["eta_seconds"] == 0
    assert 0 < last["bytes_read"] <= last["bytes_present"]


def test_a_log_gets_a_last_line_where_lines_were_asked_for(small_fleet: Fleet) -> None:
    said = broadstreet("scan", small_fleet.cores, "-o", "ndjson", "--progress", "plain", store=small_fleet.store)
    assert said.err.startswith("  read 8 of 8 (100 %), ")


@pytest.mark.parametrize("form", ["auto", "none"])
def test_a_short_scan_without_a_terminal_writes_no_progress(form: str, small_fleet: Fleet) -> None:
    said = broadstreet("scan", small_fleet.cores, "-o", "ndjson", "--progress", form, store=small_fleet.store)
    assert " read 8 of 8" not in said.err
    assert said.err.lstrip().startswith("8 crashes")


def frames(written: bytes) -> list[list[str]]:
    """The lines of each drawing of the bar."""
    pieces = re.split(r"\x1b\[2K|\x1b\[\?25[lh]", written.decode())
    drawn = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", piece).rstrip("\n").split("\n") for piece in pieces]
    return [lines for lines in drawn if lines[0].startswith("  Reading ")]


def test_a_terminal_gets_a_bar_that_takes_itself_away(small_fleet: Fleet) -> None:
    status, written = on_a_terminal(small_fleet, "scan", str(small_fleet.cores))
    drawn = frames(written)
    assert status == 0
    assert drawn
    assert drawn[-1][1].startswith("  8 of 8 ")
    assert max(len(line) for lines in drawn for line in lines) < 80
    assert b"\x1b[?25h" in written  # the cursor is shown again
    erased = written.rindex(b"\x1b[2K")
    assert b"Reading" not in written[erased:]
    assert written[erased:].decode().count("8 crashes") == 1


@pytest.mark.parametrize("changes", [{"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}], ids=["C", "ascii"])
def test_an_ascii_terminal_gets_a_bar_in_ascii(changes: dict[str, str], small_fleet: Fleet) -> None:
    _, written = on_a_terminal(small_fleet, "scan", str(small_fleet.cores), **changes)
    assert written.isascii()
    assert any("[##" in lines[0] for lines in frames(written))


def test_a_dumb_terminal_gets_no_bar(small_fleet: Fleet) -> None:
    _, written = on_a_terminal(small_fleet, "scan", str(small_fleet.cores), TERM="dumb")
    assert b"\x1b[2K" not in written


def test_rows_on_the_same_terminal_are_not_torn_by_a_bar(small_fleet: Fleet) -> None:
    _, written = on_a_terminal(small_fleet, "scan", str(small_fleet.cores), "-o", "ndjson")
    assert b"\x1b[2K" not in written
    assert len([line for line in written.splitlines() if line.startswith(b"{")]) == 8


def test_a_utf_8_terminal_gets_a_bar_of_shapes(small_fleet: Fleet) -> None:
    _, written = on_a_terminal(small_fleet, "scan", str(small_fleet.cores))
    assert any(lines[0].startswith("  Reading  █") for lines in frames(written))


def test_what_is_said_while_the_bar_lives_keeps_its_shapes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("TERM", "xterm-256color")
    with Progress("bar", 1):
        echo("  ● a bucket answered 503", err=True)
    assert "● a bucket answered 503" in capsys.readouterr().err
