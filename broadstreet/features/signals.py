"""What the kernel said about the signal, read by signal and code: the union means something else for each."""

from broadstreet.formats.linux_core import PF_FORKNOEXEC
from broadstreet.reading.context import FAULTS
from broadstreet.reading.machine_state import MachineState, Signal
from broadstreet.records.finding import Value

SI_USER, SI_QUEUE, SI_TKILL = 0, -1, -6  # the codes whose siginfo names a sender


def columns(state: MachineState, row: dict[str, Value]) -> None:
    """Fill in the columns of the signal, the process and the crash context."""
    signal, raised = state.signal, state.raised
    row["signal"] = signal.number
    row["si_code"] = signal.code
    row["fault_address"] = signal.address
    row["raised_signal"] = raised.number
    row["origin"] = _origin(signal, state.own_pid)
    row["sender_pid"] = signal.sender
    row["context"] = state.context
    row["self_sent_fault"] = _self_sent_fault(_origin(raised, state.own_pid), raised)
    row["earlier_context"] = _earlier_context(state, row)
    row["page_fault_error"] = signal.error
    row["forked_without_exec"] = None if state.task_flags is None else bool(state.task_flags & PF_FORKNOEXEC)
    row["in_signal_handler"] = any(step.signal_frame for step in state.steps) or (False if _all_sure(state) else None)
    row["syscall"] = signal.syscall


def _origin(raised: Signal, own_pid: int | None) -> str | None:
    if raised.number == 0:
        return "none"
    if raised.code is None:
        return None
    if raised.code > 0:
        return "kernel"
    if raised.code not in (SI_USER, SI_QUEUE, SI_TKILL):
        return "timer"
    if own_pid is None or raised.sender is None:
        return None
    return "self" if raised.sender == own_pid else "other_process"


def _self_sent_fault(origin: str | None, raised: Signal) -> bool | None:
    return None if origin is None else origin == "self" and raised.number in FAULTS


def _earlier_context(state: MachineState, row: dict[str, Value]) -> str | None:
    if state.context != "notes":
        return state.context
    if row["self_sent_fault"] is not False:
        return None  # raised by itself, or not known: an earlier fault may be there that was not found
    if row["origin"] in ("self", None) and state.end in ("words", "broken"):
        return None
    return "none"


def _all_sure(state: MachineState) -> bool:
    """Whether no frame can have been passed over: a scan may."""
    return state.end == "outermost" and all(step.trust != "stack_scan" for step in state.steps)
