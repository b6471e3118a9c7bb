"""What a scan must know of its workers, be they processes here or a cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from broadstreet.pipeline.examination import Answer, Examination
from broadstreet.records.specimen import Specimen


@dataclass(frozen=True)
class Crew:
    """Workers behind futures.

    `killed` is the exception of a future whose worker was killed, and `proof` says how often a specimen that is read
    alone must end in it to be named. `width` is how many batches can be read at once now; `check` raises where the
    workers cannot be reached any more, and `lost` says so in words. `batch_seconds` is how long a batch should take,
    `longest_batch` how many specimens it holds at most.
    """

    submit: Callable[[Examination, Sequence[Specimen]], Future[Answer]]
    killed: type[BaseException]
    proof: int
    width: Callable[[], int]
    check: Callable[[], None]
    name: str
    batch_seconds: float
    longest_batch: int
