"""Questions: one SELECT, nothing but the casebook; pages by key; modules whose build id others tell."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from broadstreet.errors import UsageError
from broadstreet.records.case import Case
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.coverage import TableSize, contents, coverage, missing_binaries
from broadstreet.store.pages import Wanted, case_named, page_of
from broadstreet.store.questions import Questions
from broadstreet.store.views import VIEWS
from tests.store.examined import case, corpus, sample


def written(url: Path, *cases: Case) -> Questions:
    book = open_for_writing(str(url))
    book.add([Examined(Specimen(f"/{n}", 1, "1"), one) for n, one in enumerate(cases)], "a scan", "none", 2)
    book.close()
    return Questions(str(url))


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Questions:
    folder = tmp_path_factory.mktemp("casebook")
    book = open_for_writing(str(folder))
    book.add(sample(), book.begin(["/cores"], "1"), "pointers", 2)
    book.close()
    return Questions(str(folder))


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
def test_every_view_answers(asked: Questions, view: str) -> None:
    batches = list(asked.ask(f"SELECT * FROM {view}"))
    assert batches[0].schema.names
    # None, no fleet, none grouped, nothing judged.
    if view not in ("contradictions", "time_at_risk", "syndromes", "assignments", "judgements"):
        assert sum(batch.num_rows for batch in batches) > 0


@pytest.mark.parametrize(
    "select",
    [
        "DELETE FROM raw_cases",
        "SELECT 1; SELECT 2",
        "CREATE TABLE t AS SELECT 1",
        "COPY (SELECT 1) TO '/tmp/x.csv'",
        "SET threads = 1",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "SELECT nonsense FROM cases",
        "",
        "SELECT * FROM",
    ],
)
def test_a_question_reaches_nothing_but_the_casebook(asked: Questions, select: str) -> None:
    with pytest.raises(UsageError):
        list(asked.ask(select))


def test_columns_of_one_name_are_told_apart(asked: Questions) -> None:
    batches = list(asked.ask("SELECT 1 AS a, 2 AS a, 3 AS a_1, 4 AS a"))
    assert pa.Table.from_batches(batches).to_pylist() == [{"a": 1, "a_2": 2, "a_1": 3, "a_3": 4}]


def test_what_a_question_lays_aside_is_never_in_the_current_folder(asked: Questions) -> None:
    (batch,) = [one for one in asked.ask("SELECT current_setting('temp_directory') AS place") if one.num_rows]
    assert Path(batch["place"][0].as_py()).name.startswith("broadstreet-")


def test_addresses_are_unsigned_in_views(tmp_path: Path) -> None:
    one = case(corpus()[0])
    high = replace(one, features={**one.features, "fault_address": 2**64 - 8})
    with written(tmp_path, high) as questions:
        assert questions.answer("SELECT fault_address FROM cases").to_pylist() == [{"fault_address": 2**64 - 8}]


def test_pages_together_are_all_cases_once_in_order(asked: Questions) -> None:
    every = page_of(asked, Wanted())
    assert every.total == len(sample()) == len(every.rows)
    seen: list[int] = []
    after = None
    while page := page_of(asked, Wanted(), after, 7).rows:
        seen += [row["reading"] for row in page]
        after = page[-1]["case_id"]
    assert seen == every.readings
    times = [row["time"] for row in every.rows]
    assert times == sorted(times, reverse=True)


def test_cases_without_a_time_come_last_and_are_paged_too(tmp_path: Path) -> None:
    one = case(corpus()[0])
    cases = [
        replace(one, case_id=f"{n:032x}", circumstances=replace(one.circumstances, time=time, path=f"/{n}"))
        for n, time in enumerate([None, "2026-01-01T00:00:00.000000Z", None, "2026-01-02T00:00:00.000000Z", None])
    ]
    with written(tmp_path, *cases) as questions:
        found = []
        after = None
        while page := page_of(questions, Wanted(), after, 2).rows:
            found += [int(row["case_id"], 16) for row in page]
            after = page[-1]["case_id"]
    assert found == [3, 1, 0, 2, 4]


def test_a_page_holds_only_what_is_wanted(asked: Questions) -> None:
    labels = {case(one).mechanism for one in sample()}
    for label in labels:
        wanted = sum(case(one).mechanism == label for one in sample())
        assert page_of(asked, Wanted(equal=(("mechanism", label),))).total == wanted
    held = page_of(asked, Wanted(holds="unwinding_exception")).total
    holding = [
        f for one in sample() for f in case(one).findings if (f.label, f.state) == ("unwinding_exception", "holds")
    ]
    assert held == len(holding) > 0
    times = sorted(row["time"] for row in page_of(asked, Wanted()).rows)
    middle = times[20]
    assert page_of(asked, Wanted(since=middle)).total == 20
    assert page_of(asked, Wanted(until=middle)).total == 20


def test_a_case_is_named_by_the_beginning_of_its_id_if_that_is_enough(asked: Questions) -> None:
    one = case(sample()[0]).case_id
    assert case_named(asked, one[:12])["case_id"] == one
    with pytest.raises(UsageError, match="no case"):
        case_named(asked, "f" * 32)
    with pytest.raises(UsageError, match="several cases"):
        case_named(asked, "")


def test_a_build_id_is_inferred_from_cases_of_the_same_release_and_no_other(tmp_path: Path) -> None:
    one = next(case(found) for found in corpus() if case(found).modules and case(found).modules[0].build_id)
    path, build_id = one.modules[0].path, one.modules[0].build_id

    def crash(number: int, known: bool, release: str | None) -> Case:
        place = replace(one.circumstances, path=f"/{number}", service="s", service_release=release)
        lost = replace(one.modules[0], build_id=None, build_id_source=None)
        modules = one.modules if known else (lost, *one.modules[1:])
        return replace(one, case_id=f"{number:032x}", circumstances=place, modules=modules)

    cases = (crash(0, True, "1"), crash(1, False, "1"), crash(2, False, "2"), crash(3, False, None))
    with written(tmp_path, *cases) as questions:
        rows = questions.answer(
            "SELECT case_id, build_id, build_id_inferred FROM modules WHERE path = ? ORDER BY case_id", [path]
        ).to_pylist()
    assert [(row["build_id"], row["build_id_inferred"]) for row in rows] == [
        (build_id, None),
        (None, build_id),
        (None, None),
        (None, None),
    ]


def test_the_binaries_that_would_unlock_the_most_come_first(tmp_path: Path) -> None:
    from broadstreet.pipeline.outcome import examine
    from broadstreet.pipeline.reading import BinarySources

    blind = BinarySources().open()
    cases = [case(examine(one.specimen, blind)) for one in sample()[:12]]
    with written(tmp_path, *cases) as questions:
        ranked = missing_binaries(questions)
        assert [count for *_, count in ranked] == sorted((count for *_, count in ranked), reverse=True)
        path, build_id, count = ranked[0]
        assert count == sum(
            any(m.path == path and m.build_id == build_id and not m.found for m in one.modules)
            and any(gap.what == f"binary {path}" for gap in one.missing)
            for one in cases
        )


def test_the_contents_count_what_is_there(asked: Questions) -> None:
    held = contents(asked)
    assert (held.cases, held.specimens, held.unreadable, held.simulated) == (len(sample()), len(sample()), 0, True)
    assert {one.name: one.rows for one in held.tables}["evidence"] == len(sample())
    assert held.bytes_per_case(True) == sum(one.size for one in held.tables) / len(sample())
    fleet = TableSize("hosts", 1, 1, 10**9)
    assert held._replace(tables=(*held.tables, fleet)).bytes_per_case(True) == held.bytes_per_case(True)
    found = coverage(asked, reader_version=99, rules_version=99)
    assert (found["stale_reader"], found["stale_rules"]) == (len(sample()), len(sample()))
    assert coverage(asked, 2, 2)["stale_rules"] == 0
    assert found["without_kernel_release"] == len(sample())
