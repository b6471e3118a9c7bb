"""The SQL behind each observed number: one SELECT over the documented views, which `broadstreet sql` answers."""

from collections.abc import Callable, Iterable, Sequence

from broadstreet.records.weights import STRICT
from broadstreet.verdict.profile import LIBRARY, Profile

COLUMNS = (
    "host physical_host region zone rack sku cpu_model microcode kernel_release service service_release workload "
    "uptime cpu numa_node"
).split()
"""Exposures that are columns of the view `exposures`: what was true of a case at its time."""

WITHOUT_VIEW = ("exceptions per hour",)
"""Exposures that are made of time at risk in quarters, and stand in no view."""
LONGEST = 120_000
"""Characters: Linux takes 131,072 bytes as one argument. What is longer cannot be pasted, and is not given."""
AN_ID = 36  # characters of a case id, quoted, and a comma

SITE = "list_filter(string_split(cases.frames, '|'), lambda f: NOT starts_with(f, '0x'))[1]"


def pasteable(cases: int, select: Callable[[], str]) -> str:
    """The SELECT, or nothing where it would name so many cases that no shell takes it."""
    return select() if cases * AN_ID <= LONGEST else ""


def in_cases(cases: Iterable[str]) -> str:
    """The condition that a row is of one of these cases."""
    return f"case_id IN ({', '.join(_text(case) for case in cases)})"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _all(p: Profile) -> str:
    return in_cases(p.witnesses.get("all", ()))


def _both(p: Profile) -> str:
    return in_cases((*p.witnesses.get("all", ()), *p.witnesses.get("elsewhere", ())))


def _exposure(name: str) -> tuple[str, str]:
    if name in COLUMNS:
        return f"e.{name}", ""
    if name.startswith(LIBRARY):
        path = _text("%/" + name.removeprefix(LIBRARY) + "%")
        return "m.build_id", f" LEFT JOIN modules m ON m.case_id = e.case_id AND m.path LIKE {path}"
    key = _text(name.removeprefix("label "))
    return f"coalesce(e.exposures[{key}], e.labels[{key}])", ""


def by_exposure(p: Profile, names: Sequence[str]) -> str:
    """Crashes, inside and elsewhere, by one exposure."""
    return by_value(names[0], (*p.witnesses.get("all", ()), *p.witnesses.get("elsewhere", ())))


def by_value(name: str, cases: Iterable[str]) -> str:
    """These crashes by one exposure; nothing where no view has it."""
    if name in WITHOUT_VIEW:
        return ""
    column, join = _exposure(name)
    counted = f"SELECT {column} AS value, count(DISTINCT e.case_id) AS crashes FROM exposures e{join}"
    return f"{counted} WHERE e.{in_cases(cases)} GROUP BY 1 ORDER BY 2 DESC"


def elsewhere(p: Profile) -> str:
    """Where the crashes of the same kind outside of the cohort happened."""
    return (
        f"SELECT case_id, time, host, physical_host FROM exposures WHERE {in_cases(p.witnesses.get('elsewhere', ()))}"
    )


def sites(p: Profile) -> str:
    """The innermost frame of each crash."""
    return f"SELECT {SITE} AS site, count(*) AS crashes FROM cases WHERE {_all(p)} GROUP BY 1 ORDER BY 2 DESC"


def distinct(p: Profile, names: Sequence[str]) -> str:
    """How many different values each exposure has."""
    counted = ", ".join(f"count(DISTINCT {name}) AS {name}" for name in names if name in COLUMNS)
    return f"SELECT {counted} FROM exposures WHERE {_all(p)}"


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
    """The sites of the crashes by strict finding; the label is null where a crash has none."""
    names = ", ".join(_text(label) for label in STRICT)
    held = f"SELECT case_id, label FROM findings WHERE state = 'holds' AND label IN ({names})"
    return (
        f"SELECT {SITE} AS site, s.label, count(*) AS crashes FROM cases LEFT JOIN ({held}) s USING (case_id) "
        f"WHERE cases.{_all(p)} GROUP BY 1, 2 ORDER BY 3 DESC"
    )


def finding_machines(p: Profile) -> str:
    """The machines of the crashes with a strict finding, inside and elsewhere."""
    names = ", ".join(_text(label) for label in STRICT)
    column, _ = _exposure("physical_host" if "physical_host" in p.distinct else "host")
    return (
        f"SELECT {column} AS machine, count(DISTINCT e.case_id) AS crashes FROM exposures e "
        f"JOIN findings s USING (case_id) WHERE s.state = 'holds' AND s.label IN ({names}) AND e.{_both(p)} "
        "GROUP BY 1 ORDER BY 2 DESC"
    )
