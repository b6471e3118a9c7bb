"""Names for people: what the compilers mangled, and what somebody made up to exhaust the reader."""

import re
import time

import pytest

from broadstreet.formats.names import demangled
from tests.kernel_cores import said_by

REAL = [
    "_ZNSt6vectorIiSaIiEE9push_backERKi",
    "_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
    "_ZTV3Foo",
    "_ZNKSt3mapIiiSt4lessIiESaISt4pairIKiiEEE2atERS4_",
    "_Z4plusIiET_S0_S0_",
]


@pytest.mark.parametrize("name", REAL)
def test_a_name_is_that_of_binutils_but_for_spaces(name: str) -> None:
    theirs = said_by("c++filt", "--no-params", name).strip()
    letters = [re.sub(r"[^\w:<>~]", "", text) for text in (theirs.partition("::h0123")[0], demangled(name))]
    assert letters[0][:12] in letters[1]


def test_arguments_are_shown() -> None:
    assert demangled("_Z3addid") == "add(int, double)"


def test_what_a_compiler_cut_off_a_function_is_a_clone_of_it() -> None:
    assert demangled("_Z3addid.cold") == "add(int, double) [clone .cold]"
    assert demangled("_Z3addid.part.0") == "add(int, double) [clone .part.0]"
    assert demangled("_Z3ad.cold") == "_Z3ad.cold"


@pytest.mark.parametrize("name", ["main", "", "_Z", "_Z3ad", "_ZN", "Z3addid", "_R3add", "_ZN3foo", "_Z9999999999f"])
def test_a_name_that_is_not_mangled_or_is_damaged_stays_as_it_is(name: str) -> None:
    assert demangled(name) == name


@pytest.mark.parametrize("kind", ["Dc", "Dh", "Dn", "De", "Di", "Du", "Dq", "DB", "DO", "Dw", "z", "u3foo", "Dv4_f"])
def test_a_type_that_the_demangler_does_not_know_is_no_error(kind: str) -> None:
    assert "add" in demangled(f"_Z3add{kind}")


def numbered(index: int) -> str:
    digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return "S_" if index == 0 else f"S{digits[index - 1]}_"


@pytest.mark.parametrize("doublings", [16, 30])
def test_a_name_that_doubles_itself_is_shown_as_it_is_at_once(doublings: int) -> None:
    parts = [f"S_I{numbered(index)}{numbered(index)}E" for index in range(1, doublings)]
    name = "_Z1f1pIiiE" + "".join(parts)
    started = time.process_time()
    assert demangled(name) == name
    assert time.process_time() - started < 1


def test_a_name_that_doubles_itself_a_little_is_shown() -> None:
    shown = demangled("_Z1f1pIiiES_IS0_S0_ES_IS1_S1_E")
    assert (
        shown
        == "f(p<int, int>, p<p<int, int>, p<int, int>>, "
        + "p<p<p<int, int>, p<int, int>>, p<p<int, int>, p<int, int>>>)"
    )


@pytest.mark.parametrize(
    "name", ["_Z1f" + "P" * 1900 + "i", "_Z" + "N" * 1900, "_ZN" + "1aI" * 600, "_Z1f" + "P" * 5000]
)
def test_a_name_that_nests_without_end_is_no_error(name: str) -> None:
    assert demangled(name).startswith(("_Z", "f("))
