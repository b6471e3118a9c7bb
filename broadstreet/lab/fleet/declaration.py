"""What a scenario file may say: a fleet, a period, and the causes of its crashes, as frozen records.

The TOML is decoded here and nowhere else; docs/fleet.md explains every key. What can be checked of one record alone
is in its types; `checked` in consistency.py looks at what one part of the file says of another.
"""

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from broadstreet.errors import UsageError
from broadstreet.lab.truth import Cause as Side

SCENARIOS = Path(__file__).parent.parent / "scenarios"
HOUR, DAY = 3600, 86400

Many = Annotated[int, Meta(ge=1)]
MOST = 1e12  # beyond what any fleet has; and so no infinity
Positive = Annotated[float, Meta(gt=0, le=MOST)]
NotNegative = Annotated[float, Meta(ge=0, le=MOST)]
Spread = Annotated[float, Meta(ge=0, le=10)]
Share = Annotated[float, Meta(ge=0, le=1)]
Shares = dict[str, NotNegative]
Names = str | tuple[str, ...]


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A table of the file; a key that it does not know is an error."""


class Fleet(Record, frozen=True, kw_only=True):
    """Hosts (virtual machines) on physical hosts in racks. Days are means of exponential times."""

    hosts: Many
    hosts_per_physical_host: Many = 8
    physical_hosts_per_rack: Many = 10
    spare: Share = 0.02
    zones: Many = 3
    cpus: Many = 2
    regions: Shares
    uptime_days: Annotated[float, Meta(gt=0, le=36500)] = 14.0
    recycled: Share = 0.0
    migration_days: Positive | None = None


class Update(Record, frozen=True, kw_only=True):
    """A microcode that a SKU gets from a date on, at the next boot of each host."""

    microcode: str
    begin: datetime = field(name="from")
    ramp_days: NotNegative = 0.0


class Sku(Record, frozen=True, kw_only=True):
    """A kind of physical host; its workloads go before those of the service."""

    name: str
    share: Positive = 1.0
    cpu_model: str
    microcode: str
    updates: tuple[Update, ...] = ()
    workloads: Shares = {}


class Release(Record, frozen=True, kw_only=True):
    """A release of a service or of the kernel; without a date it was there before the period."""

    release: str
    begin: datetime | None = field(name="from", default=None)
    ramp_days: NotNegative = 0.0


class Service(Record, frozen=True, kw_only=True):
    """What the hosts run; each host one."""

    name: str
    share: Positive = 1.0
    releases: Annotated[tuple[Release, ...], Meta(min_length=1)]
    workloads: Shares = {}


class Tenant(Record, frozen=True, kw_only=True):
    """Whose work a host does: a share of the hosts, or so many hosts and no others."""

    name: str
    share: NotNegative = 0.0
    hosts: Annotated[int, Meta(ge=0)] = 0


class Ramp(Record, frozen=True, kw_only=True):
    """A factor that grows from 1 to `by` between two times, and stays."""

    begin: datetime = field(name="from")
    until: datetime
    by: NotNegative


class Load(Record, frozen=True, kw_only=True):
    """The load of all hosts: 1 on average, a wave each day, times the ramps."""

    daily: Share = 0.0
    peak_hour: Annotated[float, Meta(ge=0, lt=24)] = 14.0
    ramps: tuple[Ramp, ...] = ()


class Exceptions(Record, frozen=True, kw_only=True):
    """Exceptions per hour and host at load 1, by workload; they go with that power of the load.

    `spread` is the sigma of a lognormal factor per host. The counter is read at the end of every row of at_risk, and
    where `read_every_hours` says so more often.
    """

    per_hour: Shares
    spread: Spread = 0.0
    power: NotNegative = 1.0
    read_every_hours: Many | None = None


class Part(Record, frozen=True, kw_only=True):
    """A part of the fleet: all that is named must hold. Hosts, physical hosts and racks are named in `chosen`."""

    host: Names = ()
    physical_host: Names = ()
    rack: Names = ()
    zone: Names = ()
    region: Names = ()
    sku: Names = ()
    cpu_model: Names = ()
    microcode: Names = ()
    kernel_release: Names = ()
    service: Names = ()
    service_release: Names = ()
    workload: Names = ()
    tenant: Names = ()


class Where(Part, frozen=True, kw_only=True):
    """A part of the fleet, at some uptimes: from so many days to before so many."""

    uptime_days: tuple[NotNegative, NotNegative] | None = None


class Multiply(Where, frozen=True, kw_only=True):
    """The hazard times `by`, where all that is named holds."""

    by: NotNegative


class Outage(Part, frozen=True, kw_only=True):
    """A time in which the collector kept fewer core dumps, or none."""

    begin: datetime = field(name="from")
    until: datetime
    ratio: Share = 0.0


class Capture(Record, frozen=True, kw_only=True):
    """How many of the crashes left a core dump that was collected."""

    ratio: Share = 1.0
    outages: tuple[Outage, ...] = ()


class Chosen(Record, frozen=True, kw_only=True):
    """Members of the fleet that the seed chooses, so that a cause can name them."""

    of: Literal["host", "physical_host", "rack"]
    count: Many = 1
    region: str = ""
    sku: str = ""


class Burst(Record, frozen=True, kw_only=True):
    """After a crash, more on the same host: `mean` in all, exponential gaps."""

    mean: Annotated[float, Meta(ge=1)]
    gap_minutes: Positive


class Moves(Record, frozen=True, kw_only=True):
    """After a crash, the same input goes on to other hosts, `hosts` in all."""

    hosts: Annotated[int, Meta(ge=2)]
    minutes: Positive


class Recipe(Record, frozen=True, kw_only=True):
    """Which crash to make, in the words of an order; `release` and `workload` stand for those of the host.

    Of the service `ingest` they need not be said.
    """

    family: Literal["bug", "race", "imitator", "model", "fault"]
    mechanism: str = ""
    program: str = ""
    build: str = ""
    variant: str = ""
    weight: Positive = 1.0


class Cause(Record, frozen=True, kw_only=True):
    """Why crashes happen, where, and how often: a rate or a count, times what multiplies it.

    `rate` is per 1,000 host-hours; per = "load" counts each hour as many times as the load is, and with
    per = "exceptions" it is per million exceptions. `uneven` is the variance of a gamma factor per host.
    """

    name: str
    side: Side = field(name="is")
    background: bool = False
    rate: NotNegative | None = None
    count: Annotated[int, Meta(ge=0)] | None = None
    per: Literal["hours", "load", "exceptions"] = "hours"
    begin: datetime | None = field(name="from", default=None)
    until: datetime | None = None
    only: Where = Where()
    multiply: tuple[Multiply, ...] = ()
    ramps: tuple[Ramp, ...] = ()
    uneven: Spread = 0.0
    cpu: Annotated[int, Meta(ge=0)] | None = None
    burst: Burst | None = None
    moves: Moves | None = None
    recipes: Annotated[tuple[Recipe, ...], Meta(min_length=1)]


class Unrecorded(Record, frozen=True, kw_only=True):
    """Crashes of a cause at whose moment the placement of the host was not written down."""

    cause: str
    cases: Many = 1
    hours: Positive = 6.0


class Scenario(Record, frozen=True, kw_only=True):
    """A whole file."""

    title: str
    naive: str
    start: datetime
    days: Many
    fleet: Fleet
    sku: Annotated[tuple[Sku, ...], Meta(min_length=1)]
    kernel: Annotated[tuple[Release, ...], Meta(min_length=1)]
    service: Annotated[tuple[Service, ...], Meta(min_length=1)]
    tenant: tuple[Tenant, ...] = ()
    load: Load = Load()
    exceptions: Exceptions | None = None
    capture: Capture = Capture()
    chosen: dict[str, Chosen] = {}
    cause: Annotated[tuple[Cause, ...], Meta(min_length=1)]
    unrecorded: tuple[Unrecorded, ...] = ()

    @property
    def seconds(self) -> int:
        """The length of the period."""
        return self.days * DAY

    @property
    def workloads(self) -> set[str]:
        """The names of all."""
        shares = [*(sku.workloads for sku in self.sku), *(service.workloads for service in self.service)]
        return {name for one in shares for name in one}

    def second(self, time: datetime) -> int:
        """A time as seconds since the start; before it, less than zero."""
        return int((time - self.start).total_seconds())


def shipped() -> list[str]:
    """The names of the scenarios that come with the program."""
    return sorted(path.stem for path in SCENARIOS.glob("*.toml"))


def title(name: str) -> str:
    """What a shipped scenario says of itself in one line."""
    return str(tomllib.loads(place_of(name).read_text(encoding="utf-8"))["title"])


def place_of(name: str) -> Path:
    """The file of a shipped scenario, or the one at this path."""
    if name in shipped():
        return SCENARIOS / f"{name}.toml"
    place = Path(name)
    if not place.is_file():
        raise UsageError(f"no scenario {name}", f"Name a TOML file, or one of: {', '.join(shipped())}")
    return place


def declared(text: str, source: str) -> Scenario:
    """Decode a scenario; an error names the file and the key."""
    try:
        return msgspec.convert(_with_times(tomllib.loads(text)), Scenario)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source}: {error}", "Mend the TOML; docs/fleet.md explains every key.") from error
    except OverflowError as error:
        raise UsageError(f"{source}: {error}", "Dates must lie between the years 2 and 9998.") from error
    except msgspec.ValidationError as error:
        what = str(error).replace("`$.", "`").replace(" - at `$`", "")
        raise UsageError(f"{source}: {what}", "docs/fleet.md explains every key.") from error


def _with_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_times(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_times(one) for one in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    return value
