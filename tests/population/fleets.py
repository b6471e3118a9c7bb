"""Small populations by hand: a fleet of equal hosts, and crashes put where a test wants them."""

from collections.abc import Mapping, Sequence

import numpy as np

from broadstreet.population.population import AtRisk, Attribute, Population, Sign

DAY = 86400.0
START = 1_767_225_600.0  # 2026-01-01


class Fleet:
    """So many hosts for so many days, each with what `of_host` says of its number; crashes are added one by one."""

    def __init__(self, hosts: int, days: int = 28, **of_host: Sequence[str]) -> None:
        self.hosts, self.days = hosts, days
        self.of_host = {"host": [f"h{n}" for n in range(hosts)], **of_host}
        self.rows: list[tuple[int | None, float, str, str, Mapping[str, int]]] = []

    def crash(self, host: int | None, day: float, trace: str = "f|main", syndrome: str = "S-1", **signs: int) -> None:
        """One crash; a host that is not known is null, a sign that was not observed is left out."""
        self.rows.append((host, day, trace, syndrome, signs))

    def everywhere(self, crashes: int, seed: int = 1, **told: int) -> None:
        """So many crashes at random, evenly over hosts and time."""
        random = np.random.default_rng(seed)
        for host, day in zip(random.integers(0, self.hosts, crashes), random.random(crashes) * self.days, strict=True):
            self.crash(int(host), float(day), **told)

    def population(self, untold: Sequence[str] = ()) -> Population:
        """The columns. Of exposures that are `untold` no time at risk is known."""
        rows = sorted(self.rows, key=lambda row: row[1])
        host = np.array([-1 if row[0] is None else row[0] for row in rows], np.int32)
        traces = sorted({row[2] for row in rows})
        syndromes = sorted({row[3] for row in rows})
        names = sorted({name for row in rows for name in row[4]})
        return Population(
            case_ids=[f"case-{number}" for number in range(len(rows))],
            time=np.array([START + row[1] * DAY for row in rows]),
            dated=np.ones(len(rows), bool),
            trace=np.array([traces.index(row[2]) for row in rows], np.int32),
            traces=traces,
            frames=[tuple(trace.split("|")) for trace in traces],
            syndrome=np.array([syndromes.index(row[3]) for row in rows], np.int32),
            syndromes=syndromes,
            exposures={name: self._attribute(name, values, host, untold) for name, values in self.of_host.items()},
            signs={
                name.replace("__", " "): Sign(
                    name.replace("__", " "),
                    name.split("__")[0],
                    np.array([row[4].get(name, -1) for row in rows], np.int8),
                )
                for name in names
            },
            at_risk=AtRisk(
                np.full(self.hosts, START),
                np.full(self.hosts, START + self.days * DAY),
                {"host_hours": np.full(self.hosts, self.days * 24.0)},
            ),
            start=START,
            end=START + self.days * DAY,
        )

    def _attribute(self, name: str, values: Sequence[str], host: np.ndarray, untold: Sequence[str]) -> Attribute:
        distinct = sorted(set(values))
        codes = np.array([distinct.index(value) for value in values], np.int32)
        of_cases = np.where(host < 0, -1, codes[host]).astype(np.int32)
        return Attribute(name, distinct, of_cases, None if name in untold else codes)
