"""Casebooks of real crashes, their atlases, and who reads their pages."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from starlette.testclient import TestClient

from broadstreet.records.specimen import Examined
from broadstreet.store.atlas import Atlas
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.questions import Questions
from broadstreet.surfaces.web.app import app
from broadstreet.surfaces.web.drawing import draw_into_cache
from tests.surfaces.web.stand_in import OnShelf

VERSION = "0.1.0"


class Read(NamedTuple):
    """An atlas, and a reader of its pages."""

    atlas: Atlas
    reader: TestClient

    def html(self, address: str) -> str:
        """A page that must be there."""
        answer = self.reader.get(address)
        assert answer.status_code == 200, answer.text[:2000]
        return answer.text

    def json(self, address: str) -> Any:
        """The same for a program."""
        answer = self.reader.get(f"{address}.json")
        assert answer.status_code == 200, answer.text[:2000]
        return answer.json()


def kept(folder: Path, *batches: Iterable[Examined], keep: str = "pointers") -> str:
    """A casebook of these, a scan each."""
    book = open_for_writing(str(folder))
    try:
        for batch in batches:
            scan = book.begin(("cores",), VERSION)
            book.add(list(batch), scan, keep, 1, {}, "scan")
            book.end(scan, ("cores",), VERSION, 1, 0, 0)
    finally:
        book.close()
    return str(folder)


@contextmanager
def pages_of(url: str, cache: Path) -> Iterator[Read]:
    """The pages of a casebook as it is now."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(cache))
        with Questions(url) as questions:
            version = questions.version.number
        atlas = Atlas(str(draw_into_cache(url, version)))
        with TestClient(app(OnShelf(atlas)), base_url="http://localhost", follow_redirects=False) as reader:
            yield Read(atlas, reader)
        atlas.close()
