"""Writes specimens for tests: ELF core dumps laid out as Linux lays them out.

It never imports broadstreet: what a reader and a writer share, both can have wrong. tests/test_synth.py holds it
against gdb, elfutils, pyelftools and a core that the running kernel wrote.
"""

from tests.synth.description import Architecture, Core, Fault, Map, Note, Process, Sent, Signal, Thread
from tests.synth.elf import core_dump, module_page
from tests.synth.notes import packed
from tests.synth.signal_frame import FRAME_BYTES, RESTORER, signal_frame

__all__ = [
    "FRAME_BYTES",
    "RESTORER",
    "Architecture",
    "Core",
    "Fault",
    "Map",
    "Note",
    "Process",
    "Sent",
    "Signal",
    "Thread",
    "core_dump",
    "module_page",
    "packed",
    "signal_frame",
]
