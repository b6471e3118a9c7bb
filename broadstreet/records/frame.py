"""A frame of a stack, and how far it can be trusted."""

from typing import Literal, NamedTuple

Trust = Literal["register", "unwind_table", "frame_pointer", "stack_scan", "below_sp"]
TRUSTS: tuple[Trust, ...] = ("register", "unwind_table", "frame_pointer", "stack_scan", "below_sp")


class Frame(NamedTuple):
    """One frame. `offset` is from the module's first mapped byte; everything about a place not known is null."""

    pc: int
    sp: int | None
    module: str | None  # path
    build_id: str | None
    offset: int | None
    function: str | None
    function_offset: int | None
    trust: Trust
    signal_frame: bool = False
    return_address: bool = False  # the pc lies after a call, so its line is that of pc - 1


def frame_name(frame: Frame) -> str:
    """A frame in one word: its function, else module + offset, else its pc."""
    if frame.function:
        return frame.function
    if frame.module and frame.offset is not None:
        return f"{frame.module.rsplit('/', 1)[-1]}+{frame.offset:#x}"
    return f"{frame.pc:#x}"
