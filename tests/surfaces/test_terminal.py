"""Terminals, pipes and interruptions: the command line as a process, byte for byte."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.features.read_back import dump
from tests.surfaces.shell import ENTRY, LONGEST_SECONDS, Fleet, Said, broadstreet, variables

ESCAPE = b"\x1b"
MANY = 2000  # core dumps, so that a scan is not over before it is interrupted
NULL_CORE = "core.3"


def read(fleet: Fleet, **changes: str) -> Said:
    core = fleet.cores / NULL_CORE
    return broadstreet("read", core, "--binaries", fleet.binaries, "--threads", store=fleet.store, changes=changes)


def scan(fleet: Fleet, *options: str, **changes: str) -> Said:
    return broadstreet("scan", fleet.cores, *options, store=fleet.store, changes=changes)


def on_a_terminal(fleet: Fleet, *arguments: str, **changes: str) -> tuple[int, bytes]:
    """Exit status and all that a terminal was sent."""
    leader, follower = pty.openpty()
    environment = variables(fleet.store, **{"TERM": "xterm-256color", **changes})
    process = subprocess.Popen([*ENTRY, *arguments], stdin=follower, stdout=follower, stderr=follower, env=environment)
    os.close(follower)
    written = b""
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        while True:
            try:
                written += terminal.read(65536)
            except OSError:  # EIO: the last process closed its end
                break
    return process.wait(LONGEST_SECONDS), written


def test_a_terminal_gets_bold_headings(small_fleet: Fleet) -> None:
    status, written = on_a_terminal(small_fleet, "read", str(small_fleet.cores / NULL_CORE))
    assert status == 0
    assert b"\x1b[1mFindings" in written


@pytest.mark.parametrize("command", ["read", "scan"])
def test_no_color_gives_a_terminal_no_escape_codes(command: str, small_fleet: Fleet) -> None:
    place = small_fleet.cores / (NULL_CORE if command == "read" else "")
    status, written = on_a_terminal(small_fleet, command, str(place), NO_COLOR="1")
    lines = re.sub(
        rb"\x1b\[(\?25[lh]|2K|1A)|\r", b"", written
    )  # a progress bar moves the cursor, and takes itself away
    assert status == 0
    assert ESCAPE not in lines


def test_a_pipe_gets_no_escape_codes(small_fleet: Fleet) -> None:
    for said in (read(small_fleet), scan(small_fleet)):
        assert said.status == 0
        assert ESCAPE not in said.out + said.err.encode()


def test_progress_that_is_no_terminal_s_gets_plain_lines(small_fleet: Fleet) -> None:
    said = scan(small_fleet, "-o", "ndjson")
    assert ESCAPE not in said.err.encode()
    assert "\r" not in said.err


def test_parquet_is_not_written_to_a_terminal(small_fleet: Fleet) -> None:
    status, written = on_a_terminal(small_fleet, "scan", str(small_fleet.cores), "-o", "parquet")
    assert status == 2
    assert b"Add --output cases.parquet, or redirect." in written


@pytest.mark.parametrize(
    "changes",
    [
        {"LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "latin-1"},
        {"TERM": "linux"},
    ],
    ids=["C", "POSIX without UTF-8", "ascii", "latin-1", "the console"],
)
@pytest.mark.parametrize("command", ["read", "scan"])
def test_an_ascii_terminal_gets_ascii(command: str, changes: dict[str, str], small_fleet: Fleet) -> None:
    said = read(small_fleet, **changes) if command == "read" else scan(small_fleet, **changes)
    assert (said.status, "Traceback" in said.err) == (0, False)
    assert said.out.isascii()
    assert (b"\n  o null_dereference " if command == "read" else b"  ####") in said.out


def test_a_utf_8_terminal_gets_shapes(small_fleet: Fleet) -> None:
    assert "\n  ● null_dereference " in read(small_fleet).text
    assert "\n  ● null_dereference " in read(small_fleet, LC_ALL="de_DE.UTF-8").text


def test_without_any_locale_python_s_utf_8_is_believed(small_fleet: Fleet) -> None:
    """As in a container or a cron job, where nobody chose the C locale."""
    assert "●" in read(small_fleet, LC_ALL="").text


def test_ascii_and_shapes_have_the_same_lines(small_fleet: Fleet) -> None:
    plain, shapes = read(small_fleet, LC_ALL="C").text, read(small_fleet).text
    assert [len(line) for line in plain.splitlines() if "..." not in line] == [
        len(line) for line in shapes.splitlines() if "…" not in line
    ]


@pytest.mark.parametrize("form", ["table", "ndjson", "csv"])
def test_a_reader_that_leaves_early_sees_no_traceback(form: str, many: Fleet, small_fleet: Fleet) -> None:
    fleet, first = (small_fleet, 0) if form == "table" else (many, 10)  # the table is written at the end
    with started([*ENTRY, "scan", str(fleet.cores), "-o", form, "--workers", "2"], fleet) as process:
        assert process.stdout is not None
        process.stdout.read(first)
        process.stdout.close()
        _, err = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 1
    assert b"Traceback" not in err
    assert b"BrokenPipe" not in err


def test_a_full_disk_is_told_in_one_line(small_fleet: Fleet) -> None:
    for arguments in (("scan", str(small_fleet.cores)), ("read", str(small_fleet.cores / NULL_CORE))):
        with open("/dev/full", "wb") as full:
            done = subprocess.run(
                [*ENTRY, *arguments],
                stdout=full,
                stderr=subprocess.PIPE,
                env=variables(small_fleet.store),
                timeout=LONGEST_SECONDS,
                check=False,
            )
        assert done.returncode == 1
        assert done.stderr == b"broadstreet: the output could not be written: No space left on device\n"


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Thousands of core dumps, which are one file by many names."""
    folder = tmp_path_factory.mktemp("many")
    cores, store = folder / "cores", folder / "store"
    cores.mkdir()
    store.mkdir()
    first = cores / "core.0"
    first.write_bytes(dump("a trap"))
    for index in range(1, MANY):
        (cores / f"core.{index}").hardlink_to(first)
    return Fleet(cores, folder, store)


