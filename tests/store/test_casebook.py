"""The casebook: each case once, whoever writes; versions; formats."""

from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable

from broadstreet.errors import CasebookError, UsageError
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.columns import CASEBOOK, EVIDENCE, STORED_CASES, STORED_FLEET
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.store import casebook as module
from broadstreet.store.casebook import WRONG_FLEET, Casebook, open_for_writing
from broadstreet.store.questions import Questions
from broadstreet.store.table import append, made
from tests.store.examined import bare, case, corpus, sample


def added(url: Path, batch: tuple[Examined, ...], **more: dict[str, int]) -> int:
    book = open_for_writing(str(url))
    try:
        return book.add(batch, "a scan", "pointers", 2, **more)
    finally:
        book.close()


def count(url: Path, view: str) -> int:
    with Questions(str(url)) as questions:
        return int(questions.answer(f"SELECT count(*) AS n FROM {view}")["n"][0].as_py())


def cases(url: Path) -> list[Case]:
    with Questions(str(url)) as questions:
        return sorted(questions.cases(), key=lambda one: one.circumstances.path)


def test_what_was_added_comes_back(tmp_path: Path) -> None:
    assert added(tmp_path / "book", corpus()) == len(corpus())
    wanted = sorted((bare(case(one)) for one in corpus()), key=lambda one: one.circumstances.path)
    assert cases(tmp_path / "book") == wanted


def test_what_is_added_twice_is_there_once(tmp_path: Path) -> None:
    assert added(tmp_path, corpus()) == len(corpus())
    assert added(tmp_path, corpus()) == 0
    assert added(tmp_path, corpus()[:3]) == 0
    assert count(tmp_path, "cases") == count(tmp_path, "specimens") == count(tmp_path, "evidence") == len(corpus())
    assert count(tmp_path, "findings") == len(corpus()) * len(case(corpus()[0]).findings)


def test_a_batch_that_is_half_known_adds_the_other_half(tmp_path: Path) -> None:
    assert added(tmp_path, corpus()[:10]) == 10
    assert added(tmp_path, corpus()[5:15]) == 5
    assert count(tmp_path, "cases") == 15


def test_a_batch_that_never_became_visible_is_seen_by_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added(tmp_path, corpus()[:5])
    with monkeypatch.context() as patch:
        patch.setattr(module, "merge_new", lambda delta, table, rows: 1 / 0 if table.name == "specimens" else 0)
        with pytest.raises(ZeroDivisionError):
            added(tmp_path, corpus()[5:10])
    assert DeltaTable(str(tmp_path / "cases")).to_pyarrow_table().num_rows == 10
    added(tmp_path, ())
    assert [count(tmp_path, view) for view in ("cases", "evidence", "specimens")] == [5, 5, 5]
    assert added(tmp_path, corpus()[5:10]) == 5
    assert [count(tmp_path, view) for view in ("cases", "evidence", "specimens")] == [10, 10, 10]


def test_a_batch_whose_writer_was_cut_off_before_it_named_a_version_is_named_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Casebook, "commit", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            added(tmp_path, corpus())
    assert count(tmp_path, "cases") == 0
    open_for_writing(str(tmp_path)).close()
    assert count(tmp_path, "cases") == len(corpus())


def test_a_copy_is_another_specimen_of_the_same_case(tmp_path: Path) -> None:
    one = corpus()[0]
    copy = Specimen(f"{one.specimen.location}.copy", one.specimen.size, one.specimen.stamp)
    added(tmp_path, (one, Examined(copy, case(one))))
    assert (count(tmp_path, "specimens"), count(tmp_path, "cases"), count(tmp_path, "history")) == (2, 1, 2)


def test_of_two_readings_of_a_crash_the_one_that_observed_more_counts(tmp_path: Path) -> None:
    one = case(corpus()[0])
    blind = replace(
        one, findings=tuple(f._replace(state="not_judged", evidence=(), needs=("pc",)) for f in one.findings)
    )
    added(tmp_path, (Examined(Specimen("/b", 1, "1"), blind), Examined(Specimen("/a", 1, "1"), one)))
    (found,) = cases(tmp_path)
    assert found.findings == bare(one).findings
    assert count(tmp_path, "contradictions") == 0


