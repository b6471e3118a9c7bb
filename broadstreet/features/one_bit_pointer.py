"""Whether one bit the other way mends the pointer of a failing access, or one that it was loaded through.

Most wrong pointers are one bit from something: a near-null pointer in a non-PIE program, an overrun past a mapping, a
tagged pointer. The guards below were each needed by a real software crash (label-feasibility). The strict forms: the
address was non-canonical; or the value with the bit put back stands elsewhere in the thread's registers or stack
("twin"), or near what stands there ("near"); or the address is further than 64 MiB from every mapping ("far"); or the
pointer that the address was loaded through has a twin ("behind").
"""

from broadstreet.features import twins
from broadstreet.features.access import NEAR_NULL, failing
from broadstreet.features.plausible import patterned
from broadstreet.features.replay import last_run
from broadstreet.formats import elf
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.operands import Access, accesses
from broadstreet.records.finding import Value

WORD = (1 << 64) - 1
FAR = 64 << 20
OVERRUN = 16 << 10
HALF_BITS = 32
COUNT_BITS = range(32, 35)  # a count of 1, 2 or 4 in the upper half makes such words of pointers below 4 GiB
ZEROED = 4 << 30  # as far as a pointer goes whose low four bytes are zeroed
LOWEST_NEAR_BIT = 16  # below it the mended pointer is near others that are near the wrong one
LOWEST_PROGRAM = 4 << 20


def pointer(state: MachineState, row: dict[str, Value]) -> tuple[str | None, int | None]:
    """The best repair of the failing access, and its bit; null where the instruction or the mappings are not known."""
    if row["access_in"] is None:
        return None, None
    if row["pc_in"] != "executable" or row["access_in"] == "no_access":
        return "none", None
    instruction = state.instruction
    tried = None if instruction is None else accesses(state.architecture, state.registers, instruction)
    if tried is None:
        return None, None
    access = failing(state, tried)
    if access is None:
        return "none", None
    best: tuple[str, int | None] = _behind(state, row, access)
    if row["access_in"] == "null_page":
        return best
    for index, (name, scale) in enumerate(zip(access.registers, access.scales, strict=True)):
        found = _register(state, access, name, scale, row["access_in"] == "noncanonical")
        if index and found[0] == "far" and not (scale == 1 and _small(state, access.registers[0])):
            found = ("mapped", found[1])  # software computes indices of a power of two
        if _RANK[found[0]] > _RANK[best[0]]:
            best = found
    return best


_RANK = {"none": 0, "mapped": 1, "behind": 2, "far": 3, "near": 4, "twin": 5, "noncanonical": 6}


def _behind(state: MachineState, row: dict[str, Value], access: Access) -> tuple[str, int | None]:
    """Whether a pointer that the address was loaded through, or made of, has a twin with one bit the other way."""
    run = last_run(state)
    if row["poison"] not in (None, "none"):
        return "none", None  # freed memory, reached through a pointer that is right
    if run is None or row["access_in"] not in ("null_page", "unmapped", "noncanonical"):
        return "none", None
    for name in access.registers:
        for pointer in run[1].through.get(name, ()):
            bit = None if pointer < NEAR_NULL else twins.turned(state, pointer, pointer in run[1].crooked)
            if bit is not None:
                return "behind", bit
    return "none", None


def _register(state: MachineState, access: Access, name: str, scale: int, noncanonical: bool) -> tuple[str, int | None]:
    value = state.registers.get(name)
    if value is None or name == state.architecture.sp:
        return "none", None
    value = state.architecture.untagged(value)
    candidates = []
    for bit in range(64):
        other = (access.address + ((value ^ 1 << bit) - value) * scale) & WORD
        mapping = state.space.mapping(other)
        if mapping is None or not mapping.flags & (elf.PF_W if access.writes else elf.PF_R):
            continue
        candidates.append(bit)
    if not candidates:
        return "none", None
    twin = next((bit for bit in candidates if twins.stands(state, value ^ 1 << bit, name)), None)
    if noncanonical:
        return ("none", None) if patterned(value) and twin is None else ("noncanonical", candidates[0])
    if _guarded(state, access.address, value) or (scale == 1 and state.space.mapping(value)):
        return "none", None  # a base that points into memory is sound: the offset is not
    if twin is not None:
        return "twin", twin
    if patterned(value):
        return "none", None
    for bit in candidates:
        if bit < LOWEST_NEAR_BIT or scale != 1:
            continue
        if twins.near(state, value ^ 1 << bit, name) or twins.paired(state, value, bit, name):
            return "near", bit
    far = [bit for bit in candidates if bit not in COUNT_BITS or (value ^ 1 << bit) >> HALF_BITS]
    if far and state.space.distance(access.address) > FAR:
        return "far", far[0]
    return "mapped", candidates[0]


def _small(state: MachineState, name: str) -> bool:
    return state.registers.get(name, 0) < NEAR_NULL  # the other register of the two is the pointer


def _guarded(state: MachineState, address: int, value: int) -> bool:
    """Whether software makes such values often: near null, just past a mapping, text, small integers, fills."""
    lowest = min(state.space.lowest or LOWEST_PROGRAM, LOWEST_PROGRAM)
    if address < NEAR_NULL or value < max(NEAR_NULL, lowest) or value > WORD - NEAR_NULL:
        return True
    distance = state.space.distance(address)
    return distance <= OVERRUN or (value & 0xFFFF == 0 and distance < ZEROED)