@contextlib.contextmanager
def started(arguments: list[str], fleet: Fleet) -> Iterator[subprocess.Popen[bytes]]:
    """A process in a group of its own, as a shell starts it; none of the group outlives the test."""
    environment = variables(fleet.store)
    pipe = subprocess.PIPE
    process = subprocess.Popen(arguments, stdout=pipe, stderr=pipe, env=environment, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def children(process: subprocess.Popen[bytes]) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{process.pid}/task").iterdir())  # each thread has children of its own
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
    except OSError:
        return []


def runs(pid: int) -> bool:
    """Whether the process still does something: one that nobody waited for may stay listed as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def interrupted(process: subprocess.Popen[bytes]) -> None:
    """Ctrl-C: the terminal sends SIGINT to the whole group. It ends, without a traceback and without children."""
    workers = children(process)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=LONGEST_SECONDS)
    assert process.returncode == 1
    assert err.decode().split() == ["Aborted!"]
    deadline = time.monotonic() + LONGEST_SECONDS
    while any(map(runs, workers)) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [pid for pid in workers if runs(pid)] == []


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_ends_a_scan_without_a_traceback(workers: str, many: Fleet) -> None:
    arguments = [*ENTRY, "scan", str(many.cores), "-o", "ndjson", "--workers", workers]
    with started(arguments, many) as process:
        assert process.stdout is not None
        process.stdout.readline()
        interrupted(process)


def test_ctrl_c_while_workers_start_is_as_quiet(many: Fleet) -> None:
    arguments = [*ENTRY, "scan", str(many.cores), "-o", "ndjson", "--workers", "2"]
    with started(arguments, many) as process:
        while len(children(process)) < 2 and process.poll() is None:
            time.sleep(0.001)
        interrupted(process)