def test_two_readings_that_differ_are_shown_as_a_contradiction(tmp_path: Path) -> None:
    one = case(corpus()[0])
    first = one.findings[0]
    other = replace(one, findings=(first._replace(state="holds"), *one.findings[1:]))
    added(tmp_path, (Examined(Specimen("/a", 1, "1"), one), Examined(Specimen("/b", 1, "1"), other)))
    with Questions(str(tmp_path)) as questions:
        (found,) = questions.answer("SELECT * FROM contradictions").to_pylist()
    assert (found["label"], found["states"]) == (first.label, ["does_not_hold", "holds"])


def test_a_specimen_that_is_read_again_has_one_current_row(tmp_path: Path) -> None:
    one = corpus()[0]
    added(tmp_path, (Examined(one.specimen, Unreadable("/x", "slow", "it was slow", unsettled=True)),))
    assert count(tmp_path, "cases") == 0
    again = {one.specimen.specimen_id: 1}
    assert added(tmp_path, (one,), generations=again) == 1
    assert added(tmp_path, (one,), generations=again) == 0
    assert (count(tmp_path, "cases"), count(tmp_path, "specimens"), count(tmp_path, "raw_specimens")) == (1, 1, 2)


def test_simulated_and_real_cases_never_stand_together(tmp_path: Path) -> None:
    added(tmp_path, sample()[:2])
    added(tmp_path, corpus()[:2])
    assert count(tmp_path, "cases") == 2
    with Questions(str(tmp_path)) as questions:
        assert questions.simulated() is True
        kinds = questions.answer("SELECT unreadable FROM specimens WHERE unreadable IS NOT NULL").to_pylist()
    assert kinds == [{"unreadable": WRONG_FLEET}] * 2


def test_a_version_shows_what_was_there_then(tmp_path: Path) -> None:
    added(tmp_path, corpus()[:5])
    added(tmp_path, corpus()[5:9])
    for number, wanted in ((1, 5), (2, 9)):
        with Questions(str(tmp_path), number) as questions:
            assert questions.answer("SELECT count(*) AS n FROM cases")["n"].to_pylist() == [wanted]
    with pytest.raises(UsageError, match="no version 3"):
        Questions(str(tmp_path), 3)


def test_a_later_format_is_refused_and_nothing_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(module, "FORMAT", 2)
        added(tmp_path, corpus()[:1])
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    for opening in (lambda: open_for_writing(str(tmp_path)), lambda: Questions(str(tmp_path))):
        with pytest.raises(UsageError, match="has format 2; this broadstreet knows 1"):
            opening()
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before


def test_an_older_casebook_opens_and_gets_the_columns_that_came_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = STORED_CASES._replace(columns=tuple(c for c in STORED_CASES.columns if c.name != "one_bit"))
    with monkeypatch.context() as patch:
        patch.setattr(module, "CASEBOOK", tuple(older if one is STORED_CASES else one for one in CASEBOOK))
        open_for_writing(str(tmp_path)).close()
    delta = DeltaTable(str(tmp_path / "cases"))
    assert "one_bit" not in {one.name for one in delta.schema().fields}
    added(tmp_path, corpus()[:1])
    assert "one_bit" in {one.name for one in DeltaTable(str(tmp_path / "cases")).schema().fields}
    assert cases(tmp_path) == [bare(case(corpus()[0]))]


def test_an_older_casebook_can_be_read_without_being_changed(tmp_path: Path) -> None:
    added(tmp_path, corpus()[:1])
    delta = DeltaTable(str(tmp_path / "cases"))
    old = delta.to_pyarrow_table().drop_columns(["one_bit"])
    (tmp_path / "old").mkdir()
    for file in (tmp_path / "cases").glob("*.parquet"):
        import pyarrow.parquet

        pyarrow.parquet.write_table(old, file)
    with Questions(str(tmp_path)) as questions:
        assert questions.answer("SELECT one_bit FROM cases").to_pylist() == [{"one_bit": None}]


def test_no_name_is_in_a_log(tmp_path: Path) -> None:
    added(tmp_path, sample())
    logs = b"".join(path.read_bytes() for path in tmp_path.rglob("_delta_log/*"))
    hosts = {case(one).circumstances.host for one in sample()}
    assert hosts
    for one in sample():
        for name in (case(one).circumstances.host, case(one).case_id, case(one).circumstances.path):
            assert str(name).encode() not in logs


