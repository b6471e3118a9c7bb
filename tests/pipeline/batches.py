"""What workers of these tests run in place of a batch; it must be importable there."""

import os
import signal
import time
from collections.abc import Sequence

from broadstreet.pipeline.examination import Answer, Examination, examined_batch
from broadstreet.records.specimen import Specimen

LETHAL = "lethal"


def lethal_batch(examination: Examination, specimens: Sequence[Specimen]) -> Answer:
    """Killed, as by the kernel for its memory, by a specimen of that name."""
    if any(LETHAL in specimen.location for specimen in specimens):
        os.kill(os.getpid(), signal.SIGKILL)
    return examined_batch(examination, specimens)


def lethal_elsewhere(_: str, examination: Examination, specimens: Sequence[Specimen]) -> Answer:
    """The same on a cluster."""
    return lethal_batch(examination, specimens)


def slow_elsewhere(_: str, examination: Examination, specimens: Sequence[Specimen]) -> Answer:
    """One specimen takes as long as a bucket may."""
    time.sleep(0.02 * len(specimens))
    return examined_batch(examination, specimens)


def many_bytes(size: int, mark: str) -> bytes:
    """An answer that does not fit into a pipe; the file says that it is on its way."""
    with open(mark, "w") as file:
        file.write(str(os.getpid()))
    return bytes(size)


def killed_now() -> None:
    """Ends its process."""
    os.kill(os.getpid(), signal.SIGKILL)
