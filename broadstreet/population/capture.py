"""The share of crashes that was captured: when it falls, there are fewer cases, and nothing was fixed.

Fatal signals, as the kernel's log has them, are counted by hour and host; an hour without a count had none. A case in
an hour that counted it was captured. Where for some days, in some regions, the share falls to less than half of what it
is otherwise, the collector was down; where cases are there and hardly any was counted, the other channel.

The days are those of the highest likelihood ratio of all intervals and regions; its exact test is corrected for all
that were looked at. It counts days of hosts, not crashes: a host in a loop, of which a collector keeps one in a hundred
core dumps on purpose, is one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from broadstreet.population.population import Codes, Floats
from broadstreet.records.capture import Capture, Captured, Changed, Dropout, Span
from broadstreet.records.outbreak import Test
from broadstreet.records.weights import Interval
from broadstreet.statistics.intervals import share_interval
from broadstreet.statistics.tables import fisher

DAY, HOUR = 86400.0, 3600.0
COLLAPSED = 0.5  # of the share elsewhere: a collector that loses less is seen in the ratio, and is no outage
ERROR = 0.01
MOST_STEPS = 400  # of which all pairs are looked at; longer periods are looked at in steps of several days
AROUND_DAYS = 28

Counts = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Hours of hosts: `host` and `region` are codes, `hour` is in seconds since 1970; region -1: not known."""

    host: Codes
    region: Codes
    regions: tuple[str, ...]
    hour: Floats
    fatal: Counts
    cases: Counts


class _HostDays(NamedTuple):
    region: Counts
    day: Counts
    seen: NDArray[np.bool_]


class _Fall(NamedTuple):
    place: int | None
    first: int
    last: int
    gain: float
    test: Test


def capture(cells: Cells, start: float, end: float, without_place: int) -> Capture:
    """The share captured of what was counted from `start` until `end`."""
    held = np.minimum(cells.fatal, cells.cases)
    falls = [
        *_dropouts("collector", cells, held, cells.fatal, start, end),
        *_dropouts("channel", cells, held, cells.cases, start, end),
    ]
    regions = {
        name: _captured(held[cells.region == code], cells.fatal[cells.region == code])
        for code, name in enumerate(cells.regions)
    }
    days = _spans(cells.hour, held, cells.fatal, start, end, DAY)
    weeks = _spans(cells.hour, held, cells.fatal, start, end, 7 * DAY)
    return Capture(
        _captured(held, cells.fatal),
        regions,
        days,
        weeks,
        tuple(sorted(falls, key=lambda fall: (fall.start, fall.regions))),
        without_place,
    )


def changed_around(told: Capture, moment: datetime, around_days: int = AROUND_DAYS) -> Changed:
    """Whether the share captured is another after a moment than before; its day belongs to neither.

    A release that seems to have fixed a crash has not, if fewer were captured since.
    """
    width = around_days * DAY
    before = [day for day in told.days if day.end <= moment and (moment - day.end).total_seconds() < width]
    after = [day for day in told.days if day.start >= moment and (day.start - moment).total_seconds() < width]
    first, second = (_of(sum(day.captured for day in some), sum(day.fatal for day in some)) for some in (before, after))
    a, b, c, d = (first.captured, first.fatal - first.captured, second.captured, second.fatal - second.captured)
    p = float(fisher(a, b, c, d).two_sided)
    return Changed(first, second, Test("tables.fisher.two_sided", {"a": a, "b": b, "c": c, "d": d}, p))


