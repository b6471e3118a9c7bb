"""What was true of each host, of each crash at its time, and of each piece of time at risk: the fleet's tables, joined.

Of a host, nothing changes between two neighbouring bounds of its rows. Those stretches are made once; a crash falls
into one of them, and time at risk is cut by them. A crash without a time or a host, and time at risk without a host,
know only what they tell themselves.

A service that is not told is the only one that ran there at the time, on the host or else in its region; where there
were two, it is not known.
"""

from broadstreet.records.columns import FLEET
from broadstreet.records.exposure import UPTIME_BANDS

PLACES = ("region", "zone", "rack", "sku", "cpu_model", "microcode", "kernel_release")
SERVED = ("service", "service_release", "workload")
MEASURES = FLEET["at_risk"].measures
JOINED = ("host", "physical_host", *PLACES, *SERVED, "uptime")
OF_CASES = (*JOINED, "cpu", "numa_node")
OF_TIME = (*JOINED, "tenant")

EVER, NEVER = (
    -(1 << 62),
    1 << 62,
)  # microseconds since 1970: the start of a row that always held, the end of an open one
_BANDS = [(band.name, band.below_seconds * 1_000_000) for band in UPTIME_BANDS if band.below_seconds is not None]
_UPTIME = (
    "CASE WHEN n.start < booted THEN NULL "
    + " ".join(f"WHEN n.start - booted < {below} THEN '{name}'" for name, below in _BANDS)
    + f" WHEN booted IS NOT NULL THEN '{UPTIME_BANDS[-1].name}' END"
)
_VALID = f"""SELECT *, coalesce(epoch_us("from"), {EVER}) AS start, coalesce(epoch_us("to"), {NEVER}) AS stop,
    row_number() OVER () AS number FROM raw_{{0}}"""


def _each(template: str, names: tuple[str, ...]) -> str:
    return ", ".join(template.format(name) for name in names)


# Numbers are those of rows; 0: none holds from here; -1: more than one service does.
STRETCHES = f"""
WITH boots AS MATERIALIZED (SELECT *, epoch_us(boot_time) AS booted FROM ({_VALID.format("hosts")})),
placed AS MATERIALIZED ({_VALID.format("placements")}),
ran AS MATERIALIZED (
    SELECT *, host IS NOT NULL AS on_host, coalesce(host, region) AS place FROM ({_VALID.format("services")})
),
changed AS (
    SELECT on_host, place, moment, sum(one) AS ones, sum(one * number) AS numbers FROM (
        SELECT on_host, place, start AS moment, 1 AS one, number FROM ran
        UNION ALL SELECT on_host, place, stop, -1, number FROM ran
    ) GROUP BY ALL
),
sole AS MATERIALIZED (
    SELECT on_host, place, moment, lead(moment, 1, {NEVER}) OVER so_far AS next,
        CASE sum(ones) OVER so_far WHEN 0 THEN 0 WHEN 1 THEN sum(numbers) OVER so_far ELSE -1 END AS number
    FROM changed WINDOW so_far AS (PARTITION BY on_host, place ORDER BY moment)
),
bounds AS (
    SELECT host, moment, max(boot) AS boot, max(place) AS place, any_value(service) AS service FROM (
        SELECT host, start AS moment, number AS boot, NULL AS place, NULL AS service FROM boots
        UNION ALL SELECT host, stop, 0, NULL, NULL FROM boots
        UNION ALL SELECT host, booted + after, NULL, NULL, NULL
            FROM boots, unnest([0, {", ".join(str(below) for _, below in _BANDS)}]) AS b(after)
            WHERE booted + after > start AND booted + after < stop
        UNION ALL SELECT host, start, NULL, number, NULL FROM placed
        UNION ALL SELECT host, stop, NULL, 0, NULL FROM placed
        UNION ALL SELECT place, moment, NULL, NULL, number::BIGINT FROM sole WHERE on_host
        UNION ALL SELECT h.host, s.moment, NULL, NULL, NULL FROM sole s
            JOIN (SELECT DISTINCT host, region FROM raw_hosts) h ON NOT s.on_host AND s.place = h.region
        UNION ALL SELECT DISTINCT host, {EVER}, NULL, NULL, NULL
            FROM (SELECT host FROM boots UNION ALL SELECT host FROM placed UNION ALL SELECT host FROM ran WHERE on_host)
    ) GROUP BY host, moment
),
numbered AS (
    SELECT host, moment AS start, lead(moment, 1, {NEVER}) OVER so_far AS stop,
        {_each("last_value({0} IGNORE NULLS) OVER so_far AS {0}", ("boot", "place", "service"))}
    FROM bounds WHERE moment < {NEVER} WINDOW so_far AS (PARTITION BY host ORDER BY moment)
)
SELECT n.host, n.start, n.stop, p.physical_host, {_each("h.{0}", PLACES)}, n.boot > 0 AS up, {_UPTIME} AS uptime,
    coalesce(n.service, 0) <> -1 AS one_service, {_each("coalesce(o.{0}, r.{0}) AS {0}", SERVED)},
    map_concat(h.exposures, p.exposures) AS exposures
FROM numbered n LEFT JOIN boots h ON h.number = n.boot LEFT JOIN placed p ON p.number = n.place
LEFT JOIN ran o ON o.number = n.service
LEFT JOIN (SELECT r.*, s.moment, s.next FROM sole s JOIN ran r USING (number) WHERE NOT s.on_host) r
    ON coalesce(n.service, 0) = 0 AND r.place = h.region AND r.moment <= n.start AND n.start < r.next
"""

