"""What people say of verdicts is kept: by several at once, in any words, and never said twice."""

import multiprocessing
from dataclasses import replace
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.pipeline.judgements import LONGEST, Of, judgements, keep, of
from broadstreet.records.columns import JUDGEMENTS
from broadstreet.records.verdict import Judgement
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.forgetting import What, forget
from broadstreet.store.questions import Questions
from tests.surfaces.investigations import HARDWARE, SOFTWARE, UNDETERMINED

WRITERS, WORDS = 3, 3
MACHINE = of(HARDWARE, 7)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A casebook without a case."""
    open_for_writing(str(tmp_path / "book")).close()
    return str(tmp_path / "book")


def kept(url: str, number: int | None = None) -> list[Judgement]:
    with Questions(url, number) as questions:
        return judgements(questions)


def saying(asked: tuple[str, int]) -> list[int]:
    """One of several writers."""
    url, writer = asked
    return [keep(url, MACHINE, "confirm", f"writer {writer}", f"word {at}").number for at in range(WORDS)]


def test_what_is_said_comes_back_as_it_was_said(url: str) -> None:
    said = keep(url, MACHINE, "confirm", "ann", "  the test failed\non core 7 ", "Hardware")
    assert kept(url) == [said]
    assert (said.text, said.truth, said.author) == ("the test failed\non core 7", "hardware", "ann")
    assert (said.says, said.certainty, said.held, said.version) == ("hardware", HARDWARE.certainty, None, 7)
    assert (said.syndrome, said.cohort) == ("S-12a", {"physical_host": "ph-7c41e9"})


def test_a_casebook_in_which_nobody_judged_has_no_such_table_and_an_empty_view(url: str) -> None:
    with Questions(url) as questions:
        assert JUDGEMENTS not in questions.tables()
        assert [batch.num_rows for batch in questions.ask("select * from judgements")] == [0]


def test_every_word_is_a_version_and_older_ones_know_nothing_of_it(url: str) -> None:
    keep(url, MACHINE, "confirm", "ann")
    with Questions(url) as questions:
        before = questions.version.number
    keep(url, MACHINE, "refute", "bob")
    assert [one.kind for one in kept(url, before)] == ["confirm"]
    assert [one.kind for one in kept(url)] == ["confirm", "refute"]


def test_writers_at_once_lose_no_word_and_number_each(url: str) -> None:
    with multiprocessing.get_context("spawn").Pool(WRITERS) as pool:
        given = pool.map(saying, [(url, writer) for writer in range(WRITERS)])
    found = kept(url)
    assert sorted(number for numbers in given for number in numbers) == [one.number for one in found]
    assert [one.number for one in found] == list(range(1, WRITERS * WORDS + 1))
    assert len({(one.author, one.text) for one in found}) == WRITERS * WORDS


def test_a_word_of_a_writer_that_was_cut_off_counts_from_the_next_version_on(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(url, MACHINE, "confirm", "ann")
    book = open_for_writing(url)
    monkeypatch.setattr(type(book), "commit", _killed)
    with pytest.raises(KeyboardInterrupt):
        keep(url, MACHINE, "refute", "bob")
    monkeypatch.undo()
    book.close()
    assert len(kept(url)) == 1
    keep(url, MACHINE, "confirm", "cyd")
    assert [one.author for one in kept(url)] == ["ann", "bob", "cyd"]


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "\x1b[2J\u202e", "'; DROP TABLE judgements; --", "字" * 99]
)
def test_any_text_is_kept_as_it_is(url: str, text: str) -> None:
    odd = replace(MACHINE, cohort={text: text}, syndrome=text)
    said = keep(url, odd, "refute", text, text, text)
    assert kept(url) == [said]
    assert (said.text, said.truth, said.author, said.cohort) == (text, text, text, {text: text})


@pytest.mark.parametrize(
    ("about", "kind", "text", "truth", "why"),
    [
        (MACHINE, "confirm", None, "software", "the verdict on O-7c1 is hardware"),
        (MACHINE, "refute", None, "HARDWARE", "the verdict on O-7c1 is hardware"),
        (MACHINE, "withdraw", None, None, "nobody judged O-7c1"),
        (replace(MACHINE, judged=True), "withdraw", None, "hardware", "to withdraw says nothing of the truth"),
        (of(UNDETERMINED, 7), "confirm", None, None, "it cannot be told what is at fault in O-7c1"),
        (of(replace(HARDWARE, held="blind"), 7), "refute", None, None, "it cannot be told what is at fault in O-7c1"),
        (MACHINE, "confirm", "x" * (LONGEST + 1), None, "the note is too long"),
        (MACHINE, "refute", None, "x" * (LONGEST + 1), "the truth is too long"),
    ],
)
def test_what_contradicts_itself_is_refused_and_not_kept(
    url: str, about: Of, kind: str, text: str | None, truth: str | None, why: str
) -> None:
    with pytest.raises(UsageError) as refused:
        keep(url, about, kind, "ann", text, truth)  # type: ignore[arg-type]
    assert refused.value.what == why
    assert kept(url) == []


def test_the_truth_may_be_narrower_than_the_verdict(url: str) -> None:
    assert keep(url, MACHINE, "confirm", "ann", truth="DIMM B3").truth == "DIMM B3"


def test_the_truth_may_be_told_where_the_verdict_could_not(url: str) -> None:
    assert keep(url, of(UNDETERMINED, 7), "refute", "ann", truth="software").truth == "software"


def test_a_forgotten_machine_leaves_what_was_said_of_it_and_no_other(url: str) -> None:
    keep(url, MACHINE, "confirm", "ann", "drained ph-7c41e9 today", "bad ph-7c41e9")
    keep(url, replace(MACHINE, cohort={"physical_host": "ph-7c41e9-2"}), "confirm", "ann", "drained ph-7c41e9-2")
    keep(url, of(SOFTWARE, 7), "confirm", "ann", "found it")
    others = kept(url)[1:]
    book = open_for_writing(url, alone=True)
    try:
        assert forget(book, url, What(host="ph-7c41e9")).found == ()
    finally:
        book.close()
    first, *rest = kept(url)
    assert rest == others
    assert first.kind == "confirm"
    assert "ph-7c41e9" not in repr(first)
