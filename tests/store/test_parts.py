"""What the pages of outbreaks and syndromes ask of an atlas."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from broadstreet.records.selection import EVERYTHING, Condition, Selection
from broadstreet.store.atlas import Atlas
from broadstreet.store.parts import (
    by_members,
    cases_of,
    curve_of,
    decisions,
    listed,
    most_evidence,
    named_so,
    part_of,
    stacks,
)
from tests.store.small_atlas import START, atlas_of

TYPES = {"holds": "texts", "could_not_be_judged": "texts", "syndrome": "text", "trace_id": "text", "evidence": "bool"}
ROWS: list[dict[str, Any]] = [
    {"syndrome": "S-1", "trace_id": "t1", "holds": ["bent"], "could_not_be_judged": [], "evidence": False},
    {"syndrome": "S-1", "trace_id": "t1", "holds": ["bent"], "could_not_be_judged": ["torn"], "evidence": True},
    {"syndrome": "S-1", "trace_id": "t2", "holds": ["torn"], "could_not_be_judged": [], "evidence": True},
    {"syndrome": "S-2", "trace_id": "t3", "holds": [], "could_not_be_judged": ["bent"], "evidence": False},
]
IDS = [f"{place:032x}" for place in range(len(ROWS))]
MEMBERS = [("O-1", "inside", 0), ("O-1", "inside", 1), ("O-1", "elsewhere", 2), ("O-2", "inside", 3), ("O-1", "who", 0)]


@pytest.fixture
def atlas(tmp_path: Path) -> Atlas:
    made = atlas_of(tmp_path, TYPES, ROWS)
    write(tmp_path, "members", [{"outbreak": o, "of": of, "case_id": IDS[at], "number": at} for o, of, at in MEMBERS])
    frames = {"parts": ["frames"], "functions": ["main"], "module_paths": ["/app"], "offsets": [1]}
    write(tmp_path, "traces", [{"trace_id": f"t{n}", "trusts": ["register"], **frames} for n in (1, 2, 3)])
    write(tmp_path, "decisions", [decision("t1", "new", None), decision("t2", "same", 0.9)])
    write(tmp_path, "syndromes", [syndrome("S-1", None, 3, "_Z3addid"), syndrome("S-2", "the torn one", 1, "main")])
    return made


def write(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    parquet.write_table(pa.Table.from_pylist(list(rows)), folder / f"{name}.parquet")


def decision(trace: str, outcome: str, probability: float | None) -> dict[str, Any]:
    return {"trace_id": trace, "trace": trace, "outcome": outcome, "probability": probability, "made": START}


def syndrome(name: str, called: str | None, cases: int, frame: str) -> dict[str, Any]:
    row = {"syndrome": name, "name": called, "cases": cases, "hosts": 1, "frames": [frame], "mechanisms": ["bent"]}
    return row | {"first": START, "last": START}


def test_a_part_of_an_outbreak_is_all_of_its_sides_and_no_argument(atlas: Atlas) -> None:
    found = cases_of(atlas, part_of("O-1"), ["host"], "last", 10)
    assert [row["case_id"] for row in found.dicts()] == IDS[:3]
    assert [row["case_id"] for row in cases_of(atlas, part_of("O-1", "who"), [], "last", 10).dicts()] == IDS[:1]


def test_the_first_case_is_the_oldest(atlas: Atlas) -> None:
    assert cases_of(atlas, EVERYTHING, ["region"], "first", 1).dicts()[0]["case_id"] == IDS[-1]
    assert cases_of(atlas, EVERYTHING, ["region"], "last", 1).dicts()[0] == {
        "case_id": IDS[0],
        "number": 0,
        "region": None,
    }


def test_a_curve_counts_each_side_of_an_outbreak(atlas: Atlas) -> None:
    rows = curve_of(atlas, ["O-1"], START, 24).dicts()
    assert [(row["side"], row["bin"], row["cases"]) for row in rows] == [("elsewhere", 0, 1), ("inside", 0, 2)]


def test_stacks_are_counted_in_cases(atlas: Atlas) -> None:
    assert [(row["trace_id"], row["cases"]) for row in stacks(atlas, part_of("O-1")).dicts()] == [("t1", 2), ("t2", 1)]


def test_cases_that_are_named_one_by_one_get_the_name_of_their_side(atlas: Atlas) -> None:
    one, other = f"SELECT 1 WHERE case_id IN ('{IDS[1]}', '{IDS[0]}')", f"SELECT 2 WHERE case_id IN ('{IDS[3]}')"
    short, same = by_members(atlas, "O-1", [one, other])
    assert short.endswith("""case_id IN (SELECT case_id FROM members WHERE outbreak = 'O-1' AND ("of" = 'inside'))""")
    assert same == other
    (both,) = by_members(atlas, "O-1", [f"SELECT 3 WHERE e.case_id IN ('{IDS[0]}', '{IDS[1]}', '{IDS[2]}')"])
    assert both.endswith("""AND ("of" = 'inside' OR "of" = 'elsewhere'))""")


def test_a_trace_of_which_no_rule_is_kept_is_told_so(atlas: Atlas) -> None:
    rows = {row["outcome"]: row for row in decisions(atlas, "S-1").dicts()}
    assert {name: (row["traces"], row["cases"], row["measured"]) for name, row in rows.items()} == {
        "new": (1, 2, False),
        "same": (1, 1, True),
    }
    assert [row["outcome"] for row in decisions(atlas, "S-2").dicts()] == [None]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["S-1", "S-2"]),
        ("TORN one", ["S-2"]),
        ("_z3", ["S-1"]),
        ("bent", ["S-1", "S-2"]),
        ("'; DROP", []),
        ("%", []),
    ],
)
def test_a_search_finds_what_stands_in_id_name_frames_and_mechanisms(
    atlas: Atlas, search: str, found: list[str]
) -> None:
    assert [row["syndrome"] for row in listed(atlas, search, "cases", 10).dicts()] == found


def test_a_name_of_people_goes_before_the_beginning_of_an_id(atlas: Atlas) -> None:
    assert [row["syndrome"] for row in named_so(atlas, "the torn one").dicts()] == ["S-2"]
    assert [row["syndrome"] for row in named_so(atlas, "s-").dicts()] == ["S-1", "S-2"]


def test_most_evidence_is_that_which_is_kept_and_could_be_judged(atlas: Atlas) -> None:
    of_one = Selection(conditions=(Condition("syndrome", "is", ("S-1",)),))
    assert most_evidence(atlas, of_one, ["host"]).dicts()[0]["case_id"] == IDS[2]
