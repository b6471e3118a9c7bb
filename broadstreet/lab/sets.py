"""Sets of crashes that a seed fixes: which there are, and how one is made on several processes."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path
from threading import Event
from typing import NamedTuple

import msgspec

from broadstreet.lab import guard, truth
from broadstreet.lab.injection import trial
from broadstreet.lab.injection.faults import HARDWARE, RECURRING
from broadstreet.lab.injection.models import SOFTWARE
from broadstreet.lab.injection.victims import VICTIMS, present
from broadstreet.lab.kernel import the_kernel_dumps
from broadstreet.lab.order import NotMade, Order, Workshop
from broadstreet.lab.process import enough_room
from broadstreet.lab.truth import Family, Truth
from broadstreet.lab.zoo import crash as zoo
from broadstreet.lab.zoo import emulated, ingest, race
from broadstreet.lab.zoo.zoo import SETS as ZOO

OUTCOMES = "outcomes.json"
TRIES_PER_CRASH = 8
INJECTED = ("faults", "models")
CRASHED = "crashed"
TELL_EVERY = 100


def _bug(order: Order, workshop: Workshop) -> Truth | NotMade:
    return (ingest.crash if order.program == ingest.PROGRAM else zoo.crash)(order, workshop)


MAKERS: dict[Family, Callable[[Order, Workshop], Truth | NotMade]] = {
    "bug": _bug,
    "imitator": zoo.crash,
    "race": race.crash,
    "emulated": emulated.crash,
    "fault": trial.crash,
    "model": trial.crash,
}


class Quest(NamedTuple):
    """Orders to try, one after another, until so many crashes of one kind are made."""

    kind: str
    orders: Iterable[Order]
    wanted: int
    victim: str = ""


class Asked(NamedTuple):
    """How large a set of injected faults, of which seed, in which victims."""

    per_kind: int
    seed: int
    victims: tuple[str, ...]


def _each(orders: list[Order]) -> list[Quest]:
    return [Quest(order.mechanism, [order], 1) for order in orders]


def _of_the_zoo(name: str, asked: Asked) -> list[Quest]:
    return _each(zoo.orders(name))


def _injected(family: Family, modes: Iterable[str], asked: Asked) -> list[Quest]:
    most = asked.per_kind * TRIES_PER_CRASH
    return [
        Quest(mode, islice(_trials(family, mode, victim, asked.seed), most), asked.per_kind, victim)
        for mode in modes
        for victim in asked.victims
    ]


def _trials(family: Family, mode: str, victim: str, seed: int) -> Iterator[Order]:
    builds, variants = VICTIMS[victim].builds, VICTIMS[victim].variants
    for attempt in count():
        build, variant = builds[attempt % len(builds)], variants[attempt % len(variants)]
        name = f"{mode}.{victim}.{seed}-{attempt}"
        yield Order(family, mode, victim, build, variant, name, f"{seed}/{victim}/{mode}/{attempt}")


SETS: dict[str, Callable[[Asked], list[Quest]]] = {
    **{name: partial(_of_the_zoo, name) for name in ZOO},
    "race": lambda asked: _each(race.orders()),
    "ingest": lambda asked: _each(ingest.orders(asked.seed) + race.service_orders(asked.seed)),
    "emulated": lambda asked: _each(emulated.orders()),
    "faults": lambda asked: _injected("fault", (*HARDWARE, *RECURRING), asked),
    "models": lambda asked: _injected("model", SOFTWARE, asked),
}


def victims() -> tuple[str, ...]:
    """The names of those that this machine has."""
    return tuple(victim.name for victim in present())


def make(
    quests: list[Quest], folder: Path, jobs: int | None = None, tell: Callable[[str], None] = print
) -> dict[str, Counter[str]]:
    """Make them all; per kind, how many ended how. Also written to `outcomes.json`, for survivors count too."""
    enough_room(folder)
    workshop = Workshop(folder)
    counts: dict[str, Counter[str]] = {}
    done, stop = 0, Event()
    with the_kernel_dumps(), ThreadPoolExecutor(jobs or os.cpu_count()) as pool, _ended_if_interrupted(pool, stop):
        for quest, outcomes in zip(quests, pool.map(lambda quest: _made(quest, workshop, stop), quests), strict=True):
            counted = Counter(outcome.outcome if isinstance(outcome, NotMade) else CRASHED for outcome in outcomes)
            counts[quest.kind] = counts.get(quest.kind, Counter()) + counted
            for line in _told(quest, outcomes, counted):
                tell(line)
            done += 1
            if done % TELL_EVERY == 0:
                tell(f"{done} of {len(quests)}")
    (folder / OUTCOMES).write_bytes(msgspec.json.format(msgspec.json.encode(counts), indent=1) + b"\n")
    return counts


def _told(quest: Quest, outcomes: list[Truth | NotMade], counted: Counter[str]) -> Iterator[str]:
    if quest.wanted > 1:
        yield f"{quest.kind} {quest.victim}: {', '.join(f'{count} {what}' for what, count in counted.most_common())}"
    else:
        for one in outcomes:
            if isinstance(one, NotMade) and one.why:
                yield f"{quest.kind}: {one.outcome}, {one.why}"


@contextmanager
def _ended_if_interrupted(pool: ThreadPoolExecutor, stop: Event) -> Iterator[None]:
    finished = False
    try:
        yield
        finished = True
    finally:
        if not finished:  # Ctrl-C too: else the pool would make all the rest first
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            guard.end_all()


def _made(quest: Quest, workshop: Workshop, stop: Event) -> list[Truth | NotMade]:
    found: list[Truth | NotMade] = []
    crashes = 0
    for order in quest.orders:
        if crashes == quest.wanted or stop.is_set():
            break
        outcome = MAKERS[order.family](order, workshop)
        if isinstance(outcome, Truth):
            truth.append(workshop.folder, outcome)
            crashes += 1
        found.append(outcome)
    return found
