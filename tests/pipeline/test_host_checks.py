"""What is said of hosts that lack one thing, and of one that lacks nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from broadstreet.pipeline.host_checks import HOST_CHECKS, KEEP_FREE, host_diagnoses
from broadstreet.records.diagnosis import HARMS, Diagnosis
from broadstreet.sources.host import HostFacts, host_facts
from tests.hosts import LIMITS, made_up

KERNEL = "proc/sys/kernel/"
PATTERN = KERNEL + "core_pattern"
CONF = "etc/systemd/coredump.conf"
A_FILE = {PATTERN: "/var/lib/systemd/coredump/core.%p"}


def facts(root: Path, files: dict[str, str]) -> HostFacts:
    """Of a host with a large disk and all that a command may have."""
    found = host_facts(made_up(root, files), str(root), ())
    disk = (900 * 10**9, 1000 * 10**9) if found.core_disk else None
    return replace(found, binaries=12, extras={"symbols": True, "cluster": True}, core_disk=disk)


def answers(found: HostFacts) -> dict[str, Diagnosis]:
    return {one.name: one for one in host_diagnoses(found)}


def lacking(found: HostFacts) -> list[str]:
    return [one.name for one in host_diagnoses(found) if one.state == "lacking"]


def test_systemd_s_own_settings_lack_nothing(tmp_path: Path) -> None:
    found = host_diagnoses(facts(tmp_path, {}))
    assert {one.state for one in found} == {"ok"}
    assert len(found) == len(HOST_CHECKS)


LIMITED = LIMITS.replace("unlimited            unlimited", "{:<20} {:<20}")


@pytest.mark.parametrize(
    ("files", "name", "seen"),
    [
        ({PATTERN: "core\n"}, "core_pattern", "in the folder where the process works"),
        ({PATTERN: "\n"}, "core_pattern", "is empty"),
        ({PATTERN: "|/bin/false\n"}, "core_pattern", "thrown away"),
        ({PATTERN: "/dev/null\n"}, "core_pattern", "thrown away"),
        ({PATTERN: "|/opt/gone %p\n"}, "core_handler", "/opt/gone, which does not exist"),
        ({PATTERN: "/var/nowhere/core.%p\n"}, "core_folder", "/var/nowhere does not exist"),
        ({PATTERN: "/var/lib/systemd/core\n", KERNEL + "core_uses_pid": "0\n"}, "core_names", "overwrites"),
        ({"proc/self/limits": LIMITED.format("0", "unlimited")}, "core_limit", "leaves nothing"),
        ({"proc/self/limits": LIMITED.format("0", "0")}, "core_limit", "may not raise"),
        ({"proc/self/limits": LIMITED.format("1000000000", "unlimited")}, "core_limit", "1.0 GB: larger ones"),
        (
            {"etc/systemd/system.conf": "[Manager]\nDefaultLimitCORE=0:infinity\n"},
            "services_limit",
            "services leave nothing",
        ),
        ({"etc/systemd/system.conf": "[Manager]\nDefaultLimitCORE=1G\n"}, "services_limit", "cut off at 1G"),
        ({"proc/self/coredump_filter": "00000000\n"}, "coredump_filter", "registers only"),
        ({"proc/self/coredump_filter": "00000023\n"}, "coredump_filter", "without build ids"),
        ({"proc/sys/fs/suid_dumpable": "0\n"}, "suid_dumpable", "is 0"),
        ({PATTERN: "core.%p\n"}, "suid_dumpable", "wants an absolute core_pattern"),
        ({KERNEL + "core_pipe_limit": "0\n"}, "core_pipe_limit", "does not wait"),
        ({CONF: "[Coredump]\nStorage=none\n"}, "coredump_storage", "Storage=none"),
        ({CONF: "[Coredump]\nProcessSizeMax=0\n"}, "coredump_storage", "ProcessSizeMax=0"),
        ({CONF: "[Coredump]\nStorage=journal\n"}, "coredump_storage", "lie in the journal"),
        ({CONF: "[Coredump]\nExternalSizeMax=767M\n"}, "coredump_size", "ExternalSizeMax=767M"),
        ({CONF: "[Coredump]\nMaxUse=500M\n"}, "coredump_size", "MaxUse=500M"),
        ({CONF: "[Coredump]\nKeepFree=1T\n"}, "core_disk", "systemd deletes old ones"),
        ({".dockerenv": ""}, "container", "/.dockerenv"),
    ],
)
def test_what_lacks_is_found_and_mended_in_one_line(
    files: dict[str, str], name: str, seen: str, tmp_path: Path
) -> None:
    answer = answers(facts(tmp_path, files))[name]
    assert (answer.state, seen in answer.seen) == ("lacking", True), answer
    assert answer.remedy
    assert "\n" not in answer.remedy


@pytest.mark.parametrize(
    "pattern",
    ["/var/lib/systemd/coredump/core.%p", "@/run/collector.socket", "|/usr/share/apport/apport -p%p -s%s -c%c -d%d"],
)
def test_other_ways_to_keep_core_dumps_are_as_good(pattern: str, tmp_path: Path) -> None:
    there = {"usr/share/apport/apport": "", "var/crash/.keep": ""}
    assert lacking(facts(tmp_path, {PATTERN: pattern, **there})) == []


def test_a_program_gets_all_whatever_the_limit_is_but_systemd_and_apport_keep_to_it(tmp_path: Path) -> None:
    none = {"proc/self/limits": LIMITED.format("0", "unlimited")}
    assert "core_limit" in lacking(facts(tmp_path / "systemd", none))
    assert "core_limit" not in lacking(facts(tmp_path / "other", {PATTERN: "|/opt/ours %p", "opt/ours": "", **none}))


def test_settings_of_systemd_mean_nothing_where_it_takes_no_core_dumps(tmp_path: Path) -> None:
    assert lacking(facts(tmp_path, {**A_FILE, CONF: "[Coredump]\nStorage=none\nMaxUse=1M\n"})) == []


def test_a_number_in_each_name_is_enough_that_none_is_overwritten(tmp_path: Path) -> None:
    assert "core_names" not in lacking(facts(tmp_path, {PATTERN: "core\n", KERNEL + "core_uses_pid": "1\n"}))


def test_what_systemd_keeps_free_is_a_share_of_the_disk(tmp_path: Path) -> None:
    found, disk = facts(tmp_path, {}), 1000 * 10**9
    assert "core_disk" in lacking(replace(found, core_disk=(int(disk * KEEP_FREE) - 1, disk)))
    assert "core_disk" not in lacking(replace(found, core_disk=(int(disk * KEEP_FREE), disk)))


def test_a_full_disk_is_found_where_files_are_written(tmp_path: Path) -> None:
    found = replace(facts(tmp_path, A_FILE), core_disk=(10**9, 1000 * 10**9))
    assert "1.0 GB of 1,000.0 GB are free" in answers(found)["core_disk"].seen


def test_core_dumps_that_this_user_may_not_read_are_counted(tmp_path: Path) -> None:
    found = answers(replace(facts(tmp_path, {}), cores=(7, 3)))["core_permission"]
    assert (found.state, found.seen[:8]) == ("lacking", "3 of 7 f")


def test_an_empty_store_and_a_missing_extra_are_lacks_of_the_least_kind(tmp_path: Path) -> None:
    found = replace(facts(tmp_path, {}), binaries=0, extras={"symbols": False, "cluster": False})
    assert {(one.name, one.harm) for one in host_diagnoses(found) if one.state == "lacking"} == {
        ("binaries", "less can be said"),
        ("symbols", "less can be said"),
    }


def test_no_server_for_binaries_is_no_lack(tmp_path: Path) -> None:
    assert answers(replace(facts(tmp_path, {}), debuginfod=()))["debuginfod"].state == "ok"


def test_in_a_container_the_files_of_the_node_are_not_known(tmp_path: Path) -> None:
    found = answers(facts(tmp_path, {".dockerenv": "", CONF: "[Coredump]\nStorage=none\n"}))
    unknown = {name for name, one in found.items() if one.state == "not_known"}
    assert {"coredump_storage", "services_limit", "core_handler", "core_disk"} <= unknown


def test_nothing_read_is_nothing_claimed(tmp_path: Path) -> None:
    found = replace(facts(tmp_path, {}), core_pattern=None, core_limit=None)
    assert answers(found)["core_pattern"].state == answers(found)["core_limit"].state == "not_known"


def test_the_worst_comes_first(tmp_path: Path) -> None:
    files = {PATTERN: "core\n", KERNEL + "core_uses_pid": "0\n", ".dockerenv": "", "proc/sys/fs/suid_dumpable": "0\n"}
    found = host_diagnoses(facts(tmp_path, files))
    states = [one.state for one in found]
    assert states == sorted(states, key=["lacking", "not_known", "ok"].index)
    harms = [HARMS.index(one.harm) for one in found if one.state == "lacking"]
    assert harms == sorted(harms)
    assert found[0].name == "core_pattern"
