"""File names and attributes as systemd-coredump writes them."""

import pytest

from broadstreet.formats.collectors import Collected, from_attributes, from_name

BOOT = "ae0ddef8aa2b41c0be6cf0e85d482248"


def test_a_name_of_systemd_says_who_when_and_which_boot() -> None:
    found = from_name(f"core.bash.1000.{BOOT}.23595.1673457266000000.zst")
    assert found == Collected("bash", 1000, 23595, BOOT, None, None, 1_673_457_266_000_000)


@pytest.mark.parametrize("suffix", ["", ".lz4", ".xz", ".zst"])
def test_a_name_may_be_compressed(suffix: str) -> None:
    assert from_name(f"core.sh.0.{BOOT}.1.1673457266000000{suffix}").pid == 1


def test_a_command_may_hold_dots_and_escapes() -> None:
    found = from_name(f"core.kworker\\x2fu8:0.python3.11.0.{BOOT}.7.1673457266000000")
    assert found.comm == "kworker/u8:0.python3.11"


def test_seconds_of_old_versions_become_microseconds() -> None:
    assert from_name(f"core.sh.0.{BOOT}.1.1673457266").time_microseconds == 1_673_457_266_000_000


@pytest.mark.parametrize(
    "name",
    [
        "core",
        "core.4711",
        "core.bash.4711.1673457266",
        f"core.bash.1000.{BOOT[:-1]}.23595.1673457266000000",
        f"core.bash.1000.{BOOT}.23595.1673457266000000.json",
        f"vmcore.bash.1000.{BOOT}.23595.1673457266000000",
    ],
)
def test_another_name_says_nothing(name: str) -> None:
    assert from_name(name) == Collected()


def test_attributes_say_host_and_executable() -> None:
    given = {"pid": "7", "uid": "8", "timestamp": "1673457266000001", "hostname": "n1", "comm": "sh", "exe": "/bin/sh"}
    assert from_attributes(given) == Collected("sh", 8, 7, None, "n1", "/bin/sh", 1_673_457_266_000_001)


def test_an_attribute_in_seconds_becomes_microseconds() -> None:
    assert from_attributes({"timestamp": "1673457266"}).time_microseconds == 1_673_457_266_000_000


@pytest.mark.parametrize("text", ["", "-1", "12a", "1e5", "٣", "9" * 40])
def test_an_attribute_that_is_no_number_is_null(text: str) -> None:
    found = from_attributes({"pid": text, "uid": text, "timestamp": text})
    assert (found.pid, found.uid, found.time_microseconds) == (None, None, None)


def test_absent_attributes_are_null() -> None:
    assert from_attributes({}) == Collected()
