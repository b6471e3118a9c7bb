"""A rule: data, one pure function, evidence."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from broadstreet.records.finding import Evidence, Finding, Value


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Rule:
    """One label and the condition for it.

    `only_if` lists the values that a feature must have; one observed outside of them settles that the rule does not
    hold, whatever else is missing. `needs` names the features that `judge` is called with, each with what it says;
    `shows` are further evidence that the judgement does not rest on. If a feature of the first two is null and no
    other settles it, the finding is "could not be judged", and names it. So no rule tests for None.
    """

    label: str
    summary: str
    only_if: Mapping[str, tuple[Value, ...]] = field(default_factory=dict)
    needs: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)
    judge: Callable[..., bool] = _always

    def finding(self, row: Mapping[str, Value]) -> Finding:
        """This rule's answer about one crash."""
        missing = []
        for name, allowed in self.only_if.items():
            value = row[name]
            if value is None:
                missing.append(name)
            elif value not in allowed:
                return _settled(self.label, name, value, allowed)
        missing += [name for name in self.needs if row[name] is None]
        if missing:
            return Finding(self.label, "not_judged", needs=tuple(dict.fromkeys(missing)))
        holds = self.judge(**{name: row[name] for name in self.needs})
        said = {**{name: "" for name in self.only_if if name not in self.needs}, **self.needs}
        said |= {name: meaning for name, meaning in self.shows.items() if row[name] is not None}
        evidence = tuple(Evidence(name, row[name], meaning) for name, meaning in said.items())
        return Finding(self.label, "holds" if holds else "does_not_hold", evidence)


@lru_cache(maxsize=2048)
def _settled(label: str, name: str, value: Value, allowed: tuple[Value, ...]) -> Finding:
    wanted = "not " + " or ".join(str(one) for one in allowed)
    return Finding(label, "does_not_hold", (Evidence(name, value, wanted),))
