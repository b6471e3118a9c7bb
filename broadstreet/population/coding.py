"""Values as whole numbers, however many batches they come in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as arrow
import pyarrow.compute as compute

from broadstreet.population.population import UNKNOWN, Codes


class Coding:
    """The values of one attribute, of crashes and of time at risk, and the number of each; -1: not known."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def codes(self, values: Any) -> Codes:
        """The numbers of a column of texts."""
        whole = values.combine_chunks() if isinstance(values, arrow.ChunkedArray) else values
        if not arrow.types.is_dictionary(whole.type):
            whole = whole.dictionary_encode()
        number = self._numbers
        known = [number.setdefault(value, len(number)) for value in whole.dictionary.to_pylist()]
        indices = compute.fill_null(whole.indices, len(known)).to_numpy(zero_copy_only=False)
        codes: Codes = np.array([*known, UNKNOWN], np.int32)[indices]
        return codes

    def values(self) -> list[str]:
        """All values, in the order of their numbers."""
        return list(self._numbers)

    def sorted(self, order: Sequence[str] = ()) -> tuple[list[str], Codes]:
        """All values in an order that does not depend on how they came, and for each number its place in it.

        Those of `order` come first, as they stand there. The last of the places is that of -1.
        """
        ranks = {value: rank for rank, value in enumerate(order)}
        values = sorted(self._numbers, key=lambda value: (ranks.get(value, len(ranks)), value))
        places = np.full(len(values) + 1, UNKNOWN, np.int32)
        places[[self._numbers[value] for value in values]] = np.arange(len(values), dtype=np.int32)
        return values, places
