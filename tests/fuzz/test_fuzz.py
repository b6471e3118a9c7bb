"""Some thousand damaged core dumps and binaries: nothing comes of them but a case or a refusal. See campaign.py."""

import struct
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats.binary import Binary
from broadstreet.sources.binaries import Binaries
from tests.fuzz.mutation import EXTREMES, Rope, RopeCore, mutant
from tests.fuzz.specimens import Specimen, cplusplus, specimen, synthetic, synthetic_aarch64
from tests.fuzz.trial import measured, outcome
from tests.installed import binaries
from tests.kernel_cores import skipped_without

SEED = 20260630
MUTANTS = {"synthetic": 1500, "aarch64": 1000, "c++": 1000}
CUTS = 600
BINARY_MUTANTS = 40


@pytest.fixture(scope="module", params=list(MUTANTS))
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Specimen:
    if request.param != "c++":
        return synthetic() if request.param == "synthetic" else synthetic_aarch64()
    with skipped_without():
        return cplusplus(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="module")
def at_hand() -> Binaries:
    return Binaries()


def test_mutants_give_a_case_or_a_refusal(original: Specimen, at_hand: Binaries) -> None:
    seen: Counter[str] = Counter()
    for index in range(MUTANTS[original.name]):
        try:
            seen[outcome(mutant(original, SEED, index), at_hand, whole=index % 4 == 0)] += 1
        except Exception as error:
            pytest.fail(f"mutant {index} of {original.name}, seed {SEED}: {type(error).__name__}: {error}")
    assert sum(seen.values()) == MUTANTS[original.name]
    assert len(seen) > 3, "the mutations change what is read"


