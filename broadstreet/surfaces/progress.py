"""How far a scan is, on stderr: a bar on a terminal, gone at the end; plain lines in a log; JSON for a program.

The rate is that of the last seconds, so a stalled disk or bucket is seen at once, and the time left follows from it;
once all is done it is that of the whole. Lines and bar are renewed by a thread of their own: where nothing comes any
more, somebody must be told for how long.
"""

import json
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Literal

import click

from broadstreet.records.case import Unreadable
from broadstreet.records.specimen import Examined
from broadstreet.surfaces.text import echo, plain_ascii, plural, size

FORMS = ("auto", "bar", "plain", "json", "none")
Form = Literal["auto", "bar", "plain", "json", "none"]
LINE_SECONDS = 10.0
JSON_SECONDS = 1.0
REFRESH = 5  # times a second; the bar of 100,000 specimens moves no faster
RATE_SECONDS = 10.0  # that the rate looks back
SAMPLE_SECONDS = 0.5
NARROWEST_BAR = 10
LONGEST_LEFT = len("59 min 59 s left")
LONGEST_BAR = 60


def progress_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a command shows how far it is."""
    return click.option(
        "--progress",
        type=click.Choice(FORMS),
        default="auto",
        show_default=True,
        help="On stderr: a bar, plain lines, or a JSON object a second. auto: a bar on a terminal, else lines.",
    )(command)


@dataclass(frozen=True)
class Reached:
    """How far a scan is: the object that `--progress json` writes. Null is not known.

    `done` counts what is settled: read now, readable or not, and known before. The rate counts what was read now.
    `bytes_read` and `bytes_present` are of the core dumps that became cases.
    """

    done: int
    total: int | None
    unreadable: int
    known_before: int
    bytes_read: int
    bytes_present: int
    per_second: float | None
    seconds: float
    eta_seconds: float | None


class Counts:
    """What was counted, and when. Times are seconds of one monotonic clock, and come from the caller."""

    def __init__(self, total: int | None, now: float) -> None:
        self.total = total
        self.last = now
        self._began = now
        self._read = self._unreadable = self._known = self._bytes_read = self._bytes_present = 0
        self._samples = deque([(now, 0)])

    def add(self, examined: Examined, now: float) -> None:
        """One specimen was read."""
        self._read += 1
        outcome = examined.outcome
        if isinstance(outcome, Unreadable):
            self._unreadable += 1
        else:
            self._bytes_read += outcome.bytes_read
            self._bytes_present += outcome.bytes_present
        self.last = now
        if now - self._samples[-1][0] >= SAMPLE_SECONDS:
            self._samples.append((now, self._read))
            while now - self._samples[1][0] >= RATE_SECONDS:
                self._samples.popleft()

    def skip(self, count: int, now: float) -> None:
        """So many were known before, and are not read."""
        self._known += count
        self.last = now

    def reached(self, now: float) -> Reached:
        """How far it is now."""
        done = self._read + self._known
        left = None if self.total is None else max(0, self.total - done)
        rate = self._rate(now) if left != 0 else self._mean(now)
        return Reached(
            done=done,
            total=self.total,
            unreadable=self._unreadable,
            known_before=self._known,
            bytes_read=self._bytes_read,
            bytes_present=self._bytes_present,
            per_second=None if rate is None else round(rate, 1),
            seconds=round(now - self._began, 1),
            eta_seconds=0.0 if left == 0 else None if left is None or not rate else round(left / rate, 1),
        )

    def _mean(self, now: float) -> float | None:
        return self._read / (now - self._began) if now > self._began else None

    def _rate(self, now: float) -> float | None:
        if now - self.last >= RATE_SECONDS:
            return 0.0
        since, before = next((s for s in reversed(self._samples) if now - s[0] >= RATE_SECONDS), self._samples[0])
        return (self._read - before) / (now - since) if now - since >= SAMPLE_SECONDS else None


class Progress:
    """Counts up to a total, which may not be known yet, and shows it while it is entered.

    `auto` is a bar on a terminal, and elsewhere lines, of which a scan that is over before the first one writes none.
    `rows_on_terminal`: the data goes to the same terminal meanwhile, where a bar would only be torn.
    """

    def __init__(self, form: Form, total: int | None, rows_on_terminal: bool = False) -> None:
        self._form = _resolved(form, rows_on_terminal)
        self._asked = form != "auto"
        self._counts = Counts(total, time.monotonic())
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._ticker: threading.Thread | None = None
        self._lines = 0
        self._bar: Any = None
        self._ascii_only = plain_ascii(sys.stderr)  # asked now: while the bar lives, rich stands in between

    def __enter__(self) -> "Progress":
        # Python interrupts the main thread whichever thread takes SIGINT. Here none may take it but the main one, which
        # blocks it while it starts workers: a thread inherits what is blocked when it is started.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            if self._form == "bar":
                self._bar = _live(self._drawn)
                self._bar.start()
            elif self._form != "none":
                self._ticker = threading.Thread(target=self._tick, name="progress", daemon=True)
                self._ticker.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        if self._bar is not None:
            self._bar.stop()
        if self._ticker is not None:
            self._ticker.join()
            if self._lines or self._asked:
                self._write()

    def advance(self, examined: Examined) -> None:
        """One more was read."""
        with self._lock:
            self._counts.add(examined, time.monotonic())

    def skip(self, count: int) -> None:
        """So many more were known before, and are not read again."""
        with self._lock:
            self._counts.skip(count, time.monotonic())

    def expect(self, total: int) -> None:
        """The listing is complete: so many there are in all, with those known before."""
        with self._lock:
            self._counts.total = total

    def reached(self) -> tuple[Reached, float]:
        """How far it is, and for how many seconds nothing came."""
        with self._lock:
            now = time.monotonic()
            return self._counts.reached(now), now - self._counts.last

    def _tick(self) -> None:
        while not self._stop.wait(JSON_SECONDS if self._form == "json" else LINE_SECONDS):
            self._write()

    def _write(self) -> None:
        reached, idle = self.reached()
        self._lines += 1
        try:
            if self._form == "json":
                print(json.dumps(asdict(reached)), file=sys.stderr, flush=True)
            else:
                echo(plain_line(reached, idle), err=True)
        except OSError:  # whoever read this left; the scan goes on
            self._stop.set()

    def _drawn(self, columns: int) -> Any:
        from rich.text import Text

        reached, idle = self.reached()
        shown = Text("\n".join(bar_lines(reached, idle, columns, self._ascii_only)), no_wrap=True, overflow="crop")
        shown.highlight_regex(r"nothing new for .*|[\d,]+ unreadable", "yellow")
        return shown


def plain_line(reached: Reached, idle: float) -> str:
    """One line for a log, with the most important first."""
    share = "" if not reached.total else f" ({_percent(reached)} %)"
    return f"  read {_done(reached)}{share}, {', '.join([*_pieces(reached), *_when(reached, idle)])}"


def bar_lines(reached: Reached, idle: float, columns: int, ascii_only: bool) -> list[str]:
    """The bar and the figures below it, none longer than a terminal of so many columns."""
    when = "   ".join(_when(reached, idle))
    if reached.total is None:
        first = f"  Reading   {when}"
    else:
        percent = f"{_percent(reached):3} %"
        room = columns - len(f"  Reading    {percent}   {when:{LONGEST_LEFT}}") - 1  # of one length while time passes
        first = "  ".join(filter(None, ("  Reading", _bar(reached, room, ascii_only), f"{percent}   {when}")))
    lines = [first]
    for piece in (_done(reached), *_pieces(reached)):
        joined = f"{lines[-1]}   {piece}"
        if len(lines) > 1 and len(joined) < columns:
            lines[-1] = joined
        else:
            lines.append(f"  {piece}")
    return [line[: max(1, columns - 1)] for line in lines]


def duration(seconds: float) -> str:
    """45 s, 2 min 05 s, 3 h 20 min, 4 d 6 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def _resolved(form: Form, rows_on_terminal: bool) -> Form:
    if form != "auto":
        return form
    can_move = sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown")
    return "bar" if can_move and not rows_on_terminal else "plain"


