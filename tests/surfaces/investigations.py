"""Investigations made by hand, with the numbers of the founding story, and fleets where there is less to say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from broadstreet.records.outbreak import Comparison, Onset, Outbreak, Split, Test
from broadstreet.records.verdict import Argument, Investigation, Unchecked, Verdict
from broadstreet.records.weights import Count, Interval

START, END = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 4, 15, tzinfo=UTC)
ONSET = datetime(2026, 3, 12, tzinfo=UTC)


def ids(prefix: str, count: int) -> tuple[str, ...]:
    """Case ids that are the same each time."""
    return tuple(blake2b(f"{prefix}{n}".encode(), digest_size=16).hexdigest() for n in range(count))


BAD, ELSEWHERE, RACE = ids("bad", 63), ids("elsewhere", 1), ids("race", 309)


def times() -> dict[str, datetime]:
    """When each of these cases happened: the bad machine from 12 March on, the race ever more often."""
    when = {case: ONSET + timedelta(hours=12.9 * n) for n, case in enumerate(BAD)}
    when[ELSEWHERE[0]] = datetime(2026, 4, 2, 9, tzinfo=UTC)
    return when | {case: END - timedelta(days=90 * (1 - (n / 309) ** 0.5)) for n, case in enumerate(RACE)}


def argument(name: str, says: str, ratio: Interval, cases: tuple[str, ...] = BAD, **more: object) -> Argument:
    """One item of evidence, with counts of the lab."""
    known: dict[str, object] = {"observed": {"cases": float(len(cases))}, "campaign": "lab campaign, seed 1854"}
    known |= {"hardware": Count(398, 546), "software": Count(4, 1218), "reads": "SELECT count(*) FROM cases"}
    return Argument(name=name, says=says, ratio=ratio, cases=cases, **(known | more))  # type: ignore[arg-type]


def compared(attribute: str, value: str, inside: int, naive: Interval, **more: object) -> Comparison:
    """One exposure of the race, against process hours."""
    share = 0.2
    test = Test("tails.binomial_tail", {"k": inside, "n": 309, "share": share}, 1e-12, 4e-9, attribute, 310)
    known: dict[str, object] = {"strata": ("service", "service_release")}
    return Comparison(
        attribute,
        value,
        inside,
        309,
        share,
        "time at risk",
        "process_hours",
        naive,
        test,
        **(known | more),  # type: ignore[arg-type]
    )


MACHINE = Outbreak(
    id="O-7c1",
    rank=1,
    kind="cohort",
    syndrome="S-12a",
    mechanism="misaligned_stack",
    cohort={"physical_host": "ph-7c41e9"},
    parts=("mechanism misaligned_stack",),
    cases=BAD,
    elsewhere=ELSEWHERE,
    episodes=63,
    onset=Onset(
        ONSET,
        ONSET - timedelta(hours=8),
        ONSET + timedelta(hours=3),
        None,
        None,
        None,
        (0.0, 1.9, None),
        Test("onset.change", {"times": 64}, 1e-20),
    ),
    comparison=Comparison(
        "physical_host",
        "ph-7c41e9",
        63,
        64,
        0.0003,
        "time at risk",
        "host_hours",
        Interval(210_000.0, 36_000.0, 8_200_000.0),
        Test(
            "tails.binomial_tail",
            {"k": 63, "n": 64, "share": 0.0003},
            7.3e-221,
            9.2e-218,
            "physical_host of S-12a",
            1260,
        ),
        ("workload", "service_release"),
        Interval(180_000.0, 31_000.0, 7_000_000.0),
        None,
    ),
    others=(),
    splits=(
        Split(
            "S-12a",
            "mechanism misaligned_stack",
            "physical_host ph-7c41e9",
            64,
            309,
            Test("tables.fisher", {"a": 63, "b": 1, "c": 0, "d": 309}, 1e-70, 1e-67, "splits", 900),
        ),
    ),
)
LIBRARY = Outbreak(
    id="O-5d1",
    rank=2,
    kind="cohort",
    syndrome="S-12a",
    mechanism="return_to_null",
    cohort={"build of libunwind.so.8": "5d1f0c"},
    parts=("not mechanism misaligned_stack",),
    cases=RACE,
    elsewhere=(),
    episodes=309,
    onset=None,
    comparison=compared(
        "build of libunwind.so.8",
        "5d1f0c",
        309,
        Interval(float("inf"), 51.0, float("inf")),
        adjusted=Interval(float("inf"), 51.0, float("inf")),
    ),
    others=(
        compared("exceptions", "top quarter", 190, Interval(5.6, 4.3, 7.2), adjusted=Interval(5.2, 4.0, 6.8)),
        compared("service_release", "26.2", 140, Interval(1.9, 1.5, 2.5), adjusted=Interval(1.8, 1.4, 2.4)),
        compared("sku", "e96-ingest", 120, Interval(3.2, 2.4, 4.1), adjusted=Interval(1.1, 0.8, 1.5)),
        compared("workload", "ingest", 120, Interval(3.2, 2.4, 4.1), strata=(), same_as=("sku e96-ingest",)),
    ),
    splits=MACHINE.splits,
)
HARDWARE = Verdict(
    outbreak=MACHINE,
    says="hardware",
    certainty=0.99997,
    probability=Interval(0.99997, 0.998, 0.999999),
    prior=argument(
        "prior",
        "before any evidence 21 of 400 crashes are taken to be the hardware's",
        Interval(0.0526, 0.04, 0.07),
        (),
    ),
    evidence_against=(
        argument(
            "elsewhere",
            "1 crash of 64 elsewhere",
            Interval(0.6, 0.3, 1.0),
            ELSEWHERE,
        ),
        argument("machine_checks", "no machine check in the log of ph-7c41e9", Interval(0.7, 0.5, 0.9), ()),
        argument("one_site", "11 of 63 are in one hot function", Interval(0.8, 0.6, 1.1), BAD[:11]),
    ),
    evidence_for=(
        argument(
            "misaligned_stack",
            "63 of 63 crashes show a stack off by exactly one word (63), in 23 functions",
            Interval(41, 18, 95),
        ),
        argument(
            "who",
            "63 of 64 crashes happened on machine ph-7c41e9; from its share of the time at risk 0.019 were expected",
            Interval(403, 403, 403),
            capped=True,
        ),
        argument("sites", "63 crashes stopped in 23 functions: they share no code", Interval(12, 5, 30)),
        argument(
            "diversity", "8 virtual machines, 5 releases and 2 kernels: the machine alone is common", Interval(9, 4, 21)
        ),
    ),
    not_checked=(
        Unchecked("code bytes: text pages are not in the core dumps", 58, "set coredump_filter to 0x37"),
        Unchecked("which physical core: the guest sees virtual CPUs", 64, "pin the CPU test to each core in turn"),
    ),
    overturned_by="one more misaligned stack on another machine once ph-7c41e9 is out",
    action=("Take ph-7c41e9 out of placement.", "Run opendcdiag there on every CPU for 24 hours."),
    title="Machine ph-7c41e9 has a bad CPU",
)
SOFTWARE = Verdict(
    outbreak=LIBRARY,
    says="software",
    certainty=0.964,
    probability=Interval(0.036, 0.004, 0.09),
    prior=HARDWARE.prior,
    evidence_against=(argument("odds", "they die in one way", Interval(1.4, 0.9, 2.1), (), software=Count(2, 40)),),
    evidence_for=(
        argument(
            "one_library",
            "all 309 that could be judged were unwinding an exception",
            Interval(0.02, 0.01, 0.09),
            RACE,
        ),
        argument("spread", "309 crashes on 71 machines, none with more than its share", Interval(0.3, 0.2, 0.6), RACE),
    ),
    not_checked=(),
    overturned_by="One such crash in a process without libunwind.so.8.",
    action=("Replace build 5d1f0c of libunwind.so.8.", "Look at _Ux86_64_setcontext + 0x52."),
    title="Return-to-null crashes while unwinding an exception, in processes that map libunwind.so.8 (build 5d1f0c)",
)
FOUNDING = Investigation(
    casebook=".sample/casebook",
    casebook_version=212,
    broadstreet_version="0.5.0",
    weights_version="1 of 2026-11-21",
    simulated=True,
    cases=400,
    episodes=396,
    syndromes=3,
    hosts=10_000,
    at_risk=21_400_000.0,
    measure="host_hours",
    start="2026-01-15T00:00:00Z",
    end="2026-04-15T00:00:00Z",
    questions=10_214,
    families={"physical_host": 1260, "host": 7000, "splits": 900, "service_release": 1054},
    captured=388,
    fatal=400,
    capture_notes=("ap-south blind 7 to 8 Feb", "nothing else missing"),
    verdicts=(HARDWARE, SOFTWARE),
)
NOTHING = replace(FOUNDING, verdicts=())
EMPTY = replace(
    NOTHING,
    cases=0,
    episodes=0,
    syndromes=0,
    hosts=None,
    at_risk=None,
    measure=None,
    questions=0,
    families={},
    captured=None,
    fatal=None,
    capture_notes=(),
    simulated=False,
)
UNKNOWN_FLEET = replace(FOUNDING, hosts=None, at_risk=None, measure=None, captured=None, fatal=None, capture_notes=())
ONE = replace(FOUNDING, verdicts=(HARDWARE,))
UNDETERMINED = replace(
    HARDWARE,
    says="undetermined",
    certainty=0.7,
    probability=Interval(0.7, 0.2, 0.95),
    title="63 crashes on machine ph-7c41e9: hardware or software cannot be told yet",
)
CANNOT_TELL = replace(FOUNDING, verdicts=(UNDETERMINED,))
HELD = replace(
    FOUNDING,
    captured=190,
    verdicts=(
        replace(
            UNDETERMINED,
            title="No verdict: only 48% of the fatal signals became cases",
            held="only 48% of the fatal signals became cases",
        ),
    ),
)
