"""A casebook that means harm."""

from pathlib import Path

import pytest

from tests.surfaces.web.hostile import made


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a casebook in which every text that others chose is hostile."""
    return made(Path(tmp_path_factory.mktemp("hostile")))
