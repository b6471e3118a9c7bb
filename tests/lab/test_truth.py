"""The lines of truth.jsonl."""

from pathlib import Path

from broadstreet.lab.truth import FILE, Truth, append, truths

FULL = Truth(
    core="rsp-bit.perl.1-0.core",
    cause="hardware",
    family="fault",
    mechanism="rsp-bit",
    program="perl",
    build="installed",
    variant="bulk",
    runtime="Perl",
    signal=11,
    seed="1/perl/rsp-bit/0",
    expected=("wild_stack_pointer",),
    context=("re_raised",),
    context_not=("forked_child",),
    parameters={"bit": 40},
    hit={"rip": 0x7FFF_FFFF_F000, "register": "rsp"},
    said="Out of memory!",
    note="none",
)
BARE = Truth(
    core="a.core", cause="software", family="bug", mechanism="a", program="a", build="O2", runtime="C", signal=6
)


def test_what_is_appended_is_read_again_in_its_order(tmp_path: Path) -> None:
    for truth in (FULL, BARE, FULL):
        append(tmp_path, truth)
    assert list(truths(tmp_path)) == [FULL, BARE, FULL]


def test_nothing_claimed_and_nothing_expected_are_told_apart(tmp_path: Path) -> None:
    append(tmp_path, BARE)
    (read,) = truths(tmp_path)
    assert read.expected is None
    assert b"expected" not in (tmp_path / FILE).read_bytes()


def test_an_address_of_64_bits_keeps_every_bit(tmp_path: Path) -> None:
    append(tmp_path, Truth(**{**_fields(BARE), "hit": {"new": (1 << 64) - 8}}))  # type: ignore[arg-type]
    assert next(truths(tmp_path)).hit == {"new": (1 << 64) - 8}


def _fields(truth: Truth) -> dict[str, object]:
    return {name: getattr(truth, name) for name in truth.__struct_fields__}