def test_cuts_give_a_case_or_a_refusal(original: Specimen, at_hand: Binaries) -> None:
    size, head = len(original.data), original.head_bytes
    places = {*range(0, head, max(1, 2 * head // CUTS)), *range(head, size, max(1, 2 * (size - head) // CUTS))}
    refused = 0
    for place in sorted(places):
        try:
            found = outcome(Rope([memoryview(original.data)[:place]]), at_hand, whole=place % 2 == 0)
        except Exception as error:
            pytest.fail(f"{original.name} cut at byte {place}: {type(error).__name__}: {error}")
        refused += found.startswith("unreadable")
        assert found.startswith("unreadable") == (place < 64), "only a cut of the file header leaves no core dump"
    assert refused < len(places)


@pytest.mark.parametrize("size", [0, 1, 3, 4, 63, 64, 1000, 70_000])
def test_noise_gives_a_refusal(size: int, at_hand: Binaries) -> None:
    draw = Random(size)
    for _ in range(50):
        content = draw.randbytes(size)
        assert outcome(Rope([memoryview(content)]), at_hand, whole=False).startswith("unreadable")


def test_noise_behind_a_header_gives_a_case_or_a_refusal(at_hand: Binaries) -> None:
    head = synthetic().data[:64]
    for seed in range(300):
        content = head + Random(seed).randbytes(3000)
        assert outcome(Rope([memoryview(content)]), at_hand, whole=seed % 2 == 0) == "not_judged"


def small(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + struct.pack("<Q", value) + data[at + 8 :]


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("value", [0, 1 << 20, 1 << 31, 1 << 40, 1 << 63, (1 << 64) - 1])
@pytest.mark.parametrize("at", [32, 64 + 8, 64 + 32, 120 + 8, 120 + 16, 120 + 32, 120 + 40])
def test_a_field_that_lies_costs_little_even_in_a_file_of_many_gigabytes(
    at: int, value: int, whole: bool, at_hand: Binaries
) -> None:
    hole = memoryview(bytes(16 << 20))
    damaged = small(synthetic().data, at, value)
    for count in (0, 512):
        verdict = measured(Rope([memoryview(damaged), *(hole,) * count]), at_hand, whole)
        assert not verdict.failed, verdict.outcome
        assert verdict.grown_bytes < 120 << 20


def test_many_program_headers_cost_little(at_hand: Binaries) -> None:
    data = synthetic().data
    extended = small(data[:56] + b"\xff\xff" + data[58:], 64 + 8, 56 << 20)
    hole = memoryview(struct.pack("<IIQQQQQQ", 1, 6, 0, 0x1000, 0, 1 << 40, 4096, 4096) * (1 << 18))
    verdict = measured(Rope([memoryview(extended), *(hole,) * 5]), at_hand, whole=True)
    assert not verdict.failed, verdict.outcome


@pytest.mark.parametrize("note", [bytes(12), struct.pack("<III", 0, 0, 9), struct.pack("<III4s4x", 5, 0, 9, b"CORE")])
def test_many_empty_notes_cost_little(note: bytes, at_hand: Binaries) -> None:
    data = synthetic().data
    notes_at = struct.unpack_from("<Q", data, 64 + 8)[0]
    extended = small(data[: notes_at + 356], 64 + 32, 1 << 40)
    hole = memoryview(note * (1 << 20))
    verdict = measured(Rope([memoryview(extended), *(hole,) * 4]), at_hand, whole=True)
    assert not verdict.failed, verdict.outcome


def in_words(data: bytearray, draw: Random) -> None:
    at = draw.randrange(0, len(data) - 8, 4)
    struct.pack_into("<Q", data, at, draw.choice(EXTREMES))


def section_starts(data: bytearray) -> list[int]:
    (table,) = struct.unpack_from("<Q", data, 40)
    (count,) = struct.unpack_from("<H", data, 60)
    return [struct.unpack_from("<Q", data, table + 64 * index + 24)[0] for index in range(1, count)]


def in_tables(data: bytearray, draw: Random) -> None:
    start = draw.choice(section_starts(data))
    for _ in range(draw.choice((1, 4, 32))):
        data[min(len(data) - 1, start + draw.randrange(4096))] = draw.choice((0, 1, 0x0A, 0x0B, 0x0F, 0x7F, 0x80, 0xFF))


def in_header(data: bytearray, draw: Random) -> None:
    at = draw.randrange(16, 64 + 56 * 12, 2)
    struct.pack_into("<Q", data, at, draw.choice((*EXTREMES, draw.getrandbits(64))))


def in_sections(data: bytearray, draw: Random) -> None:
    (table,) = struct.unpack_from("<Q", data, 40)
    struct.pack_into("<Q", data, table + draw.randrange(0, len(data) - table - 8, 8), draw.choice(EXTREMES))


def by_cutting(data: bytearray, draw: Random) -> None:
    del data[draw.randrange(64, len(data)) :]


@pytest.mark.parametrize("damage", [in_words, in_tables, in_header, in_sections, by_cutting])
def test_a_damaged_binary_answers_or_is_refused(damage: Callable[[bytearray, Random], None]) -> None:
    whole = binaries()["ld.so"].read_bytes()
    sound = Binary(whole)
    text = next(one for one in sound.loads if one.flags & 1)
    places = [*range(text.address, text.address + text.file_size, text.file_size // 20), 0, -1, 1 << 63, (1 << 64) - 1]
    answers = 0
    for seed in range(BINARY_MUTANTS):
        draw = Random(seed)
        data = bytearray(whole)
        for _ in range(draw.randint(1, 3)):
            if len(data) == len(whole):
                damage(data, draw)
        try:
            binary = Binary(bytes(data))
        except UnreadableSpecimen:
            continue
        for pc in places:
            for question in (binary.row, binary.symbol, binary.call_before, binary.called_before, binary.on_boundary):
                question(pc)
            answers += binary.flow(pc) is not None or binary.code(pc, 15) is not None
        binary.data_symbol("__rseq_offset")
    assert answers > 0


def test_a_rope_reads_like_the_bytes_that_it_stands_for() -> None:
    draw = Random(3)
    flat, rope = bytes(range(200)), Rope([memoryview(bytes(range(200)))])
    for _ in range(300):
        low = draw.randrange(len(flat) + 1)
        high = min(len(flat), low + draw.randrange(20))
        new = draw.randbytes(draw.randrange(9))
        flat, rope = flat[:low] + new + flat[high:], rope.replaced(low, high, new)
        at, size = draw.randrange(len(flat) + 9), draw.randrange(40)
        assert RopeCore(rope).ranges(((at, size),)) == [flat[at : at + size]]
    assert rope.read(0, rope.size) == flat


def test_the_fields_of_a_specimen_are_those_of_its_headers() -> None:
    fields = {(field.at, field.width) for field in synthetic().fields}
    data = synthetic().data
    notes_at = struct.unpack_from("<Q", data, 64 + 8)[0]
    assert {(32, 8), (56, 2), (64, 4), (64 + 32, 8), (notes_at, 4), (notes_at + 4, 4)} <= fields
    assert all(at + width <= synthetic().head_bytes for at, width in fields)
    assert specimen("again", data).head_bytes == synthetic().head_bytes


def test_a_mutant_is_the_same_each_time_and_differs_from_the_next() -> None:
    one, again, next_one = (mutant(synthetic(), SEED, number) for number in (5, 5, 6))
    assert one.read(0, 1 << 20) == again.read(0, 1 << 20)
    assert one.read(0, 1 << 20) != next_one.read(0, 1 << 20)
    assert Path(__file__).with_name("campaign.py").exists()