# The row of the service that is told or was the only one: on the host, else in the region. `{{0}}` has host, region,
# service, and start: the time that is asked about.
_SERVED = f"""
ran AS ({_VALID.format("services")}),
served AS (
    SELECT c.*, {_each("coalesce(o.{0}, r.{0}) AS {0}_there", (*SERVED[1:], "exposures"))} FROM {{0}} c
    LEFT JOIN (SELECT * FROM ran WHERE host IS NOT NULL) o
        ON c.host = o.host AND c.service = o.service AND o.start <= c.start AND c.start < o.stop
    LEFT JOIN (SELECT * FROM ran WHERE host IS NULL) r
        ON c.region = r.region AND c.service = r.service AND r.start <= c.start AND c.start < r.stop
)
"""
_TOLD_SERVED = _each('coalesce(c."{0}", c."{0}_there") AS "{0}"', SERVED[1:])
# Of a virtual host's CPUs nobody knows which of the machine they are. A host is a machine of its own if it is placed
# nowhere, or always on one that never had another host at the same time.
_VIRTUAL = f"""
placed AS ({_VALID.format("placements")}),
shared AS (
    SELECT DISTINCT physical_host FROM placed
    QUALIFY start < max(stop) OVER (
        PARTITION BY physical_host ORDER BY start ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
),
virtual AS (
    SELECT host FROM placed SEMI JOIN shared USING (physical_host)
    UNION SELECT host FROM placed GROUP BY host HAVING count(DISTINCT physical_host) > 1
),
machines AS (SELECT DISTINCT host FROM raw_hosts ANTI JOIN virtual USING (host))
"""

EXPOSURES = f"""
WITH joined AS (
    SELECT c.reading, c.case_id, c.time, c.time_source, c.host, epoch_us(c.time) AS start, c.cpu, c.numa_node, c.labels,
        s.physical_host, {", ".join(f"s.{name}" for name in PLACES if name not in ("region", "kernel_release"))},
        coalesce(s.region, c.region) AS region, coalesce(s.kernel_release, c.kernel_release) AS kernel_release,
        coalesce(c.service, s.service) AS service, c.service_release, c.workload, s.uptime, s.exposures
    FROM current_cases c ASOF LEFT JOIN {{stretches}} s ON c.host = s.host AND epoch_us(c.time) >= s.start
),
{_SERVED.format("joined")},
{_VIRTUAL}
SELECT c.reading, c.case_id, c.time, c.time_source, c.host, c.physical_host, {_each("c.{0}", PLACES)}, c.service,
    {_TOLD_SERVED}, c.uptime,
    CASE WHEN m.host IS NOT NULL THEN c.host || ' cpu ' || c.cpu END AS cpu,
    CASE WHEN m.host IS NOT NULL THEN c.host || ' node ' || c.numa_node END AS numa_node,
    c.labels, map_concat(c.exposures, c.exposures_there) AS exposures
FROM served c LEFT JOIN machines m ON m.host = c.host
"""

