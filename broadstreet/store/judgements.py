"""What people said of verdicts, in a casebook."""

import json
from typing import Any

from broadstreet.records.columns import JUDGEMENTS
from broadstreet.records.verdict import Judgement
from broadstreet.store.casebook import Casebook
from broadstreet.store.questions import Questions
from broadstreet.store.table import add_numbered

VERB = "judge"


def judgements(questions: Questions) -> list[Judgement]:
    """What was said, in order."""
    rows = questions.answer("SELECT * FROM raw_judgements ORDER BY number").to_pylist()
    return [Judgement(**(row | {"cohort": json.loads(row["cohort"])})) for row in rows]


def say(book: Casebook, judgement: Judgement) -> int:
    """Add what was said under the next number that nobody took, as a new version of the casebook; that number."""
    row: dict[str, Any] = {column.name: getattr(judgement, column.name) for column in JUDGEMENTS.columns}
    row["cohort"] = json.dumps(dict(judgement.cohort), sort_keys=True)
    number = add_numbered(book.optional_table(JUDGEMENTS), JUDGEMENTS, row)
    book.commit(VERB, f"{judgement.kind} {judgement.outbreak}")
    return number
