"""The rules on frames that come with Broad Street, and those that people give."""

import pytest

from broadstreet.cases.frame_rules import frame_rules, own_rules, own_rules_text
from broadstreet.cases.relevance import sifted
from broadstreet.errors import UsageError


@pytest.mark.parametrize(
    ("frame", "role"),
    [
        ("main", "irrelevant"),
        ("main_loop", "relevant"),
        ("libc.so.6+0x2724a", "irrelevant"),
        ("libstdc++.so.6+0x9d919", "irrelevant"),
        ("ld-linux-x86-64.so.2+0x911a", "irrelevant"),
        ("libcurl.so.4+0x100", "relevant"),
        ("gsignal", "irrelevant"),
        ("cfree", "prefix"),
        ("free_all", "relevant"),
        ("_ZNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE9_M_appendEPKcm", "prefix"),
        ("_ZN7Replica5drainEv", "relevant"),
        ("__assert_fail", "sentinel"),
        ("_ZSt9terminatev", "sentinel"),
        ("__stack_chk_fail", "checker"),
        ("__memcpy_chk", "checker"),
        ("abort", "checker"),
        ("aborted_transaction", "relevant"),
    ],
)
def test_the_own_rules_know_a_frame(frame: str, role: str) -> None:
    assert own_rules().role(frame) == role


def test_what_is_inside_of_an_assertion_is_dropped_and_the_rule_is_named() -> None:
    counted, dropped = sifted(["gsignal", "abort", "__assert_fail", "drain", "main"], own_rules())
    assert counted.frames == ("drain",)
    assert counted.ending == "__assert_fail"
    assert [one.frame for one in dropped] == ["gsignal", "abort", "__assert_fail", "main"]
    assert dropped[0].why == "inside of __assert_fail, a sentinel"


def test_damage_that_a_checker_found_ends_like_any_crash_of_its_caller() -> None:
    counted = sifted(["gsignal", "abort", "__stack_chk_fail", "drain"], own_rules())[0]
    assert (counted.frames, counted.ending) == (("drain",), "")


def test_what_a_signal_interrupted_does_not_count_where_the_handler_itself_crashed() -> None:
    assert sifted(["on_alarm", "<signal>", "work"], own_rules())[0].frames == ("on_alarm",)
    assert sifted(["gsignal", "<signal>", "work"], own_rules())[0].frames == ("work",)


def test_a_stack_of_nothing_but_shared_code_counts_by_it() -> None:
    counted = sifted(["cfree", "main"], own_rules())[0]
    assert (counted.frames, counted.shares, counted.kind) == (("cfree",), (1.0,), "shared")


def test_a_stack_of_nothing_that_tells_is_of_its_own_kind() -> None:
    assert sifted(["main", "_start"], own_rules())[0].kind == "nothing"


def test_a_call_that_had_returned_counts_half() -> None:
    counted = sifted(["cfree", "~admit"], own_rules())[0]
    assert dict(zip(counted.frames, counted.shares, strict=True)) == {"cfree": 0.05, "admit": 0.5}


def test_rules_of_another_text_have_another_version() -> None:
    one, other = frame_rules('version = 3\nprefix = ["a"]'), frame_rules('version = 3\nprefix = ["b"]')
    assert one.version.startswith("3-")
    assert one.version != other.version
    assert one.role("abc") == "prefix"


def test_own_rules_are_valid_rules_to_begin_with() -> None:
    assert frame_rules(own_rules_text()).version == own_rules().version


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("prefix = [", "not TOML"),
        ('prefixes = ["a"]', "no prefixes"),
        ('prefix = "a"', "not a list"),
        ('prefix = ["("]', "missing"),
        ("prefix = [1]", "not a list"),
    ],
)
def test_rules_that_are_none_are_refused(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=what):
        frame_rules(text)
