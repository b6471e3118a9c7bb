"""The web over a casebook of a million crashes: what drawing it costs, and how long readers wait for its pages.

Every page is opened once; then twenty readers open a page a second each, drawn at random from the same. The time is the
server's own, which it says with each answer; beside it what the reader waited, and the CPU that the server used, since
the machine may be shared.
"""

import http.client
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import NamedTuple

from bench.cost import environment
from bench.crashes import CannotMake, Workshop
from bench.many import multiplied
from bench.part import Asked, Part, Table

ROOT = Path(__file__).parents[1]
CASES = 1_000_000
READERS, EACH_SECONDS, SECONDS = 20, 1.0, 60.0
SEED = 1854
ASKED_P95_MILLISECONDS, ASKED_BYTES, ASKED_PAINT_MILLISECONDS = 100.0, 1e9, 1000.0
LONGEST_SECONDS = 600
PAINTS = 5
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PAINTED = """() => performance.getEntriesByName('first-contentful-paint').map(one => one.startTime)[0] ?? null"""
MOST = 40  # addresses of a kind
COLUMNS = ("page", "opened", "p50 ms", "p95 ms", "p99 ms", "reader's p95 ms", "KB", "errors")


class Answer(NamedTuple):
    """One page as a reader had it, in milliseconds; `server` is null where it said nothing."""

    kind: str
    status: int
    server: float | None
    client: float
    size: int


class Server(NamedTuple):
    """A server and what it took to draw: seconds, CPU seconds, bytes."""

    pid: int
    port: int
    seconds: float
    cpu: float
    bytes: int


def measure(workshop: Workshop) -> Part:
    """A million crashes for twenty readers, and the sample in a browser."""
    sample = workshop.folder / "sample of the web"
    _command("scan", ROOT / "sample" / "cores", "--binaries", ROOT / "sample" / "binaries", "--casebook", sample)
    _command("fleet", "add", ROOT / "sample" / "fleet", "--casebook", sample)
    url = workshop.folder / "casebook for readers"
    multiplied(str(sample), url, CASES)
    cache = workshop.folder / "cache"
    with served(url, cache) as server:
        part = _read(server)
    shutil.rmtree(url)
    with served(sample, cache) as server:
        paints = _paints(server)
    slowest = max(paints.values())
    return Part(
        part.title,
        (*part.tables, _painted(paints)),
        (
            *part.asked,
            Asked(
                "first paint of the sample",
                f"under {ASKED_PAINT_MILLISECONDS:.0f} ms",
                f"{slowest:.0f} ms",
                slowest < ASKED_PAINT_MILLISECONDS,
            ),
        ),
    )


@contextmanager
def served(url: Path, cache: Path) -> Iterator[Server]:
    """A server of a casebook whose atlas was drawn before, by itself, to be measured."""
    mine = dict(environment()) | {"XDG_CACHE_HOME": str(cache)}
    began = time.perf_counter()
    drawing = subprocess.Popen(
        [sys.executable, "-m", "broadstreet.surfaces.web.drawing", str(url), str(_version(url))],
        stdout=subprocess.DEVNULL,
        env=mine,
        cwd=ROOT,
    )
    _, status, used = os.wait4(drawing.pid, 0)
    drawing.returncode = os.waitstatus_to_exitcode(status)
    if drawing.returncode:
        raise CannotMake(f"the atlas of {url} could not be drawn: status {drawing.returncode}")
    cost = time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
    command = [sys.executable, "-m", "broadstreet", "serve", "--port", "0", "--casebook", str(url)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=mine, cwd=ROOT) as process:
        assert process.stderr is not None
        port = re.search(r":(\d+)/", process.stderr.readline())
        if port is None:
            raise CannotMake("the server did not start")
        try:
            server = Server(process.pid, int(port[1]), *cost)
            until = time.monotonic() + LONGEST_SECONDS
            while opened(server.port, "", "/").status == 503 and time.monotonic() < until:
                time.sleep(0.1)
            yield server
        finally:
            process.terminate()


def opened(port: int, kind: str, address: str, line: http.client.HTTPConnection | None = None) -> Answer:
    """Open a page, as a browser would that has nothing of it yet."""
    return _asked(line or http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS), kind, address)[0]


