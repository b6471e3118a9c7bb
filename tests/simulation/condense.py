"""Scans of lab crashes into `crashes.parquet`: what a simulated population draws its signs from.

Each set is a folder with the `truth.jsonl` of the lab and, beside it or elsewhere, a scan of it:

    broadstreet lab crash faults --seed 7001 --victim python3 --output crashes/faults-a
    broadstreet scan crashes/faults-a -o ndjson --output scans/faults-a.ndjson
    python -m tests.simulation.condense crashes scans tests/simulation/crashes.parquet
"""

import json
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as arrow
import pyarrow.parquet as parquet

SETS = ("bugs", "bugs-held-out", "race", "imitators", "ingest", "faults-a", "faults-b", "models-a", "models-b")
FEATURES = (
    "signal si_code origin context pc_in sp_mod_16 arrival bad_branch pc_on_boundary instruction_kind access_kind "
    "access_in access_matches base_register null_base poison sp_in chain stack_shift one_bit one_bit_sp one_bit_pc "
    "code_bits_different replay abort_kind unwinder in_signal_handler"
).split()
STATES = {"holds": "1", "does_not_hold": "0", "not_judged": "?"}
MOST_FRAMES = 12
UNTRUSTED = ("below_sp",)


def main(crashes: Path, scans: Path, target: Path) -> None:
    rows, labels = [], []
    for name in SETS:
        truths = {line["core"]: line for line in _lines(crashes / name / "truth.jsonl")}
        for case in sorted(_lines(scans / f"{name}.ndjson"), key=lambda case: case["path"]):
            core = PurePosixPath(case["path"]).name
            if core in truths:
                labels = [finding["label"] for finding in case["findings"]]
                rows.append(_row(name, truths[core], case))
    schema = arrow.schema(
        [
            *((column, arrow.string()) for column in ("set", "program", "kind", "cause", "build", "variant")),
            ("mechanism", arrow.string()),
            ("findings", arrow.string()),
            ("frames", arrow.list_(arrow.string())),
            ("module", arrow.string()),
            *((feature, arrow.string()) for feature in FEATURES),
        ],
        metadata={"findings": " ".join(labels)},
    )
    parquet.write_table(arrow.Table.from_pylist(rows, schema=schema), target, compression="zstd", compression_level=19)
    print(f"{len(rows)} crashes, {target.stat().st_size // 1024} KiB")


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _row(name: str, truth: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    frames = _normalised(case["frames"])
    return {
        "set": name,
        "program": truth["program"],
        "kind": truth["mechanism"],
        "cause": truth["cause"],
        "build": truth["build"],
        "variant": truth.get("variant", ""),
        "mechanism": case["mechanism"],
        "findings": "".join(STATES[finding["state"]] for finding in case["findings"]),
        "frames": frames,
        "module": next((_base(frame["module"]) for frame in case["frames"] if frame["module"]), None),
        **{feature: _text(case["features"].get(feature)) for feature in FEATURES},
    }


def _normalised(frames: list[dict[str, Any]]) -> list[str]:
    named: list[str] = []
    for frame in frames:
        if frame["module"] is None or frame["trust"] in UNTRUSTED:
            continue
        name = frame["function"] or f"{_base(frame['module'])}+{frame['offset']}"
        if name not in named[-2:]:  # recursion, also of two in turn
            named.append(name)
    return named[:MOST_FRAMES]


def _base(path: str) -> str:
    return PurePosixPath(path).name


def _text(value: Any) -> str | None:
    return None if value is None else str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
