"""No request leaves the machine: the server in a network that has nothing but itself, where each try is counted."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from broadstreet.surfaces.web.pages import PAGES
from tests.surfaces.web.site import LONGEST_SECONDS, ROOT, Site, every_page, process

ALONE = ("unshare", "--user", "--map-root-user", "--net", sys.executable, "-m", "tests.surfaces.web.loopback")


@pytest.fixture(scope="module")
def inside(story: str, site: Site, cache: Path) -> Iterator[tuple[int, int]]:
    """A server of the sample, whose atlas `site` drew, in a network of its own: its process id and port."""
    if subprocess.run([*ALONE, "true"], capture_output=True, cwd=ROOT, check=False).returncode:
        pytest.skip("this user may not make a network")
    with process(story, cache, ALONE) as found:
        yield found


def tries(pid: int) -> int:
    """How often something in the network of a process was to leave the machine."""
    words = Path(f"/proc/{pid}/net/snmp").read_text().splitlines()
    names, values = (line.split() for line in words if line.startswith("Ip:"))
    found = int(dict(zip(names, values, strict=True))["OutNoRoutes"])
    for line in Path(f"/proc/{pid}/net/snmp6").read_text().splitlines():
        name, value = line.split()
        found += int(value) if name == "Ip6OutNoRoutes" else 0
    return found


def within(pid: int, *command: str) -> str:
    """What a command prints that runs in the network of a process."""
    words = ("nsenter", "--user", "--net", "--preserve-credentials", f"--target={pid}", *command)
    done = subprocess.run(words, capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_try_to_leave_is_counted(inside: tuple[int, int]) -> None:
    before = tries(inside[0])
    within(inside[0], sys.executable, "-c", "import socket; socket.socket().connect_ex(('192.0.2.1', 80))")
    assert tries(inside[0]) == before + 1


def test_a_server_that_told_every_page_tried_to_reach_nobody(inside: tuple[int, int]) -> None:
    pid, port = inside
    before = tries(pid)
    told = within(pid, sys.executable, "-m", "tests.surfaces.web.test_alone", str(port))
    assert told.split() == [page.path for page in PAGES]
    time.sleep(2)  # the server looks at its casebook meanwhile
    assert tries(pid) == before


if __name__ == "__main__":
    found = every_page(Site(f"http://127.0.0.1:{sys.argv[1]}", 0).drawn(), 1)
    print(*(kind for kind, addresses in found.items() if addresses))
