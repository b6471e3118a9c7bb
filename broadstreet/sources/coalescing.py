"""Which requests answer a round of byte ranges for the least.

A store in a region asks for requests, not for bytes: a GET costs as much as 20 ms of waiting and a share of a server,
and in that time a link of 1 Gbit/s carries 2.5 MB. So ranges that lie near each other are fetched as one, gap and all.
The gap that a request may save is bounded by what a core dump may cost, which is meant to be 256 KiB and six requests
at the median: one for the head, and about two for each of the two rounds that follow.
"""

from itertools import pairwise

CHEAP_GAP = 64 << 10  # always joined; with what follows, 64 MiB cost 5 to 7 requests (bench/bucket.py)
MEANT_BYTES = 272 << 10  # of one core dump, gaps with it; most stay well below
MEANT_REQUESTS = 2  # of one round
Span = tuple[int, int]


def coalesced(wanted: list[Span], spent: int) -> list[Span]:
    """The (start, end) to ask for, in order, none overlapping, that cover all wanted; `spent` bytes came before.

    Cheap gaps are closed. While more requests are left than are meant, the smallest gap is closed that what is left
    of the meant bytes allows.
    """
    spans = _joined(sorted(span for span in wanted if span[0] < span[1]), CHEAP_GAP)
    left = MEANT_BYTES - spent - sum(end - start for start, end in spans)
    while len(spans) > MEANT_REQUESTS:
        gap = min(after[0] - before[1] for before, after in pairwise(spans))
        if gap > left:
            break
        before = len(spans)
        spans = _joined(spans, gap)
        left -= gap * (before - len(spans))
    return spans


def missing(wanted: Span, held: list[Span]) -> list[Span]:
    """What of a span none of those held covers."""
    start, end = wanted
    gaps = []
    for low, high in sorted(held):
        if high <= start or low >= end:
            continue
        if low > start:
            gaps.append((start, low))
        start = max(start, high)
    if start < end:
        gaps.append((start, end))
    return gaps


def _joined(spans: list[Span], gap: int) -> list[Span]:
    joined: list[Span] = []
    for start, end in spans:
        if joined and start - joined[-1][1] <= gap:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined
