"""Real lab crashes, to draw the signs of simulated ones from: `crashes.parquet`, made by `condense.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from numpy.typing import NDArray

FILE = Path(__file__).parent / "crashes.parquet"
NOT_A_FEATURE = ("set", "program", "kind", "cause", "build", "variant", "mechanism", "findings", "frames", "module")
STATES = {"1": 1, "0": 0, "?": -1}
SITE_FRAMES = 2  # crashes that share so many innermost frames, in one program, look the same


@dataclass(frozen=True, eq=False)
class Crashes:
    """All crashes of the pool, in columns. `signs` has a row for each of `sign_names` (name, kind)."""

    sets: NDArray[np.str_]
    programs: NDArray[np.str_]
    kinds: NDArray[np.str_]
    builds: NDArray[np.str_]
    mechanisms: NDArray[np.str_]
    frames: tuple[tuple[str, ...], ...]
    sites: NDArray[np.str_]
    sign_names: tuple[tuple[str, str], ...]
    signs: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.frames)

    def rows(self, *sets: str, programs: tuple[str, ...] = ()) -> NDArray[np.int64]:
        """The crashes of these sets, of these programs alone if any are given."""
        chosen = np.isin(self.sets, sets)
        if programs:
            chosen &= np.isin(self.programs, programs)
        return np.flatnonzero(chosen)


@cache
def pool() -> Crashes:
    """The pool, read once."""
    table = parquet.read_table(FILE)
    column: Callable[[str], list[str | None]] = lambda name: table.column(name).to_pylist()  # noqa: E731
    labels = table.schema.metadata[b"findings"].decode().split()
    programs, mechanisms = np.array(column("program")), np.array(column("mechanism"))
    frames = tuple(tuple(row) for row in table.column("frames").to_pylist())
    names: list[tuple[str, str]] = []
    states: list[NDArray[np.int8]] = []

    def add(kind: str, name: str, row: NDArray[np.int8]) -> None:
        names.append((name, kind))
        states.append(row)

    for mechanism in np.unique(mechanisms):
        add("mechanism", str(mechanism), (mechanisms == mechanism).astype(np.int8))
    findings = column("findings")
    for at, label in enumerate(labels):
        add("finding", label, np.array([STATES[(row or "")[at]] for row in findings], np.int8))
    for kind, wanted in (
        ("feature", [n for n in table.column_names if n not in NOT_A_FEATURE]),
        ("module", ["module"]),
    ):
        for name in wanted:
            values = column(name)
            for value in sorted({value for value in values if value is not None}):
                row = np.array([-1 if found is None else found == value for found in values], np.int8)
                add(kind, value if kind == "module" else f"{name}={value}", row)
    sites = [
        f"{program}: {' < '.join(row[:SITE_FRAMES]) or mechanism}"
        for program, row, mechanism in zip(programs, frames, mechanisms, strict=True)
    ]
    return Crashes(
        sets=np.array(column("set")),
        programs=programs,
        kinds=np.array(column("kind")),
        builds=np.array(column("build")),
        mechanisms=mechanisms,
        frames=frames,
        sites=np.array(sites),
        sign_names=tuple(names),
        signs=np.array(states, np.int8),
    )
