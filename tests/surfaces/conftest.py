"""Folders that the tests of the command line share."""

import pytest

from tests.surfaces.shell import Fleet, fleet


@pytest.fixture(scope="session")
def small_fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """Eight crashes, read only."""
    return fleet(tmp_path_factory.mktemp("fleet"))
