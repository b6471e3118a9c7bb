"""A check: data, and one pure function from facts to an answer. Two sets of them: host_checks, casebook_checks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from broadstreet.records.diagnosis import HARMS, About, Diagnosis, Harm, State


class Answer(NamedTuple):
    """What was seen, as a sentence, and the line that mends it where something is lacking."""

    lacking: bool
    seen: str
    remedy: str | None = None
    cases: int | None = None
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Check:
    """One question. `judge` is called with the facts in `needs`; if one is null, the answer is not known.

    `where` is the place that the facts come from, so that anyone can look for himself.
    """

    name: str
    needs: tuple[str, ...]
    harm: Harm
    why: str
    where: str
    judge: Callable[..., Answer]


def diagnoses(checks: Iterable[Check], about: About, facts: Mapping[str, object]) -> list[Diagnosis]:
    """The answer of each check, the worst first: what is lacking, what is not known, what is well."""
    found = [_diagnosis(check, about, facts) for check in checks]
    return sorted(found, key=rank)


def rank(one: Diagnosis) -> tuple[int, int, int]:
    """The worst first; of what is equally bad, that which touches the most cases."""
    return (("lacking", "not_known", "ok").index(one.state), HARMS.index(one.harm), -(one.cases or 0))


def _diagnosis(check: Check, about: About, facts: Mapping[str, object]) -> Diagnosis:
    named = check.name, about
    if any(facts[name] is None for name in check.needs):
        return Diagnosis(*named, "not_known", check.harm, "It could not be seen.", check.why, None, check.where)
    answer = check.judge(*(facts[name] for name in check.needs))
    state: State = "lacking" if answer.lacking else "ok"
    remedy = answer.remedy if answer.lacking else None
    return Diagnosis(
        *named, state, check.harm, answer.seen, check.why, remedy, check.where, answer.cases, answer.details
    )
