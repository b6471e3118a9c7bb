"""Core dumps of 64 MiB in a bucket that is 20 ms away behind a link of 1 Gbit/s, against downloading them whole.

The server stands in a process of its own, speaks S3, waits before each answer and lets all answers share the link
(`tests/sources/range_server.py`). It counts: requests and bytes are what it saw, with tries that failed. This part
gives wall time, for time that is waited is what it is about; on a busy machine it is too long on both sides.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.cost import environment
from bench.crashes import PROGRAMS, CannotMake, Workshop, compiled, crash
from bench.part import Asked, Part, Table

LATENCY_SECONDS, BYTES_PER_SECOND = 0.02, 125e6
EACH, NAMES = 12, 5  # crashes of each program; names of each core dump, as hard links
HEAP_MEGABYTES = "64"
AT_ONCE = 16
FAULTS, SEED = 0.1, 1854
ASKED_SHARE, ASKED_TIMES, ASKED_BYTES, ASKED_REQUESTS = 0.005, 10.0, 256 << 10, 6
ROOT = "s3://cores"


class Cost(NamedTuple):
    """What one core dump, or a scan of many, took."""

    requests: int
    bytes: int
    seconds: float


class Kind(NamedTuple):
    """Core dumps of one program, each read alone."""

    title: str
    size: int
    alone: list[Cost]


def measure(workshop: Workshop) -> Part:
    """Make the core dumps, read each alone, scan them all, download them, and scan with faults."""
    folder = _made(workshop)
    objects = sorted(folder.rglob("core*"))
    present = sum(path.stat().st_size for path in objects)
    with _server(folder) as url:
        kinds = [_alone(url, name) for name in ("c++", "python3")]
        scan, cases = _scanned(url)
        whole = _downloaded(url, [path.relative_to(folder).as_posix() for path in objects])
    with _server(folder, "--faults", str(FAULTS), "--seed", str(SEED)) as url:
        faulty, cases_of_faulty = _scanned(url)
    count = len(objects)
    table = Table(
        f"{count} core dumps of 64 MiB, 20 ms and 1 Gbit/s away",
        ("how", "core dumps", "requests each", "KiB each", "% of the bytes", "ms each"),
        [
            *(_row(f"read alone, {kind.title}", kind.alone, kind.size) for kind in kinds),
            _of_all("broadstreet scan", scan, count, present),
            _of_all(f"the same, {FAULTS:.0%} of requests fail", faulty, count, present),
            _of_all(f"downloaded whole, {AT_ONCE} at once", whole, count, present),
        ],
        (
            "Read alone: medians. Scan and download: everything, divided by the number; the scan with the start of"
            f" its processes, its listing and its workers, {len(os.sched_getaffinity(0))} of them.",
            f"{EACH} crashes of each program under {NAMES} names each. Faults: 429, 500, 503, cut bodies, broken"
            f" connections, answers after 3 s; seed {SEED}.",
        ),
    )
    return Part("bucket", (table,), _asked(kinds, scan, whole, present, (cases, cases_of_faulty)))


def _asked(
    kinds: list[Kind], scan: Cost, whole: Cost, present: int, cases: tuple[list[str], list[str]]
) -> tuple[Asked, ...]:
    alone = [cost for kind in kinds for cost in kind.alone]
    size, requests = (statistics.median(values) for values in zip(*((c.bytes, c.requests) for c in alone), strict=True))
    share, times = scan.bytes / present, whole.seconds / scan.seconds
    return (
        Asked("bytes read of those present", "< 0.5 %", f"{share:.2%}", share < ASKED_SHARE),
        Asked("faster than downloading", ">= 10 times", f"{times:.0f} times", times >= ASKED_TIMES),
        Asked("bytes of a core dump, median", "<= 256 KiB", f"{size / 1024:.0f} KiB", size <= ASKED_BYTES),
        Asked("requests of a core dump, median", "<= 6", f"{requests:g}", requests <= ASKED_REQUESTS),
        Asked(
            "cases where a tenth of the requests fails",
            "the same",
            f"{len(set(cases[1]) & set(cases[0]))} of {len(cases[0])}",
            sorted(cases[0]) == sorted(cases[1]) and len(cases[0]) > 0,
        ),
    )


def _made(workshop: Workshop) -> Path:
    folder = workshop.folder / "bucket"
    program = str(compiled(workshop.folder, "deep"))
    commands = {"c++": [program, HEAP_MEGABYTES], "python3": [sys.executable, str(PROGRAMS / "large_python.py")]}
    for name, command in commands.items():
        (folder / name).mkdir(parents=True)
        for index in range(EACH):
            core = crash(command, workshop.folder / f"bucket-{name}-{index}")
            for other in range(NAMES):
                os.link(core, folder / name / f"core.{index}-{other}")
    return folder


@contextmanager
def _server(folder: Path, *faults: str) -> Iterator[str]:
    command = [sys.executable, "-m", "tests.sources.range_server", str(folder), "--latency", str(LATENCY_SECONDS)]
    command += ["--bandwidth", str(BYTES_PER_SECOND), *faults]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise CannotMake("the range server does not start")
            yield url
        finally:
            process.terminate()


def _variables(url: str) -> dict[str, str]:
    keys = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
    return {**environment(), **keys, "AWS_ENDPOINT_URL": url, "AWS_ALLOW_HTTP": "true"}


def _counts(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/-/counts") as answer:
        found: dict[str, int] = json.load(answer)
    return {"requests": 0, "bytes": 0, **found}


def _alone(url: str, name: str) -> Kind:
    from broadstreet.pipeline.together import examine_together
    from broadstreet.sources.binaries import Binaries
    from broadstreet.sources.objects import store_at
    from broadstreet.sources.specimens import specimens

    os.environ.update(_variables(url))
    store_at.cache_clear()
    binaries, costs, sizes = Binaries(), [], []
    listed = [one for one in specimens(f"{ROOT}/{name}") if one.location.endswith("-0")]
    list(examine_together(listed[:1], binaries))  # binaries are parsed once for all
    for one in listed:
        before, began = _counts(url), time.monotonic()
        list(examine_together([one], binaries))
        seconds, after = time.monotonic() - began, _counts(url)
        costs.append(Cost(after["requests"] - before["requests"], after["bytes"] - before["bytes"], seconds))
        sizes.append(one.size)
    return Kind(name, int(statistics.median(sizes)), costs)


def _scanned(url: str) -> tuple[Cost, list[str]]:
    before, began = _counts(url), time.monotonic()
    with tempfile.TemporaryFile() as out:
        command = [sys.executable, "-m", "broadstreet", "scan", "-o", "ndjson", ROOT]
        done = subprocess.run(command, stdout=out, stderr=subprocess.DEVNULL, env=_variables(url))
        seconds, after = time.monotonic() - began, _counts(url)
        if done.returncode:
            raise CannotMake(f"the scan of the bucket ended with status {done.returncode}")
        out.seek(0)
        cases = [json.loads(line) for line in out]
    cost = Cost(after["requests"] - before["requests"], after["bytes"] - before["bytes"], seconds)
    return cost, [f"{case['path']} {case['case_id']} {case['mechanism']}" for case in cases]


def _downloaded(url: str, names: list[str]) -> Cost:
    def drained(name: str) -> None:
        with urllib.request.urlopen(f"{url}/cores/{name}") as answer:
            while answer.read(1 << 20):
                pass

    before, began = _counts(url), time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(drained, names))
    seconds, after = time.monotonic() - began, _counts(url)
    return Cost(after["requests"] - before["requests"], after["bytes"] - before["bytes"], seconds)


def _row(how: str, costs: list[Cost], size: int) -> tuple[str, ...]:
    requests, read, seconds = (statistics.median(values) for values in zip(*costs, strict=True))
    share = f"{100 * read / size:.2f}"
    return how, str(len(costs)), f"{requests:g}", f"{read / 1024:,.0f}", share, f"{1000 * seconds:.0f}"


def _of_all(how: str, cost: Cost, count: int, present: int) -> tuple[str, ...]:
    return (
        how,
        str(count),
        f"{cost.requests / count:.2f}",
        f"{cost.bytes / count / 1024:,.0f}",
        f"{100 * cost.bytes / present:.2f}",
        f"{1000 * cost.seconds / count:.0f}",
    )
