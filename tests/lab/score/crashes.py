"""Judged crashes by hand, for tests of the score."""

from broadstreet.lab.score.judged import Judged, SaidCase, SaidFeatures, SaidFinding
from broadstreet.lab.truth import Cause, Family, Truth
from broadstreet.records.finding import State

FINDINGS = ("misaligned_stack", "wild_stack_pointer", "one_bit_off", "code_mismatch", "null_dereference")


def truth(
    cause: Cause = "hardware",
    mechanism: str = "rsp-8",
    runtime: str = "Python",
    expected: tuple[str, ...] | None = None,
    core: str = "1.core",
    family: Family = "fault",
    context: tuple[str, ...] = (),
    context_not: tuple[str, ...] = (),
) -> Truth:
    return Truth(
        core=core,
        cause=cause,
        family=family,
        mechanism=mechanism,
        program="python3",
        build="installed",
        runtime=runtime,
        signal=11,
        expected=expected,
        context=context,
        context_not=context_not,
    )


def crash(said: Truth, mechanism: str = "unclassified", **states: State) -> Judged:
    """A crash of which all findings that are not named do not hold."""
    findings = {**dict.fromkeys(FINDINGS, "does_not_hold"), **states}
    return Judged(
        said,
        SaidCase(
            path=f"/anywhere/{said.core}",
            mechanism=mechanism,
            features=SaidFeatures(said.signal),
            findings=tuple(SaidFinding(label, state) for label, state in findings.items()),  # type: ignore[arg-type]
            reader_version=1,
            rules_version=1,
        ),
    )


def fault(mechanism: str, found: bool, runtime: str = "Python") -> Judged:
    return crash(truth(mechanism=mechanism, runtime=runtime), misaligned_stack="holds" if found else "does_not_hold")


def bug(mechanism: str, found: bool, expected: tuple[str, ...] | None = None) -> Judged:
    said = truth("software", mechanism, "C", expected, family="bug")
    return crash(said, misaligned_stack="holds" if found else "does_not_hold")
