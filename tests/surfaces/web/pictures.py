"""A screenshot made small: the PNG of a browser with 256 colours, and nothing else changed.

A page of paper and ink has few colours, and the rest are the edges of its letters. They are told by five bits of each
of red, green and blue; the commonest 256 stay, and each other becomes the nearest of those.
"""

import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
KEPT_BITS = 0xF8F8F8
Pixels = NDArray[np.uint8]


def written(png: bytes, path: Path) -> None:
    """The picture of this PNG, as a smaller PNG in a file."""
    path.parent.mkdir(exist_ok=True, parents=True)
    pixels = decoded(png)
    height, width, _ = pixels.shape
    palette, codes = reduced(pixels)
    rows = np.hstack([np.zeros((height, 1), np.uint8), codes.reshape(height, width)])
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    chunks = (
        (b"IHDR", header),
        (b"PLTE", palette.tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    path.write_bytes(SIGNATURE + b"".join(_chunk(kind, data) for kind, data in chunks))


def decoded(png: bytes) -> Pixels:
    """Rows of pixels, red, green and blue, of a PNG as a browser writes it: 8 bits, not interlaced."""
    assert png.startswith(SIGNATURE)
    at, packed = len(SIGNATURE), b""
    width = height = channels = 0
    while at < len(png):
        size, kind = struct.unpack_from(">I4s", png, at)
        data = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data)
            assert (depth, interlaced) == (8, 0)
            channels = {2: 3, 6: 4}[colour]
        packed += data if kind == b"IDAT" else b""
        at += size + 12
    rows = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * channels)
    before = np.zeros(width * channels, np.uint8)
    found = np.empty((height, width * channels), np.uint8)
    for number, row in enumerate(rows):
        before = found[number] = _unfiltered(int(row[0]), row[1:], before, channels)
    return found.reshape(height, width, channels)[:, :, :3]


def reduced(pixels: Pixels) -> tuple[Pixels, Pixels]:
    """At most 256 colours, and which of them each pixel has."""
    flat = pixels.reshape(-1, 3).astype(np.uint32)
    whole = flat[:, 0] << 16 | flat[:, 1] << 8 | flat[:, 2]
    exact, of_exact, count = np.unique(whole, return_inverse=True, return_counts=True)
    if len(exact) > COLOURS:
        coarse = exact & KEPT_BITS
        kinds, of_kind = np.unique(coarse, return_inverse=True)
        weight = np.bincount(of_kind, count)
        first = np.zeros(len(kinds), np.uint32)
        for place in np.argsort(count):  # the commonest of each kind last, so that it stays
            first[of_kind[place]] = exact[place]
        kept = first[np.argsort(-weight, kind="stable")[:COLOURS]]
    else:
        kept = exact
    told = np.stack([kept >> 16 & 255, kept >> 8 & 255, kept & 255], 1).astype(np.int32)
    some = np.stack([exact >> 16 & 255, exact >> 8 & 255, exact & 255], 1).astype(np.int32)
    nearest = np.array([int(np.argmin(((told - one) ** 2).sum(1))) for one in some], np.uint8)
    return told.astype(np.uint8), nearest[of_exact]


def _unfiltered(kind: int, row: Pixels, before: Pixels, channels: int) -> Pixels:
    # PNG, section 9: of each byte the one to the left, above, and above to the left.
    if kind == 0:
        return row
    if kind == 2:
        return row + before
    if kind == 1:
        return np.cumsum(row.reshape(-1, channels), 0, np.uint8).reshape(-1)
    found = bytearray(row.tobytes())
    above = before.tobytes()
    for at in range(len(found)):
        left = found[at - channels] if at >= channels else 0
        corner = above[at - channels] if at >= channels else 0
        found[at] = (found[at] + (_paeth(left, above[at], corner) if kind == 4 else (left + above[at]) // 2)) & 255
    return np.frombuffer(bytes(found), np.uint8)


def _paeth(left: int, above: int, corner: int) -> int:
    from_left, from_above, from_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
    if from_left <= from_above and from_left <= from_corner:
        return left
    return above if from_above <= from_corner else corner


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
