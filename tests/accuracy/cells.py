"""The campaign, as data: which scenario, how often, how it is scored, and what is claimed of the scores.

Numbers of runs are what a claim of that size needs: to show at most 1 % with 95 % confidence takes 300 runs without
one, 0 in 1,000 takes 1,000.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from tests.accuracy import alarms
from tests.simulation import outcomes, scenarios, varied
from tests.simulation.outcomes import Run, Scores
from tests.simulation.populate import Scenario

Says = Callable[[Run], Scores]


@dataclass(frozen=True)
class Cell:
    """One row of one table. `quick` runs are those of the small campaign; `verdicts`: they are argued too."""

    group: str
    name: str
    scenario: Callable[[int], Scenario]
    score: Says
    runs: int
    quick: int
    verdicts: bool = False
    survey: bool = True


@dataclass(frozen=True)
class Claim:
    """What is asked of a group: `metric` over its cells (of all, if none is named) must be `least` at least, or `most`.

    `statistic` is the share of runs, the median or mean of what was measured, the precision of all that is called
    hardware, or what becomes of 90 % that is stated.
    """

    group: str
    says: str
    metric: str
    cells: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    statistic: str = "share"


def _nothing(run: Run) -> Scores:
    return outcomes.nothing(run, innocent=("tenant",))


def _told(attribute: str, *values: str) -> Says:
    return lambda run: outcomes.told(run, attribute, *values)


SKU_NULLS = tuple(f"only workload: {crashes}" for crashes in (20, 60, 200, 2_000))
BANDS = ("7 d to 30 d", "over 30 d")
NULL, HOST, PLACE, TWO, ONE = "Nothing to find", "One bad host", "The right level", "Two causes", "One cause"
SKU, TIME, ONSET = "SKU or workload", "Uptime", "Since when"
VERSION, HARD, SOFT, STORY = "Versions", "Bad hardware", "Software", "The founding story"


def _cells() -> tuple[Cell, ...]:
    cells: list[Cell] = []

    def add(group: str, name: str, scenario: Callable[[int], Scenario], score: Says, runs: int, **more: bool) -> None:
        cells.append(Cell(group, name, scenario, score, runs, max(2, runs // 60), **more))

    for name in scenarios.NULLS:
        add(NULL, name, partial(scenarios.null, name=name), _nothing, 100)
    for background, counts in ((100, (3, 4, 5, 7, 10)), (1_000, (3, 4, 5, 7, 10)), (10_000, (5, 7, 10, 20))):
        for k in counts:
            runs = 80 if (background, k) in ((100, 3), (1_000, 5)) else 20
            add(
                HOST,
                f"{k} against {background:,}",
                partial(scenarios.bad_host, k=k, background=background),
                outcomes.found,
                runs,
            )
    for excess, background in ((10, 100), (20, 1_000)):
        add(
            PLACE,
            f"rack: {excess} against {background:,}",
            partial(scenarios.bad_rack, excess=excess, background=background),
            outcomes.found,
            50,
        )
    for k in (5, 10):
        add(PLACE, f"CPU of a whole machine: {k}", partial(scenarios.bad_cpu, k=k), outcomes.found, 100)
    parted = partial(outcomes.parted, small="bad host", large="bug")
    for crashes, share in ((20, 0.2), (40, 0.1), (40, 0.2), (100, 0.1)):
        name = f"{round(share * crashes)} of {crashes} from one host, a sign in 90 % and 5 %"
        add(
            TWO,
            name,
            partial(scenarios.two_causes, crashes=crashes, share=share),
            parted,
            200 if (crashes, share) == (40, 0.2) else 50,
        )
    add(
        TWO,
        "8 of 40 from one host, no sign",
        partial(scenarios.two_causes, crashes=40, share=0.2, with_sign=False),
        parted,
        50,
    )
    build = partial(outcomes.parted, small="build", large="bug")
    add(
        TWO,
        "40 of 100 from one library build, a sign in 90 % and 5 %",
        partial(scenarios.two_causes_elsewhere, crashes=100, share=0.4),
        build,
        50,
    )
    second = partial(outcomes.parted, small="bad host", large="regression")
    add(TWO, "a release and a host, same mechanism and stack", scenarios.second_story, second, 100)
    for how in varied.SHAPES:
        add(ONE, how, partial(varied.single_cause, how=how), outcomes.single, 1_000 // len(varied.SHAPES))
    for crashes in (20, 60, 200, 2_000):
        add(SKU, f"only workload: {crashes}", partial(scenarios.sku_is_workload, crashes=crashes), _told("sku"), 100)
    for crashes in (60, 200):
        add(
            SKU,
            f"three times, really: {crashes}",
            partial(scenarios.sku_is_real, crashes=crashes, times=3.0),
            _told("sku", "ingest"),
            50,
        )
    add(SKU, "aliased: 200", partial(scenarios.sku_is_aliased, crashes=200), _told("sku", "ingest"), 100)
    for crashes in (60, 300):
        add(TIME, f"memoryless: {crashes}", partial(scenarios.uptime, crashes=crashes, times=1.0), _told("uptime"), 200)
        add(
            TIME,
            f"three times after 7 d: {crashes}",
            partial(scenarios.uptime, crashes=crashes, times=3.0),
            _told("uptime", *BANDS),
            50,
        )
    add(ONSET, "0.2 a day, then 2", scenarios.jumps, partial(outcomes.onset, name="jump"), 200)
    add(ONSET, "0.2 a day for five years", partial(scenarios.stationary, a_day=0.2), outcomes.steady, 100)
    add(ONSET, "2 a day for five years", partial(scenarios.stationary, a_day=2.0), outcomes.steady, 50)
    add(ONSET, "alarm: 0.2 a day, then 2", scenarios.jumps, alarms.delay, 200, survey=False)
    add(
        ONSET,
        "alarm: 0.2 a day for five years",
        partial(scenarios.stationary, a_day=0.2),
        alarms.false_alarms,
        200,
        survey=False,
    )
    add(
        ONSET,
        "alarm: 2 a day for five years",
        partial(scenarios.stationary, a_day=2.0),
        alarms.false_alarms,
        200,
        survey=False,
    )
    for attribute, value in (
        ("microcode", "0x2b000590"),
        ("build of libunwind", "1.8.0"),
        ("kernel_release", "6.12.41"),
        ("service_release", "26.1"),
    ):
        made = partial(scenarios.update, attribute=attribute, value=value, times=10.0, crashes=60)
        add(VERSION, f"{attribute}, ten times, 60 crashes", made, _told(attribute, value), 50)
    for k in (3, 5, 10):
        add(HARD, f"{k} crashes", partial(varied.bad_machine, k=k), outcomes.judged, 250, verdicts=True)
    for manner in varied.MANNERS:
        runs = -(-1_000 // len(varied.MANNERS))
        add(SOFT, manner, partial(varied.software, manner=manner), outcomes.judged, runs, verdicts=True)
    told = partial(outcomes.story, small="bad host", large="race")
    add(STORY, "founding", scenarios.founding, told, 40, verdicts=True)
    told = partial(outcomes.story, small="bad host", large="regression")
    add(STORY, "second story", scenarios.second_story, told, 40, verdicts=True)
    return tuple(cells)


CELLS = _cells()

CLAIMS = (
    Claim(NULL, "somebody is accused in at most 1 % of fleets in which nobody is at fault", "false alarm", most=0.01),
    Claim(HOST, "3 episodes suffice against 100", "named", ("3 against 100",), least=0.99),
    Claim(HOST, "5 episodes suffice against 1,000", "named", ("5 against 1,000",), least=0.99),
    Claim(HOST, "no other is accused in more than 1 % of fleets", "false alarm", most=0.01),
    Claim(PLACE, "the CPU is named, at 10 crashes", "named", ("CPU of a whole machine: 10",), least=0.95),
    Claim(PLACE, "the rack is named, at 10 more", "named", ("rack: 10 against 100",), least=0.95),
    Claim(
        TWO,
        "found in at least 95 % at 40 crashes with a 20 % share",
        "named",
        ("8 of 40 from one host, a sign in 90 % and 5 %",),
        least=0.95,
    ),
    Claim(
        TWO,
        "a release and a host with the same stack: both found",
        "both",
        ("a release and a host, same mechanism and stack",),
        least=0.95,
    ),
    Claim(ONE, "no split in 1,000", "split", most=0.0),
    Claim(SKU, "a false effect of the SKU in at most 1 %", "shown", SKU_NULLS, most=0.01),
    Claim(SKU, "where they are aliased, the SKU is never blamed", "shown", ("aliased: 200",), most=0.0),
    Claim(TIME, "a false effect of uptime in at most 1 %", "shown", ("memoryless: 60", "memoryless: 300"), most=0.01),
    Claim(ONSET, "the date is at most a day off", "days off", ("0.2 a day, then 2",), most=1.0, statistic="median"),
    Claim(
        ONSET, "an alarm within 3 days", "days to alarm", ("alarm: 0.2 a day, then 2",), most=3.0, statistic="median"
    ),
    Claim(
        ONSET,
        "at most one false alarm in five years",
        "alarms",
        ("alarm: 0.2 a day for five years", "alarm: 2 a day for five years"),
        most=1.0,
        statistic="mean",
    ),
    Claim(HARD, "bad hardware is called so: at 3 crashes in 50 %", "convicted", ("3 crashes",), least=0.5),
    Claim(HARD, "at 5 crashes in 85 %", "convicted", ("5 crashes",), least=0.85),
    Claim(HARD, "at 10 crashes in 98 %", "convicted", ("10 crashes",), least=0.98),
    Claim(SOFT, "no software of 1,000 is called hardware", "software called hardware", most=0.0),
    Claim(HARD, "of all that is called hardware 99 % is", "", least=0.99, statistic="precision"),
    Claim(HARD, "stated 85 to 95 %: 85 to 95 % are", "", least=0.85, most=0.95, statistic="at the prior"),
    Claim(STORY, "founding: two causes, the right cohorts", "both", ("founding",), least=0.95),
    Claim(STORY, "founding: right verdicts", "both right", ("founding",), least=0.95),
    Claim(STORY, "second story: right verdicts", "both right", ("second story",), least=0.95),
)
