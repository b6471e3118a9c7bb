"""Each crash that was made, next to what a scan said of it."""

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec

from broadstreet.errors import UsageError
from broadstreet.lab.truth import FILE, Truth, truths
from broadstreet.records.finding import State
from broadstreet.records.weights import STRICT


class SaidFinding(msgspec.Struct, frozen=True):
    """What a scan says of one finding; the rest of it is not scored."""

    label: str
    state: State


class SaidFeatures(msgspec.Struct, frozen=True):
    """The signal that ended the process; null where a scan did not see it."""

    raised_signal: int | None


class SaidCase(msgspec.Struct, frozen=True):
    """What a scan says of one crash, as far as it is scored."""

    path: str
    mechanism: str
    features: SaidFeatures
    findings: tuple[SaidFinding, ...]
    reader_version: int
    rules_version: int


class Judged(NamedTuple):
    """One crash: what was done, and what was said."""

    truth: Truth
    case: SaidCase

    @property
    def holds(self) -> frozenset[str]:
        """The labels that were found."""
        return frozenset(finding.label for finding in self.case.findings if finding.state == "holds")

    @property
    def is_imitator(self) -> bool:
        """Whether software made a mark of bad hardware on purpose: no sample of real bugs."""
        return self.truth.family == "imitator" or bool(set(STRICT) & set(self.truth.expected or ()))

    @property
    def states(self) -> dict[str, State]:
        """Every finding, by label."""
        return {finding.label: finding.state for finding in self.case.findings}


def truth_folder(folder: Path) -> Path:
    """Where the truth of a set or of a fleet lies."""
    for place in (folder, folder / "truth"):
        if (place / FILE).is_file():
            return place
    raise UsageError(f"{folder} holds no {FILE}", "Make a set first: broadstreet lab crash SET --output DIR")


def judged(folder: Path, cases: Path | None, binaries: Iterable[str] = ()) -> list[Judged]:
    """Every crash of a folder. Its cases come from a file of NDJSON lines, else from a scan that is run now."""
    known = truth_folder(folder)
    try:
        lines = cases.read_bytes().splitlines() if cases else scanned(folder, binaries)
        decoder = msgspec.json.Decoder(SaidCase)
        said = {Path(case.path).name: case for case in (decoder.decode(line) for line in lines if line.strip())}
    except msgspec.MsgspecError as error:
        raise UsageError(
            f"{cases or folder}: {error}", "Make the cases anew: broadstreet scan DIR -o ndjson"
        ) from error
    found = list(_joined(known, said))
    if not found:
        raise UsageError(f"{known / FILE} is empty", "Make the set anew: broadstreet lab crash SET --output DIR")
    return found


def scanned(folder: Path, binaries: Iterable[str]) -> list[bytes]:
    """What the command line prints of this folder: the lab knows no other way to the labels."""
    words = [sys.executable, "-m", "broadstreet", "scan", str(folder), "-o", "ndjson"]
    for place in binaries:
        words += ["--binaries", place]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode:
        raise UsageError(f"the scan of {folder} failed", done.stderr.decode(errors="replace").strip()[-600:])
    return done.stdout.splitlines()


def _joined(folder: Path, said: dict[str, SaidCase]) -> Iterator[Judged]:
    missing = []
    for truth in truths(folder):
        case = said.get(truth.core)
        if case is None:
            missing.append(truth.core)
            continue
        raised = case.features.raised_signal
        if raised not in (None, truth.signal):
            what = f"{truth.core} died of signal {truth.signal}, and the case of that name of {raised}"
            raise UsageError(what, "These are the cases of another set: scan this one.")
        yield Judged(truth, case)
    if missing:
        some = ", ".join(missing[:5])
        raise UsageError(f"{len(missing)} core dumps of {folder} are not among the cases: {some}", "Scan them all.")
