"""Which bytes of a reading a slim core dump keeps, and which of those it blanks.

Kept is the memory that a reading asks for. What the reading or a rule used stays as it is (`reading/witness.py`); of
other writable memory only pointers stay, if so wished: sweeps ask for nothing else.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from itertools import repeat

from broadstreet.formats import linux_core as linux
from broadstreet.reading import context as contexts
from broadstreet.reading.address_space import joined
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.memory_plan import MemoryPlan
from broadstreet.reading.reader import Reading
from broadstreet.reading.witness import WORD_BYTES, Range, Witness

LOWEST_REPAIRED = 1 << 16  # a register below is never taken for a pointer with one wrong bit
JOINED_USES = 4096  # uses in one page are kept as one stretch
_PLATFORM_BYTES = 7  # "x86_64" or "aarch64", the last that the kernel writes below the arguments


def asked_for(reading: Reading, plan: MemoryPlan, witness: Witness) -> list[Range]:
    """The memory that a reading of this core dump asks for.

    Where a process sent itself a signal, up to 1 MiB is searched for a dead signal frame: of that, what was used.
    """
    requests = list(reading.requests)
    found: list[Range] = []
    if plan.sent_by_itself():
        for searched in contexts.search_ranges(reading.space, plan.sp):
            requests.remove(searched)  # once: it may have been asked for on its own too
        found = united(witness.used | witness.swept, JOINED_USES)
    return found + [(address, address + size) for _offset, size, address in joined(requests)]


def united(ranges: Iterable[Range], gap: int = 0) -> list[Range]:
    """The ranges in order, merged where they overlap, touch or are no further apart than the gap."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1] + gap:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def argument_strings(reading: Reading) -> list[Range]:
    """Where the texts of arguments and environment lie, at the upper end of the first stack.

    fs/binfmt_elf.c, create_elf_tables, and fs/exec.c: upward from AT_RANDOM and AT_PLATFORM come the arguments, the
    environment, and last the file name that AT_EXECFN points at.
    """
    vector = reading.notes.auxv or {}
    platform, name = vector.get(linux.AT_PLATFORM), vector.get(linux.AT_EXECFN)
    if platform is None or name is None or platform >= name:
        return []
    mapping = reading.space.mapping(platform)
    return [(platform + _PLATFORM_BYTES, name)] if mapping is not None and name < mapping.end else []


class Blanking:
    """Blanks bytes of memory that are to be kept. What the reading or a rule used stays, and so do `spared` ranges."""

    def __init__(self, state: MachineState, texts: Iterable[Range], spared: Iterable[Range]) -> None:
        self._space = state.space
        self._texts = united(texts)
        self._spared = united(spared)
        general = [state.registers.get(name, 0) for name in state.architecture.general]
        repaired = {value for value in general if value >= LOWEST_REPAIRED}
        self._near_registers = {value ^ bit for value in repaired for bit in _BITS}
        stack_pointers = [step.registers.get(state.architecture.sp, 0) for step in (*state.steps, *state.handler_steps)]
        self._blank = 0 if self._space.mapping(0) is None else (1 << 64) - 1
        # A stack pointer that is no multiple of 8 reads words across the aligned ones.
        self._phases = sorted({0, state.sp % WORD_BYTES, *(sp % WORD_BYTES for sp in stack_pointers)})

    def without_texts(self, address: int, data: bytes) -> bytes:
        """The bytes of this stretch without the texts."""
        texts = _inside(self._texts, address, len(data))
        if not texts:
            return data
        result = bytearray(data)
        for low, high in texts:
            result[low:high] = bytes(high - low)
        return self._with_spared(result, address, data)

    def pointers(self, address: int, data: bytes) -> bytes:
        """Of the bytes of this stretch the pointers into mappings alone; else zeros, unless zero is a pointer too."""
        result = bytearray()
        for phase in self._phases:
            first = (phase - address) % WORD_BYTES
            words = memoryview(data)[first : first + (len(data) - first) // WORD_BYTES * WORD_BYTES].cast("Q")
            kept = self._pointers_among(words)
            if not result:
                blanked = array("Q", map(kept.get, words, repeat(self._blank))).tobytes()
                ends = self._blank.to_bytes(WORD_BYTES, "little")
                result += ends[:first] + blanked + ends[: len(data) - first - len(blanked)]
                continue
            for index, word in enumerate(words):
                if word in kept:
                    at = first + index * WORD_BYTES
                    result[at : at + WORD_BYTES] = data[at : at + WORD_BYTES]
        return self._with_spared(result, address, data)

    def _pointers_among(self, words: Iterable[int]) -> dict[int, int]:
        different = set(words)
        different.discard(0)
        kept = different & self._near_registers
        kept.update(self._space.mapped(different))
        return dict(zip(kept, kept, strict=True))

    def _with_spared(self, result: bytearray, address: int, data: bytes) -> bytes:
        for low, high in _inside(self._spared, address, len(data)):
            result[low:high] = data[low:high]
        return bytes(result)


_BITS = tuple(1 << bit for bit in range(64))


def _inside(ranges: list[Range], address: int, size: int) -> list[Range]:
    """The parts of these ranges, which are in order and apart, that lie in a stretch, from its beginning."""
    found = []
    for index in range(max(0, bisect_right(ranges, (address, address)) - 1), len(ranges)):
        low, high = max(ranges[index][0] - address, 0), min(ranges[index][1] - address, size)
        if low >= size:
            break
        if low < high:
            found.append((low, high))
    return found
