"""What crashes show together is counted by site, and what was not observed counts for nothing."""

from broadstreet.records.weights import Count
from broadstreet.verdict.profile import profile
from tests.verdict.populations import Crash, bad_machine, outbreak, population, race, shows


def test_a_hundred_findings_at_one_site_are_one() -> None:
    found = profile(*bad_machine(100, sites=1))
    assert (found.strict_cases, found.strict_sites, found.sites) == (100, 1, 1)


def test_findings_in_three_functions_are_three_sites() -> None:
    found = profile(*bad_machine(9, sites=3))
    assert (found.strict_cases, found.strict_sites) == (9, 3)


def test_a_crash_without_a_finding_counts_against_only_at_a_site_without_one() -> None:
    crashes = [Crash(1, "parse", findings=shows("one_bit_off")), Crash(2, "parse"), Crash(3, "hash")]
    found = profile(population(crashes), outbreak([0, 1, 2]))
    assert found.lacking == 1
    assert found.witnesses["lacking"] == ("case-002",)


def test_a_crash_whose_stack_could_not_be_judged_does_not_count_against() -> None:
    unread = shows() | {"misaligned_stack": -1}
    found = profile(population([Crash(1, "parse", findings=unread)] * 3), outbreak([0, 1, 2]))
    assert (found.lacking, found.unjudged) == (0, 3)


def test_a_finding_counts_though_another_could_not_be_judged() -> None:
    half = shows("one_bit_off") | {"misaligned_stack": -1}
    found = profile(population([Crash(1, "parse", findings=half)]), outbreak([0]))
    assert (found.strict_sites, found.unjudged) == (1, 0)
    assert found.strict["misaligned_stack"] == Count(0, 0)


def test_crashes_without_a_frame_are_one_site_at_most() -> None:
    crashes = [Crash(at, "", findings=shows("wild_stack_pointer")) for at in range(5)]
    found = profile(population(crashes), outbreak(range(5)))
    assert (found.strict_sites, found.sites) == (1, None)


def test_a_thread_that_went_where_no_code_is_crashed_in_its_caller() -> None:
    made = population([Crash(1, "0x0"), Crash(2, "0x7f00")])
    assert profile(made, outbreak([0, 1])).sites == 1  # main, that called both


def test_distinct_values_leave_out_what_is_not_known() -> None:
    crashes = [Crash(1, "parse", at={"host": "vm-1"}), Crash(2, "parse"), Crash(3, "parse", at={"host": "vm-2"})]
    found = profile(population(crashes), outbreak([0, 1, 2]))
    assert (found.distinct["host"], found.known["host"]) == (2, 2)
    assert "host" not in found.common


def test_machines_with_a_finding_are_counted_elsewhere_too() -> None:
    crashes = [Crash(at, "parse", findings=shows("one_bit_off"), at={"host": f"vm-{at}"}) for at in range(3)]
    found = profile(population(crashes), outbreak([0], [1, 2], {"host": "vm-0"}))
    assert found.strict_machines == 3


def test_machines_with_a_finding_are_not_known_where_no_host_is() -> None:
    assert (
        profile(population([Crash(1, "parse", findings=shows("one_bit_off"))]), outbreak([0])).strict_machines is None
    )


def test_a_library_is_common_only_if_every_crash_maps_it() -> None:
    crashes = [Crash(1, "parse", at={"build of liba.so": "11"}), Crash(2, "parse")]
    assert profile(population(crashes), outbreak([0])).libraries == {"liba.so": "11"}
    assert profile(population(crashes), outbreak([0, 1])).libraries == {}


def test_a_library_that_one_crash_had_not_loaded_is_not_common() -> None:
    crashes = [
        Crash(1, "parse", at={"build of liba.so": "11"}),
        Crash(2, "parse", at={"build of liba.so": "not loaded"}),
    ]
    assert profile(population(crashes), outbreak([0, 1])).libraries == {}


def test_places_of_a_nameless_function_within_4_kib_are_one_site() -> None:
    near = [Crash(1, "mawk+0x14890"), Crash(2, "mawk+0x14f04")]
    far = [Crash(1, "mawk+0x14890"), Crash(2, "mawk+0x15004"), Crash(3, "bash+0x14890")]
    assert profile(population(near), outbreak([0, 1])).sites == 1
    assert profile(population(far), outbreak([0, 1, 2])).sites == 3


def test_of_a_place_found_by_its_findings_the_crashes_without_count_too() -> None:
    at = {"host": "vm-1"}
    crashes = [Crash(1, "parse", findings=shows("one_bit_off"), at=at), Crash(2, "hash", at=at), Crash(3, "hash")]
    assert profile(population(crashes), outbreak([0], cohort=at, kind="linked")).lacking == 1
    assert profile(population(crashes), outbreak([0], cohort=at)).lacking == 0


def test_findings_of_three_machines_are_not_three_sites_of_one() -> None:
    crashes = [Crash(n, f"f{n}", findings=shows("one_bit_off"), at={"host": f"vm-{n}"}) for n in range(3)]
    assert profile(population(crashes), outbreak(range(3))).strict_sites == 1
    assert profile(population(crashes), outbreak(range(3), cohort={"cpu_model": "x"})).strict_sites == 3


def test_a_library_of_two_builds_has_no_build() -> None:
    assert profile(*race(4, builds=2)).libraries["libunwind.so.8"] == ""


def test_one_dated_crash_has_no_span() -> None:
    assert profile(population([Crash(1, "parse")]), outbreak([0])).span_seconds is None


def test_the_span_is_from_the_first_to_the_last() -> None:
    assert profile(population([Crash(1, "parse"), Crash(3, "parse")]), outbreak([0, 1])).span_seconds == 2 * 86_400
