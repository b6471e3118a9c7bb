"""What people say of a verdict, as they say it and meet it again, over the sample's fleet."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from broadstreet.surfaces.cli import cli
from tests.store.examined import ROOT

MOST = "0[0-2]*"  # the crashes until the end of March, by their numbers


def here(*arguments: str, book: str, **changes: str) -> Result:
    """The command in this process, on 80 columns."""
    env = {"COLUMNS": "80", "LC_ALL": "C.UTF-8", "BROADSTREET_CASEBOOK": book, **changes}
    return CliRunner(env=env).invoke(cli, list(arguments))


def done(*arguments: str, book: str) -> str:
    said = here(*arguments, book=book)
    assert said.exit_code == 0, said.output + repr(said.exception)
    return said.stdout


def told(book: str, *arguments: str) -> Any:
    return json.loads(done("investigate", "--json", *arguments, book=book))


def machine(found: Any) -> Any:
    return next(one for one in found["outbreaks"] if one["verdict"] == "hardware")


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The sample's crashes until the end of March, and its fleet; not the fatal signals, of which some are later."""
    url = str(tmp_path_factory.mktemp("judged") / "casebook")
    scan(url, "--name", MOST)
    for table in ("hosts", "placements", "services", "builds", "at_risk"):
        done("fleet", "add", str(ROOT / "sample" / "fleet" / f"{table}.parquet"), book=url)
    return url


def scan(url: str, *more: str) -> None:
    cores, binaries = ROOT / "sample" / "cores", ROOT / "sample" / "binaries"
    done("scan", str(cores), "--binaries", str(binaries), "--casebook", url, *more, book=url)


def test_a_verdict_is_confirmed_shown_everywhere_and_stays_when_cases_come(book: str) -> None:
    before = told(book)
    own = machine(before)
    assert (own["judgement"], before["how_sure"]) == (None, [])
    assert "Judged" not in done("explain", own["id"], book=book)

    said = done(
        *("outbreaks", "confirm", own["id"][:6], "--note", "the CPU test fails", "--truth", "core 7", "--by", "ann"),
        book=book,
    )
    assert said == f"  Confirmed: {own['id']}, hardware, more than 99%, really core 7.\n"
    listed = done("outbreaks", book=book)
    assert re.search(r"Confirmed by ann on \d+ \w+ \d{4}: core 7\.\n +Note: the CPU test fails\n", listed)
    explained = " ".join(done("explain", own["id"], book=book).split())
    assert "Judged Confirmed by ann on" in explained
    assert "Of verdicts that said 99% or more, people confirmed 1 of 1 (lower bound 2%)." in explained
    row = next(one for one in json.loads(done("outbreaks", "-o", "json", book=book)) if one["id"] == own["id"])
    assert [row[name] for name in ("judgement", "truth", "note", "author")] == [
        *("confirm", "core 7", "the CPU test fails", "ann")
    ]

    scan(book)
    after = told(book)
    now = machine(after)
    assert after["cases"] > before["cases"]
    assert now["episodes"] > own["episodes"]
    assert now["id"] == own["id"], "the same syndrome, cohort and signs, so the same outbreak"
    assert (now["judgement"]["kind"], now["judgement"]["truth"], now["judgement"]["outbreak"]) == (
        *("confirm", "core 7"),
        own["id"],
    )
    assert now["judgement"]["casebook_version"] == before["casebook_version"]
    assert [one["judged"] for one in after["how_sure"]] == [1, 0, 0]
    assert told(book, "--at", str(before["casebook_version"])) == before, "an older version knows nothing of it"


def test_a_word_is_refuted_and_withdrawn(book: str) -> None:
    rank = next(one["rank"] for one in told(book)["outbreaks"] if one["verdict"] == "software")
    assert ", really a compiler.\n" in done("outbreaks", "refute", str(rank), "--truth", "a compiler", book=book)
    assert ": a compiler." in done("outbreaks", book=book)
    assert done("outbreaks", "withdraw", str(rank), book=book).startswith("  Withdrawn: nobody judges O-")
    assert "a compiler" not in done("outbreaks", book=book)
    assert "nobody judged O-" in str(here("outbreaks", "withdraw", str(rank), book=book).exception)


def test_the_casebook_may_be_named_before_or_after_the_verb(book: str, tmp_path: Path) -> None:
    nowhere = str(tmp_path)
    for arguments in (("--casebook", book, "withdraw", "99"), ("withdraw", "99", "--casebook", book)):
        assert "no outbreak 99" in str(here("outbreaks", *arguments, book=nowhere).exception)


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("confirm", "99"), "no outbreak 99"),
        (("confirm", "O-zzz"), "no outbreak O-zzz"),
        (("confirm", "O-"), "2 outbreaks begin with O-"),
        (("refute", "S-"), "no outbreak S-"),
    ],
)
def test_what_cannot_be_meant_is_refused(book: str, arguments: tuple[str, ...], why: str) -> None:
    assert why in str(here("outbreaks", *arguments, book=book).exception)


def test_text_from_people_cannot_change_the_terminal(book: str) -> None:
    own = machine(told(book))["id"]
    done("outbreaks", "confirm", own, "--note", "\x1b[2Jbad\u202e", "--by", "\x1b[1m", book=book)
    for asked in (("outbreaks",), ("explain", own)):
        said = done(*asked, book=book)
        assert "\x1b" not in said
        assert "\\x1b[2Jbad\\u202e" in said
