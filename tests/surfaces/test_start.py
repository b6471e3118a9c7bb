"""Nothing heavy is imported to answer --help: what it costs is measured by `python -m bench start`, never here."""

import pytest

from bench.start import heavy_modules


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_first_answer_imports_nothing_heavy(option: str) -> None:
    assert heavy_modules(option) == []


def test_a_command_that_needs_a_heavy_module_is_seen_to_import_it() -> None:
    assert "capstone" in heavy_modules("read", "--help")
