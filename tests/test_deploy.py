"""The files of deploy/: what they run exists on the command line, and what they promise is in them."""

import configparser
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from broadstreet.surfaces.cli import cli

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
SERVICE, TIMER = DEPLOY / "systemd" / "broadstreet-scan.service", DEPLOY / "systemd" / "broadstreet-scan.timer"
CRON_JOB = DEPLOY / "kubernetes" / "scan-cronjob.yaml"


def unit(path: Path) -> configparser.ConfigParser:
    parsed = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(path)
    return parsed


def cron_job() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(CRON_JOB.read_text())
    return loaded


def pod() -> dict[str, Any]:
    found: dict[str, Any] = cron_job()["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return found


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    found: dict[str, Any] = only
    return found


def words_of_the_service() -> list[str]:
    return shlex.split(unit(SERVICE)["Service"]["ExecStart"])


def words_of_the_cron_job() -> list[str]:
    shell, option, script = container()["command"]
    assert (shell, option) == ("/bin/sh", "-c")
    words = shlex.split(script)
    assert words[0] == "exec"  # so that the signal that ends a pod reaches the scan
    assert words[-2:] == [">", "/dev/null"]
    return words[1:-2]


BOTH = pytest.mark.parametrize(
    "words", [words_of_the_service(), words_of_the_cron_job()], ids=["systemd", "kubernetes"]
)


@BOTH
def test_what_is_run_is_a_scan_that_the_command_line_accepts(words: list[str]) -> None:
    assert Path(words[0]).name == "broadstreet"
    above = click.Context(cli, **cli.context_settings)
    command = cli.get_command(above, words[1])
    assert command is not None
    parsed = command.make_context(words[1], words[2:], parent=above).params
    assert len(parsed["places"]) == 1
    assert parsed["casebook"]
    assert parsed["progress"] == "plain"
    assert parsed["form"] == "ndjson"
    assert parsed["workers"]  # the CPUs that it may use are fewer than those that it sees


def test_the_service_writes_its_own_two_folders_and_no_other() -> None:
    service = unit(SERVICE)["Service"]
    words = words_of_the_service()
    casebook = words[words.index("--casebook") + 1]
    assert casebook.startswith(f"/var/lib/{service['StateDirectory']}/")
    settings = dict(one.split("=", 1) for one in service["Environment"].split())
    assert settings["BROADSTREET_BINARIES"].startswith(f"/var/cache/{service['CacheDirectory']}/")
    assert (service["ProtectSystem"], service["DynamicUser"]) == ("strict", "yes")
    assert "ReadWritePaths" not in service


def test_the_service_may_read_what_others_own_and_nothing_more() -> None:
    service = unit(SERVICE)["Service"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == "CAP_DAC_READ_SEARCH"
    assert service["NoNewPrivileges"] == "yes"


@pytest.mark.parametrize("bound", ["CPUQuota", "MemoryMax", "TasksMax", "Nice", "IOSchedulingClass"])
def test_the_service_is_bounded(bound: str) -> None:
    assert unit(SERVICE)["Service"][bound]


def test_the_timer_starts_the_service_of_its_name_and_catches_up() -> None:
    timer = unit(TIMER)
    assert TIMER.stem == SERVICE.stem
    assert (timer["Timer"]["OnCalendar"], timer["Timer"]["Persistent"]) == ("hourly", "yes")
    assert timer["Install"]["WantedBy"] == "timers.target"


def test_one_job_at_a_time() -> None:
    assert cron_job()["spec"]["concurrencyPolicy"] == "Forbid"
    assert re.fullmatch(r"\d+ \* \* \* \*", cron_job()["spec"]["schedule"])


def test_the_pod_has_no_rights_in_its_cluster_and_none_on_its_node() -> None:
    assert pod()["automountServiceAccountToken"] is False
    assert "serviceAccountName" not in pod()
    assert pod()["securityContext"]["runAsNonRoot"] is True
    inside = container()["securityContext"]
    assert (inside["readOnlyRootFilesystem"], inside["allowPrivilegeEscalation"]) == (True, False)
    assert inside["capabilities"] == {"drop": ["ALL"]}


def test_the_pod_can_write_where_its_caches_are() -> None:
    mounted = {one["mountPath"] for one in container()["volumeMounts"]}
    given = {one["name"]: one["value"] for one in container()["env"]}
    assert mounted == {"/tmp", given["HOME"]} == {"/tmp", given["XDG_CACHE_HOME"]}
    assert {one["name"] for one in container()["volumeMounts"]} == {one["name"] for one in pod()["volumes"]}


def test_every_variable_of_the_command_is_given() -> None:
    used = set(re.findall(r"\$(\w+)", container()["command"][2]))
    assert used == {"CORES", "CASEBOOK"}
    assert used <= {one["name"] for one in container()["env"]}


def test_no_secret_stands_in_the_files() -> None:
    (source,) = container()["envFrom"]
    assert set(source) == {"secretRef"}
    assert [one for one in container()["env"] if re.search("KEY|SECRET|TOKEN", one["name"])] == []


def test_the_page_of_operations_names_every_file_of_deploy() -> None:
    page = (ROOT / "docs" / "operations.md").read_text("utf-8")
    files = [
        path.relative_to(ROOT).as_posix()
        for folder in ("systemd", "kubernetes")
        for path in (DEPLOY / folder).iterdir()
    ]
    assert [name for name in files if name not in page and name.rsplit("/", 1)[-1] not in page] == []
