"""Where and when, from the name, the attributes, the sidecar and the clock of the file; and which of them counts."""

import json
import os
import time
from pathlib import Path

import pytest

from broadstreet.errors import UsageError
from broadstreet.pipeline.outcome import outcome_at
from broadstreet.records.case import Case, Unreadable
from broadstreet.sources.binaries import Binaries
from broadstreet.sources.circumstances import circumstances
from tests import synth
from tests.reading.specimens import core

BOOT = "ae0ddef8aa2b41c0be6cf0e85d482248"
SYSTEMD = f"core.bash.1000.{BOOT}.23595.1673457266123456"


def place(folder: Path, name: str = "core", sidecar: object = None) -> str:
    path = folder / name
    path.write_bytes(synth.core_dump(core()))
    if sidecar is not None:
        content = sidecar if isinstance(sidecar, bytes) else json.dumps(sidecar).encode()
        path.with_name(f"{name}.json").write_bytes(content)
    return str(path)


def attributed(path: str, **attributes: str) -> str:
    try:
        for name, value in attributes.items():
            os.setxattr(path, f"user.coredump.{name}", value.encode())
    except OSError as error:
        pytest.skip(f"this filesystem keeps no user attributes: {error}")
    return path


def test_a_name_of_systemd_gives_time_boot_and_pid(tmp_path: Path) -> None:
    found = circumstances(place(tmp_path, SYSTEMD))
    assert (found.time, found.time_source) == ("2023-01-11T17:14:26.123456Z", "file_name")
    assert (found.boot_id, found.pid, found.uid, found.executable) == (BOOT, 23595, 1000, "bash")
    assert (found.host, found.host_source) == (None, "unknown")


def test_attributes_give_host_and_executable_and_count_before_the_name(tmp_path: Path) -> None:
    path = place(tmp_path, SYSTEMD)
    attributed(path, hostname="node-7", exe="/usr/bin/bash", pid="23596", timestamp="1700000000000000", comm="sh")
    found = circumstances(path)
    assert (found.host, found.host_source) == ("node-7", "xattr")
    assert (found.time, found.time_source) == ("2023-11-14T22:13:20.000000Z", "xattr")
    assert (found.executable, found.pid) == ("/usr/bin/bash", 23596)
    assert (found.boot_id, found.uid) == (BOOT, 1000)


def test_an_attribute_that_makes_no_sense_leaves_the_name_to_speak(tmp_path: Path) -> None:
    found = circumstances(attributed(place(tmp_path, SYSTEMD), timestamp="yesterday", pid="-5"))
    assert (found.time_source, found.pid) == ("file_name", 23595)


def test_the_sidecar_counts_before_everything(tmp_path: Path) -> None:
    sidecar = {
        "time": "2026-06-30T12:00:00+02:00",
        "host": "node-9",
        "pid": 5,
        "service": "search",
        "service_release": "r7",
        "workload": "batch",
        "region": "eu-1",
        "labels": {"rack": "b2", "canary": "no"},
        "unknown": [1, {"deep": None}],
    }
    found = circumstances(attributed(place(tmp_path, SYSTEMD, sidecar), hostname="node-7"))
    assert (found.time, found.time_source) == ("2026-06-30T10:00:00.000000Z", "sidecar")
    assert (found.host, found.host_source, found.pid) == ("node-9", "sidecar", 5)
    assert (found.service, found.service_release, found.workload, found.region) == ("search", "r7", "batch", "eu-1")
    assert found.labels == (("canary", "no"), ("rack", "b2"))


def test_a_time_without_a_zone_is_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "XST-5:30")
        time.tzset()
        found = circumstances(place(tmp_path, sidecar={"time": "2026-06-30T12:00:00"}))
    time.tzset()
    assert found.time == "2026-06-30T12:00:00.000000Z"


def test_without_anything_else_the_clock_of_the_file_is_named_as_the_source(tmp_path: Path) -> None:
    path = place(tmp_path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    found = circumstances(path)
    assert (found.time, found.time_source) == ("2023-11-14T22:13:20.000000Z", "mtime")


def test_a_file_that_is_gone_has_no_time(tmp_path: Path) -> None:
    found = circumstances(str(tmp_path / "core"))
    assert (found.time, found.time_source) == (None, "unknown")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"{",
        b"\xff\xfe{}",
        b'{"pid": "5"}',
        b'{"pid": 1e400}',
        b'{"time": "yesterday"}',
        b'{"time": "0001-01-01T00:00:00+23:59"}',
        b'{"time": "9999-12-31T23:59:59-23:59"}',
        b'{"labels": {"a": 1}}',
        b'{"deep": ' + b"[" * 200_000,
    ],
    ids=lambda content: content[:24].decode("latin-1"),
)
def test_a_broken_sidecar_is_named_and_stops_nothing_else(tmp_path: Path, content: bytes) -> None:
    path = place(tmp_path, sidecar=content)
    with pytest.raises(UsageError, match=r"core\.json"):
        circumstances(path)
    outcome = outcome_at(path, Binaries())
    assert isinstance(outcome, Unreadable)
    assert outcome.kind == "sidecar"


def test_a_sidecar_longer_than_a_mebibyte_is_no_sidecar(tmp_path: Path) -> None:
    path = place(tmp_path, sidecar=b'{"host": "node-9"}' + b" " * (1 << 20))
    assert circumstances(path).host is None


def test_a_folder_named_like_the_sidecar_is_no_sidecar(tmp_path: Path) -> None:
    path = place(tmp_path)
    (tmp_path / "core.json").mkdir()
    assert circumstances(path).host is None


def test_what_the_core_dump_says_of_itself_counts_before_its_name(tmp_path: Path) -> None:
    outcome = outcome_at(place(tmp_path, SYSTEMD), Binaries())
    assert isinstance(outcome, Case)
    assert (outcome.circumstances.pid, outcome.circumstances.executable) == (4711, "/nowhere/walker")
    assert outcome.circumstances.kernel_release == "6.18.44"
