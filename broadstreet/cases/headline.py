"""What happened, in one sentence."""

from broadstreet.formats.signals import signal_name
from broadstreet.labels import CONTEXTS, MECHANISMS, NOT_JUDGED, UNCLASSIFIED
from broadstreet.records.case import Case
from broadstreet.records.finding import Finding

FAULTS_AT = (7, 11)  # SIGBUS and SIGSEGV tell an address
SI_KERNEL = 128  # include/uapi/asm-generic/siginfo.h
_SUMMARIES = {rule.label: rule.summary for rule in (*MECHANISMS, *CONTEXTS)}
_ADDED = (
    ("unwinding_exception", "while an exception was being unwound"),
    ("in_signal_handler", "inside of a signal handler"),
    ("forked_child", "in a forked child"),
)


def headline(case: Case) -> str:
    """The answer: the mechanism, and what went on around it."""
    if case.mechanism == NOT_JUDGED:
        text = f"{signal_name(case.signal)}; too little of the crash could be seen to name a mechanism"
    elif case.mechanism == UNCLASSIFIED:
        text = f"{signal_name(case.signal)} by none of the mechanisms that are known"
    else:
        text = _SUMMARIES[case.mechanism].rstrip(".")
    holding = {finding.label for finding in case.findings if finding.state == "holds"}
    extra = [words for label, words in _ADDED if label in holding]
    if extra:
        text += ", " + " and ".join(extra)
    return text + "."


def fault(case: Case) -> str:
    """The signal, and the address where there is one: SIGSEGV at address 0x10."""
    name = signal_name(case.signal)
    if case.signal not in FAULTS_AT:
        return name
    if case.fault_address is not None:
        return f"{name} at address {case.fault_address:#x}"
    return f"{name}, for which the kernel gives no address" if case.si_code == SI_KERNEL else name


def whose_registers(case: Case) -> str:
    """Where the registers are from, if not from the notes of the core dump; else empty."""
    if case.context == "signal_frame":
        return "A handler had taken the signal: these are the registers that its frame saved."
    if case.context == "recovered":
        return "A handler raised the signal again: the fault is from the dead frame that it left behind."
    return ""


def summary_of(label: str) -> str:
    """What a label says, in one sentence."""
    return _SUMMARIES[label]


def near_miss(finding: Finding) -> bool:
    """Whether a rule was asked in earnest and did not hold, and was not just settled by the kind of signal."""
    return finding.state == "does_not_hold" and not (
        len(finding.evidence) == 1 and finding.evidence[0].meaning.startswith("not ")
    )
