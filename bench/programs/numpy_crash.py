"""Threads that compute with numpy, and one that writes through null by ctypes, called back from numpy."""

import ctypes
import threading
import time

import numpy

THREADS = 4
started = threading.Barrier(THREADS + 1)


def compute() -> None:
    """Multiply matrices until the process ends."""
    matrix: numpy.ndarray = numpy.random.default_rng(0).random((64, 64))
    started.wait()
    while True:
        matrix = numpy.linalg.inv(matrix @ matrix + numpy.eye(64))


def crash(row: numpy.ndarray) -> int:
    """Write through null."""
    return int(ctypes.memset(int(row[0]), 1, 8) or 0)


def descend(depth: int) -> object:
    """Call itself, then numpy, then `crash`."""
    if depth:
        return descend(depth - 1)
    return numpy.apply_along_axis(crash, 1, numpy.zeros((3, 3)))


for _ in range(THREADS):
    threading.Thread(target=compute, daemon=True).start()
started.wait()
time.sleep(0.05)
descend(8)
