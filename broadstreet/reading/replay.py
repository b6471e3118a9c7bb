"""Replay of the straight line before a place: what each register must hold there if the processor did what it was told.

The registers at the place are known, those at the start of the line are not. So each of them begins as a symbol, and
operations carry symbol plus offset. What ends up in a register that is known solves the symbol; then the line is
executed again with numbers. A load reads the memory of the core dump, unless something behind it in the line stored
there or may have: then its result is not known. What cannot be computed is not known; only what can is ever said.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from broadstreet.formats.instruction import Operand
from broadstreet.formats.operation import Argument, Operation, Part

WORD = (1 << 64) - 1
WORD_BYTES = 8
Registers = dict[str, int]
Memory = Callable[[int, int], bytes | None]
UNREAD = "memory"  # stands for the symbol of a value that memory holds which is not at hand
MOST_BEHIND = 8  # numbers that are kept of what a value was made of
TURNS = 4  # one solves what it can; more were never needed
SHIFTS = ("shl", "sal", "shr", "sar")
COMPUTED = ("add", "sub", "and", "or", "xor", "imul", *SHIFTS)
SILENT = ("test", "cmp", "nop", "endbr64", "prefetcht0", "prefetchw", "ucomisd", "comisd", "bt", "ptest")
OTHERS = ("fs_base", "gs_base", "orig_rax", "cs", "ss", "ds", "es", "fs", "gs", "eflags", "rip")


class Known(NamedTuple):
    """A value: a number, or where `symbol` names a register, that register's value at the start plus the number.

    `through`: the numbers that it was made of or loaded through; `memory`: a load is behind it.
    """

    symbol: str | None
    number: int
    through: tuple[int, ...] = ()
    memory: bool = False

    def behind(self) -> tuple[int, ...]:
        """The number and what it was made of."""
        return (self.number, *self.through) if self.symbol is None else self.through


@dataclass
class _Store:
    at: int  # the operation's place in the line
    address: Known | None
    size: int
    value: Known | None


@dataclass
class _Run:
    registers: dict[str, Known | None]
    memory: Memory
    segments: Registers
    expected: Sequence[_Store] | None  # those of the run before: what is stored behind a load; null: any, anywhere
    at: int = 0
    stores: list[_Store] = field(default_factory=list)
    wanted: list[tuple[int, int]] = field(default_factory=list)
    before: Registers = field(default_factory=dict)
    crooked: set[int] = field(default_factory=set)


class Outcome(NamedTuple):
    """What the line leads to. `registers`: those that it wrote and that could be computed; `start`: those solved.

    `wanted`: memory that a load needs and that is not at hand: (address, size). `through`: what each register's value
    was made of. `before`: what a register held before it was last written. `crooked`: what words at no multiple of
    their size were loaded through.
    """

    registers: dict[str, Known]
    start: Registers
    wanted: tuple[tuple[int, int], ...]
    through: dict[str, tuple[int, ...]]
    before: Registers
    crooked: frozenset[int]


def replayed(line: Sequence[Operation], end: Registers, unknown: Iterable[str], memory: Memory, bias: int) -> Outcome:
    """Replay a line that ends with these registers. `unknown`: those whose value at the end counts for nothing.

    `bias`: what to add to the addresses of the operations, for what they address relative to themselves.
    """
    names = [name for name in end if name not in OTHERS]
    written = {name for one in line for name in one.written}
    lost = set(unknown)
    segments = {name: value for name, value in end.items() if name in OTHERS}
    start = {name: end[name] for name in names if name not in written and name not in lost}
    stores = any(one.stores or one.name == "call" for one in line)
    run = _executed(line, _started(names, start), memory, segments, bias, None if stores else ())
    for _turn in range(TURNS):
        solved = _solved(run, {name: end[name] for name in names if name not in lost})
        start |= {name: value for name, value in solved.items() if name not in start}
        before = run.stores
        if not stores and not solved:
            break
        run = _executed(line, _started(names, start), memory, segments, bias, before)
        if [store.address for store in run.stores] == [store.address for store in before]:
            break
    else:
        return Outcome({}, start, tuple(dict.fromkeys(run.wanted)), {}, {}, frozenset())
    found = {
        name: value
        for name, value in run.registers.items()
        if value is not None and value.symbol is None and name in written
    }
    through = {name: value.through for name, value in run.registers.items() if value is not None and value.through}
    return Outcome(found, start, tuple(dict.fromkeys(run.wanted)), through, run.before, frozenset(run.crooked))


def _started(names: Iterable[str], start: Registers) -> dict[str, Known | None]:
    return {name: Known(None, start[name]) if name in start else Known(name, 0) for name in names}


def _executed(
    line: Sequence[Operation],
    registers: dict[str, Known | None],
    memory: Memory,
    segments: Registers,
    bias: int,
    expected: Sequence[_Store] | None,
) -> _Run:
    run = _Run(registers, memory, segments, expected)
    for index, one in enumerate(line):
        run.at = index
        _execute(run, one, bias)
    return run


def _solved(run: _Run, end: Registers) -> Registers:
    found: Registers = {}
    known = [(name, one) for name, one in run.registers.items() if one is not None and name in end]
    for name, one in sorted(known, key=lambda pair: pair[0] != pair[1].symbol):  # first what stayed in its place
        if one.symbol is not None and one.symbol != UNREAD:
            found.setdefault(one.symbol, (end[name] - one.number) & WORD)
    for index, store in enumerate(run.stores):
        value, address = store.value, store.address
        if value is None or value.symbol in (None, UNREAD) or value.symbol in found or store.size != WORD_BYTES:
            continue
        if address is None or address.symbol is not None or _overwritten(run.stores[index + 1 :], address.number, 8):
            continue
        data = run.memory(address.number, WORD_BYTES)
        if data is not None:
            found[value.symbol] = (int.from_bytes(data, "little") - value.number) & WORD
    return found


def _overwritten(stores: Iterable[_Store], address: int, size: int) -> bool:
    for store in stores:
        if store.address is None or store.address.symbol is not None:
            return True
        distance = (store.address.number - address) & WORD
        if distance < size or (-distance & WORD) < store.size:
            return True
    return False


def _execute(run: _Run, one: Operation, bias: int) -> None:
    name, arguments = one.name, one.arguments
    if name in SILENT or name[0] == "j":
        return
    if name == "call":
        _move_stack(run, -WORD_BYTES)
        place = Known(None, one.address + one.size + bias)
        run.stores.append(_Store(run.at, run.registers.get("rsp"), WORD_BYTES, place))
        return
    if name == "push" and arguments:
        value = _value(run, arguments[0], one, bias)
        _move_stack(run, -WORD_BYTES)
        run.stores.append(_Store(run.at, run.registers.get("rsp"), WORD_BYTES, value))
        return
    if name == "pop" and arguments and isinstance(arguments[0], Part):
        value = _load(run, run.registers.get("rsp"), WORD_BYTES)
        _move_stack(run, WORD_BYTES)
        _assign(run, arguments[0], value)
        return
    result = _result(run, one, bias)
    target = arguments[0] if arguments else None
    for written in one.written:
        if not (isinstance(target, Part) and written == target.register):
            run.registers[written] = None
    if isinstance(target, Part) and target.register in one.written:
        _assign(run, target, result)
    elif one.stores:
        written_to = next((a for a in arguments if isinstance(a, Operand) and a.writes), None)
        address = None if written_to is None else _address(run, written_to, one, bias)
        run.stores.append(_Store(run.at, address, written_to.size if written_to else WORD_BYTES, result))


def _move_stack(run: _Run, distance: int) -> None:
    pointer = run.registers.get("rsp")
    run.registers["rsp"] = None if pointer is None else pointer._replace(number=pointer.number + distance & WORD)


def _assign(run: _Run, target: Part, value: Known | None) -> None:
    if value is not None and target.bits < 64 and value.symbol is not None:
        value = Known(UNREAD, 0, value.through, True) if value.symbol == UNREAD else None
    if value is not None and target.bits == 32:
        value = value._replace(number=value.number & 0xFFFFFFFF)
    elif target.bits < 32:
        before = run.registers.get(target.register)
        mask = (1 << target.bits) - 1
        if value is None or before is None or before.symbol is not None:
            value = None
        else:
            value = value._replace(
                number=before.number & ~mask | value.number & mask, memory=before.memory or value.memory
            )
    known = run.registers.get(target.register)
    run.before.pop(target.register, None)
    if known is not None and known.symbol is None:
        run.before[target.register] = known.number
    run.registers[target.register] = value


def _value(run: _Run, argument: Argument, one: Operation, bias: int) -> Known | None:
    if isinstance(argument, int):
        return Known(None, argument & WORD)
    if isinstance(argument, Part):
        value = run.registers.get(argument.register)
        if value is None or argument.bits == 64:
            return value
        return None if value.symbol is not None else value._replace(number=value.number & (1 << argument.bits) - 1)
    if isinstance(argument, Operand):
        return _load(run, _address(run, argument, one, bias), argument.size)
    return None


def _address(run: _Run, operand: Operand, one: Operation, bias: int) -> Known | None:
    total = Known(None, operand.displacement & WORD)
    if operand.segment is not None:
        if operand.segment not in ("fs", "gs") or f"{operand.segment}_base" not in run.segments:
            return None
        total = total._replace(number=total.number + run.segments[f"{operand.segment}_base"] & WORD)
    for name, scale in ((operand.base, 1), (operand.index, operand.scale)):
        if name is None or name in ("riz", "eiz"):
            continue
        part = Known(None, one.address + bias) if name == "rip" else run.registers.get(name)
        if part is None or (part.symbol is not None and (scale != 1 or total.symbol is not None)):
            return None
        behind = () if name in ("rip", "rsp") else part.behind()
        total = Known(
            part.symbol or total.symbol,
            total.number + part.number * scale & WORD,
            (*total.through, *behind)[:MOST_BEHIND],
            total.memory or part.memory,
        )
    return total


def _load(run: _Run, address: Known | None, size: int) -> Known | None:
    if address is None or not 1 <= size <= WORD_BYTES:
        return None
    if size == WORD_BYTES and address.symbol is None and address.number % WORD_BYTES:
        run.crooked.update(address.through)
    unread = Known(UNREAD, 0, address.through, True)
    if address.symbol is not None:
        return unread
    for store in reversed(run.stores):
        if store.address is not None and store.address[:2] == address[:2]:
            if store.size == size and store.value is not None and store.value.symbol is None:
                return store.value._replace(number=store.value.number & (1 << 8 * size) - 1)
            break
        if _overwritten((store,), address.number, size):
            return unread
    if run.expected is None or _overwritten((s for s in run.expected if s.at >= run.at), address.number, size):
        return unread
    data = run.memory(address.number, size)
    if data is None:
        run.wanted.append((address.number, size))
        return unread
    return Known(None, int.from_bytes(data, "little"), address.through, True)


def _result(run: _Run, one: Operation, bias: int) -> Known | None:
    name, arguments = one.name, one.arguments
    if not arguments:
        return None
    target, source = arguments[0], arguments[-1]
    if name in ("mov", "movabs") and len(arguments) == 2:
        return _value(run, source, one, bias)
    if name == "lea" and isinstance(source, Operand):
        return _address(run, source, one, bias)
    if name in ("movzx", "movsx", "movsxd") and len(arguments) == 2:
        value = _value(run, source, one, bias)
        bits = source.bits if isinstance(source, Part) else source.size * 8 if isinstance(source, Operand) else 64
        if value is None or value.symbol is not None:
            return value if value is not None and value.symbol == UNREAD else None
        return value if name == "movzx" else value._replace(number=_signed(value.number, bits) & WORD)
    if name in ("inc", "dec"):
        source = 1
        name = {"inc": "add", "dec": "sub"}[name]
    if name in ("xor", "sub") and len(arguments) == 2 and isinstance(target, Part) and target == source:
        return Known(None, 0)
    width = target.bits if isinstance(target, Part) else target.size * 8 if isinstance(target, Operand) else 64
    if name in ("not", "neg"):
        value = _value(run, target, one, bias)
        if value is None or value.symbol is not None:
            return None
        return value._replace(number=(~value.number if name == "not" else -value.number) & (1 << width) - 1)
    if name == "imul" and len(arguments) == 3:
        return _computed("imul", _value(run, arguments[1], one, bias), _value(run, source, one, bias), width)
    if name in COMPUTED and (len(arguments) == 2 or one.name in ("inc", "dec")):
        return _computed(name, _value(run, target, one, bias), _value(run, source, one, bias), width)
    return None


def _signed(number: int, bits: int) -> int:
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def _computed(name: str, left: Known | None, right: Known | None, bits: int) -> Known | None:
    if left is None or right is None:
        return None
    mask = (1 << bits) - 1
    through, memory = (*left.behind(), *right.behind())[:MOST_BEHIND], left.memory or right.memory
    if UNREAD in (left.symbol, right.symbol):
        return Known(UNREAD, 0, through, True)
    if left.symbol is not None or right.symbol is not None:
        if name not in ("add", "sub") or bits != 64 or (right.symbol and (left.symbol or name == "sub")):
            return None
        number = left.number + right.number if name == "add" else left.number - right.number
        return Known(left.symbol or right.symbol, number & WORD, through, memory)
    a, b = left.number, right.number
    if name in SHIFTS:
        b &= 63 if bits == 64 else 31
        a = _signed(a, bits) if name == "sar" else a
        number = a << b if name in ("shl", "sal") else a >> b
    else:
        number = {"add": a + b, "sub": a - b, "and": a & b, "or": a | b, "xor": a ^ b}.get(name, 0)
        if name == "imul":
            number = _signed(a, bits) * _signed(b, bits)
    return Known(None, number & mask, through, memory)
