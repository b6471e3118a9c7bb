"""A forgetting that is cut off in the middle is ended by the next one."""

from pathlib import Path
from unittest.mock import patch

import pytest

from broadstreet.records.columns import CASEBOOK
from broadstreet.store import forgetting, rewriting
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.files import named
from broadstreet.store.forgetting import Forgotten, What, forget
from broadstreet.store.questions import Questions
from tests.store.chaos.whole import broken
from tests.store.examined import sample

LEFT = {
    "evidence": "SELECT reading FROM raw_evidence WHERE reading NOT IN (SELECT coalesce(evidence, 0) FROM raw_cases)",
    "findings": "SELECT reading FROM raw_findings ANTI JOIN raw_cases USING (reading)",
    "traces": "SELECT trace_id FROM raw_traces ANTI JOIN raw_cases USING (trace_id)",
    "modules": "SELECT module_set FROM raw_modules ANTI JOIN raw_cases USING (module_set)",
}
REWRITTEN = 8  # tables


def forgotten(url: Path, host: str) -> Forgotten:
    book = open_for_writing(str(url), alone=True)
    try:
        return forget(book, str(url), What(host=host))
    finally:
        book.close()


@pytest.mark.parametrize("rewritten", range(REWRITTEN))
def test_what_a_forgetting_left_when_it_was_cut_off_goes_with_the_next(tmp_path: Path, rewritten: int) -> None:
    book = open_for_writing(str(tmp_path))
    book.add(sample(), "a scan", "pointers", 2)
    book.close()
    with Questions(str(tmp_path)) as questions:
        host = questions.answer("SELECT min(host) AS host FROM cases")["host"][0].as_py()
    real, left = rewriting.overwrite, iter(range(rewritten))

    def cut_off(*given: object) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        real(*given)  # type: ignore[arg-type]

    cut = patch.object(rewriting, "overwrite", cut_off), patch.object(forgetting, "overwrite", cut_off)
    with cut[0], cut[1], pytest.raises(KeyboardInterrupt):
        forgotten(tmp_path, host)
    assert forgotten(tmp_path, host).found == ()
    assert [what for what in broken(tmp_path) if "versions" not in what] == []  # older ones are forgotten
    with Questions(str(tmp_path)) as questions:
        assert {name: questions.answer(select).num_rows for name, select in LEFT.items()} == dict.fromkeys(LEFT, 0)
        kept = set().union(*(named(questions.place, questions.table(table)) for table in CASEBOOK))
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/*.parquet")} == kept
