"""Atlases of small casebooks, drawn as a server draws them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from broadstreet.pipeline.grouping import grouped
from broadstreet.pipeline.population import population
from broadstreet.population.population import Population
from broadstreet.records.case import Case
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.web.drawing import draw_into_cache
from tests.store.fleets import Row, book


def drawn(folder: Path, cases: Sequence[Case], **tables: Sequence[Row]) -> Atlas:
    """The atlas of a casebook with these crashes on this fleet, in a cache beside it."""
    return told_and_drawn(folder, cases, **tables)[0]


def told_and_drawn(folder: Path, cases: Sequence[Case], **tables: Sequence[Row]) -> tuple[Atlas, Population]:
    """The same with the population that it was drawn from."""
    with book(folder / "casebook", cases, **tables) as questions:
        version, crashes = questions.version.number, population(questions, grouped(questions))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        return Atlas(str(draw_into_cache(str(folder / "casebook"), version))), crashes
