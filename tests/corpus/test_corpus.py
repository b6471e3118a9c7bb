"""The crashes that the repository ships say today what they said when they were kept, on any machine."""

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from broadstreet.labels import MECHANISMS
from broadstreet.pipeline.reading import case_at
from broadstreet.records.case import Case
from broadstreet.sources.binaries import Binaries

CORPUS = Path(__file__).parents[2] / "corpus"
MANIFEST: list[dict[str, Any]] = json.loads((CORPUS / "manifest.json").read_text())
LEAST = 30
# What the corpus lacks, because it cannot be made here: see docs/accuracy.md and docs/lab.md.
ABSENT = {
    "no_fault",
    "memory_poisoned",
    "protection_key",
    "control_protection",
    "impossible_fault",
}


@lru_cache(maxsize=1)
def binaries() -> Binaries:
    return Binaries([str(CORPUS / "binaries")])


def case(entry: dict[str, Any]) -> Case:
    return case_at(str(CORPUS / "cores" / entry["core"]), binaries())


@pytest.mark.parametrize("entry", MANIFEST, ids=lambda entry: str(entry["core"]))
def test_a_specimen_says_what_it_said(entry: dict[str, Any]) -> None:
    read = case(entry)
    holds = [finding.label for finding in read.findings if finding.state == "holds"]
    assert (read.mechanism, holds, read.case_id) == (entry["mechanism"], entry["holds"], entry["case_id"])
    assert len(read.frames) == entry["frames"]


@pytest.mark.parametrize("entry", [e for e in MANIFEST if e["expected"]], ids=lambda entry: str(entry["core"]))
def test_a_specimen_says_what_made_it(entry: dict[str, Any]) -> None:
    found = "unlabelled" if entry["mechanism"] == "unclassified" else entry["mechanism"]
    assert found in entry["expected"]


def test_the_race_is_a_return_to_null_while_unwinding() -> None:
    races = [entry for entry in MANIFEST if entry["made"].get("program") == "race"]
    assert races
    assert all({"return_to_null", "unwinding_exception"} <= set(entry["holds"]) for entry in races)


def test_the_corpus_holds_enough_and_nothing_beside() -> None:
    files = {path.name for path in (CORPUS / "cores").iterdir()}
    assert files == {entry["core"] for entry in MANIFEST}
    assert len(files) >= LEAST


def test_each_mechanism_that_can_be_made_has_a_specimen() -> None:
    shown = {label for entry in MANIFEST for label in entry["holds"]}
    missing = {rule.label for rule in MECHANISMS} - shown - ABSENT
    assert missing == set()
