"""What is known of a core dump because we made it: one line of `truth.jsonl` for each.

The file lies beside the core dumps. A scan never reads it, and no label could: labels see the core dump alone.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from broadstreet.errors import UsageError

FILE = "truth.jsonl"

Cause = Literal["hardware", "software"]
Family = Literal["bug", "race", "imitator", "model", "fault", "emulated"]
Parameters = dict[str, str | int]


class Truth(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One core dump.

    `mechanism` is what was planted, `parameters` with what, `hit` where it really went in. `expected` are the labels
    that a perfect reader of this one core dump could give, `context` the findings that must hold beside and
    `context_not` those that must not; null or in neither: nothing is claimed. `seed` is null where chance had no part.
    """

    core: str
    cause: Cause
    family: Family
    mechanism: str
    program: str
    build: str
    variant: str = ""
    runtime: str
    signal: int
    seed: str | None = None
    expected: tuple[str, ...] | None = None
    context: tuple[str, ...] = ()
    context_not: tuple[str, ...] = ()
    parameters: Parameters = {}
    hit: Parameters = {}
    said: str = ""
    note: str = ""


def truths(folder: Path) -> Iterator[Truth]:
    """What is known of the core dumps of this folder, in the order in which they were made."""
    decoder = msgspec.json.Decoder(Truth)
    with (folder / FILE).open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield decoder.decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError) as error:
                hint = "It was cut or changed. Make the set anew: broadstreet lab crash SET --output DIR"
                raise UsageError(f"{folder / FILE}, line {number}: {error}", hint) from error


def append(folder: Path, truth: Truth) -> None:
    """Keep one line more."""
    with (folder / FILE).open("ab") as file:
        file.write(msgspec.json.encode(truth) + b"\n")
