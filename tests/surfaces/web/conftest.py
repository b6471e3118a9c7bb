"""A small casebook, its atlas, and a browser, which the tests of the web share."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.store.atlas import Atlas
from broadstreet.store.casebook import open_tables
from broadstreet.surfaces.web.drawing import draw_into_cache
from tests.surfaces.shell import Fleet, broadstreet
from tests.surfaces.web.browsing import CHROMIUM
from tests.surfaces.web.hostile import made


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the user's that is not the user's."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def casebook(small_fleet: Fleet, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Eight crashes in a casebook."""
    folder = tmp_path_factory.mktemp("user") / "casebook"
    said = broadstreet("scan", small_fleet.cores, "--casebook", folder, store=small_fleet.store)
    assert said.status == 0, said.err
    return str(folder)


@pytest.fixture(scope="session")
def atlas(casebook: str, cache: Path) -> Atlas:
    """The atlas of that casebook."""
    return Atlas(str(draw_into_cache(casebook, open_tables(casebook)[1].number)))


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A real Chromium; skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("no chromium is installed")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        shown = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield shown
        shown.close()


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a casebook in which every text that others chose is hostile."""
    return made(Path(tmp_path_factory.mktemp("hostile")))
