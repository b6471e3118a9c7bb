"""The answer of an investigation, as every surface says it first."""

from broadstreet.records.verdict import Investigation
from broadstreet.verdict.sentences import heading


def answer(found: Investigation) -> str:
    """In one sentence or two; of one syndrome alone, where that was asked about."""
    if found.only is None or found.verdicts:
        return heading(found)
    return f"Nothing stands out in {found.only}: no cohort has more of it than its share, and it has no onset."
