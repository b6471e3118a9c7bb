"""`broadstreet serve` as its user meets it: an address, an end, and what is wrong in two lines."""

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.surfaces.shell import ENTRY, ROOT, broadstreet, variables

LONGEST_SECONDS = 60


@pytest.fixture(scope="module")
def served(casebook: str, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """A server of its own process: its address, and its process id."""
    folder = tmp_path_factory.mktemp("elsewhere")
    started = subprocess.Popen(
        [*ENTRY, "serve", "--casebook", casebook, "--port", "0"],
        stderr=subprocess.PIPE,
        cwd=folder,
        env=variables(folder, PYTHONPATH=str(ROOT), XDG_CACHE_HOME=str(cache)),
        text=True,
    )
    assert started.stderr is not None
    said = started.stderr.readline()
    address = re.search(r"http://localhost:\d+/", said)
    assert address is not None, said + started.stderr.read()
    assert "Ctrl-C" in started.stderr.readline()
    yield address[0], started.pid
    started.send_signal(signal.SIGINT)
    began = time.monotonic()
    assert started.wait(10) == 0
    assert time.monotonic() - began < 5
    assert "Traceback" not in started.stderr.read()


def fetched(address: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def ready(address: str) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while fetched(address + "about.json")[0] == 503:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_the_casebook_is_shown(served: tuple[str, int]) -> None:
    ready(served[0])
    assert json.loads(fetched(served[0] + "about.json")[1])["cases"] == 7
    status, page = fetched(served[0])
    assert status == 200
    assert b"<h1>" in page
    assert fetched(served[0], Host="evil.example")[0] == 421


def test_it_listens_on_this_machine_only(served: tuple[str, int]) -> None:
    port = f"{int(served[0].rsplit(':', 1)[1].strip('/')):04X}"
    with open("/proc/net/tcp") as table:
        listening = [line.split()[1] for line in table if line.split()[3] == "0A"]
    assert [one for one in listening if one.endswith(f":{port}")] == [f"0100007F:{port}"]


def test_what_goes_on_is_streamed_and_a_reader_that_goes_is_let_go_of(served: tuple[str, int]) -> None:
    ready(served[0])
    for _ in range(70):  # more than may listen at a time
        with urllib.request.urlopen(served[0] + "events", timeout=20) as stream:
            first = stream.readline()
            assert json.loads(first.removeprefix(b"data: "))["version"]


def test_a_server_that_is_ended_while_pages_listen_ends(casebook: str, cache: Path, tmp_path: Path) -> None:
    started = subprocess.Popen(
        [*ENTRY, "serve", "--casebook", casebook, "--port", "0"],
        stderr=subprocess.PIPE,
        env=variables(tmp_path, PYTHONPATH=str(ROOT), XDG_CACHE_HOME=str(cache)),
        text=True,
    )
    assert started.stderr is not None
    address = started.stderr.readline().split()[-1]
    with urllib.request.urlopen(address + "events", timeout=20) as stream:
        stream.readline()
        began = time.monotonic()
        os.kill(started.pid, signal.SIGINT)
        assert started.wait(10) == 0
        assert time.monotonic() - began < 5
    assert "Traceback" not in started.stderr.read()


def test_a_port_that_is_taken_is_said_with_another(casebook: str, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = broadstreet("serve", "--casebook", casebook, "--port", str(port), store=tmp_path)
    assert said.status == 2
    assert f"port {port} of 127.0.0.1 cannot be had" in said.err
    assert f"broadstreet serve --port {port + 1}" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--casebook", "nowhere"), "no casebook at nowhere"),
        (("--casebook", "/etc"), "/etc is no casebook"),
        (("--host", "0.0.0.0"), "--allow-host NAME"),
        (("--host", "no.such.host.invalid", "--allow-host", "x"), "no address no.such.host.invalid"),
        (("--port", "70000"), "70000"),
    ],
)
def test_what_is_wrong_is_said_in_a_few_lines(
    casebook: str, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    more = () if "--casebook" in arguments else ("--casebook", casebook)
    said = broadstreet("serve", "--port", "0", *more, *arguments, store=tmp_path, folder=tmp_path)
    assert said.status == 2
    assert told in said.err
    assert "Traceback" not in said.err
    assert len(said.err.splitlines()) <= 5


def test_a_version_that_is_not_there_is_said_before_anything_is_served(casebook: str, tmp_path: Path) -> None:
    said = broadstreet("serve", "--port", "0", "--casebook", casebook, "--at", "999", store=tmp_path)
    assert said.status == 2
    assert "no version 999" in said.err
