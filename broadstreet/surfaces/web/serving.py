"""The process that serves: one socket, one thread that looks at the casebook, and an end that comes at once."""

import logging
import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from broadstreet.errors import UsageError
from broadstreet.store.casebook import open_tables
from broadstreet.surfaces.text import echo, safe
from broadstreet.surfaces.web import sql_box
from broadstreet.surfaces.web.app import app
from broadstreet.surfaces.web.safety import LOOPBACK
from broadstreet.surfaces.web.shelf import Shelf

LONGEST_LINE = 2_000  # characters of a line about what failed
WAITING = 128  # connections that were not taken yet


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket at an address; who has the port already is not known, so the next one is named."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        raise UsageError(f"no address {host}: {error.strerror}", "broadstreet serve --host 127.0.0.1") from error
    with socket.socket(family, socket.SOCK_STREAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            made.bind(address)
            made.listen(WAITING)
        except OSError as error:
            other = f"broadstreet serve --port {port + 1 if 0 < port < 65_535 else 0}"
            raise UsageError(f"port {port} of {host} cannot be had: {error.strerror}", other) from error
        yield made


def served(there: socket.socket, url: str, at: int | None, names: tuple[str, ...]) -> None:
    """Serve until a signal ends the process."""
    open_tables(url, at)  # what is wrong with a casebook is said here, not on a page
    host, port = there.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{'localhost' if host in ('127.0.0.1', '::1') else shown}:{port}/"
    echo(f"  Broad Street shows {safe(shlex.quote(url))} at {address}", err=True)
    if names:
        echo("  Not this machine alone: who can reach it reads every case, without a password.", err=True)
    echo("  Stop it with Ctrl-C.", err=True)
    shelf = Shelf(url, at)
    made = app(shelf, names=(*LOOPBACK, *names))
    logging.basicConfig(level=logging.WARNING, handlers=[_log()], force=True)
    config = uvicorn.Config(
        made,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        proxy_headers=False,
    )
    server = _Server(config, shelf)
    shelf.start()
    server.run(sockets=[there])


class _Plain(logging.Formatter):
    """What failed may quote a name: no control character of it reaches a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(safe(line, LONGEST_LINE) for line in super().format(record).split("\n"))


def _log() -> logging.Handler:
    made = logging.StreamHandler()
    made.setFormatter(_Plain("%(levelname)s: %(message)s"))
    return made


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, shelf: Shelf) -> None:
        super().__init__(config)
        self._shelf = shelf

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # At once: there is nothing to save, and an answer that takes long would hold up the end, or be cut in two.
        self._shelf.close()
        sql_box.leave()
        os._exit(0)
