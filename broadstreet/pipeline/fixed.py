"""Whether a fix worked, of a casebook: its crashes and time at risk on both sides, and how many were captured."""

from broadstreet.pipeline.capture import captured
from broadstreet.pipeline.grouping import grouped
from broadstreet.pipeline.population import population
from broadstreet.pipeline.syndromes import meant
from broadstreet.population import fixed as asked
from broadstreet.records.fixed import Fix, Fixed
from broadstreet.store.questions import Questions
from broadstreet.store.syndromes import events


def fixed(questions: Questions, syndrome: str, fix: Fix, mechanism: str | None = None) -> Fixed:
    """Whether crashes of the syndrome of this id or name, or those with a mechanism, became fewer by the fix."""
    grouping = grouped(questions)
    only = meant(grouping, syndrome, events(questions))
    crashes = population(questions, grouping)
    return asked.fixed(crashes, only, fix, captured(questions, crashes.start, crashes.end), mechanism)
