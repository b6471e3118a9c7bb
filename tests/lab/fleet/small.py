"""A small fleet as a text, so that a test can say what it changes."""

from broadstreet.lab.fleet import fleet
from broadstreet.lab.fleet.consistency import checked
from broadstreet.lab.fleet.declaration import Scenario, declared

SMALL = """
title = "Small"
naive = "Nothing."
start = 2026-01-10
days = 20

[fleet]
hosts = 48
hosts_per_physical_host = 4
physical_hosts_per_rack = 3
regions = { north = 2, south = 1 }
uptime_days = 3
recycled = 0.5
migration_days = 5
spare = 0.1

[[sku]]
name = "small"
cpu_model = "A"
microcode = "0x1"
updates = [{ microcode = "0x2", from = 2026-01-15, ramp_days = 5 }]
workloads = { bulk = 1, serve = 1 }

[[kernel]]
release = "6.1"
[[kernel]]
release = "6.2"
from = 2026-01-14
ramp_days = 4

[[service]]
name = "ingest"
releases = [{ release = "26.0" }, { release = "26.1", from = 2026-01-16, ramp_days = 6 }]

[chosen]
bad = { of = "physical_host", region = "south" }

[[cause]]
name = "bad_machine"
is = "hardware"
count = 10
from = 2026-01-15T06:30:00Z
only = { physical_host = "bad" }
recipes = [{ family = "fault", mechanism = "rsp-8", program = "ingest" }]

[[cause]]
name = "bugs"
is = "software"
background = true
rate = 1.0
recipes = [{ family = "bug", mechanism = "ingest_null_field", program = "ingest" }]
"""


def scenario(*changes: tuple[str, str], text: str = SMALL) -> Scenario:
    """The small fleet with some text replaced, checked."""
    return checked(declared(changed(*changes, text=text), "small.toml"), "small.toml")


def changed(*changes: tuple[str, str], text: str = SMALL) -> str:
    """The text with some of it replaced; what is replaced must be there."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def drawn(*changes: tuple[str, str], seed: int = 1, text: str = SMALL) -> fleet.Drawn:
    """The small fleet, played."""
    return fleet.drawn(scenario(*changes, text=text), seed)
