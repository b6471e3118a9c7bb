"""`broadstreet scan` of buckets and layouts, as users call it."""

import json
from pathlib import Path

import pytest

from tests import synth
from tests.reading.specimens import core
from tests.sources.range_server import Behaviour, serving, variables
from tests.surfaces.shell import broadstreet

CONTENT = synth.core_dump(core())


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    place = tmp_path / "fleet"
    for number in range(20):
        path = place / f"eu-{number % 2}" / f"vm-{number}" / f"2026-06-{number + 1:02}T120000-core.{number}"
        path.parent.mkdir(parents=True)
        path.write_bytes(CONTENT)
    return place


def test_a_bucket_with_faults_is_scanned_by_two_workers(fleet: Path, tmp_path: Path) -> None:
    behaviour = Behaviour(faults=0.1, kinds=("500", "503", "truncated", "reset"), seed=7)
    layout = ("--layout", "{region}/{host}/{time:%Y-%m-%dT%H%M%S}-core.*")
    with serving(fleet, behaviour) as server:
        said = broadstreet(
            "scan",
            "s3://cores",
            *layout,
            "-o",
            "ndjson",
            "--workers",
            "2",
            store=tmp_path,
            changes=variables(server.url),
        )
    assert said.status == 0, said.err
    cases = sorted((json.loads(line) for line in said.text.splitlines()), key=lambda case: str(case["time"]))
    assert [case["host"] for case in cases] == [f"vm-{number}" for number in range(20)]
    assert {(case["host_source"], case["time_source"]) for case in cases} == {("layout", "layout")}
    assert {case["region"] for case in cases} == {"eu-0", "eu-1"}
    assert cases[0]["path"].startswith("s3://cores/eu-0/vm-0/")


def test_a_dry_run_reads_nothing(fleet: Path, tmp_path: Path) -> None:
    with serving(fleet) as server:
        said = broadstreet("scan", "s3://cores", "--dry-run", store=tmp_path, changes=variables(server.url))
        assert server.counts["bytes"] == 0
    assert said.status == 0
    assert said.text.startswith("20 core dumps would be read: 20 plain\n")


def test_time_chooses_by_the_layout(fleet: Path, tmp_path: Path) -> None:
    layout = ("--layout", "{region}/{host}/{time:%Y-%m-%dT%H%M%S}-*", "--since", "2026-06-05", "--until", "2026-06-08")
    said = broadstreet("scan", fleet, *layout, "--dry-run", store=tmp_path)
    assert said.text.startswith("3 core dumps would be read")


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("s3://",), "no bucket is named"),
        (("s3://cores", "--sample", "none"), "no share"),
        (("/nowhere/*",), "nothing matches"),
        (("/nowhere",), "no such file or folder"),
    ],
    ids=str,
)
def test_what_cannot_be_is_said_in_two_lines(tmp_path: Path, arguments: tuple[str, ...], what: str) -> None:
    said = broadstreet("scan", *arguments, store=tmp_path, changes=variables("http://127.0.0.1:1"))
    assert said.status == 2
    assert what in said.err
    assert len(said.err.splitlines()) == 2


def test_a_bucket_that_nobody_serves_is_said_with_what_to_set(tmp_path: Path) -> None:
    said = broadstreet("scan", "s3://cores", store=tmp_path, changes=variables("http://127.0.0.1:1"))
    assert said.status == 2
    assert "s3://cores cannot be listed: no connection" in said.err
    assert "AWS_ENDPOINT_URL" in said.err
