"""A python3 that holds 64 MiB and its modules, then reads through a wild pointer, twenty calls deep."""

import ctypes
import json
import os
import sqlite3
import ssl

HELD = (os.urandom(64 << 20), json, sqlite3, ssl)


def descend(depth: int) -> object:
    """Call itself, then crash."""
    return descend(depth - 1) if depth else ctypes.string_at(0x10)


descend(20)