_KNOWN = " UNION ALL ".join(
    f"SELECT {moment} AS moment FROM {table}"
    for table in ("raw_hosts", "raw_placements", "raw_services")
    for moment in ('"from"', '"to"')
)
_HOURS = "(stop - start) / 3600e6"

# Hours of hosts are days here: of each day from the first to the last, with all that was counted in it.
# Summed as decimals, which come to the same in any order.
_TOLD = _each("{0}", tuple(c.name for c in FLEET["at_risk"].columns if c.name not in ("from", "to", *MEASURES)))
BY_DAY = f"""
SELECT {_TOLD}, min("from") AS "from", max("to") AS "to", {_each("sum({0}::DECIMAL(38, 6))::DOUBLE AS {0}", MEASURES)}
FROM raw_at_risk GROUP BY {_TOLD}, date_trunc('day', "from")
"""
# Where nobody tells time at risk, it is the time that hosts were up; with two services, once for each.
TIME_AT_RISK = f"""
WITH known AS (
    {_KNOWN} UNION ALL SELECT hour FROM raw_fatal_signals UNION ALL SELECT hour + INTERVAL 1 HOUR FROM raw_fatal_signals
    UNION ALL SELECT time FROM current_cases WHERE time_source <> 'mtime'
),
span AS (SELECT epoch_us(min(moment)) AS first, epoch_us(max(moment)) AS last FROM known),
up AS (
    SELECT s.host, greatest(s.start, first) AS start, least(s.stop, last) AS stop, s.one_service
    FROM {{stretches}} s, span
    WHERE s.up AND greatest(s.start, first) < least(s.stop, last) AND NOT EXISTS (SELECT 1 FROM raw_at_risk)
),
derived AS (
    SELECT u.host, u.start, u.stop, {_each("r.{0}", SERVED)} FROM up u LEFT JOIN ({_VALID.format("services")}) r
        ON NOT u.one_service AND r.host = u.host AND r.start <= u.start AND u.start < r.stop
),
told AS (
    SELECT * EXCLUDE ("from", "to"), epoch_us("from") AS start, epoch_us("to") AS stop FROM {{at_risk}}
    UNION ALL BY NAME SELECT *, {_HOURS} AS host_hours FROM derived
),
joined AS (
    SELECT t.host, greatest(t.start, s.start) AS start, least(t.stop, s.stop) AS stop, t.stop - t.start AS whole,
        {_each("coalesce(t.{0}, s.{0}) AS {0}", ("physical_host", *PLACES, "service"))},
        {_each("t.{0}", ("service_release", "workload", "tenant", *MEASURES))}, s.uptime,
        map_concat(s.exposures, t.exposures) AS exposures
    FROM told t LEFT JOIN {{stretches}} s ON t.host = s.host AND s.start < t.stop AND t.start < s.stop
),
{_SERVED.format("joined")}
SELECT c.host, make_timestamptz(c.start) AS "from", make_timestamptz(c.stop) AS "to", c.physical_host,
    {_each("c.{0}", PLACES)}, c.service, {_TOLD_SERVED}, c.uptime, c.tenant,
    {_each("c.{0} * ((c.stop - c.start) / nullif(c.whole, 0)) AS {0}", MEASURES)},
    map_concat(c.exposures_there, c.exposures) AS exposures
FROM served c
"""
