"""What is read of a host, from made-up roots and from the one where this runs."""

import os
from pathlib import Path

import pytest

from broadstreet.sources.host import LONGEST_FILE, UNLIMITED, Host, HostFacts, core_folder, host_facts
from tests.hosts import LIMITS, made_up


def facts(root: Path, **files: str) -> HostFacts:
    return host_facts(made_up(root, files), str(root / "store"), ())


def test_the_settings_of_the_kernel_are_read_below_the_root(tmp_path: Path) -> None:
    found = facts(tmp_path)
    assert found.core_pattern == "|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h"
    assert (found.core_pipe_limit, found.core_uses_pid, found.suid_dumpable) == (16, 1, 2)
    assert (found.coredump_filter, found.core_limit) == (0x33, (UNLIMITED, UNLIMITED))
    assert (found.container, found.handler_exists, found.core_folder_exists) == ("", True, True)


def test_what_is_not_there_is_not_known(tmp_path: Path) -> None:
    found = host_facts(Host(tmp_path), str(tmp_path), ())
    assert (found.core_pattern, found.core_folder, found.core_limit, found.core_disk) == (None, None, None, None)
    assert (found.coredump_filter, found.suid_dumpable, found.container) == (None, None, None)


def test_a_number_that_is_none_is_not_known(tmp_path: Path) -> None:
    found = facts(tmp_path, **{"proc/self/coredump_filter": "many\n", "proc/self/limits": "Max core file size?\n"})
    assert (found.coredump_filter, found.core_limit) == (None, None)


def test_a_limit_has_a_soft_and_a_hard_part(tmp_path: Path) -> None:
    limits = LIMITS.replace("unlimited            unlimited", "0                    1048576  ")
    assert facts(tmp_path, **{"proc/self/limits": limits}).core_limit == (0, 1048576)


def test_a_file_is_read_to_a_limit(tmp_path: Path) -> None:
    found = facts(tmp_path, **{"proc/sys/kernel/core_pattern": "x" * (LONGEST_FILE + 1)})
    assert found.core_pattern == "x" * LONGEST_FILE


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("core", ""),
        ("/var/cores/core.%p", "/var/cores"),
        ("/var/cores/%h/core.%p", ""),
        ("|/usr/lib/systemd/systemd-coredump %P", "/var/lib/systemd/coredump"),
        ("|/usr/share/apport/apport -p%p", "/var/crash"),
        ("|/opt/collector --apport %p", ""),
        ("@/run/collector.socket", ""),
    ],
)
def test_where_core_dumps_lie_follows_from_the_pattern(pattern: str, folder: str) -> None:
    assert core_folder(pattern) == folder


@pytest.mark.parametrize("sign", [".dockerenv", "run/.containerenv", "run/systemd/container"])
def test_a_container_hides_the_files_of_its_node(sign: str, tmp_path: Path) -> None:
    found = facts(tmp_path, **{sign: ""})
    assert found.container == f"/{sign}"
    assert (found.coredump_conf, found.systemd_limit, found.handler_exists, found.core_disk) == (None, None, None, None)


def test_a_container_without_a_sign_is_known_by_its_control_group(tmp_path: Path) -> None:
    assert facts(tmp_path, **{"proc/1/cgroup": "0::/kubepods.slice/pod1\n"}).container == "/proc/1/cgroup"


def test_drop_ins_go_by_their_names_and_etc_masks_the_others(tmp_path: Path) -> None:
    found = facts(
        tmp_path,
        **{
            "etc/systemd/coredump.conf": "[Coredump]\nStorage=none\nMaxUse=1G\n# KeepFree=5G\n",
            "usr/lib/systemd/coredump.conf.d/20-vendor.conf": "[Coredump]\nStorage=journal\n",
            "usr/lib/systemd/coredump.conf.d/90-last.conf": "[Coredump]\nMaxUse=9G\n",
            "etc/systemd/coredump.conf.d/20-vendor.conf": "[Coredump]\nStorage = external\n[Other]\nMaxUse=3G\n",
            "etc/systemd/coredump.conf.d/30-note.txt": "[Coredump]\nStorage=none\n",
        },
    )
    assert found.coredump_conf == {"Storage": "external", "MaxUse": "9G"}


def test_only_the_first_main_file_counts(tmp_path: Path) -> None:
    both = {
        "etc/systemd/coredump.conf": "[Coredump]\nMaxUse=1G\n",
        "usr/lib/systemd/coredump.conf": "[Coredump]\nStorage=none\n",
    }
    assert facts(tmp_path, **both).coredump_conf == {"MaxUse": "1G"}


def test_without_systemd_its_limit_is_nobodys(tmp_path: Path) -> None:
    conf = {"etc/systemd/system.conf": "[Manager]\nDefaultLimitCORE=0\n"}
    assert facts(tmp_path / "a", **conf).systemd_limit == "0"
    assert facts(tmp_path / "b", **conf, **{"proc/1/comm": "init\n"}).systemd_limit == ""


def test_binaries_of_the_store_are_counted(tmp_path: Path) -> None:
    kept = {"store/.build-id/ab/cdef": "", "store/.build-id/ab/cdef.debug": "", "store/tables/ab": ""}
    assert facts(tmp_path, **kept).binaries == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_core_dump_of_somebody_else_is_counted_as_refused(tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/systemd/coredump"
    host = made_up(tmp_path, {"var/lib/systemd/coredump/core.a": "", "var/lib/systemd/coredump/core.b": ""})
    (folder / "core.a").chmod(0)
    assert host_facts(host, str(tmp_path), ()).cores == (2, 1)


def test_the_host_where_this_runs_can_be_asked(tmp_path: Path) -> None:
    found = host_facts(Host(), str(tmp_path), ("https://debuginfod.example",))
    assert found.core_pattern == Path("/proc/sys/kernel/core_pattern").read_text().rstrip("\n")
    assert found.core_limit is not None
    assert (found.binaries, found.debuginfod) == (0, ("https://debuginfod.example",))
