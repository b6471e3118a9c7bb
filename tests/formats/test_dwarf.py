"""DWARF numbers from the standard's own examples (DWARF 5, appendix C), pointers and expressions by hand."""

import pytest

from broadstreet.formats.dwarf import MalformedDwarf, evaluate, pointer, sleb, uleb

WORD = (1 << 64) - 1


@pytest.mark.parametrize(
    ("encoded", "value"),
    [("02", 2), ("7f", 127), ("8001", 128), ("8101", 129), ("b964", 12857), ("ff" * 9 + "01", WORD)],
)
def test_unsigned_numbers_are_those_of_the_standard(encoded: str, value: int) -> None:
    data = bytes.fromhex("ee" + encoded + "ee")
    assert uleb(data, 1) == (value, len(data) - 1)


@pytest.mark.parametrize(
    ("encoded", "value"),
    [
        ("02", 2),
        ("7e", -2),
        ("ff00", 127),
        ("817f", -127),
        ("8001", 128),
        ("807f", -128),
        ("8101", 129),
        ("ff7e", -129),
    ],
)
def test_signed_numbers_are_those_of_the_standard(encoded: str, value: int) -> None:
    data = bytes.fromhex("ee" + encoded + "ee")
    assert sleb(data, 1) == (value, len(data) - 1)


def test_a_number_without_end_is_malformed() -> None:
    with pytest.raises(MalformedDwarf, match="LEB128"):
        uleb(b"\x80" * 64, 0)
    with pytest.raises(MalformedDwarf, match="LEB128"):
        sleb(b"\xff" * 64, 0)


@pytest.mark.parametrize(
    ("encoding", "encoded", "value"),
    [
        (0x00, "8877665544332211", 0x1122334455667788),  # absolute
        (0x03, "78563412", 0x12345678),  # udata4
        (0x0B, "fcffffff", WORD - 3),  # sdata4
        (0x1B, "fcffffff", 0x5000 - 4),  # pcrel sdata4, what gcc writes
        (0x1A, "1000", 0x5010),  # pcrel sdata2
        (0x3B, "00f0ffff", 0x9000 - 0x1000),  # datarel sdata4, what .eh_frame_hdr holds
        (0x01, "b964", 12857),  # uleb128
        (0x19, "ff7e", 0x5000 - 129),  # pcrel sleb128
    ],
)
def test_a_pointer_has_the_base_that_its_encoding_names(encoding: int, encoded: str, value: int) -> None:
    data = bytes.fromhex(encoded)
    assert pointer(data, 0, encoding, address=0x5000, data_base=0x9000) == (value, len(data))


@pytest.mark.parametrize("encoding", [0x05, 0x0D, 0x20, 0x40, 0x50])
def test_a_pointer_in_an_encoding_that_nobody_writes_is_malformed(encoding: int) -> None:
    with pytest.raises(MalformedDwarf, match="pointer encoding"):
        pointer(bytes(16), 0, encoding, address=0)


def no_word(_address: int) -> int | None:
    return None


PLT = bytes.fromhex("7708 8000 3f 1a 3b 2a 33 24 22")  # of .plt: rsp + 8 + ((rip & 15) >= 11) * 8


@pytest.mark.parametrize(("rip", "cfa"), [(0x40102A, 0x7008), (0x40102B, 0x7010), (0x40102F, 0x7010)])
def test_the_expression_of_a_plt_entry_counts_what_it_pushed(rip: int, cfa: int) -> None:
    assert evaluate(PLT, None, {7: 0x7000, 16: rip}, no_word) == cfa


def test_a_register_that_was_not_observed_makes_the_value_null() -> None:
    assert evaluate(PLT, None, {7: 0x7000}, no_word) is None
    assert evaluate(PLT, None, {7: None, 16: 0}, no_word) is None


def test_a_dereference_reads_a_word_and_one_that_was_not_observed_is_null() -> None:
    words = {0x70A0: 0xCAFE}
    code = bytes.fromhex("77a001 06")  # breg7 160; deref: how __restore_rt finds a saved register
    assert evaluate(code, None, {7: 0x7000}, words.get) == 0xCAFE
    assert evaluate(code, None, {7: 0x7008}, words.get) is None


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("0905 1c", 0x1000 - 5),  # const1s 5; minus, from the initial value
        ("09fb 22", 0x1000 - 5),  # const1s -5; plus
        ("0a3412 22", 0x2234),  # const2u
        ("0bfeff 22", 0x0FFE),  # const2s -2
        ("0c78563412", 0x12345678),  # const4u
        ("0dffffffff", WORD),  # const4s -1
        ("0e8877665544332211", 0x1122334455667788),
        ("10b964", 12857),  # constu
        ("11ff7e", WORD - 128),  # consts -129
        ("2310", 0x1010),  # plus_uconst
        ("12 22", 0x2000),  # dup; plus
        ("31 13", 0x1000),  # lit1; drop
        ("32 1e", 0x2000),  # lit2; mul
        ("34 25", 0x100),  # lit4; shr
        ("31 21", 0x1001),  # lit1; or
        ("12 27", 0),  # dup; xor
        ("12 29", 1),  # dup; eq
        ("12 2e", 0),  # dup; ne
        ("12 2d", 0),  # dup; lt
        ("12 2c", 1),  # dup; le
        ("0dffffffff 2b", 1),  # -1; gt is signed
        ("96", 0x1000),  # nop
    ],
)
def test_an_operation_gives_what_the_standard_says(code: str, value: int) -> None:
    assert evaluate(bytes.fromhex(code), 0x1000, {}, no_word) == value


def test_sums_wrap_at_sixty_four_bits() -> None:
    assert evaluate(bytes.fromhex("2308"), WORD, {}, no_word) == 7
    assert evaluate(bytes.fromhex("31 1c"), 0, {}, no_word) == WORD
    assert evaluate(bytes.fromhex("0840 24"), 1, {}, no_word) == 0


@pytest.mark.parametrize("code", ["22", "06", "12", "13", "ff", "28f4ff", "2ff4ff", "0e00", "80", "77", "97"])
def test_a_program_that_underflows_is_cut_or_branches_is_null(code: str) -> None:
    assert evaluate(bytes.fromhex(code), None, {7: 1}, no_word) is None


def test_a_program_of_a_million_steps_is_given_up() -> None:
    assert evaluate(b"\x31\x22" * 500_000, 0, {}, no_word) is None


def test_an_empty_program_leaves_the_initial_value() -> None:
    assert evaluate(b"", 7, {}, no_word) == 7
    assert evaluate(b"", None, {}, no_word) is None
