"""Values that are one bit away from one that would have worked.

A single flipped bit is what failing hardware leaves. Where it may have been: the pointer of the failing access, the
stack pointer, the pc, or code.
"""

from broadstreet.features.one_bit_pc import program_counter
from broadstreet.features.one_bit_pointer import pointer
from broadstreet.features.one_bit_sp import stack_pointer
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.modules import VDSO
from broadstreet.records.finding import Value

STRICT = ("noncanonical", "twin", "near", "far", "behind")


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of one-bit differences."""
    row["code_bits_different"] = _code_bits(state)
    row["one_bit_access"], row["one_bit_access_bit"] = pointer(state, row)
    row["one_bit_sp"] = stack_pointer(state, row)
    row["one_bit_pc"] = program_counter(state, row)
    row["one_bit"] = _any_of(row)


def _any_of(row: dict[str, Value]) -> str | None:
    """The strict repair that was found, of sp, pc or the failing access; null where none was and one is not known."""
    if row["one_bit_sp"]:
        return "sp"
    if row["one_bit_pc"]:
        return "pc"
    access = row["one_bit_access"]
    if access in STRICT:
        return str(access)
    known = access is not None and row["one_bit_sp"] is not None and row["one_bit_pc"] is not None
    return "none" if known else None


def _code_bits(state: MachineState) -> int | None:
    """In how many bits the dumped code that was fetched differs from the binary; null where it cannot be compared."""
    different: dict[int, int] | None = None
    for mapping in state.space.dumped_code:
        module = state.modules.at(mapping.start)
        if module is None or module.binary is None or module.name == VDSO:
            continue
        for start, end, data in state.space.windows():
            low, high = max(start, mapping.start), min(end, mapping.start + mapping.file_size)
            ours = module.binary.code(module.vaddr(low), high - low) if low < high else None
            if ours is None:
                continue
            different = different or {}
            theirs = data[low - start : low - start + len(ours)]
            if ours != theirs:
                pairs = zip(ours, theirs, strict=False)
                different |= {low + at: one ^ other for at, (one, other) in enumerate(pairs) if one != other}
    return None if different is None else sum(byte.bit_count() for byte in different.values())
