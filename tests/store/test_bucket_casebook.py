"""A casebook in a bucket, as moto speaks S3: conditional puts keep writers apart, with no table of locks."""

import os
import subprocess
import urllib.request
from pathlib import Path

import pytest

from broadstreet.store import mirror
from broadstreet.store.place import place
from tests.sources.range_server import variables
from tests.sources.test_servers import moto as moto
from tests.store.chaos.population import laid_out
from tests.store.chaos.running import ended, run, scan, scan_of, started
from tests.store.chaos.trials import Told, differing
from tests.store.chaos.whole import broken, told

CRASHES, BATCH = 24, 8
URL = "s3://fleet/casebook"


@pytest.fixture
def bucket(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in (variables(moto) | {"XDG_CACHE_HOME": str(tmp_path / "cache")}).items():
        monkeypatch.setenv(name, value)
    urllib.request.urlopen(urllib.request.Request(f"{moto}/fleet", method="PUT")).close()
    return f"{URL}-{tmp_path.name}"


@pytest.fixture
def cores(tmp_path: Path) -> Path:
    return laid_out(tmp_path / "cores", CRASHES)


@pytest.fixture
def undisturbed(tmp_path: Path, cores: Path) -> tuple[list[bytes], Told]:
    done = scan(cores, tmp_path / "undisturbed")
    return sorted(done.stdout.splitlines()), told(tmp_path / "undisturbed")


def test_two_scans_at_once_into_a_bucket_lose_and_double_nothing(
    bucket: str, cores: Path, undisturbed: tuple[list[bytes], Told]
) -> None:
    running = [started(*scan_of(cores, bucket), batch=BATCH) for _ in range(2)]
    for one in [*running, started(*scan_of(cores, bucket))]:
        done = ended(one)
        assert done.returncode == 0
        assert sorted(done.stdout.splitlines()) == undisturbed[0]
    assert broken(bucket) == []
    assert list(differing(told(bucket), undisturbed[1])) == []


def test_a_bucket_is_tidied_and_what_is_forgotten_leaves_the_cache_too(
    bucket: str, cores: Path, undisturbed: tuple[list[bytes], Told]
) -> None:
    scan(cores, bucket, batch=BATCH)
    assert run("casebook", "tidy", "--now", "--casebook", bucket).returncode == 0
    assert list(differing(told(bucket), undisturbed[1])) == []
    ask = "SELECT min(host) FROM cases WHERE host IS NOT NULL"
    host = run("sql", ask, "--casebook", bucket, "-o", "csv").stdout.split()[-1].decode()
    assert mirrored(bucket)
    assert run("casebook", "forget", "--host", host, "--casebook", bucket).returncode == 0
    assert not mirrored(bucket)
    of_host = f"SELECT case_id FROM cases WHERE host = '{host}'"
    assert run("sql", of_host, "--casebook", bucket, "-o", "csv").stdout.split() == [b"case_id"]
    cache = os.environ["XDG_CACHE_HOME"]
    assert subprocess.run(["grep", "-rl", host, cache], capture_output=True, check=False).stdout == b""


def mirrored(url: str) -> list[str]:
    (folder,) = mirror.folders(place(url))
    return [name for _, _, names in os.walk(folder) for name in names]