def test_a_tidying_is_refused_while_somebody_writes_and_the_other_way_round(tmp_path: Path) -> None:
    writer = open_for_writing(str(tmp_path))
    with pytest.raises(UsageError, match="somebody is writing"):
        open_for_writing(str(tmp_path), alone=True)
    open_for_writing(str(tmp_path)).close()
    writer.close()
    alone = open_for_writing(str(tmp_path), alone=True)
    with pytest.raises(UsageError, match="being tidied"):
        open_for_writing(str(tmp_path))
    alone.close()


def test_a_folder_that_is_no_casebook_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no casebook at"):
        Questions(str(tmp_path))
    with pytest.raises(UsageError, match="no casebook at"):
        Questions(str(tmp_path / "nowhere"))
    file = tmp_path / "file"
    file.write_text("x")
    for other in (file, tmp_path):
        for ask in (Questions, open_for_writing):
            with pytest.raises(UsageError, match=f"{other} is no casebook"):
                ask(str(other))
    assert list(tmp_path.iterdir()) == [file]


def test_a_casebook_is_made_in_an_empty_volume_and_stays_one_whatever_is_put_beside(tmp_path: Path) -> None:
    (tmp_path / "lost+found").mkdir()
    (tmp_path / ".snapshot").mkdir()
    assert added(tmp_path, corpus()[:2]) == 2
    (tmp_path / "notes.txt").write_text("x")
    assert added(tmp_path, corpus()[2:3]) == 1
    assert count(tmp_path, "cases") == 3


def test_a_casebook_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(CasebookError, match="cannot be written"):
        open_for_writing(str(tmp_path / "file" / "casebook"))


@pytest.mark.parametrize("name", ["a b", "a'b", "a#b", 'a"b', "ä", "a;b", "-x"])
def test_a_casebook_may_have_an_odd_name(tmp_path: Path, name: str) -> None:
    assert added(tmp_path / name, corpus()[:2]) == 2
    assert count(tmp_path / name, "cases") == 2


@pytest.mark.parametrize("name", ["a%20b", "a[b]", "a*b", "a?b"])
def test_a_name_that_a_store_would_take_for_a_pattern_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot hold"):
        added(tmp_path / name, corpus()[:2])
    assert list(tmp_path.iterdir()) == []


def test_a_link_to_a_casebook_is_that_casebook(tmp_path: Path) -> None:
    added(tmp_path / "book", corpus()[:2])
    (tmp_path / "link").symlink_to(tmp_path / "book")
    assert count(tmp_path / "link", "cases") == 2
    assert added(tmp_path / "link", corpus()[:3]) == 1


@pytest.mark.parametrize("address", ["ftp://host/casebook", "s3://", "nonsense://x"])
def test_an_address_of_no_known_kind_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="not the address of a casebook"):
        open_for_writing(address)


def test_a_folder_whose_name_delta_would_take_for_another_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot hold"):
        open_for_writing(str(tmp_path / "a%20b"))
    assert list(tmp_path.iterdir()) == []


def test_an_append_of_no_rows_makes_no_version(tmp_path: Path) -> None:
    book = open_for_writing(str(tmp_path))
    before = book.table(EVIDENCE).version()
    append(book.table(EVIDENCE), EVIDENCE, book.table(EVIDENCE).to_pyarrow_table())
    assert book.table(EVIDENCE).version() == before
    book.close()


@pytest.mark.parametrize("made_before", range(len(CASEBOOK)))
def test_a_casebook_whose_maker_was_cut_off_is_none_yet_or_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_before: int
) -> None:
    left = iter(range(made_before))
    with monkeypatch.context() as patch:
        patch.setattr(module, "made", lambda *given: (next(left), made(*given))[1])
        with pytest.raises(StopIteration):
            open_for_writing(str(tmp_path))
    with pytest.raises(UsageError, match="no casebook at"):
        Questions(str(tmp_path))
    assert added(tmp_path, corpus()[:2]) == 2
    assert count(tmp_path, "cases") == 2


def test_a_version_names_a_table_of_the_fleet_that_another_writer_made_meanwhile(tmp_path: Path) -> None:
    first = open_for_writing(str(tmp_path))
    other = open_for_writing(str(tmp_path))
    other.optional_table(STORED_FLEET[0])
    other.commit("fleet", "made")
    first.commit("scan", "knows nothing of it")
    assert STORED_FLEET[0].name in first.version().tables
    first.close()
    other.close()
