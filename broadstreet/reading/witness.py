"""Which bytes the assembly of a machine state, its features and its frames rest on.

Three kinds of use. Single words and exact stretches (a return slot, a saved register, a signal frame) count as they
are: the witness writes them down. Sweeps over many words (the scan for a return address, the look below the stack
pointer) only ask which words point into code. And a wrong register is compared with every word of the stack that is
one bit from it (features/bits.py). What a slim core dump keeps of each stands in `reading/kept.py`.
"""

from broadstreet.reading.address_space import AddressSpace

WORD_BYTES = 8
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
