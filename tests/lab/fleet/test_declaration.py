"""What is wrong in a scenario file is said with its key."""

import re
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.lab.fleet import declaration
from broadstreet.lab.fleet.declaration import Record, declared, place_of, shipped, title
from tests.lab.fleet.small import drawn, scenario

RECIPE = '[{ family = "bug", mechanism = "ingest_null_field", program = "ingest" }]'


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("regions = { north = 2, south = 1 }", "", "`regions` - at `fleet`"),
        ("regions = { north = 2, south = 1 }", "regions = { north = 0 }", "fleet.regions"),
        ("rate = 1.0", "rate = -1.0", "at `cause[1].rate`"),
        ("rate = 1.0", "rat = 1.0", "`rat` - at `cause[1]`"),
        ("rate = 1.0", "", "cause[1].rate"),
        ("rate = 1.0", "rate = 1.0\ncount = 3", "cause[1].rate"),
        ("rate = 1.0", 'rate = 1.0\nper = "exceptions"', "cause[1].per"),
        ("rate = 1.0", "rate = 1.0\ncpu = 2", "cause[1].cpu: hosts have CPUs 0 to 1"),
        ("rate = 1.0", "rate = 1.0\nfrom = 2025-01-10", "cause[1].from"),
        ("rate = 1.0", "rate = 1.0\nfrom = 2026-01-12\nuntil = 2026-01-12", "cause[1].until"),
        ("rate = 1.0", "rate = 1.0\nmultiply = [{ colour = 1, by = 2 }]", "`colour` - at `cause[1].multiply[0]`"),
        ("rate = 1.0", 'rate = 1.0\nmultiply = [{ region = "west", by = 2 }]', "multiply[0].region: no region 'west'"),
        ("rate = 1.0", 'rate = 1.0\nmultiply = [{ region = "north" }]', "`by` - at `cause[1].multiply[0]`"),
        ("rate = 1.0", "rate = 1.0\nonly = { uptime_days = [3, 1] }", "cause[1].only.uptime_days"),
        ('{ physical_host = "bad" }', '{ physical_host = "good" }', "cause[0].only.physical_host: no physical_host"),
        ('{ physical_host = "bad" }', '{ rack = "bad" }', "cause[0].only.rack: no rack 'bad'"),
        (RECIPE, "[]", "at `cause[1].recipes`"),
        ('"ingest_null_field"', '"ingest_nothing"', "cause[1].recipes[0].mechanism: ingest has no bug"),
        ('"rsp-8"', '"rsp-9"', "cause[0].recipes[0].mechanism: ingest has no fault 'rsp-9'"),
        ('family = "bug"', 'family = "curse"', "at `cause[1].recipes[0].family`"),
        ('release = "26.1"', 'release = "26.9"', "cause[0].recipes[0].build: no release '26.9'"),
        ("{ bulk = 1, serve = 1 }", "{ idle = 1 }", "cause[0].recipes[0].variant: no workload 'idle'"),
        ("workloads = { bulk = 1, serve = 1 }", "", "sku[0].workloads"),
        ('{ release = "26.0" }', '{ release = "26.0", from = 2026-02-01 }', "service[0].releases[0].from"),
        ('region = "south" }', 'region = "west" }', "chosen.bad.region: no region 'west'"),
        ("hosts = 48", "hosts = 0", "at `fleet.hosts`"),
        ('name = "bugs"', 'name = "bad_machine"', "cause: 'bad_machine' stands there twice"),
        ("days = 20", "days = 20\nfoo", "small.toml: "),
    ],
)
def test_what_is_wrong_is_said_with_its_key(old: str, new: str, named: str) -> None:
    with pytest.raises(UsageError) as refused:
        scenario((old, new))
    assert named in refused.value.what
    assert refused.value.what.startswith("small.toml: ")


def test_an_unknown_crash_of_the_zoo_is_refused() -> None:
    zoo = '[{ family = "bug", mechanism = "call_null", build = "O9", variant = "plain" }]'
    with pytest.raises(
        UsageError, match=r"cause\[1\]\.recipes\[0\]\.mechanism: the zoo has no 'call_null' in build 'O9'"
    ):
        scenario((RECIPE, zoo))


def test_more_members_than_the_fleet_has_are_refused() -> None:
    with pytest.raises(UsageError, match=r"chosen\.bad\.count: wanted 99 of physical_host"):
        drawn(('region = "south" }', 'region = "south", count = 99 }'))


def test_a_host_that_does_not_live_through_the_period_is_not_chosen() -> None:
    with pytest.raises(UsageError, match=r"chosen\.bad\.count: wanted 15 of host") as refused:
        drawn(('of = "physical_host"', 'of = "host", count = 15'), ('{ physical_host = "bad" }', '{ host = "bad" }'))
    assert "recycled = 0" in refused.value.hint


def test_a_cause_that_can_strike_nowhere_is_refused() -> None:
    with pytest.raises(UsageError, match="'bad_machine': nothing of the fleet"):
        drawn(
            (
                '{ physical_host = "bad" }',
                '{ physical_host = "bad", service_release = "26.1" }\nuntil = 2026-01-15T12:00:00Z',
            )
        )


def test_a_day_is_its_first_second_in_utc() -> None:
    assert scenario().start.isoformat() == "2026-01-10T00:00:00+00:00"
    other = scenario(("start = 2026-01-10", "start = 2026-01-10T02:00:00+02:00"))
    assert other.start.isoformat() == "2026-01-10T00:00:00+00:00"


def test_a_scenario_is_a_name_or_a_path(tmp_path: Path) -> None:
    assert place_of("founding").name == "founding.toml"
    mine = tmp_path / "mine.toml"
    mine.write_text("")
    assert place_of(str(mine)) == mine
    with pytest.raises(UsageError, match="no scenario nowhere") as refused:
        place_of("nowhere")
    assert "founding" in refused.value.hint


@pytest.mark.parametrize("name", shipped())
def test_a_title_fits_in_a_line(name: str) -> None:
    assert 20 <= len(title(name)) <= 100
    text = place_of(name).read_text("utf-8")
    assert "\n# True: " in text
    assert declared(text, name).naive


def test_the_page_explains_every_key_and_every_scenario() -> None:
    page = (Path(__file__).parents[3] / "docs" / "fleet.md").read_text("utf-8")
    records = [one for one in vars(declaration).values() if isinstance(one, type) and issubclass(one, Record)]
    keys = {key for record in records for key in record.__struct_encode_fields__}
    explained = set(re.findall(r"\w+", " ".join(re.findall(r"`[^`\n]+`|\[\w+\]", page))))
    assert len(keys) > 50
    assert keys - explained == set()
    assert {name for name in shipped() if f"\n| {name} |" not in page} == set()
