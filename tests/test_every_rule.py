"""What every rule must be, over all of them: named, explained, resting on declared columns, and silent on nothing."""

import ast
import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pytest

from broadstreet import labels
from broadstreet.labels import CONTEXTS, MECHANISMS, NOT_JUDGED, SELDOM_JUDGED, UNCLASSIFIED, findings
from broadstreet.labels.rule import Rule
from broadstreet.records.columns import FEATURES
from broadstreet.surfaces.documents import documents

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "broadstreet" / "labels"
RULES = (*MECHANISMS, *CONTEXTS)
TYPES = {"bool": bool, "int": int, "address": int, "text": str}
COLUMNS = {column.name: column for column in FEATURES}
SAYS_OF_CONFUSION = re.compile(r"Known confusions?: \S")

# The labels of the first issue, in its order, and those added since: what others call them by must not change unseen.
MECHANISMS_WANTED = """
    return_to_null call_to_null return_to_nonexecutable jump_to_nonexecutable misaligned_stack wild_stack_pointer
    stack_overflow null_dereference noncanonical_access one_bit_off poison_access unmapped_access write_to_readonly
    impossible_fault code_mismatch illegal_instruction deliberate_trap divide_error bus_error_truncated_file
    bus_error_alignment memory_poisoned protection_key control_protection bad_syscall resource_limit
    abort_heap_corruption abort_assertion abort_stack_smashing abort_fortify abort_uncaught_exception abort_other
    sent_by_process no_fault wrong_result
""".split()
CONTEXTS_WANTED = ["unwinding_exception", "in_signal_handler", "re_raised", "forked_child"]

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.label))


def module_of(rule: Rule) -> ast.Module:
    return ast.parse((FOLDER / f"{rule.label}.py").read_text("utf-8"))


@every_rule
def test_a_label_is_snake_case(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", rule.label)


def test_labels_are_unique_and_none_is_an_answer_of_its_own() -> None:
    names = [rule.label for rule in RULES]
    assert len(set(names)) == len(names)
    assert not {UNCLASSIFIED, NOT_JUDGED} & set(names)


def test_every_file_is_one_rule_and_every_rule_one_file() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "rule"}
    assert files == {rule.label for rule in RULES}


@every_rule
def test_a_rule_is_listed_by_hand_under_its_own_module(rule: Rule) -> None:
    assert getattr(labels, rule.label).RULE is rule
    listed = re.findall(rf"^    {rule.label}\.RULE,$", (FOLDER / "__init__.py").read_text("utf-8"), re.MULTILINE)
    assert len(listed) == 1


def test_every_mechanism_that_was_asked_for_is_there() -> None:
    assert {rule.label for rule in MECHANISMS} == set(MECHANISMS_WANTED)


def test_every_context_finding_that_was_asked_for_is_there() -> None:
    assert [rule.label for rule in CONTEXTS] == CONTEXTS_WANTED


@every_rule
def test_a_summary_is_one_sentence(rule: Rule) -> None:
    assert re.fullmatch(r"[A-Z][^.]+\.", rule.summary)
    assert len(rule.summary) <= 72


@every_rule
def test_a_module_opens_with_its_theory(rule: Rule) -> None:
    text = ast.get_docstring(module_of(rule)) or ""
    assert len(text) > len(rule.summary), "it says no more than the summary"
    assert text[0].isupper()
    assert ":" in text.splitlines()[0], "the first line names the mechanism, then says what it is"


@every_rule
def test_a_module_names_its_known_confusion_or_says_that_there_is_none(rule: Rule) -> None:
    assert SAYS_OF_CONFUSION.search(ast.get_docstring(module_of(rule)) or "")


@every_rule
def test_a_rule_names_declared_columns_only(rule: Rule) -> None:
    named = {*rule.only_if, *rule.needs, *rule.shows}
    assert named <= set(COLUMNS)


@every_rule
def test_a_rule_rests_on_something(rule: Rule) -> None:
    assert rule.only_if or rule.needs


@every_rule
def test_a_value_that_a_rule_asks_for_is_of_its_column_s_type(rule: Rule) -> None:
    for name, allowed in rule.only_if.items():
        assert allowed
        assert {type(value) for value in allowed} == {TYPES[COLUMNS[name].type]}


@every_rule
def test_a_judge_takes_what_the_rule_needs_with_the_column_s_type(rule: Rule) -> None:
    hints = get_type_hints(rule.judge)
    assert hints.pop("return") is bool
    assert tuple(inspect.signature(rule.judge).parameters) == tuple(rule.needs)
    assert hints == {name: TYPES[COLUMNS[name].type] for name in rule.needs}


@every_rule
def test_a_rule_says_what_each_column_tells_it(rule: Rule) -> None:
    for meaning in (*rule.needs.values(), *rule.shows.values()):
        assert meaning
        assert not meaning.endswith(".")
    assert not set(rule.shows) & {*rule.needs, *rule.only_if}, "shown twice"


@every_rule
def test_a_judge_is_pure(rule: Rule) -> None:
    """It reads its arguments and constants; it imports nothing that could tell it more."""
    imported = {node.module for node in ast.walk(module_of(rule)) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"broadstreet.labels.rule", "broadstreet.reading.context"}
    assert not any(isinstance(node, ast.Import | ast.Global | ast.Nonlocal) for node in ast.walk(module_of(rule)))


@every_rule
def test_a_rule_never_tests_for_null(rule: Rule) -> None:
    constants = [node for node in ast.walk(module_of(rule)) if isinstance(node, ast.Constant)]
    assert not any(constant.value is None for constant in constants)


@every_rule
def test_of_nothing_no_rule_says_anything(rule: Rule) -> None:
    found = rule.finding(dict.fromkeys(COLUMNS))
    assert found.state == "not_judged"
    assert found.needs == tuple(dict.fromkeys((*rule.only_if, *rule.needs)))
    assert found.evidence == ()


def test_findings_stand_in_the_order_of_precedence() -> None:
    found = findings(dict.fromkeys(COLUMNS))
    assert [finding.label for finding in found] == [rule.label for rule in RULES]


def test_what_is_seldom_judged_is_a_mechanism() -> None:
    assert set(SELDOM_JUDGED) <= {rule.label for rule in MECHANISMS}


def test_what_the_kernel_states_outranks_what_words_suggest() -> None:
    """The order of labels/__init__.py, where an answer would be wrong in another."""
    order = [rule.label for rule in MECHANISMS]
    for first, second in (
        ("no_fault", "sent_by_process"),
        ("sent_by_process", "null_dereference"),
        ("memory_poisoned", "one_bit_off"),
        ("code_mismatch", "illegal_instruction"),
        ("misaligned_stack", "abort_stack_smashing"),
        ("misaligned_stack", "return_to_nonexecutable"),
        ("wild_stack_pointer", "stack_overflow"),
        ("one_bit_off", "return_to_nonexecutable"),
        ("one_bit_off", "noncanonical_access"),
        ("stack_overflow", "unmapped_access"),
        ("deliberate_trap", "illegal_instruction"),
        ("null_dereference", "unmapped_access"),
        ("poison_access", "noncanonical_access"),
        ("unmapped_access", "impossible_fault"),
    ):
        assert order.index(first) < order.index(second), f"{first} before {second}"


def test_the_page_of_labels_is_what_the_rules_say() -> None:
    assert (ROOT / "docs" / "labels.md").read_text("utf-8") == documents()["labels.md"]


@every_rule
def test_a_rule_has_its_section(rule: Rule) -> None:
    page = (ROOT / "docs" / "labels.md").read_text("utf-8")
    assert f"\n### {rule.label}\n" in page
