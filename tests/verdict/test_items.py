"""Each item of evidence finds its level, its neighbour does not, and what is not known says nothing."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from broadstreet.records.outbreak import Outbreak
from broadstreet.records.weights import Count
from broadstreet.verdict.counted import items
from broadstreet.verdict.items import ITEMS
from broadstreet.verdict.judging import levels
from broadstreet.verdict.profile import UNWINDING, Profile, profile
from tests.verdict.populations import NONE_OF_THEM, Crash, bad_machine, compared, outbreak, population, shows

HERE = {"host": "vm-1"}


def level(item: str, crashes: Sequence[Crash], one: Outbreak | None = None) -> str | None:
    made = profile(population(crashes), one or outbreak(range(len(crashes))))
    return levels(made).get(item)


def spread(count: int, **changes: object) -> list[Crash]:
    return [replace(Crash(at, "parse", at={"host": f"vm-{at}"}), **changes) for at in range(count)]  # type: ignore[arg-type]


def on_one(count: int, **at: str) -> list[Crash]:
    return [Crash(n, "parse", at=HERE | at) for n in range(count)]


def one_host(count: int, elsewhere: int = 0, same_as: tuple[str, ...] = ()) -> Outbreak:
    comparison = compared("host", "vm-1", count, count + elsewhere, 1e-4, same_as)
    return outbreak(range(count), range(count, count + elsewhere), HERE, comparison)


def test_every_level_has_a_sentence_and_was_counted() -> None:
    assert set(items().levels) == {item.name for item in ITEMS}
    for item in ITEMS:
        assert set(items().levels[item.name]) == set(item.says)


def test_every_sentence_can_be_said() -> None:
    made = profile(*bad_machine(9, elsewhere=2))
    for item in ITEMS:
        for says in item.says.values():
            assert says(made)


@pytest.mark.parametrize(
    ("cohort", "found"),
    [
        ({"physical_host": "ph-1"}, "one machine"),
        ({"host": "vm-1", "cpu": "3"}, "one machine"),
        ({"microcode": "0x21"}, "a kind of machine"),
        ({"rack": "r1"}, "a kind of machine"),
        ({"service_release": "26.2"}, "software"),
        ({"build of libunwind.so.8": "dbd5"}, "software"),
        ({}, "nobody"),
    ],
)
def test_who_is_hit_is_the_cohort(cohort: dict[str, str], found: str) -> None:
    assert level("who", spread(3), outbreak(range(3), cohort=cohort)) == found


def test_a_place_with_many_different_crashes_is_one_machine() -> None:
    assert level("who", spread(3), outbreak(range(3), cohort={"host": "vm-1"}, kind="linked")) == "one machine"


def test_none_elsewhere() -> None:
    assert level("elsewhere", on_one(9), one_host(9)) == "none"


def test_one_of_ten_elsewhere_is_few_and_two_are_many() -> None:
    assert level("elsewhere", [*on_one(9), *spread(1)], one_host(9, 1)) == "few"
    assert level("elsewhere", [*on_one(8), *spread(2)], one_host(8, 2)) == "many"


def test_elsewhere_says_nothing_where_no_machine_stands_out() -> None:
    assert level("elsewhere", spread(5)) is None


def test_findings_on_two_machines_are_on_several() -> None:
    assert level("finding elsewhere", spread(2, findings=shows("one_bit_off"))) == "several"


def test_a_finding_elsewhere_at_another_place_of_the_code_is_another() -> None:
    here = [replace(one, findings=shows("one_bit_off")) for one in on_one(2)]
    there = [Crash(9, "hash", findings=shows("one_bit_off"), at={"host": "vm-9"})]
    assert level("finding elsewhere", [*here, *there], one_host(2, 1)) == "one"
    assert level("finding elsewhere", [*here, replace(there[0], site="parse")], one_host(2, 1)) == "several"


def test_findings_on_one_machine_are_on_one() -> None:
    crashes = [*(replace(one, findings=shows("one_bit_off")) for one in on_one(2)), *spread(1)]
    assert level("finding elsewhere", crashes, one_host(2, 1)) == "one"


def test_where_nothing_was_found_no_machine_has_it() -> None:
    assert level("finding elsewhere", spread(3)) is None


@pytest.mark.parametrize(
    ("sites", "crashes", "found"), [(1, 9, "one"), (2, 3, "some"), (2, 9, "some"), (3, 9, "many"), (3, 10, "some")]
)
def test_many_functions_are_three_and_a_third_of_the_episodes(sites: int, crashes: int, found: str) -> None:
    every = [Crash(at, f"f{at % sites}") for at in range(crashes)]
    assert level("functions", every) == found


def test_one_crash_says_nothing_of_functions_mechanisms_or_time() -> None:
    found = levels(profile(population([Crash(1, "parse")]), outbreak([0])))
    assert not {"functions", "mechanisms", "time"} & set(found)


def test_crashes_without_a_frame_say_nothing_of_functions() -> None:
    assert level("functions", [Crash(at, "") for at in range(4)]) is None


def test_a_machine_with_one_release_and_one_kernel_varies_in_nothing() -> None:
    assert level("variety", on_one(3, service_release="26.1", kernel_release="6.1"), one_host(3)) == "none"


def test_a_machine_with_two_releases_varies_in_one() -> None:
    assert (
        level("variety", [*on_one(2, service_release="26.1"), *on_one(1, service_release="26.2")], one_host(3)) == "one"
    )


def test_a_machine_with_two_releases_and_two_kernels_varies_in_several() -> None:
    crashes = [
        *on_one(2, service_release="26.1", kernel_release="6.1"),
        *on_one(1, service_release="26.2", kernel_release="6.2"),
    ]
    assert level("variety", crashes, one_host(3)) == "several"


def test_a_machine_of_which_no_release_is_known_says_nothing_of_variety() -> None:
    assert level("variety", on_one(3), one_host(3)) is None


def test_a_place_with_many_different_crashes_has_no_one_way_to_crash_elsewhere() -> None:
    linked = replace(one_host(3, 3), kind="linked")
    assert level("elsewhere", [*on_one(3), *spread(3)], linked) is None


@pytest.mark.parametrize(("days", "found"), [(0.02, "burst"), (0.03, "one day"), (1.5, "days")])
def test_half_an_hour_is_a_burst(days: float, found: str) -> None:
    assert level("time", [Crash(0, "parse"), Crash(days, "parse")]) == found


@pytest.mark.parametrize(
    ("mechanism", "found"),
    [("abort_assertion", "itself"), ("null_dereference", "near null"), ("one_bit_off", "otherwise")],
)
def test_the_end_is_that_of_most(mechanism: str, found: str) -> None:
    crashes = [Crash(at, "parse", mechanism) for at in range(3)]
    assert level("end", [*crashes, Crash(4, "parse", "unmapped_access")]) == found


def test_the_end_of_half_is_not_that_of_most() -> None:
    assert level("end", [Crash(1, "parse"), Crash(2, "parse", "unmapped_access")]) == "otherwise"


def test_ways_to_die_are_counted_without_those_that_are_not_known() -> None:
    names = ["one_bit_off", "unmapped_access", "not_judged"]
    assert level("mechanisms", [Crash(at, "parse", name) for at, name in enumerate(names)]) == "two"
    assert level("mechanisms", [Crash(at, "parse", "unclassified") for at in range(3)]) is None


def test_unwinding_is_all_only_if_it_was_all() -> None:
    assert level("unwinding", spread(3, findings=shows(UNWINDING))) == "all"
    assert level("unwinding", [*spread(3, findings=shows(UNWINDING)), Crash(9, "parse")]) == "not all"


def test_unwinding_that_could_not_be_judged_says_nothing() -> None:
    assert level("unwinding", spread(3, findings=NONE_OF_THEM | {UNWINDING: -1})) is None


def test_an_item_that_does_not_apply_has_no_level() -> None:
    unknown: Profile = profile(
        population([Crash(1, "", "not_judged", {}), Crash(2, "", "not_judged", {})]), outbreak([0, 1])
    )
    assert set(levels(unknown)) == {"who", "time", "end"}


def test_a_ratio_that_may_be_chance_is_none() -> None:
    levels = {"of": {"chance": (Count(6, 20), Count(5, 20)), "told": (Count(18, 20), Count(2, 20))}}
    known = replace(items(), levels=levels)
    assert known.ratio("of", "chance") is None
    assert known.ratio("of", "told") is not None
