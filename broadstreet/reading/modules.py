"""Which file was mapped where, and which binary that was.

A binary counts only when its build id equals the one in the dumped first page, or, where that page is not in the core
dump, when it lies at the mapped path and its segments agree with the mapping. Without a binary a pc is still
module + offset, from NT_FILE alone.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from broadstreet.formats import elf
from broadstreet.formats.binary import Binary
from broadstreet.formats.linux_core import MappedFile
from broadstreet.reading.address_space import AddressSpace

FIRST_BYTES = 1024  # holds ELF header, program headers and build id of every binary of Debian 12
PAGE = 4096
LARGEST_PAGE = {"aarch64": 64 << 10}  # of the kernels that map 4, 16 or 64 KiB at a time
BuildIdSource = Literal["core", "file"]

VDSO = "[vdso]"
"""The name of the page that the kernel maps into every process; it is no file."""


@dataclass
class Module:
    """One mapped file, or the vdso. `bias` is what link-time addresses were moved by; null without a binary."""

    path: str
    start: int
    end: int
    places: tuple[MappedFile, ...]
    build_id: str | None = None
    build_id_source: BuildIdSource | None = None
    binary: Binary | None = None
    bias: int | None = None
    first_bytes: bytes = field(default=b"", repr=False)

    name: str = field(init=False)  # the last part of the path

    def __post_init__(self) -> None:
        self.name = self.path.rsplit("/", 1)[-1]

    def vaddr(self, address: int) -> int:
        """The link-time address; only with a binary."""
        return address - (self.bias or 0)


class Modules:
    """The modules of a process, by address."""

    def __init__(self, modules: Iterable[Module]) -> None:
        self.all = sorted(modules, key=lambda module: module.start)
        places = sorted((place.start, place.end, index) for index, m in enumerate(self.all) for place in m.places)
        self._places = places
        self._starts = [start for start, _, _ in places]

    def at(self, address: int) -> Module | None:
        """The module that has a mapping at this address."""
        index = bisect_right(self._starts, address) - 1
        if index >= 0:
            _, end, module = self._places[index]
            if address < end:
                return self.all[module]
        return None


def mapped_modules(files: list[MappedFile], space: AddressSpace, vdso: int | None) -> list[Module]:
    """The files that were mapped as code, and the vdso."""
    modules: list[Module] = []
    group: list[MappedFile] = []
    for place in [*files, None]:
        if place is not None and group and place.path == group[0].path and (place.offset or group[-1].offset == 0):
            group.append(place)
            continue
        if group and any(space.executable(one.start) for one in group):
            modules.append(_module(group))
        group = [place] if place is not None else []
    mapping = space.mapping(vdso) if vdso else None
    if mapping is not None:
        place = MappedFile(mapping.start, mapping.end, 0, VDSO)
        modules.append(Module(VDSO, mapping.start, mapping.end, (place,)))
    return modules


def unnamed_modules(space: AddressSpace, first_bytes: dict[int, bytes]) -> list[Module]:
    """Modules of a core dump without NT_FILE: each dumped mapping that begins with an ELF header."""
    modules = []
    for start, data in first_bytes.items():
        if data[:4] != elf.MAGIC or len(data) < elf.ELF_HEADER.size:
            continue
        head = elf.ELF_HEADER.read(data)
        table = data[head.program_headers : head.program_headers + 56 * min(head.program_header_count, 64)]
        loads = [s for s in elf.program_headers(table) if s.type == elf.PT_LOAD]
        if not loads:
            continue
        base = loads[0].address & -PAGE
        end = start + max(s.address + s.memory_size for s in loads) - base
        ends = [m.end for m in space.mappings if start <= m.start < end]
        limit = min(end, max(ends)) if ends else end
        place = MappedFile(start, limit, 0, f"[elf at {start:#x}]")
        modules.append(Module(place.path, start, limit, (place,), first_bytes=data))
    return modules


def identify(module: Module, first_bytes: bytes) -> None:
    """Take the build id from the module's dumped first page."""
    module.first_bytes = first_bytes
    found = _build_id(first_bytes)
    if found is not None:
        module.build_id, module.build_id_source = found, "core"


def attach(module: Module, binary: Binary | None) -> bool:
    """Use a binary for a module, if it is the one that was mapped."""
    if binary is None:
        return False
    if module.build_id is None:
        if not _agrees(module, binary):
            return False
        if binary.build_id is not None:
            module.build_id, module.build_id_source = binary.build_id, "file"
    elif binary.build_id != module.build_id:
        return False
    module.binary = binary
    module.bias = module.start - (binary.base() & -PAGE)
    return True


@lru_cache(maxsize=8192)
def _build_id(first_bytes: bytes) -> str | None:
    return elf.build_id(first_bytes)


def _module(group: list[MappedFile]) -> Module:
    start = group[0].start - group[0].offset if group[0].offset < group[0].start else group[0].start
    start = group[0].start if group[0].offset == 0 else start
    start = min(start, *(place.start for place in group))  # a damaged note may have them in no order
    return Module(group[0].path, start, group[-1].end, tuple(group))


def _agrees(module: Module, binary: Binary) -> bool:
    """Whether each mapped piece is a piece of the file: same offset, and no longer than the file's segments."""
    if module.first_bytes[:4] == elf.MAGIC and binary.code(binary.base(), 64) != module.first_bytes[:64]:
        return False
    page = LARGEST_PAGE.get(binary.architecture, PAGE)
    for place in module.places:
        address = binary.base() + place.start - module.start
        inside = [s for s in binary.loads if s.address & -page <= address < s.address + s.memory_size]
        if not inside and place.offset == place.start - module.start:
            continue  # a hole between segments: what is left of the loader's first mapping of the whole span
        if not inside or all((s.offset & -PAGE) + address - (s.address & -PAGE) != place.offset for s in inside):
            return False
    return True
