"""Declared records against bytes laid out by hand."""

from typing import Annotated, NamedTuple

import pytest

from broadstreet.errors import UnreadableSpecimen
from broadstreet.formats.layout import At, Layout


class Sample(NamedTuple):
    first: Annotated[int, At(1, "H")]
    words: Annotated[tuple[int, ...], At(4, "2I")]
    name: Annotated[bytes, At(12, "4s")]
    last: Annotated[int, At(17, "b")]


SAMPLE = Layout(Sample, size=20, source="this test")
BYTES = bytes.fromhex("ee 3412 ee 78563412 01000000 41420000 ee fe eeee")


def test_fields_lie_where_they_were_declared_and_are_little_endian() -> None:
    assert SAMPLE.read(BYTES) == (0x1234, (0x12345678, 1), b"AB\0\0", -2)


def test_a_record_is_read_from_the_offset() -> None:
    assert SAMPLE.read(b"\xaa" * 7 + BYTES, 7) == SAMPLE.read(BYTES)


def test_a_record_of_single_fields_has_no_tuples() -> None:
    class Plain(NamedTuple):
        only: Annotated[int, At(2, "Q")]

    assert Layout(Plain, size=10, source="this test").read(b"\0\0" + bytes(range(8))) == (0x0706050403020100,)


@pytest.mark.parametrize(("length", "at", "fits"), [(20, 0, True), (19, 0, False), (21, 1, True), (21, 2, False)])
def test_a_record_fits_up_to_the_last_byte(length: int, at: int, fits: bool) -> None:
    assert SAMPLE.fits(bytes(length), at) is fits


def test_bytes_that_end_early_are_refused_with_place_wanted_and_found() -> None:
    with pytest.raises(UnreadableSpecimen, match="Sample at byte 4: wanted 20 bytes, found 16 bytes") as refused:
        SAMPLE.read(BYTES, 4)
    assert (refused.value.layout, refused.value.offset) == ("Sample", 4)


@pytest.mark.parametrize("at", [-1, -20, 1 << 64])
def test_an_offset_outside_of_the_bytes_is_refused(at: int) -> None:
    assert not SAMPLE.fits(BYTES, at)
    with pytest.raises(UnreadableSpecimen, match="Sample"):
        SAMPLE.read(BYTES, at)


def test_a_field_that_says_no_offset_is_refused() -> None:
    class Unplaced(NamedTuple):
        where: int

    with pytest.raises(TypeError, match=r"Unplaced\.where says no offset"):
        Layout(Unplaced, size=8, source="this test")


def test_fields_that_overlap_are_refused() -> None:
    class Overlapping(NamedTuple):
        first: Annotated[int, At(0, "I")]
        second: Annotated[int, At(2, "I")]

    with pytest.raises(TypeError, match=r"Overlapping\.second is out of order"):
        Layout(Overlapping, size=8, source="this test")


def test_a_size_that_does_not_hold_the_fields_is_refused() -> None:
    with pytest.raises(TypeError, match="Sample is longer than 17 bytes"):
        Layout(Sample, size=17, source="this test")
