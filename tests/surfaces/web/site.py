"""A real server over a real casebook, and what a reader without a browser finds there."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from broadstreet.surfaces.web.page import Page
from broadstreet.surfaces.web.pages import PAGES

ROOT = Path(__file__).parents[3]
LONGEST_SECONDS = 120  # a guard against a hang, no measure
EACH_KIND = 2  # addresses of each page that are looked at
OTHER_FORMS = (".json", *(f".{form}" for page in PAGES for form in page.forms))
_DIRECT = build_opener(ProxyHandler({}))


class Answered(NamedTuple):
    """What came of one request."""

    status: int
    headers: Mapping[str, str]
    text: str


class Site(NamedTuple):
    """A server that answers at `address`, which ends without a slash."""

    address: str
    pid: int

    def get(self, path: str, accept: str = "text/html") -> Answered:
        """One page."""
        request = Request(self.address + path, headers={"Accept": accept})
        try:
            with _DIRECT.open(request, timeout=LONGEST_SECONDS) as answer:
                return Answered(answer.status, answer.headers, answer.read().decode())
        except HTTPError as error:
            return Answered(error.code, error.headers, error.read().decode())

    def drawn(self) -> "Site":
        """The same once its casebook is analysed."""
        until = time.monotonic() + LONGEST_SECONDS
        while (answer := self.get("/")).status == 503:
            assert time.monotonic() < until, answer.text
            time.sleep(0.2)
        assert answer.status == 200, answer.text
        return self


@contextmanager
def process(book: str, cache: Path, before: Sequence[str] = ()) -> Iterator[tuple[int, int]]:
    """A server as a user starts it: its process id and port. `before` is a command that runs it."""
    command = [*before, sys.executable, "-m", "broadstreet", "serve", "--port", "0", "--casebook", book]
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    ours = {"HOME": str(cache), "XDG_CACHE_HOME": str(cache), "LC_ALL": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=kept | ours, cwd=ROOT) as child:
        assert child.stderr is not None
        try:
            said = child.stderr.readline()
            port = re.search(r":(\d+)/$", said.strip())
            assert port, said + child.stderr.read()
            yield child.pid, int(port[1])
        finally:
            child.terminate()
            child.wait(LONGEST_SECONDS)


@contextmanager
def serving(book: str, cache: Path) -> Iterator[Site]:
    """The site of a casebook, its atlas drawn."""
    with process(book, cache) as (pid, port):
        yield Site(f"http://127.0.0.1:{port}", pid).drawn()


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name == "href" and tag == "a" and value]


def links(html: str) -> list[str]:
    """Where the links of a page lead."""
    reader = _Links()
    reader.feed(html)
    return reader.found


def kind_of(path: str) -> Page | None:
    """The page that answers at a path, of those that are HTML."""
    if path.endswith(OTHER_FORMS):
        return None
    return next((page for page in PAGES if re.fullmatch(_pattern(page.path), path)), None)


def _pattern(path: str) -> str:
    escaped = re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
    return re.sub(r"\{\w+\}", "[^/]+", re.sub(r"\{\w+:path\}", ".+", escaped))


def every_page(site: Site, each: int = EACH_KIND) -> dict[str, list[str]]:
    """Addresses of each kind of page, as links from the overview lead to them, whatever is answered there."""
    found: dict[str, list[str]] = {page.path: [] for page in PAGES}
    ahead: dict[str, list[str]] = {path: [] for path in found} | {"/": ["/"]}
    seen = {"/"}
    while waiting := [kind for kind, some in ahead.items() if some and len(found[kind]) < each]:
        kind = min(waiting, key=lambda one: len(found[one]))
        here = ahead[kind].pop(0)
        found[kind].append(here)
        for link in links(site.get(here).text):
            whole = urlsplit(urljoin(site.address + here, link))
            address = whole.path + (f"?{whole.query}" if whole.query else "")
            page = kind_of(whole.path)
            if f"{whole.scheme}://{whole.netloc}" == site.address and address not in seen and page is not None:
                seen.add(address)
                ahead[page.path].append(address)
    return found
