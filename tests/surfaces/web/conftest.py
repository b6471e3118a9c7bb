"""Casebooks, servers that show them, and a browser."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.surfaces.shell import broadstreet
from tests.surfaces.web.browsing import browser, chromium
from tests.surfaces.web.hostile import made
from tests.surfaces.web.site import ROOT, Site, serving


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a casebook in which every text that others chose is hostile."""
    return made(tmp_path_factory.mktemp("hostile"))


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
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where atlases are kept, so that two servers of one casebook draw one."""
    return tmp_path_factory.mktemp("cache")


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
