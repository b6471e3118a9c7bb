"""What a scan adds up to."""

from broadstreet.cases.case import case_of
from broadstreet.cases.summary import Summary
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.exposure import Circumstances
from tests.features.machines import libc, unwinder, walker
from tests.features.read_back import dump, reading

PROGRAM, LIBRARY, UNWINDER = ((one.program.path, one.program.build_id.hex()) for one in (walker, libc, unwinder))


def case(name: str, binaries: bool = True, end: int | None = None) -> Case:
    return case_of(reading(dump(name)[:end], binaries), Circumstances(path=name), 1000, 5000)


def summed(*outcomes: Case | Unreadable) -> Summary:
    summary = Summary()
    for outcome in outcomes:
        summary.add(outcome)
    return summary


def test_cases_are_counted_by_mechanism() -> None:
    summary = summed(case("ret popped zero"), case("ret popped zero"), case("a trap"))
    assert summary.cases == 3
    assert summary.mechanisms == {"return_to_null": 2, "deliberate_trap": 1}


def test_a_context_is_counted_beside_the_mechanism() -> None:
    summary = summed(case("a fault in a forked child"), case("a fault in a handler"), case("a fault in a handler"))
    assert +summary.contexts == {"forked_child": 1, "in_signal_handler": 2}
    assert summary.mechanisms == {"null_dereference": 3}


def test_what_is_unreadable_is_counted_by_kind_and_is_no_case() -> None:
    kinds = ("ELF header: wanted a core dump", "ELF header: wanted a core dump", "sidecar")
    summary = summed(*(Unreadable("core", kind, "because") for kind in kinds))
    assert (summary.cases, summary.unreadable) == (0, {"ELF header: wanted a core dump": 2, "sidecar": 1})


def test_bytes_are_added_up() -> None:
    summary = summed(case("a trap"), case("a trap"), Unreadable("core", "sidecar", ""))
    assert (summary.bytes_read, summary.bytes_present) == (2000, 10_000)


def test_core_dumps_that_were_cut_off_are_counted_once_each() -> None:
    summary = summed(case("a trap"), case("a trap", end=1500), case("a trap", end=30_000))
    assert summary.incomplete == 2


def test_a_binary_counts_once_for_each_case_that_lacked_it() -> None:
    summary = summed(*(case("a fault in a cleanup", binaries=False) for _ in range(3)))
    assert {binary: summary.missing_binaries[binary] for binary in (PROGRAM, UNWINDER)} == {PROGRAM: 3, UNWINDER: 3}


def test_binaries_are_ranked_by_the_cases_that_they_would_unlock() -> None:
    summary = summed(case("a fault in a cleanup", binaries=False), *(case("a trap", binaries=False) for _ in range(4)))
    assert summary.missing_binaries[PROGRAM] == 5
    assert summary.missing_binaries[UNWINDER] == 1


def test_a_binary_at_hand_is_not_missed() -> None:
    assert summed(case("a trap"), case("a fault in a cleanup")).missing_binaries == {}


def test_a_binary_that_would_unlock_nothing_is_not_asked_for() -> None:
    """All findings of this case are settled by the kernel's own word, or need more than a binary."""
    found = case("a trap", binaries=False)
    settled = [finding._replace(state="does_not_hold", needs=()) for finding in found.findings]
    assert found.missing
    complete = Case(**{**vars(found), "findings": tuple(settled)})
    assert summed(complete).missing_binaries == {}
