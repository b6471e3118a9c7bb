"""Campaigns: which sets of crashes are made, what each is for, and their score.

The rules were written with the fitted sets in sight; the weights are fitted on those too, and reported on the others:
other programs, other builds, other seeds. A set that lies in the folder already is not made again.
"""

import platform
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from broadstreet.errors import UsageError
from broadstreet.lab import sets
from broadstreet.lab.kernel import code_is_dumped_too
from broadstreet.lab.score.judged import Judged, judged
from broadstreet.lab.score.ratios import weights
from broadstreet.lab.truth import append, truths
from broadstreet.lab.undumped import undumped
from broadstreet.records.weights import VERSION, Weight, Weights

PLAN = "plan.json"  # written last: the set is whole
UNDUMPED, CODE_FAULT, CODE_FINDING = "undumped", "text-bit", "code_mismatch"

Role = Literal["fitted", "reported", "apart", "code fitted", "code reported"]


class Part(NamedTuple):
    """One set of a campaign. `every` takes each so-manyth of its quests only; no victims: all that are here.

    `with_code` lets the kernel dump code pages too, which it does not by default. `of` names the set whose text flips
    are copied without the page that holds them.
    """

    name: str
    set: str
    role: Role
    seed: int = 0
    per_kind: int = 1
    victims: tuple[str, ...] = ()
    every: int = 1
    with_code: bool = False
    of: str = ""


FULL = (
    Part("bugs", "bugs", "fitted"),
    Part("bugs-held-out", "bugs-held-out", "reported"),
    Part("bugs-with-code", "bugs", "code fitted", every=4, with_code=True),
    Part("bugs-held-out-with-code", "bugs-held-out", "code reported", every=4, with_code=True),
    Part("race", "race", "fitted"),
    Part("service", "ingest", "reported", 5155),
    Part("faults-fitted", "faults", "fitted", 1, 14, ("python3", "perl", "sqlite3")),
    Part("faults-reported", "faults", "reported", 5151, 12, ("bash", "mawk")),
    Part("faults-service", "faults", "reported", 5153, 12, ("ingest",)),
    Part("faults-with-code", "faults", "code fitted", 7, 4, ("python3", "perl", "sqlite3"), with_code=True),
    Part("faults-with-code-reported", "faults", "code reported", 5157, 4, ("bash", "mawk"), with_code=True),
    Part("models-fitted", "models", "fitted", 2, 8, ("python3", "perl", "sqlite3")),
    Part("models-reported", "models", "reported", 5152, 8, ("bash", "mawk")),
    Part("models-service", "models", "reported", 5154, 8, ("ingest",)),
    Part("undumped-fitted", UNDUMPED, "apart", of="faults-fitted"),
    Part("undumped-reported", UNDUMPED, "apart", of="faults-reported"),
    Part("undumped-service", UNDUMPED, "apart", of="faults-service"),
    Part("imitators", "imitators", "apart"),
    Part("emulated", "emulated", "apart"),
)
QUICK = (
    Part("bugs", "bugs", "fitted", every=5),
    Part("race", "race", "fitted", every=3),
    Part("faults", "faults", "fitted", 3, 1, ("python3", "perl", "sqlite3")),
    Part("models", "models", "fitted", 4, 1, ("python3", "perl")),
)

Scored = dict[Part, list[Judged]]


def scored(parts: Iterable[Part], folder: Path, jobs: int | None, tell: Callable[[str], None]) -> Scored:
    """Make what is not there yet, scan it, and lay truth and cases side by side."""
    found: Scored = {}
    for part in parts:
        place = folder / part.name
        if not _is_there(part, place):
            tell(f"{part.name}: making")
            place.mkdir(parents=True, exist_ok=True)
            _copied(folder / part.of, place) if part.of else _made(part, place, jobs)
            (place / PLAN).write_bytes(_plan(part))
        found[part] = judged(place, None)
        tell(f"{part.name}: {len(found[part])} crashes scored")
    return found


def _is_there(part: Part, place: Path) -> bool:
    if not place.exists() or not any(place.iterdir()):
        return False
    if not (place / PLAN).exists():
        raise UsageError(f"{place} is not empty, and no whole set", f"See what it is, and remove it: rm -r {place}")
    if (place / PLAN).read_bytes() != _plan(part):
        raise UsageError(f"{place} is another set than {part.name} of this campaign", "Name another --output.")
    return True


def fitted_weights(crashes: Scored, command: str) -> Weights:
    """The weights, their check on other programs, and how they were made.

    By default no core dump holds code, and a flipped page of code is not dumped. So text flips count as they are
    without their page, and `code_mismatch` is weighed on the sets whose core dumps, of faults and of bugs, hold code.
    """
    every = [one for part, found in crashes.items() if not part.of for one in found]
    return Weights(
        version=VERSION,
        command=command,
        machine=f"{platform.system()} {platform.machine()}",
        reader_version=max(one.case.reader_version for one in every),
        rules_version=max(one.case.rules_version for one in every),
        crashes=len(every),
        sets={
            part.name: {"crashes": len(found), "seed": part.seed, "per_kind": part.per_kind}
            for part, found in crashes.items()
            if not part.of
        },
        fitted=_weights(crashes, "fitted"),
        reported=_weights(crashes, "reported"),
    )


def _weights(crashes: Scored, role: str) -> tuple[Weight, ...]:
    named = {part.name: part for part in crashes}
    plain = [
        one
        for part, found in crashes.items()
        for one in found
        if (part.role == role and not (part.set == "faults" and one.truth.mechanism == CODE_FAULT))
        or (part.of and named[part.of].role == role)
    ]
    with_code = [one for part, found in crashes.items() if part.role == f"code {role}" for one in found]
    found = {weight.finding: weight for weight in weights(plain)}
    found |= {weight.finding: weight for weight in weights(with_code) if weight.finding == CODE_FINDING}
    return tuple(sorted(found.values(), key=lambda weight: -weight.ratio.value if weight.ratio else 0.0))


def _plan(part: Part) -> bytes:
    return msgspec.json.encode(part._asdict()) + b"\n"


def _copied(faults: Path, place: Path) -> None:
    for truth in truths(faults):
        if truth.mechanism == CODE_FAULT:
            undumped(faults / truth.core, place / truth.core)
            append(place, truth)


def _made(part: Part, place: Path, jobs: int | None) -> None:
    here = sets.victims()
    victims = tuple(name for name in part.victims or here if name in here)
    quests = sets.SETS[part.set](sets.Asked(part.per_kind, part.seed, victims))
    with code_is_dumped_too() if part.with_code else nullcontext():
        sets.make(quests[:: part.every], place, jobs, tell=lambda line: None)
