"""The SQL behind each observed number: one SELECT over the documented views, which `broadstreet sql` answers."""

from collections.abc import Iterable, Sequence

from broadstreet.records.weights import STRICT
from broadstreet.verdict.profile import Profile

COLUMNS = ("host", "service_release", "kernel_release", "workload", "service", "region", "cpu")
"""Exposures that are columns of `cases`. The rest is joined from the fleet's tables, at the time of the crash."""

SITE = "split_part(cases.frames, '|', 1)"


def _in(cases: Iterable[str]) -> str:
    return f"case_id IN ({', '.join(_text(case) for case in cases)})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _all(p: Profile) -> str:
    return _in(p.witnesses.get("all", ()))


def _exposure(name: str) -> tuple[str, str]:
    if name in COLUMNS:
        return f"cases.{name}", ""
    if name == "physical_host":
        join = " LEFT JOIN placements f ON f.host = cases.host AND cases.time >= coalesce(f.\"from\", '-infinity')"
        return "f.physical_host", join + " AND cases.time < coalesce(f.\"to\", 'infinity')"
    if name in ("zone", "rack", "sku", "cpu_model", "microcode"):
        join = " LEFT JOIN hosts f ON f.host = cases.host AND cases.time >= coalesce(f.\"from\", '-infinity')"
        return f"f.{name}", join + " AND cases.time < coalesce(f.\"to\", 'infinity')"
    if name.startswith("build of "):
        library = _text("%/" + name.removeprefix("build of "))
        return "f.build_id", f" LEFT JOIN modules f ON f.case_id = cases.case_id AND f.path LIKE {library}"
    return f"cases.labels[{_text(name)}]", ""


def by_exposure(p: Profile, names: Sequence[str]) -> str:
    """Crashes, inside and elsewhere, by one exposure."""
    column, join = _exposure(names[0])
    cases = _in((*p.witnesses.get("all", ()), *p.witnesses.get("elsewhere", ())))
    return (
        f"SELECT {column} AS value, count(*) AS crashes FROM cases{join} WHERE cases.{cases} GROUP BY 1 ORDER BY 2 DESC"
    )


def elsewhere(p: Profile) -> str:
    """Where the crashes of the same kind outside of the cohort happened."""
    return f"SELECT case_id, time, host, service_release FROM cases WHERE {_in(p.witnesses.get('elsewhere', ()))}"


def sites(p: Profile) -> str:
    """The innermost frame of each crash."""
    return f"SELECT {SITE} AS site, count(*) AS crashes FROM cases WHERE {_all(p)} GROUP BY 1 ORDER BY 2 DESC"


def distinct(p: Profile, names: Sequence[str]) -> str:
    """How many different values each exposure has."""
    counted = ", ".join(f"count(DISTINCT {name}) AS {name}" for name in names if name in COLUMNS)
    return f"SELECT {counted} FROM cases WHERE {_all(p)}"


def times(p: Profile) -> str:
    """The first and the last crash."""
    return f"SELECT min(time), max(time), date_diff('second', min(time), max(time)) FROM cases WHERE {_all(p)}"


def mechanisms(p: Profile) -> str:
    """Crashes by mechanism."""
    return f"SELECT mechanism, count(*) FROM cases WHERE {_all(p)} GROUP BY 1 ORDER BY 2 DESC"


def finding(p: Profile, *labels: str) -> str:
    """How each crash answers these rules."""
    names = ", ".join(_text(label) for label in labels)
    where = f"label IN ({names}) AND {_all(p)}"
    return f"SELECT label, state, count(*) FROM findings WHERE {where} GROUP BY 1, 2 ORDER BY 1, 2"


def strict(p: Profile) -> str:
    """The sites of the crashes with a strict finding."""
    names = ", ".join(_text(label) for label in STRICT)
    return (
        f"SELECT {SITE} AS site, s.label, count(*) AS crashes FROM cases JOIN findings s USING (case_id) "
        f"WHERE s.state = 'holds' AND s.label IN ({names}) AND cases.{_all(p)} GROUP BY 1, 2 ORDER BY 3 DESC"
    )


def finding_machines(p: Profile) -> str:
    """The hosts of the crashes with a strict finding, inside and elsewhere."""
    names = ", ".join(_text(label) for label in STRICT)
    cases = _in((*p.witnesses.get("all", ()), *p.witnesses.get("elsewhere", ())))
    column, join = _exposure("physical_host" if "physical_host" in p.distinct else "host")
    return (
        f"SELECT {column} AS machine, count(DISTINCT cases.case_id) AS crashes FROM cases{join} "
        "JOIN findings s ON s.case_id = cases.case_id "
        f"WHERE s.state = 'holds' AND s.label IN ({names}) AND cases.{cases} GROUP BY 1 ORDER BY 2 DESC"
    )
