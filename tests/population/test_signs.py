"""What crashes show: three states, and only what tells crashes apart."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from broadstreet.population import signs
from broadstreet.population.libraries import attributes, builds, library
from broadstreet.population.population import Sign


def coded(*values: int) -> "np.ndarray[tuple[int], np.dtype[np.int32]]":
    return np.array(values, np.int32)


def told(some: Sequence[Sign]) -> Mapping[str, list[int]]:
    return {sign.name: sign.cases.tolist() for sign in some}


def test_of_a_crash_that_could_not_be_judged_no_mechanism_is_known() -> None:
    found = told(list(signs.mechanisms(coded(0, 1, 2), ["bad_branch", "not_judged", "trap"])))
    assert found == {"mechanism bad_branch": [1, -1, 0], "mechanism trap": [0, -1, 1]}


def test_a_finding_holds_does_not_or_is_not_known() -> None:
    found = told(
        list(
            signs.findings(
                (coded(0, 1, 1, 1), ["a,b", ""]),
                (coded(0, 1, 0, 0), ["", "a"]),
                (coded(0, 0, 0, 1), ["7", "8"]),
                {"7": ["a", "b"], "8": ["a"]},
            )
        )
    )
    assert found == {"finding a": [1, -1, 0, 0], "finding b": [1, 0, 0, -1]}


def test_a_label_that_another_begins_with_is_not_that_label() -> None:
    (one,) = signs.findings(
        (coded(0), ["stack_overflow_deep"]), (coded(0), [""]), (coded(0), ["7"]), {"7": ["stack_overflow"]}
    )
    assert one.cases.tolist() == [0]


def test_of_a_feature_with_two_values_the_rarer_one_is_told() -> None:
    assert told(list(signs.features("stack_shift", coded(0, 0, 1, -1), ["0", "8"]))) == {
        "feature stack_shift = 8": [0, 0, 1, -1]
    }
    assert told(list(signs.features("null_base", coded(0, 1, -1), ["false", "true"]))) == {
        "feature null_base": [0, 1, -1]
    }
    assert len(list(signs.features("arrival", coded(0, 1, 2), ["call", "jump", "return"]))) == 3
    assert list(signs.features("pid", coded(*range(13)), [str(n) for n in range(13)])) == []


def test_a_finding_of_all_crashes_is_kept_and_a_feature_of_all_says_nothing() -> None:
    some = [
        Sign("a", "finding", np.array([1, -1], np.int8)),
        Sign("b", "finding", np.array([0, -1], np.int8)),
        Sign("c", "feature", np.array([1, 1], np.int8)),
        Sign("d", "feature", np.array([1, 0], np.int8)),
    ]
    assert list(signs.telling(some)) == ["a", "d"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/usr/lib/libunwind.so.8.0.1", "libunwind.so.8"),
        ("/usr/lib/libm.so.6", "libm.so.6"),
        ("/opt/libfoo-1.2.so", "libfoo-1.2.so"),
        ("/opt/app/bin/ingest", "ingest"),
        ("/usr/lib/libz.so.1.2.13 (deleted)", "libz.so.1"),
        ("/usr/lib/python3/x.cpython-311-x86_64-linux-gnu.so", "x.cpython-311-x86_64-linux-gnu.so"),
        ("[vdso]", None),
    ],
)
def test_a_library_is_called_by_its_soname(path: str, name: str | None) -> None:
    assert library(path) == name


def test_a_library_is_not_loaded_only_where_the_list_is_whole() -> None:
    row = {"service": "s", "service_release": "1", "library": None, "library_release": None}
    sets = builds(
        iter(
            [
                {**row, "module_set": "x", "path": "/lib/liba.so.1", "build_id": "aa" * 20},
                {**row, "module_set": "y", "path": "/lib/liba.so.1", "build_id": None},
                {**row, "module_set": "z", "path": "/lib/libb.so.1", "build_id": "bb" * 20, "library_release": "2.1"},
            ]
        )
    )
    found, modules = attributes(coded(0, 1, 2, 2, -1), list(sets.values()), np.array([True, True, True, False, True]))
    values = {one.name: [None if code < 0 else one.values[code] for code in one.cases] for one in found}
    assert values["build of liba.so.1"] == ["a" * 12, None, "not loaded", None, None]
    assert values["build of libb.so.1"] == [
        "not loaded",
        "not loaded",
        "bbbbbbbbbbbb (2.1)",
        "bbbbbbbbbbbb (2.1)",
        None,
    ]
    assert told(modules)["module liba.so.1"] == [1, 1, 0, -1, -1]
