"""The memory access that failed: its address, what lies there, and the registers it came from.

The kernel gives the address for a page fault. For a non-canonical address it gives none (si_code 128, si_addr 0, which
means nothing; SIGBUS instead of SIGSEGV where the address came through rsp or rbp): then it is computed from the
instruction. Fill patterns are those of allocators and debuggers in wide use: glibc's and jemalloc's junk (0x5a, 0xa5),
MSVC's and Firefox's (0xcd, 0xdd, 0xfd, 0xe5, 0xe4), the kernel's slab (0x6b), 0xaa of Rust and Zig, and the hex words.
"""

from broadstreet.features.control import place
from broadstreet.reading.context import SIGBUS, SIGSEGV
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.operands import Access, accesses
from broadstreet.records.finding import Value

NULL_PAGE = 4096
NEAR_NULL = 65536  # vm.mmap_min_addr's default: nothing can be mapped below
SI_KERNEL = 128
WIDEST_ACCESS = 4096  # fxsave, xsave and string instructions fault somewhere inside of what they touch
POISON_BYTES = (0x5A, 0xA5, 0xCC, 0xCD, 0xDD, 0xFD, 0xE5, 0xE4, 0x6B, 0xAA, 0xAB, 0xBB, 0xEF, 0xFE, 0xF5)
POISON_WORDS = (0xDEADBEEF, 0xFEEEFEEE, 0xBAADF00D, 0xDEADC0DE, 0xCAFEBABE, 0xDEADDEAD, 0xFEEDFACE, 0xBADC0FFE)

LIST_POISON = 0xDEAD  # the top 16 bits of Linux's and liburcu's list poison on 64-bit machines


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of the instruction and its access."""
    instruction = state.instruction
    if instruction is not None:
        row["instruction"] = instruction.text
        row["instruction_kind"] = instruction.kind
        row["instruction_source"] = state.instruction_source
    elif state.instruction_source is not None:
        row["instruction_kind"] = "undecodable"
        row["instruction_source"] = state.instruction_source
    if state.signal.number not in (SIGSEGV, SIGBUS):
        if state.signal.number is not None:
            row["access_in"], row["access_kind"] = "no_access", "none"
            row["poison"] = "none"
        return
    tried = None if instruction is None else accesses(state.architecture, state.registers, instruction)
    _fill(state, row, tried)


def _fill(state: MachineState, row: dict[str, Value], tried: list[Access] | None) -> None:
    address = state.signal.address
    access = None
    if row["pc_in"] != "executable":
        access_kind: Value = "fetch"
        address = state.pc
        row["access_matches"] = None
    else:
        access = failing(state, tried)
        address = address if address is not None else (access.address if access else None)
        access_kind = None if access is None else "write" if access.writes else "read"
        row["access_matches"] = None if tried is None or state.signal.address is None else access is not None
        if tried is not None and access is None:
            access_kind = "none"
        if access_kind is None and row["page_fault_error"] is not None and state.signal.code != SI_KERNEL:
            access_kind = "write" if state.signal.error and state.signal.error & 2 else "read"
    row["access_kind"] = access_kind
    row["access_address"] = address
    row["access_in"] = _place(state, address, tried, access)
    base = _base(state, access)
    if access is not None and access.registers:
        row["base_register"] = access.registers[0]
        row["base_value"] = base
    row["null_base"] = _null_base(state, row, address, access)
    row["poison"] = _poison(row, address, base, access)


def failing(state: MachineState, tried: list[Access] | None) -> Access | None:
    """The access of the instruction that the fault is about."""
    if not tried:
        return None
    address = state.signal.address
    if address is not None:
        near = [a for a in tried if a.address <= address < a.address + max(a.size, 1)]
        if near:
            return near[0]
        wide = [a for a in tried if a.address - WIDEST_ACCESS <= address <= a.address + WIDEST_ACCESS]
        return wide[0] if wide else None
    odd = [a for a in tried if not state.architecture.canonical(a.address)]
    odd += [a for a in tried if not state.architecture.canonical(a.address + max(a.size, 1) - 1)]
    if odd:
        return odd[0]
    # A signal that the kernel could not deliver, because the stack for its handler was gone, is SI_KERNEL too.
    mappings = [(a, state.space.mapping(a.address)) for a in tried]
    return next((a for a, m in mappings if m is None or not m.flags), None)


def _place(state: MachineState, address: int | None, tried: list[Access] | None, access: Access | None) -> str | None:
    if address is None:
        return None if tried is None else "no_access"
    kind = place(state, address)
    if access is not None and state.signal.address is None and kind in ("executable", "nonexecutable"):
        kind = place(state, address + access.size - 1)
    if kind == "unmapped" and address < NEAR_NULL:
        return "null_page"
    if kind in ("executable", "nonexecutable"):
        mapping = state.space.mapping(address)
        execute_only = mapping is not None and state.architecture.link is not None and not mapping.readable
        if mapping is not None and (not mapping.flags or execute_only):
            return "no_rights"
        return "writable" if mapping is not None and mapping.writable else "readonly"
    return kind


def _base(state: MachineState, access: Access | None) -> int | None:
    if access is None or not access.registers:
        return None
    return state.registers.get(access.registers[0])


def _null_base(state: MachineState, row: dict[str, Value], address: int | None, access: Access | None) -> bool | None:
    if row["access_in"] is None:
        return None
    if address is None or row["access_in"] not in ("null_page", "unmapped") or row["access_kind"] == "fetch":
        return False
    if address < NULL_PAGE:
        return True
    if access is None:
        return None if address < NEAR_NULL else False
    values = [state.registers.get(name) for name in access.registers]
    return address < NEAR_NULL and (not values or (values[0] is not None and values[0] < NULL_PAGE))


def _poison(row: dict[str, Value], address: int | None, base: int | None, access: Access | None) -> str | None:
    if address is None and base is None:
        return None if row["access_in"] is None else "none"
    for value in (base, address):
        if value is not None and value >= NEAR_NULL:
            pattern = fill_pattern(value)
            if pattern:
                return pattern
    return "none"


def fill_pattern(value: int) -> str | None:
    """The fill pattern that a word is, or is near to (a field of a filled pointer); null for none."""
    data = value.to_bytes(8, "little")
    if data[2:] == bytes([data[7]]) * 6 and data[7] in POISON_BYTES and abs((value & 0xFFFF) - data[7] * 257) <= 0x1000:
        return f"{data[7]:#04x}"
    if len(set(data)) == 1 and not 0x20 <= data[0] < 0x7F and data[0] not in (0, 0xFF):
        return f"{data[0]:#04x}"  # glibc's MALLOC_PERTURB_ may be any byte; repeated text is no fill
    if value >> 48 == LIST_POISON:
        return f"{LIST_POISON:#x}"
    for word in POISON_WORDS:
        high, low = value >> 32, value & 0xFFFFFFFF
        if (high == word and abs(low - word) <= 0x1000) or (high == 0 and abs(low - word) <= 0x1000):
            return f"{word:#x}"
    if value >> 32 == 0 and len(set(data[1:4])) == 1 and data[3] in POISON_BYTES and value >> 24:
        return f"{data[3]:#04x}"
    return None
