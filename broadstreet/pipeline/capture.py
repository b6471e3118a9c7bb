"""The share of crashes captured, of a casebook whose fleet tells of another channel."""

import numpy as np

from broadstreet.population.capture import Cells, capture
from broadstreet.population.coding import Coding
from broadstreet.records.capture import Capture
from broadstreet.store import signals
from broadstreet.store.questions import Questions


def captured(questions: Questions, start: float, end: float) -> Capture | None:
    """The share from `start` until `end`, in seconds since 1970; null where no other channel counts crashes."""
    if not signals.any_signals(questions):
        return None
    found = signals.capture_cells(questions)
    host, region = Coding(), Coding()
    hosts, places = host.codes(found["host"]), region.codes(found["region"])
    names, order = region.sorted()
    cells = Cells(
        hosts,
        order[places],
        tuple(names),
        *(np.asarray(found[name], kind) for name, kind in (("hour", float), ("fatal", np.int64), ("cases", np.int64))),
    )
    return capture(cells, start, end, signals.without_place(questions))
