"""Casebooks, their atlases, servers that show them, and a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from broadstreet.store.atlas import Atlas
from broadstreet.store.casebook import open_tables
from broadstreet.surfaces.web.drawing import draw_into_cache
from tests.surfaces.shell import Fleet, broadstreet
from tests.surfaces.web.browsing import browser, chromium
from tests.surfaces.web.hostile import made
from tests.surfaces.web.site import ROOT, Site, serving


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of the user's that is not the user's; two servers of one casebook draw one atlas."""
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
def story(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a casebook of the whole sample and of its fleet."""
    folder = tmp_path_factory.mktemp("story")
    binaries = ("--binaries", ROOT / "sample" / "binaries")
    for arguments in (("scan", ROOT / "sample" / "cores", *binaries), ("fleet", "add", ROOT / "sample" / "fleet")):
        said = broadstreet(*arguments, "--casebook", folder / "casebook", store=folder / "no store")
        assert said.status == 0, said.err
    return str(folder / "casebook")


@pytest.fixture(scope="session")
def sample_atlas(story: str, cache: Path) -> Atlas:
    """The atlas of the sample."""
    return Atlas(str(draw_into_cache(story, open_tables(story)[1].number)))


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a casebook in which every text that others chose is hostile."""
    return made(tmp_path_factory.mktemp("hostile"))


@pytest.fixture(scope="session")
def site(story: str, cache: Path) -> Iterator[Site]:
    """The sample in a server."""
    with serving(story, cache) as served:
        yield served


@pytest.fixture(scope="session")
def hostile_site(hostile: str, cache: Path) -> Iterator[Site]:
    """The hostile casebook in a server."""
    with serving(hostile, cache) as served:
        yield served


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    """A browser of this machine."""
    executable = chromium()
    if executable is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on this machine")
    with browser(executable) as opened:
        yield opened
