"""The sentence that a person reads first."""

import re
from dataclasses import replace

import pytest

from broadstreet.cases.case import case_of
from broadstreet.cases.headline import headline, near_miss, summary_of
from broadstreet.labels import CONTEXTS, MECHANISMS
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances
from broadstreet.records.finding import Evidence, Finding
from tests.features.machines import MACHINES
from tests.features.read_back import dump, reading


def case(name: str, binaries: bool = True) -> Case:
    return case_of(reading(dump(name), binaries), Circumstances(path="core"), 0, 0)


def with_mechanism(label: str, *holding: str) -> str:
    findings = tuple(Finding(one, "holds") for one in (label, *holding))
    return headline(replace(case("a living process"), mechanism=label, signal=11, findings=findings))


@pytest.mark.parametrize("label", [rule.label for rule in MECHANISMS])
def test_every_mechanism_gives_one_sentence(label: str) -> None:
    assert re.fullmatch(r"[A-Z][^.]+\.", with_mechanism(label))


@pytest.mark.parametrize("name", MACHINES)
def test_every_machine_gives_one_sentence(name: str) -> None:
    for found in (case(name), case(name, binaries=False)):
        assert re.fullmatch(r"[A-Z][^.]+\.", headline(found))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ret popped zero", "A return instruction popped zero."),
        (
            "a return to null after an unwinder",
            "A return instruction popped zero, while an exception was being unwound.",
        ),
        ("a fault in a forked child", "A small offset from a null pointer was accessed, in a forked child."),
        ("a fault in a handler", "A small offset from a null pointer was accessed, inside of a signal handler."),
        ("quit from its own terminal", "SIGQUIT by none of the mechanisms that are known."),
    ],
)
def test_the_sentence_says_what_happened_and_what_went_on_around_it(name: str, sentence: str) -> None:
    assert headline(case(name)) == sentence


def test_without_binaries_the_sentence_says_that_too_little_was_seen() -> None:
    sentence = "SIGSEGV; too little of the crash could be seen to name a mechanism."
    assert headline(case("pointer of garbage", binaries=False)) == sentence


def test_a_signal_without_a_name_has_its_number() -> None:
    unknown = replace(case("quit from its own terminal"), signal=77)
    assert headline(unknown) == "signal 77 by none of the mechanisms that are known."


def test_several_circumstances_are_joined() -> None:
    sentence = with_mechanism("divide_error", "forked_child", "in_signal_handler")
    assert sentence == "An integer division failed, inside of a signal handler and in a forked child."


def test_a_label_is_explained_by_its_rule_s_summary() -> None:
    assert {rule.label: summary_of(rule.label) for rule in (*MECHANISMS, *CONTEXTS)} == {
        rule.label: rule.summary for rule in (*MECHANISMS, *CONTEXTS)
    }


@pytest.mark.parametrize(
    ("finding", "is_near"),
    [
        (Finding("x", "does_not_hold", (Evidence("stack_shift", 0, "moving sp mends the chain"),)), True),
        (Finding("x", "does_not_hold", (Evidence("signal", 6, "not 11"),)), False),
        (Finding("x", "holds", (Evidence("stack_shift", 8, "moving sp mends the chain"),)), False),
        (Finding("x", "not_judged", needs=("stack_shift",)), False),
    ],
)
def test_a_near_miss_was_asked_in_earnest(finding: Finding, is_near: bool) -> None:
    assert near_miss(finding) is is_near
