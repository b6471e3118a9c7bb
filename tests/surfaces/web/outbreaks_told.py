"""An atlas of the founding story, made by hand, as the pages of outbreaks and syndromes read it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
from pyarrow import parquet

from broadstreet.records.atlas import AtlasColumn
from broadstreet.records.verdict import Investigation
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.investigation_json import again_json, investigation_json
from tests.store.small_atlas import START, atlas_of

TYPES = {
    "mechanism": "text",
    "region": "text",
    "holds": "texts",
    "could_not_be_judged": "texts",
    "syndrome": "text",
    "trace_id": "text",
    "evidence": "bool",
    "one_bit": "text",
}


def told(folder: Path, found: Investigation, casebook: str = "casebook") -> Atlas:
    """The atlas of an investigation: every case of its outbreaks, each half with a mechanism of its own."""
    sides = [
        (one.outbreak, side, case)
        for one in found.verdicts
        for side, cases in _sides(one.outbreak.cases, one.outbreak.elsewhere, one.outbreak.unplaced)
        for case in cases
    ]
    rows = [_row(outbreak.syndrome, outbreak.mechanism, at) for at, (outbreak, _, _) in enumerate(sides)]
    atlas_of(folder, TYPES, rows).close()
    _renamed(folder, [case for *_, case in sides])
    members = [{"outbreak": outbreak.id, "of": side, "case_id": case} for outbreak, side, case in sides]
    numbers = {case: number for number, (*_, case) in enumerate(sides)}
    every = [*members, *_arguments(found)]
    _write(folder, "members", [one | {"number": numbers[one["case_id"]]} for one in every])
    frame = {"parts": ["frames"] * 2, "module_paths": ["/app"] * 2, "offsets": [1, 2], "trusts": ["register"] * 2}
    _write(folder, "traces", [{"trace_id": "t", "functions": ["_Z3addid", "main"], **frame}])
    _write(folder, "decisions", [{"trace_id": "t", "trace": "t", "outcome": "new", "probability": None, "made": START}])
    _write(folder, "syndromes", [_syndrome(name) for name in {one.outbreak.syndrome for one in found.verdicts} - {""}])
    words = {"number": 1, "kind": "merge", "syndrome": "S-old", "other": found.verdicts[0].outbreak.syndrome}
    _write(folder, "said", [words | {"text": "the same", "author": "mira", "made": START}])
    _put(folder, "investigation", investigation_json(replace(found, casebook=casebook)))
    _put(folder, "again", {one.outbreak.id: again_json(one) for one in found.verdicts})
    _put(folder, "capture", None)
    about = msgspec.json.decode((folder / "about.json").read_bytes())
    dated = AtlasColumn("dated", "case", "bool", "", False, 0, "", "Whether its time says when.", "Never.")
    columns = [*about["columns"], msgspec.to_builtins(dated)]
    _put(folder, "about", about | {"casebook": casebook, "columns": columns})
    return Atlas(str(folder))


def _sides(*cases: Sequence[str]) -> Iterable[tuple[str, Sequence[str]]]:
    return zip(("inside", "elsewhere", "unplaced"), cases, strict=True)


def _arguments(found: Investigation) -> list[dict[str, Any]]:
    return [
        {"outbreak": one.outbreak.id, "of": argument.name, "case_id": case}
        for one in found.verdicts
        for argument in (*one.evidence_against, *one.evidence_for)
        for case in argument.cases
    ]


def _row(syndrome: str, mechanism: str, at: int) -> dict[str, Any]:
    labels = {"holds": [mechanism], "could_not_be_judged": [], "one_bit": "none"}
    return {
        "mechanism": mechanism,
        "region": "eu",
        "host": f"h{at % 7}",
        "syndrome": syndrome,
        "trace_id": "t",
    } | labels


def _renamed(folder: Path, cases: Sequence[str]) -> None:
    crashes = parquet.read_table(folder / "crashes.parquet")
    at = crashes.schema.get_field_index("case_id")
    parquet.write_table(crashes.set_column(at, "case_id", pa.array(cases, pa.string())), folder / "crashes.parquet")


def _syndrome(name: str) -> dict[str, Any]:
    row = {"syndrome": name, "name": None, "cases": 373, "hosts": 7, "frames": ["_Z3addid", "~main"]}
    return row | {"mechanisms": ["misaligned_stack"], "first": START, "last": START}


def _write(folder: Path, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    parquet.write_table(pa.Table.from_pylist([dict(row) for row in rows]), folder / f"{name}.parquet")


def _put(folder: Path, name: str, value: object) -> None:
    (folder / f"{name}.json").write_bytes(msgspec.json.encode(value))
