"""Many specimens at once in one process, where waiting is most of the work; those that failed once more at the end.

Files are read one after another: they do not make us wait. Objects of buckets are read on threads, of which one
computes while the others wait for bytes.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from broadstreet.pipeline.evidence import Keep
from broadstreet.pipeline.outcome import examine
from broadstreet.records.case import Unreadable
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.objects import is_remote

AT_ONCE = 16  # objects of one process: at 20 ms and three round trips some 250 a second, more than one CPU reads
LATER_PASSES = 2
LATER_PAUSE_SECONDS = 5.0  # before such a pass, and a random part of as much again: whoever throttled us calms down


def examine_together(specimens: Iterable[Specimen], binaries: Binaries, keep: Keep = "none") -> Iterator[Examined]:
    """What comes of each, in no order; remote ones are read at the same time."""
    running: set[Future[Examined]] = set()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="reading")  # threads start when they are needed
    try:
        for specimen in specimens:
            if not is_remote(specimen.location):
                yield examine(specimen, binaries, keep)
                continue
            running.add(pool.submit(examine, specimen, binaries, keep))
            if len(running) == AT_ONCE:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (one.result() for one in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (one.result() for one in done)
    finally:
        pool.shutdown(cancel_futures=True)


def examined_again(
    examined: Callable[[Iterable[Specimen]], Iterator[Examined]],
    specimens: Iterable[Specimen],
    put_off: Callable[[Examined], None] = lambda one: None,
    pause_seconds: float = LATER_PAUSE_SECONDS,
) -> Iterator[Examined]:
    """What comes of each specimen; one whose source was throttled, slow or broken is read again after all the others.

    `put_off` is told of each that is. After the last pass it is given as it is.
    """
    rest: Iterable[Specimen] = specimens
    for left in reversed(range(1 + LATER_PASSES)):
        later: list[Specimen] = []
        for one in examined(rest):
            if left and isinstance(one.outcome, Unreadable) and one.outcome.retry:
                later.append(one.specimen)
                put_off(one)
            else:
                yield one
        if not later:
            return
        time.sleep(pause_seconds + random.uniform(0, pause_seconds))
        rest = later
