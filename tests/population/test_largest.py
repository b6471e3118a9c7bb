"""What there is most of, whether it stands out or not."""

from broadstreet.population.largest import largest
from broadstreet.records.outbreak import Large
from tests.population.fleets import Fleet


def test_the_syndromes_with_most_crashes_are_told_with_their_host_and_site() -> None:
    fleet = Fleet(10)
    for day in range(3):
        fleet.crash(4, day + 0.5, "walk|main", "S-walk", **{"mechanism__null_dereference": 1})
    for day in range(5):
        fleet.crash(day, day + 0.1, "free|main", "S-free", **{"mechanism__null_dereference": 0})
    assert largest(fleet.population()) == (
        Large("S-free", 5, 5, None, "free", ""),
        Large("S-walk", 3, 1, "h4", "walk", "null_dereference"),
    )


def test_where_a_host_is_not_known_how_many_there_are_is_not_known() -> None:
    fleet = Fleet(10)
    fleet.crash(1, 0.5)
    fleet.crash(None, 0.6)
    (one,) = largest(fleet.population())
    assert (one.cases, one.hosts, one.host) == (2, None, None)


def test_a_population_without_crashes_has_none() -> None:
    assert largest(Fleet(3).population()) == ()
