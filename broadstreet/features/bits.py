"""Values that are one bit away from one that would have worked.

A single flipped bit is what failing hardware leaves, but most wrong pointers are one bit from something: a near-null
pointer in a non-PIE program, an overrun past a mapping, a tagged pointer. The guards below were each needed by a real
software crash (label-feasibility). The strict forms: the address was non-canonical; or the value with the bit put
back stands elsewhere in the thread's registers or stack ("twin"); or the address is further than 64 MiB from
every mapping ("far").
"""

from broadstreet.features import twins
from broadstreet.features.access import NEAR_NULL, failing
from broadstreet.features.replay import last_run
from broadstreet.features.stack import Broken, broken_step, moved
from broadstreet.formats import elf
from broadstreet.formats.binary import Binary
from broadstreet.formats.instruction import LONGEST_CALL
from broadstreet.reading.context import SIGABRT
from broadstreet.reading.machine_state import MachineState
from broadstreet.reading.modules import VDSO
from broadstreet.reading.operands import Access, accesses
from broadstreet.reading.unwinder import chain, frame_address
from broadstreet.records.finding import Value

WORD = (1 << 64) - 1
FAR = 64 << 20
OVERRUN = 16 << 10
HALF_BITS = 32
COUNT_BITS = range(32, 35)  # a count of 1, 2 or 4 in the upper half makes such words of pointers below 4 GiB
ZEROED = 4 << 30  # as far as a pointer goes whose low four bytes are zeroed
LOWEST_NEAR_BIT = 16  # below it the mended pointer is near others that are near the wrong one
LOWEST_PROGRAM = 4 << 20
SP_BITS = range(48)
CALLER_SP_BITS = range(4, 47)
RETURN_SP_BITS = range(12, 48)
UNALIGNED_BITS = range(3)  # no compiled code leaves the stack pointer at anything but a multiple of 8
RETURN_CHAIN, SP_CHAIN = 3, 2
SHORT_DOUBLES = range(0x3FF - 20, 0x3FF + 21)  # biased exponents of doubles from a millionth to a million
WORD_BYTES = 8
CANARY_OFFSET = 0x28  # from fs_base, of the stack protector's word on x86-64
STRAY_OPERATIONS = 12  # that a thread may have executed after it arrived in the wrong place
STRAY_BYTES = 32
LEFT_BYTES = 1024  # below sp, where functions that have returned left their words
CLEAR_WORDS = 128  # of the stack above: without a return address in them


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of one-bit differences."""
    row["code_bits_different"] = _code_bits(state)
    row["one_bit_access"], row["one_bit_access_bit"] = _access(state, row)
    row["one_bit_sp"] = _stack_pointer(state, row)
    row["one_bit_pc"] = _program_counter(state, row)
    row["one_bit"] = _any_of(row)


STRICT = ("noncanonical", "twin", "near", "far", "behind")


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


def _access(state: MachineState, row: dict[str, Value]) -> tuple[str | None, int | None]:
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
        return ("none", None) if _patterned(value) and twin is None else ("noncanonical", candidates[0])
    if _guarded(state, access.address, value) or (scale == 1 and state.space.mapping(value)):
        return "none", None  # a base that points into memory is sound: the offset is not
    if twin is not None:
        return "twin", twin
    if _patterned(value):
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


def _patterned(value: int) -> bool:
    data = value.to_bytes(8, "little")
    if len(set(data)) == 1 or data[:4] == data[4:]:
        return True
    printable = sum(0x20 <= byte < 0x7F for byte in data)
    text = data.rstrip(b"\0")
    if printable >= 6 or (len(text) >= 4 and printable == len(text)):
        return True
    high, low = value >> 32, value & 0xFFFFFFFF
    return high < 0x1000 and low < 0x10000


def _stack_pointer(state: MachineState, row: dict[str, Value]) -> bool | None:
    """Whether the stack pointer with one bit put back gives a chain that it lacks as it is."""
    if state.architecture.link:
        return False if row["chain"] == "whole" else None
    if row["pc_in"] != "executable":
        return _stack_pointer_after_return(state, row)
    broken = broken_step(state)
    if broken is None:
        return None
    return broken.step is not None and _mended_by_bit(state, row, broken)


def _mended_by_bit(state: MachineState, row: dict[str, Value], broken: Broken) -> bool:
    step = broken.step
    if row["call_before_word_at_sp"] == "direct" and broken.index == 0:
        return False  # the stack makes sense as it is: a function was entered past its first pushes
    if step is None or step.row is None or (broken.slot_word is not None and _overwritten(broken.slot_word)):
        return False
    architecture, process = state.architecture, state.process
    if architecture.dwarf.get(step.row.cfa_register) != architecture.sp or step.row.cfa_expression is not None:
        return False
    sp = step.registers[architecture.sp]
    small = not sp % WORD_BYTES and broken.slot_word is not None and _implausible(broken.slot_word)
    for bit in SP_BITS if broken.index == 0 or sp % WORD_BYTES else CALLER_SP_BITS:
        other = moved(architecture, step.registers, (sp ^ 1 << bit) - sp)
        cfa = frame_address(process, step.row, other)
        if cfa is None or cfa % 16 or process.space.word(cfa - 8) is None:
            continue
        pc = step.registers[architecture.pc] - step.returned
        if chain(process, other, returned=step.returned) < SP_CHAIN:
            continue
        if (
            row["abort_kind"] == "stack_smashing"
            and not sp % WORD_BYTES
            and not _canary_there(state, sp, sp ^ 1 << bit, cfa)
        ):
            continue  # what overwrote the canary overwrote the return addresses behind it
        if _called_from(state, pc, cfa) if small else _called_here(state, pc, cfa):
            return True
    return False


def _canary_there(state: MachineState, sp: int, mended: int, cfa: int) -> bool:
    """Whether the frame of the mended stack pointer holds the stack protector's word, and that of this one does not."""
    canary = state.space.word(state.registers.get("fs_base", 0) + CANARY_OFFSET)
    if not canary:
        return False
    words = state.space.words(mended, (cfa - mended) // WORD_BYTES)
    return canary in words and canary not in state.space.words(sp, (cfa - mended) // WORD_BYTES)


def _overwritten(word: int) -> bool:
    """A return slot of text, a fill or a short number was overwritten by software: no flip of sp explains it."""
    data = word.to_bytes(8, "little")
    filled = word != 0 and (len(set(data)) == 1 or data[:4] == data[4:])
    number = word & 0xFFFFFFFF == 0 and word >> 52 & 0x7FF in SHORT_DOUBLES
    return filled or number or sum(0x20 <= byte < 0x7F for byte in data) >= 6


def _implausible(word: int) -> bool:
    """A return slot that holds one or two small integers may be software's work as well."""
    return _overwritten(word) or (word != 0 and _patterned(word) and len(set(word.to_bytes(8, "little"))) < 8)


def _stack_pointer_after_return(state: MachineState, row: dict[str, Value]) -> bool | None:
    if row["arrival"] is None:
        return None
    if row["arrival"] != "return":
        return False
    process = state.process
    aligned = state.sp % WORD_BYTES == 0
    words = state.space.words(state.sp, CLEAR_WORDS) if aligned else ()
    if any(process.call_before(word) in ("direct", "indirect") for word in words):
        return False
    popped = state.sp - 8
    for bit in RETURN_SP_BITS if aligned else UNALIGNED_BITS:
        slot = popped ^ 1 << bit
        word = state.space.word(slot)
        if word is None or process.call_before(word) not in ("direct", "indirect"):
            continue
        registers = {**state.registers, state.architecture.pc: word, state.architecture.sp: slot + 8}
        if chain(process, registers) >= RETURN_CHAIN:
            return True
    return False


def _program_counter(state: MachineState, row: dict[str, Value]) -> bool | None:
    """Whether the pc with one bit put back is the return address that was popped, or code that fits the stack."""
    if state.architecture.link:
        return False if row["chain"] == "whole" and row["pc_on_boundary"] else None
    if row["bad_branch"] == "return":
        popped = state.pc if row["pc_in"] != "executable" else row["branch_target"]
        if not isinstance(popped, int) or popped < NEAR_NULL:
            return False
        return _one_bit_from_return_address(state, popped)
    if row["pc_in"] == "noncanonical":
        return _fits_elsewhere(state)  # no call or jump goes there: it faults where it stands
    if row["pc_in"] != "executable":
        if row["arrival"] in (None, "call"):
            return None if row["arrival"] is None else False
        return _fits_elsewhere(state)
    if row["word_below_sp"] == state.pc and state.process.call_before(state.pc) == "none":
        return _one_bit_from_return_address(state, state.pc)  # popped, and landed in other code
    if _popped_into_this_function(state, row["word_below_sp"]) or _strayed(state):
        return True
    if row["pc_on_boundary"] is None or (row["code_bits_different"] or 0) not in (0, 1):
        return None  # where the code was patched, the file does not say where instructions begin
    broken = broken_step(state)
    if row["pc_on_boundary"] and (broken is None or broken.step is None or broken.index):
        return False
    if broken is not None and broken.slot_word is not None and _implausible(broken.slot_word):
        return False
    return _fits_elsewhere(state)


def _popped_into_this_function(state: MachineState, word: Value) -> bool:
    """Whether the word below sp, where the last callee's return address was, leads here only with one bit wrong."""
    process = state.process
    if not isinstance(word, int) or not state.space.executable(word) or process.call_before(word) != "none":
        return False
    module = state.modules.at(word)
    if module is None or module.binary is None or module is not state.modules.at(state.pc):
        return False
    start = module.binary.function_start(module.vaddr(word))
    if start is None or start != module.binary.function_start(module.vaddr(state.pc)) or start == module.vaddr(word):
        return False
    for bit in range(64):
        other = word ^ 1 << bit
        if process.call_before(other) not in ("direct", "indirect"):
            continue
        registers = {**state.registers, state.architecture.pc: other}
        row = process.row(other, True)[1]
        cfa = None if row is None else frame_address(process, row, registers)
        if cfa is not None and cfa % 16 == 0 and chain(process, registers) >= SP_CHAIN:
            return True
    return False


def _strayed(state: MachineState) -> bool:
    """Whether the thread came to where the chain breaks through a place one bit from code that fits the stack.

    That code must belong to a function that the caller, as the stack says, called directly.
    """
    broken = broken_step(state)
    if broken is None or broken.step is None or state.signal.number == SIGABRT:
        return False
    step, architecture = broken.step, state.architecture
    pc, sp = step.registers[architecture.pc], step.registers[architecture.sp]
    module = state.modules.at(pc)
    if module is None or module.binary is None:
        return False
    binary = module.binary
    at = module.vaddr(pc)
    line = binary.line(at if not step.returned else _before_call(binary, at))
    places = []
    for one in reversed(line[-STRAY_OPERATIONS:]):
        if "rsp" in one.written:
            break
        places.append(one.address)
    if not binary.on_boundary(at):  # then what was executed is in no listing
        places = [at - back for back in range(1, STRAY_BYTES)]
    bits = range(architecture.address_bits - 1)
    return any(_fits(state, place + pc - at ^ 1 << bit, sp) for place in places for bit in bits)


def _before_call(binary: Binary, at: int) -> int:
    return next((at - size for size in range(2, LONGEST_CALL + 1) if binary.on_boundary(at - size)), at)


def _fits(state: MachineState, pc: int, sp: int) -> bool:
    if not state.space.executable(pc):
        return False
    process, architecture = state.process, state.architecture
    module, row = process.row(pc, False)
    registers = {**state.registers, architecture.pc: pc, architecture.sp: sp}
    cfa = None if row is None else frame_address(process, row, registers)
    if row is None or module is None or module.binary is None or cfa is None or cfa % 16:
        return False
    if architecture.dwarf.get(row.cfa_register) != architecture.sp or not _called_from(state, pc, cfa):
        return False
    return bool(module.binary.on_boundary(module.vaddr(pc))) and chain(process, registers, returned=False) >= SP_CHAIN


def _one_bit_from_return_address(state: MachineState, word: int) -> bool | None:
    kinds = {word ^ 1 << bit: state.process.call_before(word ^ 1 << bit) for bit in range(64)}
    callers = [place for place, kind in kinds.items() if kind in ("direct", "indirect")]
    if state.space.mapping(word) is not None and not state.space.executable(word):
        # Software leaves pointers to data on the stack, and one in sixteen words near code follows a call by chance.
        callers = [place for place in callers if _ran_below(state, place)]
    if callers:
        return True
    return None if None in kinds.values() else False


def _ran_below(state: MachineState, returned_to: int) -> bool:
    """Whether the function that is called before this address left a return address of its own below sp."""
    module = state.modules.at(returned_to)
    called = None if module is None or module.binary is None else module.binary.callee(module.vaddr(returned_to))
    if module is None or module.binary is None or called is None:
        return False
    return any(
        state.modules.at(word) is module
        and state.process.call_before(word) in ("direct", "indirect")
        and module.binary.function_start(module.vaddr(word - 1)) == called
        for word in state.space.words(state.sp - LEFT_BYTES, LEFT_BYTES // WORD_BYTES - 1)
    )


def _fits_elsewhere(state: MachineState) -> bool | None:
    process, architecture = state.process, state.architecture
    if state.space.word(state.sp) is None:
        return None
    if any(state.registers.get(name) == state.pc for name in architecture.general):
        return False  # a jump through a register to a place that is gone
    for bit in range(64):
        other = state.pc ^ 1 << bit
        module = state.modules.at(other)
        if module is None or module.binary is None or not module.binary.executable(module.vaddr(other)):
            continue
        if not module.binary.on_boundary(module.vaddr(other)):
            continue
        registers = {**state.registers, architecture.pc: other}
        row = process.row(other, False)[1]
        cfa = None if row is None else frame_address(process, row, registers)
        if row is None or cfa is None or cfa % 16 or chain(process, registers, returned=False) < SP_CHAIN:
            continue
        # Else a tail jump leaves the same stack; but software jumps to no place that is far from all memory.
        if row.cfa_offset > WORD_BYTES or state.space.distance(state.pc) > FAR or _called_here(state, other, cfa):
            return True
    return False


def _called_from(state: MachineState, pc: int, cfa: int) -> bool:
    """Whether a direct call before this frame's return address calls the function of the pc."""
    word = state.space.word(cfa - 8)
    caller, callee = state.modules.at(word or 0), state.modules.at(pc)
    if word is None or caller is None or caller is not callee or caller.binary is None:
        return False
    if caller.binary.call_before(caller.vaddr(word)) != "direct":
        return False
    return caller.binary.callee(caller.vaddr(word)) == caller.binary.function_start(caller.vaddr(pc))


def _called_here(state: MachineState, pc: int, cfa: int) -> bool:
    """Whether the direct call before this frame's return address, if it is one, calls the function of the pc."""
    word = state.space.word(cfa - 8)
    if word is None or state.process.call_before(word) != "direct":
        return True
    caller, callee = state.modules.at(word), state.modules.at(pc)
    if caller is None or caller is not callee or caller.binary is None:
        return True  # through a linkage table
    called = caller.binary.callee(caller.vaddr(word))
    return called is None or called == caller.binary.function_start(caller.vaddr(pc))


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
