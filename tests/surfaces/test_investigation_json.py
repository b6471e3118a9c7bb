"""The JSON of an investigation against its published schema."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from broadstreet.records.verdict import Investigation
from broadstreet.surfaces.case_json import written
from broadstreet.surfaces.documents import documents
from broadstreet.surfaces.investigation_json import investigation_json
from tests.surfaces import investigations as made
from tests.surfaces.test_investigation_page import STATES
from tests.surfaces.test_snapshots import same

SCHEMA = Path(__file__).parent.parent.parent / "docs" / "investigation.schema.json"
WANTED = {
    *("syndrome", "mechanism", "cohort", "onset", "rate_ratio", "verdict", "probability"),
    *("evidence_for", "evidence_against", "not_checked", "overturned_by", "action"),
}


def as_json(found: Investigation) -> Any:
    return json.loads(written(investigation_json(found)))


def with_few_cases(value: dict[str, Any]) -> dict[str, Any]:
    """Each list of cases cut to two, so that a person can read the snapshot."""
    return value | ({"cases": value["cases"][:2]} if isinstance(value.get("cases"), list) else {})


@pytest.mark.parametrize("state", STATES)
def test_it_is_as_its_published_schema_says(state: str) -> None:
    jsonschema.validate(as_json(STATES[state]), json.loads(SCHEMA.read_text("utf-8")))


def test_the_published_schema_is_what_the_types_say() -> None:
    assert SCHEMA.read_text("utf-8") == documents()["investigation.schema.json"]


def test_the_schema_refuses_an_outbreak_without_its_evidence_against() -> None:
    broken = as_json(made.FOUNDING)
    del broken["outbreaks"][0]["evidence_against"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(broken, json.loads(SCHEMA.read_text("utf-8")))


def test_the_founding_story_as_json() -> None:
    few = json.loads(json.dumps(as_json(made.FOUNDING)), object_hook=with_few_cases)
    same("investigate.founding.json", json.dumps(few, indent=2, ensure_ascii=False) + "\n")


def test_every_outbreak_has_all_that_was_promised() -> None:
    for outbreak in as_json(made.FOUNDING)["outbreaks"]:
        assert set(outbreak) >= WANTED


def test_the_founding_story_in_the_words_of_a_program() -> None:
    first, second = as_json(made.FOUNDING)["outbreaks"]
    assert (first["verdict"], first["cohort"], first["onset"]) == (
        "hardware",
        {"physical_host": "ph-7c41e9"},
        "2026-03-12T00:00:00Z",
    )
    assert first["rate_ratio"] == {"value": 180_000.0, "low": 31_000.0, "high": 7_000_000.0}
    assert (second["verdict"], second["probability"], second["onset"]) == ("software", 0.964, None)


def test_a_ratio_without_a_case_to_compare_with_is_null_and_its_lower_end_is_not() -> None:
    assert as_json(made.FOUNDING)["outbreaks"][1]["rate_ratio"] == {"value": None, "low": 51.0, "high": None}


def test_a_held_verdict_says_no_cause_to_a_program() -> None:
    outbreak = as_json(made.HELD)["outbreaks"][0]
    assert (outbreak["verdict"], outbreak["held"]) == (
        "undetermined",
        "only 48% of the fatal signals became cases",
    )
