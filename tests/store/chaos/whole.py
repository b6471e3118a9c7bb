"""What a casebook says, without what differs from scan to scan; and what no reader may ever see in one."""

from collections.abc import Iterator

from broadstreet.store.questions import Questions
from broadstreet.store.views import VIEWS

ACCIDENTAL = {"added", "scan", "reading", "evidence", "made"}  # when, by whom, and under which numbers
OF_SCANS = ("scans", "commits")
# Each counts what would be half a batch, a loss or a double.
NEVER = {
    "cases without findings": "SELECT count(*) FROM cases ANTI JOIN findings USING (case_id)",
    "cases twice": "SELECT count(*) - count(DISTINCT case_id) FROM cases",
    "cases without a trace": "SELECT count(*) FROM cases ANTI JOIN traces USING (trace_id)",
    "cases without modules": "SELECT count(*) FROM cases WHERE len(module_starts) > 0 "
    "AND module_set NOT IN (SELECT module_set FROM modules)",
    "cases without a specimen": "SELECT count(*) FROM cases ANTI JOIN specimens USING (case_id)",
    "evidence that is not there": "SELECT count(*) FROM cases WHERE evidence IS NOT NULL "
    "AND case_id NOT IN (SELECT case_id FROM evidence)",
    "evidence twice": "SELECT count(*) - count(DISTINCT case_id) FROM evidence",
    "findings twice": "SELECT count(*) - count(DISTINCT (case_id, label)) FROM findings",
    "traces twice": "SELECT count(*) - count(DISTINCT trace_id) FROM traces",
    "traces assigned twice": "SELECT count(*) - count(DISTINCT trace_id) FROM raw_assignments",
    "modules twice": "SELECT count(*) - count(DISTINCT (case_id, number)) FROM modules",
    "specimens twice": "SELECT count(*) - count(DISTINCT (specimen_id, generation)) FROM specimens",
    "specimens of neither kind": "SELECT count(*) FROM specimens WHERE (case_id IS NULL) = (unreadable IS NULL)",
    "contradictions": "SELECT count(*) FROM contradictions",
    "versions with a gap": "SELECT coalesce(max(number), 0) - count(DISTINCT number) FROM commits",
    "versions twice": "SELECT count(*) - count(DISTINCT number) FROM commits",
}


def told(url: object) -> dict[str, list[str]]:
    """Every row of every view, in order."""
    with Questions(str(url)) as questions:
        return {view.name: sorted(_rows(questions, view.name)) for view in VIEWS if view.name not in OF_SCANS}


def broken(url: object) -> list[str]:
    """What is there that must never be."""
    found = []
    with Questions(str(url)) as questions:
        questions.fetch_evidence()
        for name, select in NEVER.items():
            (count,) = questions.answer(select).to_pylist()[0].values()
            if count:
                found.append(f"{count} {name}")
    return found


def one_select() -> str:
    """All of that as one question; its answer is 0."""
    return "SELECT " + " + ".join(f"({select})" for select in NEVER.values()) + " AS broken"


def _rows(questions: Questions, view: str) -> Iterator[str]:
    for batch in questions.ask(f'SELECT * FROM "{view}"'):  # as an operator's question, so that evidence is laid out
        for row in batch.to_pylist():
            kept = {name: value for name, value in row.items() if name not in ACCIDENTAL}
            if view != "specimens":
                kept["has evidence"] = row.get("evidence") is not None
            yield repr(sorted(kept.items()))
