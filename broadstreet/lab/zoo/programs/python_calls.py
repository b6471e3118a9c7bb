"""Crashes of python3 below the interpreter, by ctypes and by an extension: `python3 python_calls.py NAME MANNER`."""

import ctypes
import faulthandler
import mmap
import os
import resource
import sys
import threading
from collections.abc import Callable

STACK_BYTES = 1 << 20
TEXT = b"/var/lib"
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = (ctypes.c_void_p,)


def _ctypes_read_small() -> object:
    return ctypes.c_int.from_address(0x10).value


def _ctypes_read_noncanonical() -> object:
    return ctypes.string_at(int.from_bytes(TEXT, "little"))


def _ctypes_read_wild() -> object:
    return ctypes.string_at(0x123456789000)


def _ctypes_read_freed() -> object:
    pages = mmap.mmap(-1, 1 << 22)
    buffer = (ctypes.c_char * len(pages)).from_buffer(pages)
    address = ctypes.addressof(buffer)
    del buffer
    pages.close()
    return ctypes.string_at(address)


def _ctypes_write_constant() -> object:
    return ctypes.memset(ctypes.cast(libc.puts, ctypes.c_void_p).value or 0, 0, 8)


def _ctypes_call_null() -> object:
    return ctypes.CFUNCTYPE(ctypes.c_int)(0)()


def _ctypes_call_data() -> object:
    data = ctypes.create_string_buffer(64)
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(data))()


def _ctypes_wrong_callback() -> object:
    numbers = (ctypes.c_int * 8)(*range(8))
    return libc.qsort(numbers, 8, 4, None)


def _ctypes_double_free() -> object:
    block = libc.malloc(40)
    libc.free(block)
    return libc.free(block)


def _ctypes_endless_recursion() -> object:
    sys.setrecursionlimit(1 << 30)
    calls: list[Callable[[], int]] = []
    calls.append(ctypes.CFUNCTYPE(ctypes.c_int)(lambda: calls[0]()))
    return calls[0]()


def _extension(name: str) -> Callable[[], object]:
    def call() -> object:
        import python_extension  # type: ignore[import-not-found]

        return getattr(python_extension, name)()

    return call


CRASHES = {
    function.__name__.removeprefix("_"): function
    for function in (
        _ctypes_read_small,
        _ctypes_read_noncanonical,
        _ctypes_read_wild,
        _ctypes_read_freed,
        _ctypes_write_constant,
        _ctypes_call_null,
        _ctypes_call_data,
        _ctypes_wrong_callback,
        _ctypes_double_free,
        _ctypes_endless_recursion,
    )
}


def _main(name: str, manner: str) -> None:
    resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, resource.getrlimit(resource.RLIMIT_STACK)[1]))
    crash = CRASHES.get(name) or _extension(name)
    if manner == "faulthandler":
        faulthandler.enable()
    if manner == "thread":
        threading.stack_size(STACK_BYTES)
        thread = threading.Thread(target=crash)
        thread.start()
        thread.join()
    elif manner == "forked":
        child = os.fork()
        if child == 0:
            crash()
            os._exit(0)
        os.waitpid(child, 0)
    else:
        crash()


_main(*sys.argv[1:3])
