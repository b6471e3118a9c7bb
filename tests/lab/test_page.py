"""docs/lab.md names all that the lab makes, with the counts that the catalogues give."""

import re
from pathlib import Path

import pytest

from broadstreet.lab import sets
from broadstreet.lab.injection.faults import HARDWARE, RECURRING
from broadstreet.lab.injection.models import SOFTWARE
from broadstreet.lab.injection.victims import VICTIMS
from broadstreet.lab.sets import Asked
from broadstreet.lab.zoo.zoo import SETS as ZOO

PAGE = (Path(__file__).parent.parent.parent / "docs" / "lab.md").read_text("utf-8")


@pytest.mark.parametrize("kind", [*HARDWARE, *RECURRING, *SOFTWARE])
def test_every_fault_and_model_is_explained(kind: str) -> None:
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize("victim", VICTIMS)
def test_every_victim_is_named(victim: str) -> None:
    assert re.search(rf"Victims are.*\b{victim}\b", PAGE, re.DOTALL)


@pytest.mark.parametrize("name", sets.SETS)
def test_every_set_is_listed_with_its_size(name: str) -> None:
    row = re.search(rf"\| `{name}` \| ([\d,]+|asked) \|", PAGE)
    assert row, f"{name} is not in the table"
    if name in ZOO:
        wanted = len(ZOO[name].runs())
    elif row[1] == "asked":
        return
    else:
        wanted = len(sets.SETS[name](Asked(1, 1, ())))
    assert int(row[1].replace(",", "")) == wanted
