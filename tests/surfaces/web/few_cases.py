"""A reader of the pages of a few crashes, some of them with hostile names."""

from collections.abc import Mapping
from pathlib import Path

import msgspec
from starlette.testclient import TestClient

from broadstreet.records.verdict import Investigation
from broadstreet.store.atlas import Atlas
from broadstreet.surfaces.investigation_json import investigation_json
from tests.store.small_atlas import Rows, atlas_of
from tests.surfaces.web.stand_in import OnShelf, reader

SCRIPT = "<script>alert(1)</script>"
QUOTES = '\'; DROP TABLE crashes; --" onload="x'
BACKWARDS = "a\u202eb\0c\x1b[31m"
LONG = "x" * 1_000_000
TYPES = {"mechanism": "text", "region": "text", "holds": "texts", "size": "int", "pc": "address", SCRIPT: "text"}
ROWS: Rows = [
    {"mechanism": "torn", "region": "eu", "host": "h1", "holds": ["torn", "odd"], "size": 3, "pc": 16, SCRIPT: "=1+1"},
    {"mechanism": "torn", "region": "eu", "host": "h2", "holds": ["torn"], "size": -5, "pc": 32, SCRIPT: SCRIPT},
    {"mechanism": "bent", "region": "us", "host": "h3", "holds": [], "size": 40, "pc": None, SCRIPT: QUOTES},
    {"mechanism": "bent", "region": None, "host": "h3", "holds": None, "size": None, "pc": 64, SCRIPT: BACKWARDS},
    {"mechanism": "lost", "region": "us", "host": None, "holds": ["odd"], "size": 7, "pc": 64, SCRIPT: LONG},
]
NOTHING_FOUND = Investigation(
    casebook="casebook",
    casebook_version=1,
    broadstreet_version="0.1.0",
    weights_version="",
    simulated=False,
    cases=5,
    episodes=5,
    syndromes=0,
    hosts=None,
    at_risk=None,
    measure=None,
    start="",
    end="",
    questions=0,
    families={},
    captured=None,
    fatal=None,
    capture_notes=(),
    verdicts=(),
)


def few_cases(folder: Path, rows: Rows = ROWS, pieces: Rows = (), types: Mapping[str, str] = {}) -> Atlas:
    """An atlas of them, with an investigation that found nothing; `types` of columns besides."""
    atlas = atlas_of(folder, {**TYPES, **types}, rows, pieces)
    (folder / "investigation.json").write_bytes(msgspec.json.encode(investigation_json(NOTHING_FOUND)))
    (folder / "capture.json").write_bytes(b"null")
    return atlas


def reader_of(atlas: Atlas) -> TestClient:
    """A reader of its pages."""
    return reader(OnShelf(atlas))
