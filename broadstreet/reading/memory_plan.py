"""Which memory of a core dump to fetch: the least that answers what the features ask.

Sizes are from the corpus: 28 KiB above the stack pointer hold 30 frames of C++ and python3; 4 KiB below it hold what
calls left that have returned; 12 KiB where the pc is no code, for an unwinder's traces may lie behind a signal frame.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from broadstreet.formats.architecture import Architecture
from broadstreet.formats.binary import Binary
from broadstreet.formats.linux_core import AT_SYSINFO_EHDR
from broadstreet.reading import context as contexts
from broadstreet.reading.address_space import AddressSpace
from broadstreet.reading.context import SignalFrame
from broadstreet.reading.executed import MOST_CALLERS, loads
from broadstreet.reading.modules import FIRST_BYTES, VDSO, Module, Modules, attach
from broadstreet.reading.notes import Notes
from broadstreet.reading.unwinder import Process, Step, walk

BELOW_SP = 4 << 10
BELOW_BAD_PC = 12 << 10
ABOVE_SP = 28 << 10
BUDGET = 96 << 10  # for the crashing thread, beyond the first request; a search for a dead signal frame is apart
RESERVE = 48 << 10  # of it, for what the second round finds out
CALLER_WORDS, LEFT_WORDS = 512, 32
MOST_LOADS, LOAD_BYTES = 8, 64  # of what the code just executed loaded
DEEP = 1 << 20  # above each stack pointer, when every thread is asked for
MOST_STACKS = 64 << 20  # of all threads: where stacks lie in one large mapping, each would take all of DEEP
OTHER_BELOW, OTHER_STACK = 1 << 10, 12 << 10  # around the stack pointer of an earlier context
FRAME_WINDOW = 512
REPAIR_BELOW, REPAIR_ABOVE = 256, 1280
REPAIR_BITS = range(13, 48)
RSEQ_BYTES = 32
CODE_PAGE = 4 << 10
CODE_SPAN = 8 << 10  # of a dumped text mapping, on each side of the pc
VDSO_BYTES = 16 << 10
RSEQ_OFFSET, ABORT_MESSAGE = "__rseq_offset", "__abort_msg"
ABORT_MESSAGE_BYTES = 512
ABORT_HEADER = 4  # struct abort_msg_s: unsigned int size; char msg[]
MOST_UNNAMED = 32
PAGE_BITS = 12
LEFT_BELOW = 12 << 10  # below sp, where a walk that lost its way may have been
CPU_UNREGISTERED = 0xFFFFFFFC  # and above: RSEQ_CPU_ID_UNINITIALIZED, _REGISTRATION_FAILED
Range = tuple[int, int, int]


class MemoryPlan:
    """What to fetch in each round; it grows as the rounds before are answered."""

    def __init__(
        self,
        architecture: Architecture,
        notes: Notes,
        space: AddressSpace,
        modules: Modules,
        every_thread: bool,
        spent: int = 0,
    ) -> None:
        """`spent`: bytes beyond headers and notes that were fetched already."""
        self.architecture = architecture
        self.notes = notes
        self.space = space
        self.modules = modules
        self.every_thread = every_thread
        self.registers = notes.threads[0].registers
        self.pc = self.registers[architecture.pc]
        self.sp = self.registers[architecture.sp]
        self._located: dict[str, tuple[Module, Binary, int]] = {}
        self._candidates: dict[str, Binary] = {}
        self._left = BUDGET
        self._scanned: set[int] = set()
        self._stacks = [self.sp]
        self._pointed: dict[int, Module] = {}

    @cached_property
    def important(self) -> list[Module]:
        """The modules whose binaries say where to look: program, C library, loader."""
        at = self.modules.at(self.pc)
        named = ("libc.so", "libc-2", "ld-linux", "ld-2")
        return [m for m in self.modules.all if m is at or m is self.modules.all[0] or m.name.startswith(named)]

    def locate(self, candidates: dict[str, Binary]) -> None:
        """Find where the rseq offset and the abort message's pointer stand, by name, in the binaries at the paths."""
        self._candidates = candidates
        for module in self.modules.all:
            binary = candidates.get(module.path)
            if binary is None:
                continue
            bias = module.start - (binary.base() & -4096)
            for name in (RSEQ_OFFSET, ABORT_MESSAGE):
                address = binary.data_symbol(name)
                if address is not None:
                    self._located[name] = (module, binary, address + bias)

    def forget_strangers(self) -> None:
        """Forget what was located in a binary that turned out not to be the one that was mapped."""
        self._located = {name: found for name, found in self._located.items() if found[0].binary is found[1]}

    def _address(self, name: str) -> int | None:
        found = self._located.get(name)
        return found[2] if found else None

    def first_round(self) -> list[Range]:
        """What can be known from the notes alone."""
        above = DEEP if self.every_thread else ABOVE_SP
        below = BELOW_SP if self.space.executable(self.pc) else BELOW_BAD_PC
        ranges = [*self._stack(self.sp, below, above), *self._code(), *self._thread_block()]
        base = self.registers[self.architecture.frame_pointer]
        if not self.sp <= base < self.sp + above:
            ranges += self._around(base, FRAME_WINDOW, FRAME_WINDOW)
        vdso = next((m for m in self.modules.all if m.path == VDSO), None)
        if vdso is not None:
            ranges += self._around(vdso.start, 0, VDSO_BYTES)
        pointer = self._address(ABORT_MESSAGE)
        if self._signal() == contexts.SIGABRT and pointer is not None:
            ranges += self._around(pointer, 0, 8)
        ranges += _affordable(self._repairs(), BUDGET - RESERVE - _size(ranges))
        self._left = BUDGET - _size(ranges)
        if self.sent_by_itself():
            ranges += contexts.search_ranges(self.space, self.sp)
        if self.every_thread:
            above = max(OTHER_STACK, min(DEEP, MOST_STACKS // len(self.notes.threads)))
            for thread in self.notes.threads[1:]:
                ranges += self._stack(thread.registers[self.architecture.sp], 128, above)
        return ranges

    def second_round(self, most_modules: int) -> list[Range]:
        """What the words of the first round point at."""
        pointer = self._address(ABORT_MESSAGE)
        message = self.space.word(pointer) if pointer else None
        ranges = self._around(message, 0, ABORT_MESSAGE_BYTES) if message else []
        for frame in self.live_frames():
            sp = frame.registers[self.architecture.sp]
            self._stacks.append(sp)
            ranges += self._around(frame.registers[self.architecture.pc], 64, 64)
            ranges += self._stack(sp, OTHER_BELOW, DEEP if self.every_thread else OTHER_STACK)
        ranges += self._loaded()
        wanted = self.modules.all if self.every_thread else self.pointed_at()[:most_modules]
        ranges = self.affordable(ranges + self.module_starts(wanted))
        return ranges + self._code_of_callers(self._left - _size(ranges))

    def _loaded(self) -> list[Range]:
        """What the code just executed loaded, as far as its addresses can be computed, and where a branch goes next."""
        module = self.modules.at(self.pc)
        binary = None if module is None else self._candidates.get(module.path)
        if module is None or binary is None or self._signal() not in contexts.FAULTS or self.sent_by_itself():
            return []
        copy = replace(module)
        if not attach(copy, binary):
            return []
        process = Process(self.architecture, self.space, Modules([copy]))
        steps, _ = walk(process, self.registers, MOST_CALLERS + 1)
        places = loads(process, steps)[:MOST_LOADS]
        ranges = [one for place in places for one in self._around(place & -LOAD_BYTES, 0, LOAD_BYTES)]
        return ranges + self._far_ends(process, steps)

    def _dumped_code(self) -> list[tuple[int, int]]:
        """Start and end of the code that is in the core dump: none as a rule, unless it was changed or asked for."""
        vdso = (self.notes.auxv or {}).get(AT_SYSINFO_EHDR)
        return [(m.start, m.start + m.file_size) for m in self.space.dumped_code if m.start != vdso]

    def _code_of_callers(self, left: int) -> list[Range]:
        """Pages of dumped code that the stack points into: they may have been changed.

        What the last calls left below the stack pointer comes first, for it tells where the thread was, then callers.
        """
        ranges: list[Range] = []
        seen: set[int] = set()
        dumped = self._dumped_code()
        if not dumped:
            return []
        left_behind = self.space.words(max(self.sp - 8 * LEFT_WORDS, 0), LEFT_WORDS)[::-1]
        for word in self._code_pointers((*left_behind, *self.space.words(self.sp, CALLER_WORDS))):
            page = word & -CODE_PAGE
            known = page in seen or self.space.read(page, CODE_PAGE) is not None
            if known or not any(low <= word < high for low, high in dumped):
                continue
            seen.add(page)
            place = self.space.file_range(page, CODE_PAGE)
            if place is not None and place[1] <= left:
                ranges.append(place)
                left -= place[1]
        return ranges

    def affordable(self, ranges: list[Range]) -> list[Range]:
        """As many of these, in order, as the budget still allows; all of them when every thread is asked for."""
        return ranges if self.every_thread else _affordable(ranges, self._left)

    def module_starts(self, modules: list[Module]) -> list[Range]:
        """The first bytes of modules, which hold their build ids."""
        return [r for module in modules for r in self._around(module.start, 0, FIRST_BYTES)]

    def unnamed_starts(self) -> list[Range]:
        """The first bytes of mappings that may be modules, where no note names them."""
        dumped = [m for m in self.space.mappings if m.file_size >= FIRST_BYTES and not m.writable]
        return [r for m in dumped[:MOST_UNNAMED] for r in self._around(m.start, 0, FIRST_BYTES)]

    def sent_by_itself(self) -> bool:
        """Whether the process sent itself a deadly signal: then a dead signal frame may tell of an earlier one."""
        info = self.notes.siginfo
        return info is not None and info.code <= 0 and self._signal() in (*contexts.FAULTS, contexts.SIGABRT)

    def live_frames(self) -> list[SignalFrame]:
        """Signal frames above the stack pointer."""
        return contexts.live_frames(self.architecture, self.space, self.sp, self.sp + ABOVE_SP)

    def abort_message(self) -> tuple[str | None, bool]:
        """glibc's `__abort_msg`, and whether it could be read: (null, true) when there was none."""
        pointer = self._address(ABORT_MESSAGE)
        if pointer is None:
            return None, False
        message = self.space.word(pointer)
        if not message:
            return None, message == 0
        for size in (ABORT_MESSAGE_BYTES, 128, 64):
            data = self.space.read(message + ABORT_HEADER, size - ABORT_HEADER)
            if data is not None:
                return data.split(b"\0", 1)[0].decode("utf-8", "backslashreplace"), True
        return None, False

    def last_cpu(self) -> tuple[int | None, int | None]:
        """The CPU and NUMA node that the thread last ran on; null where it had no rseq area."""
        address = self._rseq_area()
        data = self.space.read(address, RSEQ_BYTES) if address is not None else None
        if data is None:
            return None, None
        cpu_start, cpu = (int.from_bytes(data[at : at + 4], "little") for at in (0, 4))
        node = int.from_bytes(data[20:24], "little")
        if cpu >= CPU_UNREGISTERED or cpu != cpu_start or cpu > 65536:
            return None, None
        return cpu, node if node < 4096 else None

    def pointed_at(self) -> list[Module]:
        """The modules that the registers and the words of the stack point into; all of them when every thread is."""
        if self.every_thread:
            return self.modules.all
        low, high = self.space.code_low, self.space.code_high
        words = [self.pc, *self.registers.values()]
        if not self.space.executable(self.pc):
            words += [self.pc ^ 1 << bit for bit in range(PAGE_BITS, 64)]
        for start, _end, data in self._stack_windows():
            first = max(0, self.sp - LEFT_BELOW - start) & -8
            words += memoryview(data)[first : len(data) // 8 * 8].cast("Q").tolist()
        pages = sorted({word >> PAGE_BITS for word in self._code_pointers(words) if low <= word < high})
        for module in self.modules.all:
            index = bisect_left(pages, module.start >> PAGE_BITS)
            if index < len(pages) and pages[index] << PAGE_BITS < module.end:
                self._pointed[module.start] = module
        for module in self.important:
            self._pointed[module.start] = module
        return list(self._pointed.values())

    def _code_pointers(self, words: Iterable[int]) -> Iterable[int]:
        """On AArch64 return addresses in memory may be signed."""
        if self.architecture.link is None:
            return words
        return map(Process(self.architecture, self.space, self.modules).code_pointer, words)

    def _stack_windows(self) -> list[tuple[int, int, bytes]]:
        """The windows that hold a stack pointer, each once over all calls."""
        found = [w for w in self.space.windows() if any(w[0] <= sp < w[1] for sp in self._stacks)]
        new = [window for window in found if window[0] not in self._scanned]
        self._scanned.update(window[0] for window in new)
        return new

    def _signal(self) -> int:
        info = self.notes.siginfo
        return info.signal if info is not None else self.notes.threads[0].cursig

    def _stack(self, sp: int, below: int, above: int) -> list[Range]:
        mapping = self.space.mapping(sp)
        if mapping is None or not mapping.flags:  # below a stack, or in its guard
            following = self.space.following(sp)
            if following is None or following.start - sp >= DEEP:
                return []
            self._stacks.append(following.start)  # its words name modules too
            return self._around(following.start, 0, above)
        start = max(mapping.start, sp - below) & -16
        place = self.space.file_range(start, min(mapping.end, sp + above) - start)
        return [place] if place else []

    def _around(self, address: int, below: int, above: int) -> list[Range]:
        mapping = self.space.mapping(address)
        if mapping is None:
            return []
        start = max(mapping.start, address - below)
        place = self.space.file_range(start, address + above - start)
        return [place] if place else []

    def _code(self) -> list[Range]:
        mapping = self.space.mapping(self.pc)
        if mapping is None or not mapping.file_size:
            return []
        span = CODE_SPAN if mapping.executable and self.modules.at(self.pc) else CODE_PAGE // 2
        return self._around(self.pc, span, span)

    def _thread_block(self) -> list[Range]:
        located = self._address(RSEQ_OFFSET)
        ranges = self._around(located, 0, 8) if located else []
        pointer = self._thread_pointer()
        if pointer is None:
            return ranges
        return (
            ranges + self._around(pointer, 0, 64) + self._around(pointer + self.architecture.rseq_offset, 0, RSEQ_BYTES)
        )

    def _thread_pointer(self) -> int | None:
        name = self.architecture.thread_pointer
        return self.registers[name] or None if name is not None else self.notes.threads[0].tls

    def _rseq_area(self) -> int | None:
        pointer = self._thread_pointer()
        if pointer is None:
            return None
        located = self._address(RSEQ_OFFSET)
        assumed = self.architecture.rseq_offset if self.architecture.rseq_offset_assumed else None
        offset = self.space.word(located) if located else assumed
        return None if not offset else (pointer + offset) & (1 << 64) - 1

    def _repairs(self) -> list[Range]:
        """Where the stack pointer would have been with one bit the other way, if that is writable memory."""
        ranges = []
        for bit in REPAIR_BITS:
            other = self.sp ^ 1 << bit
            mapping = self.space.mapping(other)
            fetched = self.sp - REPAIR_BELOW <= other < self.sp + ABOVE_SP - REPAIR_ABOVE
            if mapping is not None and mapping.writable and not fetched:
                ranges += self._around(other, REPAIR_BELOW, REPAIR_ABOVE)
        return ranges

    def _far_ends(self, process: Process, steps: list[Step]) -> list[Range]:
        """Where the frames would end whose stack pointer has one bit wrong, of those that are large."""
        for step in steps:
            row, sp = step.row, step.registers.get(self.architecture.sp)
            if row is None or sp is None or self.architecture.dwarf.get(row.cfa_register) != self.architecture.sp:
                return []
            slot = self.space.word(sp + row.cfa_offset - 8)
            if slot is not None and self.space.executable(slot):
                continue
            ends = [(sp ^ 1 << bit) + row.cfa_offset for bit in REPAIR_BITS]
            return [one for end in ends if self.space.word(end) is None for one in self._around(end, 64, REPAIR_ABOVE)]
        return []


def _size(ranges: list[Range]) -> int:
    return sum(size for _, size, _ in ranges)


def _affordable(ranges: list[Range], left: int) -> list[Range]:
    taken = []
    for one in ranges:
        if one[1] <= left:
            taken.append(one)
            left -= one[1]
    return taken
