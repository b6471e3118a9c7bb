"""Registers and words that a finding names are pointed at, those of a finding that does not hold are not."""

from dataclasses import replace

from broadstreet.cases.pointed import pointed
from broadstreet.pipeline.scanning import judged
from broadstreet.records.case import Case
from broadstreet.records.finding import Evidence, Finding
from tests.store.examined import case, corpus


def crash(*findings: Finding, **changes: object) -> Case:
    return replace(case(corpus()[0]), findings=findings, **changes)  # type: ignore[arg-type]


def holds(*features: str) -> Finding:
    return Finding("any", "holds", tuple(Evidence(name, 0, "") for name in features))


def test_the_word_that_a_return_popped_is_pointed_at() -> None:
    assert pointed(crash(holds("word_below_sp", "pc"))) == (frozenset({-8}), frozenset({"rip"}))


def test_a_finding_that_does_not_hold_points_at_nothing() -> None:
    finding = Finding("any", "does_not_hold", (Evidence("pc", 0, ""), Evidence("word_at_sp", 0, "")))
    assert pointed(crash(finding)) == (frozenset(), frozenset())


def test_a_register_that_a_feature_names_is_pointed_at() -> None:
    named = crash(holds("base_register"))
    features = {**named.features, "base_register": "rbx"}
    assert pointed(replace(named, features=features)).registers == {"rbx"}


def test_where_a_return_address_is_in_a_register_that_stands_for_the_word() -> None:
    arm = crash(holds("word_below_sp", "sp"), architecture="aarch64", registers={"x30": 0, "sp": 16, "pc": 4})
    assert pointed(arm) == (frozenset(), frozenset({"x30", "sp"}))


def test_only_registers_that_were_read_are_pointed_at() -> None:
    assert pointed(crash(holds("pc"), registers={})).registers == frozenset()
    assert pointed(crash(holds("pc"), architecture="riscv64")) == (frozenset(), frozenset())


def test_every_crash_of_the_corpus_has_a_place_to_look_at_or_none_at_all() -> None:
    for one in map(case, corpus()):
        found = pointed(judged(one))
        assert found.words <= {-8, 0}
        assert found.registers <= one.registers.keys()
