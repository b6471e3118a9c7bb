"""Names of signals and of their codes, for people."""

SIGNALS = dict(
    enumerate(
        "SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM"
        " SIGTERM SIGSTKFLT SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGTTIN SIGTTOU SIGURG SIGXCPU SIGXFSZ SIGVTALRM SIGPROF"
        " SIGWINCH SIGIO SIGPWR SIGSYS".split(),
        start=1,
    )
)


def signal_name(number: int | None) -> str:
    """The name of a signal by its Linux number on x86-64 and aarch64."""
    if number is None:
        return "An unknown signal"
    if number == 0:
        return "No signal"
    return SIGNALS.get(number, f"signal {number}")
