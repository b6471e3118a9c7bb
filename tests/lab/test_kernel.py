"""core_pattern is changed only if it must be, and put back by whoever ends last."""

import os
import resource
import signal
from contextlib import nullcontext
from pathlib import Path, PosixPath

import pytest

from broadstreet.lab import kernel
from broadstreet.lab.kernel import CannotDump, obstacles, the_kernel_dumps

COLLECTOR = "|/usr/lib/systemd/systemd-coredump %P %u %g\n"


class Sealed(PosixPath):
    """A file that only root may write."""

    def write_text(self, *unused: object, **unused_too: object) -> int:
        raise PermissionError(13, "Permission denied")


@pytest.fixture
def pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "core_pattern"
    file.write_text("core\n")
    monkeypatch.setattr(kernel, "CORE_PATTERN", file)
    monkeypatch.setattr(kernel, "STATE", tmp_path / "state")
    return file


def test_a_name_in_the_folder_of_the_process_stays(pattern: Path, tmp_path: Path) -> None:
    pattern.write_text("core.%p\n")
    with the_kernel_dumps():
        assert pattern.read_text() == "core.%p\n"
    assert [path.name for path in tmp_path.iterdir()] == ["core_pattern"]


@pytest.mark.parametrize("found", [COLLECTOR, "/var/crash/core.%p\n", "@socket\n", "\n"])
def test_anything_else_is_changed_and_put_back(pattern: Path, found: str) -> None:
    pattern.write_text(found)
    with the_kernel_dumps():
        assert pattern.read_text() == "core\n"
    assert pattern.read_text() == found


def test_it_is_put_back_after_a_failure_too(pattern: Path) -> None:
    pattern.write_text(COLLECTOR)
    with pytest.raises(ZeroDivisionError), the_kernel_dumps():
        print(1 // 0)
    assert pattern.read_text() == COLLECTOR


def test_the_last_of_several_puts_it_back(pattern: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_ended_in_order", nullcontext)  # two in one process, which end crosswise
    pattern.write_text(COLLECTOR)
    first, second = the_kernel_dumps(), the_kernel_dumps()
    first.__enter__()
    with second:
        first.__exit__(None, None, None)
        assert pattern.read_text() == "core\n"
    assert pattern.read_text() == COLLECTOR


def test_what_a_killed_lab_left_is_mended_by_the_next(pattern: Path) -> None:
    pattern.write_text(COLLECTOR)
    with the_kernel_dumps():
        saved = kernel.STATE / kernel.SAVED
        left = saved.read_text()
    pattern.write_text("core\n")
    saved.write_text(left)
    with the_kernel_dumps():
        assert pattern.read_text() == "core\n"
    assert pattern.read_text() == COLLECTOR
    assert not saved.exists()


def test_what_root_has_set_since_a_lab_was_killed_stays(pattern: Path) -> None:
    kernel.STATE.mkdir()
    (kernel.STATE / kernel.SAVED).write_text(COLLECTOR)
    pattern.write_text("core.%p\n")
    with the_kernel_dumps():
        pass
    assert pattern.read_text() == "core.%p\n"
    assert not (kernel.STATE / kernel.SAVED).exists()


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_state_that_others_may_write_is_refused(pattern: Path, mode: int) -> None:
    kernel.STATE.mkdir()
    kernel.STATE.chmod(mode)
    (kernel.STATE / kernel.SAVED).write_text("|/anything\n")
    with pytest.raises(CannotDump, match="root alone"), the_kernel_dumps():
        pass
    assert pattern.read_text() == "core\n"


def test_a_link_in_place_of_the_state_is_refused(pattern: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    kernel.STATE.symlink_to(tmp_path / "elsewhere")
    pattern.write_text(COLLECTOR)
    with pytest.raises(CannotDump, match="root alone"), the_kernel_dumps():
        pass


@pytest.mark.parametrize("ending", kernel.ENDINGS)
def test_it_is_put_back_when_the_lab_is_told_to_end(pattern: Path, ending: int) -> None:
    pattern.write_text(COLLECTOR)
    with pytest.raises(SystemExit), the_kernel_dumps():
        os.kill(os.getpid(), ending)
    assert pattern.read_text() == COLLECTOR
    assert signal.getsignal(ending) in (signal.SIG_DFL, signal.SIG_IGN)


def test_the_list_says_that_a_killed_lab_left_its_pattern(pattern: Path) -> None:
    kernel.STATE.mkdir()
    (kernel.STATE / kernel.SAVED).write_text(COLLECTOR)
    assert any("systemd-coredump" in line for line in obstacles())


def test_who_may_not_change_it_is_told_what_to_do(pattern: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pattern.write_text(COLLECTOR)
    monkeypatch.setattr(kernel, "CORE_PATTERN", Sealed(pattern))
    with pytest.raises(CannotDump, match="Permission denied") as refused, the_kernel_dumps():
        pass
    assert "root" in refused.value.hint
    assert not (kernel.STATE / kernel.SAVED).exists()


def test_a_limit_that_cannot_be_raised_is_named(pattern: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel.resource, "getrlimit", lambda which: (0, 4096))
    with pytest.raises(CannotDump, match="4096 bytes") as refused, the_kernel_dumps():
        pass
    assert "ulimit -Hc" in refused.value.hint
    assert any("limit" in line for line in obstacles())


def test_inside_core_dumps_are_as_long_as_they_are(pattern: Path) -> None:
    with the_kernel_dumps():
        soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    assert soft == hard == resource.RLIM_INFINITY


def test_a_kernel_that_forbids_ptrace_is_an_obstacle(
    pattern: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yama = tmp_path / "ptrace_scope"
    monkeypatch.setattr(kernel, "YAMA", yama)
    yama.write_text("1\n")
    assert not any("ptrace" in line for line in obstacles())
    yama.write_text("3\n")
    assert any("ptrace" in line for line in obstacles())
