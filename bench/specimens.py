"""Many distinct specimens, fast: slim core dumps with other pids, run times and spare registers.

Made of the sample's, which are real crashes. Changed is what tells one crash from another of its kind and decides
nothing: the time that the thread had run, which makes each a case of its own; pid and thread id, but where the process
sent itself the signal; and r11 where it held a small number, for a call may leave anything there. They are compressed
files, a thousand in a folder, without sidecars: the time of a crash, somewhere in a year, stands in its slim note.

    python -m bench.specimens FOLDER [COUNT] [SEED]
"""

import io
import struct
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import zstandard
from elftools.elf.elffile import ELFFile

FOLDER_SIZE = 1000
SAMPLE = Path(__file__).parent.parent / "sample" / "cores"
LONGEST = 1 << 20
LEVEL = 1
FIRST_TIME, YEAR = 1_735_689_600, 365 * 86_400  # 2025-01-01
# include/linux/elfcore.h, struct elf_prstatus: pr_pid, pr_utime, pr_reg (r11 is the 7th of 27 on x86-64); struct
# elf_prpsinfo: pr_pid; include/uapi/asm-generic/siginfo.h: si_code. The same on x86-64 and aarch64, but for r11.
PRSTATUS_PID, PRSTATUS_TIME, PRSTATUS_R11, PRPSINFO_PID, SIGINFO_CODE = 32, 48, 112 + 6 * 8, 24, 8
NT_PRSTATUS, NT_PRPSINFO, NT_SIGINFO = 1, 3, 0x53494749
TIME = b'"time":"'
MACHINE, X86_64 = 18, 62
LARGEST_COUNT = 1 << 16  # a register below holds a count or nothing
LOWEST_PID, HIGHEST_PID = 300, 1 << 22  # the kernel's limit on 64 bits


@dataclass(frozen=True)
class _Template:
    content: bytes
    time_at: int  # in the note of slim core dumps
    status_at: int
    process_at: int
    renamed: bool  # whether the pid may be another: not where a signal frame may hold it too
    spare: bool  # whether r11 may be another


def make(folder: Path, count: int, seed: int) -> None:
    """Write so many core dumps, each of a case of its own, below a folder; the same ones for the same seed."""
    random = Random(seed)
    templates = [_template(path) for path in sorted(SAMPLE.glob("*.core.zst"))]
    compressor = zstandard.ZstdCompressor(level=LEVEL)
    for number in range(count):
        pid = random.randrange(LOWEST_PID, HIGHEST_PID)
        if number % FOLDER_SIZE == 0:
            place = folder / f"{number // FOLDER_SIZE:04}"
            place.mkdir(parents=True)
        template = templates[number % len(templates)]
        content = bytearray(template.content)
        struct.pack_into("<QQ", content, template.status_at + PRSTATUS_TIME, number, random.randrange(10**6))
        if template.renamed:
            struct.pack_into("<i", content, template.status_at + PRSTATUS_PID, pid)
            struct.pack_into("<i", content, template.process_at + PRPSINFO_PID, pid)
        if template.spare:
            struct.pack_into("<Q", content, template.status_at + PRSTATUS_R11, random.randrange(LARGEST_COUNT))
        stamp = datetime.fromtimestamp(FIRST_TIME + random.randrange(YEAR), UTC)
        text = stamp.strftime("%Y-%m-%dT%H:%M:%S.") + f"{random.randrange(10**6):06}Z"
        content[template.time_at : template.time_at + len(text)] = text.encode()
        path = place / f"{number:07}.core.zst"
        path.write_bytes(compressor.compress(bytes(content)))


def _template(path: Path) -> _Template:
    with path.open("rb") as file:
        content = zstandard.ZstdDecompressor().stream_reader(file).read(LONGEST)
    places: dict[int, int] = {}
    for kind, at in _notes(content):
        places.setdefault(kind, at)
    (code,) = struct.unpack_from("<i", content, places[NT_SIGINFO] + SIGINFO_CODE)
    (machine,) = struct.unpack_from("<H", content, MACHINE)
    (r11,) = struct.unpack_from("<Q", content, places[NT_PRSTATUS] + PRSTATUS_R11)
    spare = machine == X86_64 and r11 < LARGEST_COUNT
    time_at = content.index(TIME) + len(TIME)
    return _Template(content, time_at, places[NT_PRSTATUS], places[NT_PRPSINFO], code > 0, spare)


def _notes(content: bytes) -> Iterator[tuple[int, int]]:
    with io.BytesIO(content) as file:
        segment = next(ELFFile(file).iter_segments("PT_NOTE"))
        at, end = segment["p_offset"], segment["p_offset"] + segment["p_filesz"]
    while at < end:
        name_size, size, kind = struct.unpack_from("<III", content, at)
        at += 12 + (name_size + 3 & -4)
        yield kind, at
        at += size + 3 & -4


def main() -> None:
    """Make them, and say what that took."""
    folder, count, seed = Path(sys.argv[1]), int((sys.argv[2:3] or ["100000"])[0]), int((sys.argv[3:4] or ["1"])[0])
    started = time.monotonic()
    make(folder, count, seed)
    size = sum(path.stat().st_blocks * 512 for path in folder.rglob("*.zst"))
    print(f"{count:,} specimens in {time.monotonic() - started:.0f} s, {size / 1e6:,.0f} MB on disk")


if __name__ == "__main__":
    main()
