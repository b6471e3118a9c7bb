"""How probable one cause is for two traces of a similarity, as counted in the lab: `calibration.json`, with its counts.

The counts are of pairs of distinct traces that share something; blocks are such that the share of pairs with one cause
never falls (isotonic regression, by pooling). Between the middles of two blocks the probability runs straight.
"""

from bisect import bisect_right
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import msgspec

FILE = "calibration.json"


class Block(NamedTuple):
    """Pairs of traces of a similarity from `low` to `high`, and how many of them have one cause."""

    low: float
    high: float
    same: int
    pairs: int

    @property
    def share(self) -> float:
        return (self.same + 0.5) / (self.pairs + 1)


class Calibration:
    """Probabilities of similarities."""

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self.blocks = blocks
        self._middles = [(block.low + block.high) / 2 for block in blocks]

    def __call__(self, similarity: float) -> float:
        """The probability that two traces of this similarity have one cause."""
        after = bisect_right(self._middles, similarity)
        if after == 0:
            return self.blocks[0].share * similarity / self._middles[0]
        if after == len(self.blocks):
            return self.blocks[-1].share
        low, high = self.blocks[after - 1], self.blocks[after]
        part = (similarity - self._middles[after - 1]) / (self._middles[after] - self._middles[after - 1])
        return low.share + part * (high.share - low.share)


def pooled(counts: list[Block]) -> tuple[Block, ...]:
    """Blocks in the order of similarity, pooled until the share with one cause never falls."""
    kept: list[Block] = []
    for block in counts:
        kept.append(block)
        while len(kept) > 1 and kept[-2].same * kept[-1].pairs >= kept[-1].same * kept[-2].pairs:
            last, first = kept.pop(), kept.pop()
            kept.append(Block(first.low, last.high, first.same + last.same, first.pairs + last.pairs))
    return tuple(kept)


@cache
def calibration() -> Calibration:
    """The one that ships."""
    told = msgspec.json.decode(files(__package__).joinpath(FILE).read_bytes())
    return Calibration(tuple(Block(one["from"], one["to"], one["same"], one["pairs"]) for one in told["blocks"]))