def _dropouts(
    kind: Literal["collector", "channel"], cells: Cells, seen: Counts, of: Counts, start: float, end: float
) -> Iterator[Dropout]:
    told = of > 0
    step = DAY * max(1, int(np.ceil((end - start) / DAY / MOST_STEPS)))
    steps = max(1, int(np.ceil((end - start) / step)))
    inside = told & (cells.hour >= start) & (cells.hour < end)
    day = ((cells.hour - start) // step).astype(np.int64)
    told_days = _host_days(cells, day, seen, inside)
    live = np.ones(len(told_days.day), bool)
    asked = (len(cells.regions) + 1) * steps * (steps + 1) // 2
    while True:
        falls = [
            fall
            for place in (None, *range(len(cells.regions)))
            if (fall := _fall(place, told_days, live, steps, asked)) is not None
        ]
        best = max(falls, key=lambda fall: fall.gain, default=None)
        if best is None or best.test.q is None or best.test.q >= ERROR:
            return
        places = _places(best, told_days, live)
        here = inside & (day >= best.first) & (day <= best.last) & _among(cells.region, places)
        missed = cells.hour[here & (seen < of)]
        yield Dropout(
            kind,
            tuple(cells.regions[place] for place in places),
            _moment(float(missed.min())),
            _moment(float(missed.max()) + HOUR),
            int(np.minimum(cells.fatal, cells.cases)[here].sum()),
            int(cells.fatal[here].sum()),
            int(cells.cases[here].sum()),
            best.test,
        )
        live &= (told_days.day < best.first) | (told_days.day > best.last) | ~_among(told_days.region, places)


def _among(region: Codes | Counts, places: tuple[int, ...]) -> NDArray[np.bool_]:
    return np.isin(region, places) if places else np.ones(len(region), bool)


def _places(fall: _Fall, days: _HostDays, live: NDArray[np.bool_]) -> tuple[int, ...]:
    """The regions that had part in it; none named: all that had anything to lose."""
    if fall.place is not None:
        return (fall.place,)
    inside = live & (days.day >= fall.first) & (days.day <= fall.last)
    usual = days.seen[live & ~inside].mean()
    shares = {int(code): float(days.seen[inside & (days.region == code)].mean()) for code in set(days.region[inside])}
    fallen = tuple(sorted(code for code, share in shares.items() if code >= 0 and share < COLLAPSED * usual))
    return () if len(fallen) == len(shares) else fallen


def _host_days(cells: Cells, day: Counts, seen: Counts, inside: NDArray[np.bool_]) -> _HostDays:
    keys = np.stack([cells.host[inside], cells.region[inside], day[inside]])
    unique, which = np.unique(keys, axis=1, return_inverse=True)
    any_seen = np.bincount(which.ravel(), seen[inside], unique.shape[1]) > 0
    return _HostDays(unique[1].astype(np.int64), unique[2].astype(np.int64), any_seen)


def _fall(place: int | None, days: _HostDays, live: NDArray[np.bool_], steps: int, asked: int) -> _Fall | None:
    mine = live if place is None else live & (days.region == place)
    total = np.concatenate([[0], np.cumsum(np.bincount(days.day[mine], minlength=steps))])
    missed = np.concatenate([[0], np.cumsum(np.bincount(days.day[mine & ~days.seen], minlength=steps))])
    if not missed[-1] or missed[-1] == total[-1]:
        return None
    of, lost = total[None, 1:] - total[:-1, None], missed[None, 1:] - missed[:-1, None]
    rest, rest_lost = total[-1] - of, missed[-1] - lost
    with np.errstate(divide="ignore", invalid="ignore"):
        collapsed = (of > 0) & (rest > 0) & (1 - lost / of < COLLAPSED * (1 - rest_lost / rest))
    if not collapsed.any():
        return None
    gain = np.where(collapsed, _likelihood(lost, of) + _likelihood(rest_lost, rest), -np.inf)
    first, last = (int(at) for at in np.unravel_index(int(np.argmax(gain)), gain.shape))
    a, b = int(lost[first, last]), int(of[first, last] - lost[first, last])
    c, d = int(rest_lost[first, last]), int(rest[first, last] - rest_lost[first, last])
    p = float(fisher(a, b, c, d).greater)
    test = Test(
        "tables.fisher.greater", {"a": a, "b": b, "c": c, "d": d}, p, min(1.0, p * asked), "days and regions", asked
    )
    whole = _likelihood(missed[-1:], total[-1:])[0]
    return _Fall(place, first, last, float(gain[first, last] - whole), test)


def _likelihood(held: Counts, of: Counts) -> Floats:
    """The logarithm of the likelihood of held of so many, at its best."""
    k, n = held.astype(np.float64), of.astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = np.where(k > 0, k * np.log(k / n), 0.0) + np.where(n > k, (n - k) * np.log((n - k) / n), 0.0)
    return np.asarray(np.nan_to_num(parts), np.float64)


def _spans(hour: Floats, held: Counts, fatal: Counts, start: float, end: float, step: float) -> tuple[Span, ...]:
    first = start // DAY * DAY
    count = max(1, int(np.ceil((end - first) / step)))
    at = np.clip((hour - first) // step, -1, count).astype(np.int64) + 1
    captured, counted = (np.bincount(at, some, count + 2)[1:-1] for some in (held, fatal))
    return tuple(
        Span(_moment(first + number * step), _moment(first + (number + 1) * step), int(seen), int(of))
        for number, (seen, of) in enumerate(zip(captured, counted, strict=True))
    )


def _captured(held: Counts, fatal: Counts) -> Captured:
    return _of(int(held.sum()), int(fatal.sum()))


def _of(captured: int, fatal: int) -> Captured:
    if not fatal:
        return Captured(captured, fatal, None)
    low, high = share_interval(captured, fatal)
    return Captured(captured, fatal, Interval(captured / fatal, float(low), float(high)))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