def _live(drawn: Callable[[int], Any]) -> Any:
    from rich.console import Console
    from rich.live import Live

    console = Console(stderr=True, highlight=False, force_terminal=True, no_color=bool(os.environ.get("NO_COLOR")))
    # Standard output may be a file: what is written there must not be drawn above the bar.
    return Live(
        console=console,
        get_renderable=lambda: drawn(console.width),
        refresh_per_second=REFRESH,
        transient=True,
        redirect_stdout=False,
    )


def _done(reached: Reached) -> str:
    return f"{reached.done:,} so far" if reached.total is None else f"{reached.done:,} of {reached.total:,}"


def _percent(reached: Reached) -> int:
    return min(100, 100 * reached.done // reached.total) if reached.total else 100


def _bar(reached: Reached, columns: int, ascii_only: bool) -> str:
    if columns < NARROWEST_BAR:
        return ""
    columns = min(columns, LONGEST_BAR)
    inner = columns - 2 if ascii_only else columns
    full = min(inner, inner * reached.done // reached.total) if reached.total else inner
    return f"[{'#' * full}{'.' * (inner - full)}]" if ascii_only else "█" * full + "░" * (inner - full)


def _pieces(reached: Reached) -> list[str]:
    pieces = []
    if reached.per_second is not None and reached.done > reached.known_before:
        digits = 0 if reached.per_second >= 10 else 1
        pieces.append(f"{reached.per_second:,.{digits}f} a second")
    if reached.unreadable:
        pieces.append(f"{reached.unreadable:,} unreadable")
    if reached.known_before:
        pieces.append(f"{plural(reached.known_before, 'was', 'were')} known before")
    if reached.bytes_present:
        pieces.append(f"{size(reached.bytes_read)} of {size(reached.bytes_present)} read")
    return pieces


def _when(reached: Reached, idle: float) -> list[str]:
    finished = reached.total is not None and reached.done >= reached.total
    if finished:
        return [f"in {duration(reached.seconds)}"]
    if idle >= RATE_SECONDS:
        return [f"nothing new for {duration(idle)}"]
    if reached.eta_seconds is not None:
        return [f"{duration(reached.eta_seconds)} left"]
    return [f"for {duration(reached.seconds)}"]
