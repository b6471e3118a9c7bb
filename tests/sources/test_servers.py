"""Buckets as other people's servers speak them: moto for S3, Azurite for Azure's blobs. Google's was not tested."""

import base64
import hashlib
import hmac
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from broadstreet.errors import UsageError
from broadstreet.pipeline.together import examine_together
from broadstreet.records.case import Case, Unreadable
from broadstreet.sources import objects
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.specimens import specimens
from tests import synth
from tests.reading.specimens import core
from tests.sources.range_server import variables

START_SECONDS = 60
AZURITE = "azurite@3.35.0"
# the account that every emulator has: learn.microsoft.com, "Use the Azurite emulator", well-known storage account
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def running(port: int, *command: str) -> Iterator[str]:
    """A server in a process of its own, from when it listens until the end of the block."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(START_SECONDS * 10):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None:
                pytest.skip(f"{command[0]} does not start")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
        objects.store_at.cache_clear()


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    pytest.importorskip("moto.server", reason="moto is not installed")
    port = free_port()
    with running(port, sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)) as url:
        yield url


@pytest.fixture(scope="module")
def azurite() -> Iterator[str]:
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("npm is not installed, so there is no Azurite")
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    place = Path(cache) / "broadstreet" / "tests" / AZURITE
    program = place / "node_modules" / ".bin" / "azurite-blob"
    if not program.exists():
        place.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(place), AZURITE]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode:
            pytest.skip(f"npm cannot install Azurite: {done.stderr[-200:]}")
    port = free_port()
    options = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent"]
    with running(port, str(program), *options, "--skipApiVersionCheck", "--inMemoryPersistence") as url:
        yield url


def filled(store: Any) -> None:
    content = synth.core_dump(core())
    for name in ("eu/vm-1/core.1", "eu/vm-2/core 2", "us/core.3", "us/notes.txt"):
        store.put(name, content)
    store.put("eu/vm-1/core.1.json", json.dumps({"host": "vm-1"}).encode())


def check(root: str, store: Any, gone: str = "vanished") -> None:
    """What is expected of every kind of store."""
    listed = list(specimens(root))
    names = [one.location.removeprefix(f"{root}/") for one in listed]
    assert names == ["eu/vm-1/core.1", "eu/vm-2/core 2", "us/core.3"]
    assert [one.sidecar for one in listed] == [f"{root}/eu/vm-1/core.1.json", None, None]
    assert all(one.given and one.given.time_source == "mtime" for one in listed)
    assert [one.location for one in specimens(f"{root}/eu/")] == [one.location for one in listed[:2]]
    assert [one.location for one in specimens(f"{root}/*/core*")] == [listed[2].location]
    assert list(specimens(f"{root}/us/core.3")) == [listed[2]]
    read = {one.specimen: one.outcome for one in examine_together(listed, Binaries())}
    assert all(isinstance(outcome, Case) for outcome in read.values()), read
    first = read[listed[0]]
    assert isinstance(first, Case)
    assert (first.circumstances.host, first.circumstances.host_source) == ("vm-1", "sidecar")

    store.put("us/core.3", synth.core_dump(core()) + b"more")
    store.delete("eu/vm-2/core 2")
    kinds = [one.outcome.kind for one in examine_together(listed, Binaries()) if isinstance(one.outcome, Unreadable)]
    assert sorted(kinds) == ["changed meanwhile", gone]
    with pytest.raises(UsageError, match="nothing is at"):
        list(specimens(f"{root}/nowhere"))


def test_s3_is_listed_and_read(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(moto).items():
        monkeypatch.setenv(name, value)
    objects.store_at.cache_clear()
    urllib.request.urlopen(urllib.request.Request(f"{moto}/fleet", method="PUT")).close()
    store = objects.store_at("s3://fleet", 10.0)
    filled(store)
    check("s3://fleet", store)
    with pytest.raises(UsageError) as caught:
        list(specimens("s3://no-such-bucket"))
    assert "name of the bucket" in caught.value.hint


def test_a_listing_of_several_pages_of_s3_is_whole(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in variables(moto).items():
        monkeypatch.setenv(name, value)
    objects.store_at.cache_clear()
    urllib.request.urlopen(urllib.request.Request(f"{moto}/many", method="PUT")).close()
    store = objects.store_at("s3://many", 10.0)
    for number in range(1100):
        store.put(f"core.{number:04}", b"x")
    found = [one.location for one in specimens("s3://many")]
    assert found == [f"s3://many/core.{number:04}" for number in range(1100)]


def made_container(url: str, name: str) -> None:
    """PUT with a shared key: learn.microsoft.com, "Authorize with Shared Key"."""
    stamp = formatdate(usegmt=True)
    canonical = f"x-ms-date:{stamp}\nx-ms-version:2021-08-06\n/{ACCOUNT}/{ACCOUNT}/{name}\nrestype:container"
    text = "PUT\n" + "\n" * 11 + canonical
    signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), text.encode(), hashlib.sha256)).decode()
    headers = {
        "x-ms-date": stamp,
        "x-ms-version": "2021-08-06",
        "Authorization": f"SharedKey {ACCOUNT}:{signature}",
    }
    request = urllib.request.Request(f"{url}/{ACCOUNT}/{name}?restype=container", method="PUT", headers=headers)
    urllib.request.urlopen(request).close()


def test_azure_is_listed_and_read(azurite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
    monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", azurite)
    objects.store_at.cache_clear()
    made_container(azurite, "fleet")
    store = objects.store_at("az://fleet", 10.0)
    filled(store)
    check("az://fleet", store, gone="changed meanwhile")  # Azurite holds the ETag against nothing, and says 412
    with pytest.raises(UsageError) as caught:
        list(specimens("az://no-such-container"))
    assert "name of the bucket" in caught.value.hint
