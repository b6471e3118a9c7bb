"""A seed fixes the plan: which orders, which moment, which bit, which of the places. No process runs here."""

from itertools import islice
from random import Random

import pytest

from broadstreet.lab import ptrace, sets
from broadstreet.lab.injection.faults import HARDWARE
from broadstreet.lab.injection.models import SOFTWARE
from broadstreet.lab.injection.stopped import Mode, Stopped
from broadstreet.lab.order import Order
from broadstreet.lab.ptrace import Mapping
from broadstreet.lab.zoo import emulated

CODE, HEAP, STACK = 0x5555_0000_0000, 0x5555_0001_0000, 0x7FFF_0000_0000
SIZE = 0x4000
MAPPINGS = (
    Mapping(CODE, CODE + SIZE, "r-xp", "/usr/bin/victim"),
    Mapping(HEAP, HEAP + SIZE, "rw-p", "[heap]"),
    Mapping(STACK, STACK + SIZE, "rw-p", "[stack]"),
)
REGISTERS = {name: 0 for name in ptrace.REGISTERS} | {
    "rip": CODE + 0x1000,
    "rsp": STACK + 0x2000,
    "rax": HEAP + 0x800,
    "rbx": HEAP + 0x1000,
    "r12": CODE + 0x2000,
}
STEPPING = ("wrongres", "lost")  # these run the victim


def at_rest(monkeypatch: pytest.MonkeyPatch) -> Stopped:
    """A process that is none: objects full of pointers into the heap, a stack full of return addresses."""

    def memory(pid: int, address: int, size: int) -> bytes:
        if CODE <= address < CODE + SIZE:
            return b"\0\0\xe8\0\0\0\0"[-size:]  # a call ends at every address
        words = (HEAP + 16 * place if place % 3 else CODE + 0x100 * place for place in range(size // 8))
        return b"".join(word.to_bytes(8, "little") for word in words)

    monkeypatch.setattr(ptrace, "memory", memory)
    monkeypatch.setattr(ptrace, "peek", lambda pid, address: 0x1122_3344_5566_7788)
    monkeypatch.setattr(ptrace, "poke", lambda pid, address, word: None)
    monkeypatch.setattr(ptrace, "set_registers", lambda pid, values: None)
    return Stopped(0, REGISTERS, MAPPINGS)


def planned(name: str, seed: int) -> list[Order]:
    quests = sets.SETS[name](sets.Asked(3, seed, ("perl", "ingest")))
    return [order for quest in quests for order in islice(quest.orders, 5)]


@pytest.mark.parametrize("name", [name for name in sets.SETS])
def test_the_same_seed_gives_the_same_orders_and_no_name_twice(name: str) -> None:
    first = planned(name, 7)
    assert first == planned(name, 7)
    assert len({order.name for order in first}) == len(first) > 10


@pytest.mark.parametrize("name", ["faults", "models", "ingest"])
def test_another_seed_gives_another_plan(name: str) -> None:
    assert not {order.seed for order in planned(name, 7)} & {order.seed for order in planned(name, 8)}


def test_the_releases_and_workloads_of_the_service_take_turns() -> None:
    orders = [order for order in planned("faults", 1) if order.program == "ingest"]
    assert len({(order.build, order.variant) for order in orders}) > 3
    assert {order.build for order in planned("faults", 1) if order.program == "perl"} == {"installed"}


@pytest.mark.parametrize(("name", "mode"), [one for one in {**HARDWARE, **SOFTWARE}.items() if one[0] not in STEPPING])
def test_a_seed_draws_the_bit_and_the_place(name: str, mode: Mode, monkeypatch: pytest.MonkeyPatch) -> None:
    at = at_rest(monkeypatch)
    drawn = [mode(at, Random(f"{seed}/fault")) for seed in range(20)]
    assert drawn == [mode(at, Random(f"{seed}/fault")) for seed in range(20)]
    if name not in ("rsp-8", "rsp+8", "stack-text"):
        assert len({str(one) for one in drawn}) > 1
    assert any(drawn)


def test_a_flip_changes_one_bit_and_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    at = at_rest(monkeypatch)
    for name in ("rsp-bit", "rip-bit", "reg-bit", "anyreg-bit", "heap-bit", "stack-ptr-bit", "ret-bit"):
        hit = HARDWARE[name](at, Random(name))
        assert hit is not None, name
        old, new, bit = (int(hit[field]) for field in ("old", "new", "bit"))
        assert old ^ new == 1 << bit


def test_where_a_moment_has_nothing_to_change_nothing_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    at = at_rest(monkeypatch)
    monkeypatch.setattr(ptrace, "memory", lambda pid, address, size: b"")
    assert HARDWARE["heap-bit"](at, Random(1)) is None
    assert SOFTWARE["stack-text"](at, Random(1)) is None


def test_of_the_emulated_ones_a_label_is_claimed_only_where_it_can_be_seen() -> None:
    unclaimed = {case.name for case in emulated.CASES if case.expected is None}
    assert unclaimed == {"truncated"}
