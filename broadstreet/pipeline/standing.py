"""Which word of a person stands for which outbreak of now, and how sure verdicts have been that people judged.

The id of an outbreak is made of its syndrome, its cohort and the signs by which it was parted from its syndrome. It
stays as cases come in, but not where those part a syndrome otherwise, or make another syndrome the commonest of a
linked outbreak. So a word goes to the outbreak with its id; if there is none any more, to the one with the same
syndrome, under the name by which it goes now, and the same cohort. It goes nowhere where that could be several, or was
said of several.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from broadstreet.records.outbreak import Outbreak
from broadstreet.records.verdict import HowSure, Judgement, Says, Verdict
from broadstreet.statistics.intervals import share_interval
from broadstreet.store.syndromes import called

BANDS = ((0.99, 1.0), (0.9, 0.99), (0.0, 0.9))
"""Of stated certainty: at least, and below; the first holds 1 too."""
CAUSES: tuple[Says, ...] = ("hardware", "software")
Key = tuple[str | None, tuple[tuple[str, str], ...]]


def standing(verdicts: Sequence[Verdict], said: Iterable[Judgement], into: Mapping[str, str]) -> tuple[Verdict, ...]:
    """The verdicts, each with the newest word on it, of what was said in order.

    `into` are the names that syndromes went by (`store.syndromes.aliases`).
    """
    newest = _newest(said)
    ids = {one.outbreak.id for one in verdicts}
    keys = Counter(_key(one.outbreak) for one in verdicts)
    gone: dict[Key, list[Judgement]] = {}
    for one in newest.values():
        if one.outbreak not in ids:
            syndrome = None if one.syndrome is None else called(one.syndrome, into)
            gone.setdefault((syndrome, _ordered(one.cohort)), []).append(one)

    def counts(verdict: Verdict) -> Judgement | None:
        own, key = newest.get(verdict.outbreak.id), _key(verdict.outbreak)
        if own is None and keys[key] == 1 and len(gone.get(key, ())) == 1:
            own = gone[key][0]
        return None if own is None or own.kind == "withdraw" else own

    return tuple(replace(one, judgement=counts(one)) for one in verdicts)


def how_sure(said: Iterable[Judgement]) -> tuple[HowSure, ...]:
    """Of the verdicts of hardware or software that people judged, by stated certainty: how many they confirmed.

    The newest word on an outbreak counts, also if it is not there any more. Empty where nobody judged one.
    """
    newest = _newest(said).values()
    counted = [one for one in newest if one.kind != "withdraw" and one.says in CAUSES and one.held is None]
    return tuple(_band(counted, *band) for band in BANDS) if counted else ()


def syndrome_of(outbreak: Outbreak) -> str | None:
    """The one syndrome that it is of; null: it links several, of which the commonest may be another tomorrow."""
    return None if outbreak.kind == "linked" else outbreak.syndrome


def _newest(said: Iterable[Judgement]) -> dict[str, Judgement]:
    """The newest word on each outbreak, by the id under which it was said; none under an id that it had before."""
    newest: dict[str, Judgement] = {}
    for one in said:
        newest.pop(one.formerly or one.outbreak, None)
        newest[one.outbreak] = one
    return newest


def _band(counted: Sequence[Judgement], at_least: float, below: float) -> HowSure:
    judged = [one for one in counted if at_least <= one.certainty and (one.certainty < below or below == 1)]
    confirmed = sum(one.kind == "confirm" for one in judged)
    least = float(share_interval(confirmed, len(judged))[0]) if judged else None
    return HowSure(at_least, below, confirmed, len(judged), least)


def _key(outbreak: Outbreak) -> Key:
    return syndrome_of(outbreak), _ordered(outbreak.cohort)


def _ordered(cohort: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(cohort.items()))
