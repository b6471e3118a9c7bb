"""Make a set of real cores: python -m tests.crashes.faults.make OUT --kind hardware|software --per-mode N --seed S

Each trial starts a victim in a folder of its own, lets it use a drawn amount of CPU time, stops it in user code, puts
one fault in and lets it run on for at most 1.6 s. What it then dies of, and the core, are the kernel's doing.
The seed fixes the plan (victim, moment in CPU time, bit, which of the places); the moment itself is real.
"""

import argparse
import json
import os
import select
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.crashes.faults import modes, ptrace
from tests.crashes.faults.modes import Parameters
from tests.crashes.faults.trial import OUTCOMES, CannotDump, Truth, ended, keep, signal_of, started, the_kernel_dumps
from tests.crashes.faults.victims import Victim, present

SECONDS_AFTER_FAULT = 1.6
EARLIEST_CPU_SECONDS, LATEST_CPU_SECONDS = 0.08, 0.9
TRIES_PER_CRASH = 5
STOPS_PER_TRIAL = 60


class Plan(NamedTuple):
    """What one trial will do. The kinds and modes are those of modes.HARDWARE and modes.SOFTWARE."""

    number: int
    kind: str
    mode: str
    victim: Victim
    seed: str
    cpu_seconds: float


class Campaign(NamedTuple):
    out: Path
    kind: str
    per_mode: int
    seed: int
    victims: tuple[Victim, ...]


def modes_of(kind: str) -> dict[str, modes.Mode]:
    return modes.HARDWARE if kind == "hardware" else modes.SOFTWARE


def plan(campaign: Campaign, mode: str, attempt: int) -> Plan:
    """The same campaign, mode and attempt give the same plan."""
    seed = f"{campaign.seed}/{mode}/{attempt}"
    draw = Random(seed)
    number = list(modes_of(campaign.kind)).index(mode) * campaign.per_mode * TRIES_PER_CRASH + attempt
    victim = draw.choice(campaign.victims)
    cpu_seconds = draw.uniform(EARLIEST_CPU_SECONDS, LATEST_CPU_SECONDS)
    return Plan(number, campaign.kind, mode, victim, seed, cpu_seconds)


def run_mode(campaign: Campaign, mode: str) -> tuple[str, dict[str, int]]:
    """Try until the crashes that are wanted are there, or the tries are used up."""
    counts = Counter(dict.fromkeys(OUTCOMES, 0))
    for attempt in range(campaign.per_mode * TRIES_PER_CRASH):
        if counts["crashed"] == campaign.per_mode:
            break
        counts[run_trial(campaign.out, plan(campaign, mode, attempt))] += 1
    return mode, dict(counts)


def run_trial(out: Path, trial: Plan) -> str:
    """One of OUTCOMES. A crash leaves a core and a line of truth."""
    with tempfile.TemporaryDirectory(dir=out, prefix=".trial-") as folder:
        at = Path(folder)
        victim = started(trial.victim.command, at)
        try:
            parameters = _put_in_fault(victim.pid, trial)
        except ProcessLookupError:
            ended(victim, 0)
            return "too late"
        if not parameters:
            ended(victim, 0)
            return "no place"
        if not ended(victim, SECONDS_AFTER_FAULT):
            return "survived"
        if not signal_of(victim):
            return "exited"
        keep(victim, at, out, _truth(trial, parameters))
        return "crashed"


def _truth(trial: Plan, parameters: Parameters) -> Truth:
    core = f"{trial.number:04}.{trial.victim.name}.{trial.mode}.core"
    return Truth(core, trial.kind, "injected", trial.mode, trial.victim.name, trial.seed, parameters)


def _put_in_fault(pid: int, trial: Plan) -> Parameters:
    pauses = Random(trial.seed + "/pauses")
    change = modes_of(trial.kind)[trial.mode]
    _wait_for_cpu_time(pid, trial.cpu_seconds)
    ptrace.seize(pid)
    for _ in range(STOPS_PER_TRIAL):
        ptrace.interrupt(pid)
        at = modes.stopped(pid)
        parameters = change(at, Random(trial.seed + "/fault")) if modes.in_user_code(at) else None
        if parameters:
            ptrace.detach(pid)
            return {"fault_rip": at.registers["rip"], **parameters}
        ptrace.go_on(pid)
        time.sleep(pauses.uniform(0.0005, 0.01))
    return {}


def _wait_for_cpu_time(pid: int, seconds: float) -> None:
    process = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        while _cpu_seconds(pid) < seconds:
            if poll.poll(2):
                raise ProcessLookupError(f"process {pid} ended before it had used {seconds} s")
    finally:
        os.close(process)


def _cpu_seconds(pid: int) -> float:
    nanoseconds = Path(f"/proc/{pid}/schedstat").read_text().split()[0]
    return int(nanoseconds) / 1e9


def _survivors(campaign: Campaign, counts: dict[str, dict[str, int]]) -> None:
    text = json.dumps(counts, indent=1)
    (campaign.out / "survivors.json").write_text(text + "\n", encoding="utf-8")


def run(campaign: Campaign, jobs: int) -> dict[str, dict[str, int]]:
    """Per mode, how many trials had each outcome. Also written to OUT/survivors.json, after each mode."""
    counts: dict[str, dict[str, int]] = {}
    with the_kernel_dumps(), ProcessPoolExecutor(jobs) as workers:
        for mode, outcomes in workers.map(partial(run_mode, campaign), modes_of(campaign.kind)):
            counts[mode] = outcomes
            _survivors(campaign, counts)
            print(mode, *(f"{outcome}: {count}" for outcome, count in outcomes.items() if count), flush=True)
    return counts


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="a folder that does not exist yet, or is empty")
    parser.add_argument("--kind", choices=("hardware", "software"), required=True)
    parser.add_argument("--per-mode", type=int, required=True, help="crashes wanted for each mode")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--jobs", type=int, default=2, help="trials at the same time")
    options = parser.parse_args(arguments)
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        parser.error(f"{out} is not empty; name a new folder")
    campaign = Campaign(out.resolve(), options.kind, options.per_mode, options.seed, present())
    try:
        run(campaign, options.jobs)
    except CannotDump as reason:
        print(reason, file=sys.stderr)
        return 1
    print(f"seed {options.seed}; victims", *(victim.name for victim in campaign.victims))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
