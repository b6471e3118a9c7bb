"""A core dump in a local file, whatever it is packed in."""

import os
import stat
from contextlib import ExitStack
from types import TracebackType

from broadstreet.errors import UnreadableSpecimen
from broadstreet.sources.archives import core_in
from broadstreet.sources.blob import CoreSource, PlainCore
from broadstreet.sources.folder import problem_elements

__all__ = ["CoreSource", "OpenCore", "PlainCore"]


class OpenCore:
    """A local core dump opened for reading; a context manager around the descriptor."""

    def __init__(self, path: str) -> None:
        with ExitStack() as opening:
            file = opening.enter_context(open(path, "rb", buffering=0, opener=_without_waiting))
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise UnreadableSpecimen("file", 0, "a regular file", "something else")
            self.source: CoreSource = core_in(PlainCore(file.fileno()))
            if (said := problem_elements(path)) is not None:
                self.source.said = said
            self._close = opening.pop_all().close

    def __enter__(self) -> CoreSource:
        return self.source

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._close()


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # a named pipe would wait for a writer
