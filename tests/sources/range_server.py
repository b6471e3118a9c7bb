"""A server of byte ranges that speaks enough S3 for a scan, and misbehaves as it is told.

It serves the files below a folder as the objects of any bucket. Latency is added to each answer, bandwidth is one link
that all answers share. Faults are drawn with a seed; a key may also be given a lasting fault. It counts what it sends.

    python -m tests.sources.range_server FOLDER --latency 0.02 --bandwidth 125e6 --faults 0.1 --seed 1
"""

import argparse
import contextlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

PIECE = 64 << 10
PAGE = 1000
FAULTS = ("500", "503", "429", "truncated", "reset", "slow")
STATUS = {"500": "InternalError", "503": "SlowDown", "429": "TooManyRequests", "403": "AccessDenied"}
STATUS["404"] = "NoSuchKey"


@dataclass
class Behaviour:
    """How it answers. `lasting` gives a key one fault for as many of its requests as said; -1: all of them."""

    latency: float = 0.0
    bandwidth: float | None = None
    faults: float = 0.0
    kinds: tuple[str, ...] = FAULTS
    seed: int = 0
    slow_seconds: float = 3.0
    page: int = PAGE
    lasting: dict[str, tuple[str, int]] = field(default_factory=dict)


class RangeServer(ThreadingHTTPServer):
    """Serves a folder; `counts` holds requests, sent bytes and injected faults."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, folder: Path, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.folder = folder
        self.behaviour = behaviour
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self._random = Random(behaviour.seed)
        self._free_at = 0.0

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that go away are meant to."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def fault(self, key: str) -> str | None:
        """The fault that this request gets, if any."""
        with self.lock:
            kind, left = self.behaviour.lasting.get(key, ("", 0))
            if left:
                self.behaviour.lasting[key] = (kind, left - 1)
                return kind
            drawn = self._random.random() < self.behaviour.faults
            return self._random.choice(self.behaviour.kinds) if drawn else None

    def on_the_link(self, size: int) -> None:
        """Wait until the link, which all answers share, has carried these bytes."""
        if not self.behaviour.bandwidth:
            return
        with self.lock:
            self._free_at = max(time.monotonic(), self._free_at) + size / self.behaviour.bandwidth
            wait = self._free_at - time.monotonic()
        time.sleep(max(0.0, wait))


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: RangeServer

    def log_message(self, format: str, *values: object) -> None:
        return

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        time.sleep(self.server.behaviour.latency)
        url = urlsplit(self.path)
        if url.path == "/-/counts":
            self._send(200, json.dumps(self.server.counts).encode())
            return
        key = unquote(url.path).lstrip("/").partition("/")[2]
        self.server.counts["requests"] += 1
        fault = self.server.fault(key)
        if fault:
            self.server.counts[f"fault {fault}"] += 1
        if fault == "reset":
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return
        if fault == "slow":
            time.sleep(self.server.behaviour.slow_seconds)
        if fault in STATUS:
            body = f"<Error><Code>{STATUS[fault]}</Code><Message>injected</Message></Error>".encode()
            self._send(int(fault), body)
        elif "list-type=2" in url.query:
            self._send(200, self._listed(parse_qs(url.query)))
        else:
            self._object(key, fault == "truncated")

    def _object(self, key: str, truncated: bool) -> None:
        path = self.server.folder / key
        if not path.is_file():
            self._send(404, b"<Error><Code>NoSuchKey</Code></Error>")
            return
        size, tag = path.stat().st_size, _tag(path)
        wanted = self.headers.get("If-Match")
        if wanted and wanted != tag:
            self._send(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            return
        start, end, status = 0, size, 200
        if "Range" in self.headers:
            first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
            start, end, status = int(first), min(size, int(last) + 1 if last else size), 206
        self.send_response(status)
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", formatdate(path.stat().st_mtime, usegmt=True))
        self.send_header("Content-Length", str(end - start))
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.end_headers()
        if self.command == "HEAD":
            return
        if truncated:
            end = start + (end - start) // 2
            self.close_connection = True
        with path.open("rb") as file, contextlib.suppress(ConnectionError):
            file.seek(start)
            while start < end:
                piece = file.read(min(PIECE, end - start))
                self.server.on_the_link(len(piece))
                self.wfile.write(piece)
                self.server.counts["bytes"] += len(piece)
                start += len(piece)

    def _listed(self, query: dict[str, list[str]]) -> bytes:
        prefix, delimiter = (query.get(name, [""])[0] for name in ("prefix", "delimiter"))
        after = query.get("continuation-token", query.get("start-after", [""]))[0]
        folder = self.server.folder
        keys = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        entries: list[tuple[str, str]] = []
        for key in keys:
            if key.startswith(prefix):
                rest = key[len(prefix) :]
                if delimiter and delimiter in rest:
                    common = prefix + rest.split(delimiter, 1)[0] + delimiter
                    if not entries or entries[-1][0] != common:
                        entries.append((common, f"<CommonPrefixes><Prefix>{escape(common)}</Prefix></CommonPrefixes>"))
                else:
                    entries.append((key, _content(folder / key, key)))
        entries = [entry for entry in entries if entry[0] > after]
        page, more = entries[: self.server.behaviour.page], len(entries) > self.server.behaviour.page
        token = f"<NextContinuationToken>{escape(page[-1][0])}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult><Name>b</Name><Prefix>{escape(prefix)}</Prefix><KeyCount>{len(page)}</KeyCount>"
            f"<MaxKeys>{PAGE}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token}"
            + "".join(text for _, text in page)
            + "</ListBucketResult>"
        ).encode()

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _tag(path: Path) -> str:
    status = path.stat()
    return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


def _content(path: Path, key: str) -> str:
    status = path.stat()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(status.st_mtime))
    return (
        f"<Contents><Key>{escape(key)}</Key><LastModified>{stamp}</LastModified><ETag>{escape(_tag(path))}</ETag>"
        f"<Size>{status.st_size}</Size></Contents>"
    )


@contextlib.contextmanager
def serving(folder: Path, behaviour: Behaviour | None = None) -> Iterator[RangeServer]:
    """A server in this process, until the end of the block."""
    server = RangeServer(folder, behaviour or Behaviour())
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def variables(url: str) -> dict[str, str]:
    """What a scan needs in its environment to find it."""
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "reader",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_REGION": "us-east-1",
    }


def _served_alone() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sources.range_server")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--latency", type=float, default=0.0)
    parser.add_argument("--bandwidth", type=float, help="bytes per second")
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    behaviour = Behaviour(given.latency, given.bandwidth, given.faults, seed=given.seed)
    server = RangeServer(given.folder, behaviour)
    print(quote(server.url, safe=":/"), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _served_alone()
