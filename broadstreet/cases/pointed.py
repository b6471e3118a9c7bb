"""Which registers and stack words the findings of a case rest on: what an eye should fall upon first."""

from typing import NamedTuple

from broadstreet.formats.architecture import ARCHITECTURES
from broadstreet.records.case import Case

_WORDS = {"word_below_sp": -8, "word_at_sp": 0}
_NAMING = ("base_register", "replay_register")  # features whose value is the name of a register


class Pointed(NamedTuple):
    """Stack words by their distance from the stack pointer, and registers by their names."""

    words: frozenset[int]
    registers: frozenset[str]


def pointed(case: Case) -> Pointed:
    """What the evidence of the findings that hold names. Where a return leaves no word, its register stands for it."""
    architecture = next((one for one in ARCHITECTURES.values() if one.name == case.architecture), None)
    if architecture is None:
        return Pointed(frozenset(), frozenset())
    features = {one.feature for finding in case.findings if finding.state == "holds" for one in finding.evidence}
    words, registers = set[int](), set[str]()
    for name in features & _WORDS.keys():
        if architecture.link is None:
            words.add(_WORDS[name])
        else:
            registers.add(architecture.link)
    registers |= {architecture.pc} if "pc" in features else set()
    registers |= {architecture.sp} if "sp" in features else set()
    registers |= {str(case.features[name]) for name in features & set(_NAMING)}
    return Pointed(frozenset(words), frozenset(registers & case.registers.keys()))
