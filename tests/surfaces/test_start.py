"""Nothing heavy is imported to answer --help: what it costs is measured by `python -m bench start`, never here."""

import subprocess
import sys

import pytest

HEAVY = ("capstone", "lz4", "numpy", "pyarrow", "rich", "symbolic", "zstandard")
ASK = f"""
import sys
from broadstreet.surfaces.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code
print("imported:", *(name for name in {HEAVY} if name in sys.modules))
"""


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_the_first_answer_imports_nothing_heavy(option: str) -> None:
    done = subprocess.run([sys.executable, "-c", ASK, option], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "imported:"
