"""One rule's answer about one case, with the evidence it rests on."""

from typing import Literal, NamedTuple

State = Literal["holds", "does_not_hold", "not_judged"]
Value = int | str | bool | None


class Evidence(NamedTuple):
    """An observed feature, its value, and what it says."""

    feature: str
    value: Value
    meaning: str


class Finding(NamedTuple):
    """`needs` names the features that were missing when the state is not_judged, else it is empty."""

    label: str
    state: State
    evidence: tuple[Evidence, ...] = ()
    needs: tuple[str, ...] = ()
