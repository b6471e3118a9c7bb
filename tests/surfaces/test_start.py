"""Nothing heavy is imported to answer --help: what it costs is measured by `python -m bench start`, never here."""

from pathlib import Path

import pytest

from bench.start import heavy_modules


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_first_answer_imports_nothing_heavy(option: str) -> None:
    assert heavy_modules(option) == []


def test_a_table_for_programs_is_seen_to_import_its_writer(tmp_path: Path) -> None:
    assert "pyarrow" in heavy_modules("scan", "-o", "parquet", "--output", str(tmp_path / "cases"), str(tmp_path))
