"""From a machine state to one flat row of nullable, documented columns. Null means not observed."""

from broadstreet.features import aborts, access, bits, control, replay, signals, stack, unwinding
from broadstreet.reading.machine_state import MachineState
from broadstreet.records.columns import FEATURES
from broadstreet.records.finding import Value

Row = dict[str, Value]
_SOURCES = (
    signals.columns,
    control.columns,
    access.columns,
    stack.columns,
    aborts.columns,
    bits.columns,
    replay.columns,
    unwinding.columns,
)


def row(state: MachineState | None) -> Row:
    """Every feature of one crash, in the order of the declarations. Without a machine state all are null."""
    found: Row = {column.name: None for column in FEATURES}
    if state is not None:
        for source in _SOURCES:
            source(state, found)
    return found