def _asked(line: http.client.HTTPConnection, kind: str, address: str) -> tuple[Answer, bytes]:
    began = time.perf_counter()
    line.request("GET", address, headers={"Accept": "text/html", "Accept-Encoding": "identity"})
    answer = line.getresponse()
    body = answer.read()
    client = (time.perf_counter() - began) * 1000
    told = re.search(r"dur=([\d.]+)", answer.getheader("Server-Timing", ""))
    return Answer(kind, answer.status, float(told[1]) if told else None, client, len(body)), body


def addresses(port: int) -> dict[str, list[str]]:
    """Addresses of each kind of page, as the pages link to them."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
    luck = random.Random(SEED)

    def page(address: str) -> str:
        return _asked(line, "", address)[1].decode()

    overview, cases = page("/"), page("/cases")
    narrowed = [one for one in _linked(cases, r"/cases\?is\.[^&#]*") if not one.endswith("=")]
    sides = [one.partition("?")[2] for one in narrowed]
    further = [f"/cases?after={luck.randrange(CASES)}" for _ in range(MOST)]
    pages_of_cases = [page(one) for one in [*further[:5], *narrowed[:5]]]
    found = {
        "overview": ["/", *_linked(overview, r"/\?by=[^#]*")],
        "map": ["/map", *_linked(page("/map"), r"/map\?[^#]*")],
        "outbreaks": ["/outbreaks"],
        "outbreak": _linked(page("/outbreaks"), r"/outbreaks/[^/?#.]+"),
        "syndromes": ["/syndromes"],
        "syndrome": _linked(page("/syndromes"), r"/syndromes/[^/?#.]+"),
        "cases": ["/cases", *(f"{one}&{luck.choice(sides)}" for one in narrowed), *further],
        "case": [one for some in pages_of_cases for one in _linked(some, r"/cases/[0-9a-f]{32}")],
        "host": [one for some in pages_of_cases for one in _linked(some, r"/hosts/[^/?#]+")],
        "compare": [f"/compare?a.{luck.choice(sides)}&b.{luck.choice(sides)}" for _ in range(MOST)],
    }
    return {kind: luck.sample(some, min(len(some), MOST)) for kind, some in found.items()}


def _linked(page: str, pattern: str) -> list[str]:
    links = (unescape(one) for one in re.findall(r'<a [^>]*?href="([^"#]*)', page))
    return list(dict.fromkeys(one for one in links if re.fullmatch(pattern, one)))


def _read(server: Server) -> Part:
    kinds = addresses(server.port)
    first = [opened(server.port, kind, address) for kind, some in kinds.items() for address in some]
    before = _cpu(server.pid)
    answers = readers(server.port, kinds)
    cpu = _cpu(server.pid) - before
    memory = _resident(server.pid)
    return Part("web", (_cold(server, first), _warm(answers, cpu, *memory)), _asked_of(answers, memory[0]))


def readers(port: int, kinds: Mapping[str, Sequence[str]], seconds: float = SECONDS) -> list[Answer]:
    """What all readers had: each opens a page a second, drawn at random, whether or not the last one came."""
    answers: list[Answer] = []
    began = time.monotonic() + 0.5

    def reader(number: int) -> None:
        luck = random.Random(SEED + number)
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST_SECONDS)
        at = began + EACH_SECONDS * number / READERS
        while at < began + seconds:
            time.sleep(max(0.0, at - time.monotonic()))
            kind = luck.choice(sorted(kinds))
            answers.append(opened(port, kind, luck.choice(kinds[kind]), line))
            at += EACH_SECONDS

    threads = [threading.Thread(target=reader, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _cold(server: Server, first: Sequence[Answer]) -> Table:
    return Table(
        f"The web over {CASES:,} cases: each page for the first time",
        COLUMNS,
        _rows(first),
        (
            f"One after another, {os.getloadavg()[0]:.1f} processes wanted a CPU. Before, the atlas was drawn in"
            f" {server.seconds:.0f} s ({server.cpu:.0f} s of CPU) by a process of its own, with at most"
            f" {server.bytes / 1e9:.2f} GB.",
        ),
    )


def _warm(answers: Sequence[Answer], cpu: float, resident: int, highest: int) -> Table:
    return Table(
        f"The web over {CASES:,} cases: {READERS} readers, each page once more",
        COLUMNS,
        _rows(answers),
        (
            f"A page a second each for {SECONDS:.0f} s. The server used {cpu / len(answers) * 1000:.0f} ms of CPU a"
            f" page, and at the end {resident / 1e6:,.0f} MB (at most {highest / 1e6:,.0f} MB);"
            f" {os.getloadavg()[0]:.1f} processes wanted a CPU.",
        ),
    )


def _rows(answers: Sequence[Answer]) -> list[tuple[str, ...]]:
    of: dict[str, list[Answer]] = defaultdict(list)
    for one in answers:
        of[one.kind].append(one)
        of["all"].append(one)
    return [
        (
            kind,
            f"{len(some):,}",
            *(_shown(_quantile([one.server or 0.0 for one in some], share)) for share in (0.5, 0.95, 0.99)),
            _shown(_quantile([one.client for one in some], 0.95)),
            f"{statistics.median(one.size for one in some) / 1000:,.0f}",
            str(sum(one.status != 200 for one in some)),
        )
        for kind, some in sorted(of.items(), key=lambda item: (item[0] == "all", item[0]))
    ]


def _asked_of(answers: Sequence[Answer], resident: int) -> tuple[Asked, ...]:
    slow = _quantile([one.server or 0.0 for one in answers], 0.95)
    errors = sum(one.status != 200 for one in answers)
    return (
        Asked(
            f"{CASES:,} cases, {READERS} readers, server time at p95",
            f"at most {ASKED_P95_MILLISECONDS:.0f} ms",
            f"{slow:.0f} ms",
            slow <= ASKED_P95_MILLISECONDS,
        ),
        Asked(
            "memory of the server",
            f"under {ASKED_BYTES / 1e9:.0f} GB",
            f"{resident / 1e9:.2f} GB",
            resident < ASKED_BYTES,
        ),
        Asked("errors", "0", str(errors), not errors),
    )


def _paints(server: Server) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        raise CannotMake("first paint needs chromium")
    kinds = addresses(server.port)
    pages = {kind: kinds[kind][0] for kind in ("overview", "map", "outbreak", "syndrome", "case")}
    flags = ["--no-sandbox"] if os.geteuid() == 0 else []
    found: dict[str, float] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=flags)
        for kind, address in pages.items():
            times = []
            for _ in range(PAINTS):
                context = browser.new_context()
                page = context.new_page()
                page.goto(f"http://127.0.0.1:{server.port}{address}")
                times.append(float(page.wait_for_function(PAINTED).json_value()))
                context.close()
            found[kind] = statistics.median(times)
        browser.close()
    return found


def _painted(paints: Mapping[str, float]) -> Table:
    rows = [(kind, f"{milliseconds:.0f}") for kind, milliseconds in paints.items()]
    how = (
        f"First Contentful Paint in Chromium, from the address to the first words; median of {PAINTS}, nothing cached."
    )
    return Table("The sample in a browser", ("page", "first paint, ms"), rows, (how,))


def _quantile(values: Sequence[float], share: float) -> float:
    """The least value that this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _shown(milliseconds: float) -> str:
    return f"{milliseconds:,.0f}"


def _cpu(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _resident(pid: int) -> tuple[int, int]:
    said = Path(f"/proc/{pid}/status").read_text()
    now, most = (int(re.findall(rf"{name}:\s+(\d+)", said)[0]) * 1024 for name in ("VmRSS", "VmHWM"))
    return now, most


def _version(url: Path) -> int:
    from broadstreet.store.casebook import open_tables

    return open_tables(str(url))[1].number


def _command(*words: object) -> None:
    command = [sys.executable, "-m", "broadstreet", *(str(word) for word in words)]
    subprocess.run(command, check=True, capture_output=True, env=environment(), cwd=ROOT)


if __name__ == "__main__":
    with served(Path(sys.argv[1]), Path(sys.argv[2])) as running:
        from bench.report import text

        for table in _read(running).tables:
            print(text(table), flush=True)
