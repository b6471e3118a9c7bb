"""Many specimens that read quickly."""

import shutil
from pathlib import Path

from broadstreet.records.specimen import Specimen
from broadstreet.sources.specimens import specimen_at

CORPUS = Path(__file__).parents[2] / "corpus"
SMALL = min((CORPUS / "cores").iterdir())


def copies(folder: Path, count: int, lethal: int | None = None) -> list[Specimen]:
    """So many copies of one core dump; one of them has a name that kills."""
    found = []
    for number in range(count):
        path = folder / (f"{number:04}.lethal.core.zst" if number == lethal else f"{number:04}.core.zst")
        shutil.copy(SMALL, path)
        found.append(specimen_at(str(path)))
    return found
