"""Which bytes a reading and the rules over it rest on, so that a slim core dump keeps them and may blank the rest.

Three kinds of use. Single words and exact stretches (a return slot, a saved register, a signal frame) count as they
are: the witness writes them down. Sweeps over many words (the scan for a return address, the look below the stack
pointer) only ask which words point into code. And a wrong register is compared with every word of the stack that is
one bit from it (features/bits.py).
"""

from collections.abc import Iterable, Iterator

from broadstreet.formats import linux_core as linux
from broadstreet.reading import context as contexts
from broadstreet.reading.address_space import AddressSpace, joined
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.memory_plan import MemoryPlan
from broadstreet.reading.reader import Reading

WORD_BYTES = 8
LOWEST_REPAIRED = 1 << 16  # a register below is never taken for a pointer with one wrong bit
JOINED_USES = 4096  # uses in one page are kept as one stretch
_PLATFORM_BYTES = 7  # "x86_64" or "aarch64", the last that the kernel writes below the arguments
Range = tuple[int, int]  # start and end, an address each; the end is exclusive


class Witness(AddressSpace):
    """The same memory, which writes down what is asked of it: `used` exactly, `swept` for code pointers only."""

    def __init__(self, space: AddressSpace) -> None:
        self.__dict__.update(space.__dict__)
        self._windows = space.windows()
        self.used: set[Range] = set()
        self.swept: set[Range] = set()

    def read(self, address: int, size: int) -> bytes | None:
        """As AddressSpace does."""
        data = super().read(address, size)
        if data is not None:
            self.used.add((address, address + size))
        return data

    def word(self, address: int) -> int | None:
        """As AddressSpace does."""
        value = super().word(address)
        if value is not None:
            self.used.add((address, address + WORD_BYTES))
        return value

    def words(self, address: int, count: int) -> tuple[int, ...]:
        """As AddressSpace does."""
        found = super().words(address, count)
        if found:
            self.swept.add((address, address + WORD_BYTES * len(found)))
        return found


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
        self._texts = list(texts)
        self._spared = united(spared)
        general = [state.registers.get(name, 0) for name in state.architecture.general]
        repaired = [value for value in general if value >= LOWEST_REPAIRED]
        self._near_registers = {value ^ 1 << bit for value in repaired for bit in range(64)}
        stack_pointers = [step.registers.get(state.architecture.sp, 0) for step in (*state.steps, *state.handler_steps)]
        # A stack pointer that is no multiple of 8 reads words across the aligned ones.
        self._blank = b"\0" if self._space.mapping(0) is None else b"\xff"
        self._phases = sorted({0, state.sp % WORD_BYTES, *(sp % WORD_BYTES for sp in stack_pointers)})

    def without_texts(self, address: int, data: bytes) -> bytes:
        """The bytes of this stretch without the texts."""
        result = bytearray(data)
        for low, high in _inside(self._texts, address, len(data)):
            result[low:high] = bytes(high - low)
        return self._with_spared(result, address, data)

    def pointers(self, address: int, data: bytes) -> bytes:
        """Of the bytes of this stretch the pointers into mappings alone; else zeros, unless zero is a pointer too."""
        result = bytearray(self._blank * len(data))
        for phase in self._phases:
            for at in range((phase - address) % WORD_BYTES, len(data) - WORD_BYTES + 1, WORD_BYTES):
                word = int.from_bytes(data[at : at + WORD_BYTES], "little")
                if word and (word in self._near_registers or self._space.mapping(word) is not None):
                    result[at : at + WORD_BYTES] = data[at : at + WORD_BYTES]
        return self._with_spared(result, address, data)

    def _with_spared(self, result: bytearray, address: int, data: bytes) -> bytes:
        for low, high in _inside(self._spared, address, len(data)):
            result[low:high] = data[low:high]
        return bytes(result)


def _inside(ranges: Iterable[Range], address: int, size: int) -> Iterator[Range]:
    for start, end in ranges:
        low, high = max(start - address, 0), min(end - address, size)
        if low < high:
            yield low, high
