"""A debuginfod server on the loopback: one that has the binary, one that has not, and ones that misbehave."""

import shutil
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from broadstreet.records.wanted import BinaryWanted
from broadstreet.sources import debuginfod
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.debuginfod import Debuginfod
from tests.installed import binaries

BUDGET_SECONDS = 0.6
SLACK_SECONDS = 5.0  # a busy machine; a server that hangs holds its line for far longer
HANG_SECONDS = 60.0
BUILD_ID = "00112233445566778899aabbccddeeff00112233"


@contextmanager
def served(holdings: dict[str, bytes], status: int = 404) -> Iterator[tuple[str, list[str]]]:
    """A server with these paths; its address, and what it was asked for."""
    asked: list[str] = []

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            content = holdings.get(self.path)
            self.send_response(status if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Answering)) as address:
        yield address, asked


@contextmanager
def misbehaving(behave: Callable[[socketserver.StreamRequestHandler, threading.Event], None]) -> Iterator[str]:
    """A server that reads the request and then does as it likes, until the event is set."""
    over = threading.Event()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.request.recv(4096)
            try:
                behave(self, over)
            except OSError:
                return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with running(Server(("127.0.0.1", 0), Handler)) as address:
        yield address
        over.set()


@contextmanager
def running(server: socketserver.TCPServer) -> Iterator[str]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def path_of(build_id: str) -> str:
    return f"/buildid/{build_id}/executable"


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(debuginfod, "BUDGET_SECONDS", BUDGET_SECONDS)


def test_a_binary_that_the_server_has_is_fetched_once_and_kept(tmp_path: Path) -> None:
    with served({path_of(BUILD_ID): b"binary"}) as (address, asked):
        found = Debuginfod([address + "/"], tmp_path).executable(BUILD_ID)
        assert found is not None
        assert found.read_bytes() == b"binary"
        assert asked == [path_of(BUILD_ID)]
    assert found == tmp_path / ".build-id" / BUILD_ID[:2] / BUILD_ID[2:]


def test_a_fetched_binary_is_used_and_found_in_the_store_the_next_time(tmp_path: Path) -> None:
    content = binaries()["libc"].read_bytes()
    build_id = Binaries().find(BinaryWanted(str(binaries()["libc"]), None))
    assert build_id is not None
    assert build_id.build_id is not None
    wanted = BinaryWanted("/nowhere/libc.so.6", build_id.build_id)
    with served({path_of(build_id.build_id): content}) as (address, asked):
        found = Binaries(store=str(tmp_path), debuginfod=[address]).find(wanted)
        again = Binaries(store=str(tmp_path), debuginfod=[address]).find(wanted)
    assert found is not None
    assert again is not None
    assert found.build_id == again.build_id == wanted.build_id
    assert len(asked) == 1


def test_what_no_server_has_is_not_asked_for_again(tmp_path: Path) -> None:
    with served({}) as (first, asked_first), served({}) as (second, asked_second):
        assert Debuginfod([first, second], tmp_path).executable(BUILD_ID) is None
        assert Debuginfod([first, second], tmp_path).executable(BUILD_ID) is None
    assert (len(asked_first), len(asked_second)) == (1, 1)


def test_the_second_server_is_asked_when_the_first_has_it_not(tmp_path: Path) -> None:
    with served({}) as (first, _), served({path_of(BUILD_ID): b"binary"}) as (second, _):
        assert Debuginfod([first, second], tmp_path).executable(BUILD_ID) is not None


def test_the_second_server_is_asked_when_the_first_is_gone(tmp_path: Path) -> None:
    with served({}) as (gone, _):
        pass
    with served({path_of(BUILD_ID): b"binary"}) as (second, _):
        assert Debuginfod([gone, second], tmp_path).executable(BUILD_ID) is not None


@pytest.mark.parametrize("status", [500, 503, 403])
def test_a_server_in_trouble_is_asked_again_another_day(tmp_path: Path, status: int) -> None:
    with served({}, status) as (address, asked):
        assert Debuginfod([address], tmp_path).executable(BUILD_ID) is None
        assert Debuginfod([address], tmp_path).executable(BUILD_ID) is None
    assert len(asked) == 2


def hang(_connection: socketserver.StreamRequestHandler, over: threading.Event) -> None:
    over.wait(HANG_SECONDS)


def drip_header(connection: socketserver.StreamRequestHandler, over: threading.Event) -> None:
    connection.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.1):
        connection.wfile.write(b"a")


def drip_body(connection: socketserver.StreamRequestHandler, over: threading.Event) -> None:
    connection.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
    while not over.wait(0.1):
        connection.wfile.write(b"a")


@pytest.mark.parametrize("behave", [hang, drip_header, drip_body])
def test_a_server_that_hangs_costs_its_budget_once_and_blocks_nothing(
    tmp_path: Path, behave: Callable[[socketserver.StreamRequestHandler, threading.Event], None]
) -> None:
    with misbehaving(behave) as address:
        asking = Debuginfod([address], tmp_path)
        started = time.monotonic()
        assert [asking.executable(f"{number:040x}") for number in range(20)] == [None] * 20
        spent = time.monotonic() - started
    assert BUDGET_SECONDS * 0.9 < spent < BUDGET_SECONDS + SLACK_SECONDS
    assert not list(tmp_path.rglob("*.absent"))


def cut_off(connection: socketserver.StreamRequestHandler, _over: threading.Event) -> None:
    connection.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf a binary")


def nonsense(connection: socketserver.StreamRequestHandler, _over: threading.Event) -> None:
    connection.wfile.write(b"\x00\xff no http at all\r\n\r\n")


def to_a_file(connection: socketserver.StreamRequestHandler, _over: threading.Event) -> None:
    connection.wfile.write(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n\r\n")


def bad_length(connection: socketserver.StreamRequestHandler, _over: threading.Event) -> None:
    connection.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\nbinary")


@pytest.mark.parametrize("behave", [cut_off, nonsense, to_a_file, bad_length])
def test_an_answer_that_is_no_binary_leaves_nothing_behind(
    tmp_path: Path, behave: Callable[[socketserver.StreamRequestHandler, threading.Event], None]
) -> None:
    with misbehaving(behave) as address:
        assert Debuginfod([address], tmp_path).executable(BUILD_ID) is None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_server_that_sends_another_binary_is_not_believed(tmp_path: Path) -> None:
    with served({path_of(BUILD_ID): binaries()["ld.so"].read_bytes()}) as (address, _):
        found = Binaries(store=str(tmp_path), debuginfod=[address]).find(BinaryWanted("/nowhere", BUILD_ID))
    assert found is None


def test_a_store_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file, no folder")
    with served({path_of(BUILD_ID): b"binary"}) as (address, _):
        assert Debuginfod([address], tmp_path / "store").executable(BUILD_ID) is None
        assert Debuginfod([address], tmp_path / "store").executable("ff" * 20) is None


def test_an_address_that_is_none_is_no_answer(tmp_path: Path) -> None:
    for address in ("", "nowhere", "ftp://127.0.0.1", "http://127.0.0.1:1", "http://[::bad"):
        assert Debuginfod([address], tmp_path).executable(BUILD_ID) is None


def test_nothing_is_fetched_unless_a_server_is_configured(tmp_path: Path) -> None:
    assert Binaries(store=str(tmp_path)).find(BinaryWanted("/nowhere", BUILD_ID)) is None
    shutil.rmtree(tmp_path)
    assert Binaries(store=str(tmp_path)).find(BinaryWanted("/nowhere", BUILD_ID)) is None
