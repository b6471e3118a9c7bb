"""What a host must have so that a crash leaves evidence, and so that the evidence can be read.

The kernel writes a core dump to a file, a program or a socket, as kernel.core_pattern says (core(5)). RLIMIT_CORE
bounds a file. A program gets the whole of it whatever the limit is, but systemd-coredump and apport keep none beyond
the limit that they are told (%c). coredump_filter chooses what memory goes in; every process has it from its parent.
"""

from collections.abc import Sequence
from dataclasses import fields
from shlex import quote

from broadstreet.formats.systemd_settings import size
from broadstreet.pipeline.checks import Answer, Check, diagnoses
from broadstreet.records.diagnosis import Diagnosis
from broadstreet.sources.host import UNLIMITED, HostFacts

SYSTEMD = "systemd-coredump"
ASK_FOR_LIMIT = (SYSTEMD, "apport")  # keep nothing of a process whose limit is 0
THROWN_AWAY = ("/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true", "/dev/null")
UNIQUE = ("%p", "%P", "%i", "%I", "%t")  # specifiers that make names differ
PRIVATE_MEMORY, ELF_HEADERS = 1 << 0, 1 << 4  # bits of coredump_filter, core(5)
KEEP_FREE = 0.15  # of the disk: coredump.conf(5), the default of KeepFree
LEAST_FREE = 2 << 30  # bytes; a few large core dumps
SMALL = 2 << 30  # bytes: the default of systemd before version 251 cut too many
USUAL_WAITERS = 16  # kernel.core_pipe_limit that systemd sets

COREDUMP_CONF = "/etc/systemd/coredump.conf.d/broadstreet.conf"
TO_A_FOLDER = (
    "install -d -m 1733 /var/cores && echo 'kernel.core_pattern=/var/cores/core.%e.%p.%t'"
    " | tee /etc/sysctl.d/60-cores.conf && sysctl --system"
)
SYSTEM_CONF = (
    "mkdir -p /etc/systemd/system.conf.d && printf '[Manager]\\nDefaultLimitCORE=infinity\\n'"
    " > /etc/systemd/system.conf.d/core.conf && systemctl daemon-reexec"
)


def host_diagnoses(facts: HostFacts) -> list[Diagnosis]:
    """What a host lacks, the worst first."""
    return diagnoses(HOST_CHECKS, "host", {field.name: getattr(facts, field.name) for field in fields(facts)})


def _sysctl(setting: str) -> str:
    return f"echo '{setting}' | tee -a /etc/sysctl.d/60-cores.conf && sysctl --system"


def _coredump_conf(setting: str) -> str:
    folder = COREDUMP_CONF.rsplit("/", 1)[0]
    return f"mkdir -p {folder} && printf '[Coredump]\\n{setting}\\n' >> {COREDUMP_CONF}"


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:,.1f} GB"


def _container(container: str) -> Answer:
    if not container:
        return Answer(False, "This is no container.")
    seen = f"This is a container ({container}): the kernel's settings are those of its node, systemd's cannot be seen."
    return Answer(True, seen, "broadstreet doctor   # on the node itself; what its kernel lacks is mended there")


def _pattern(pattern: str) -> Answer:
    target = pattern.lstrip("|").split(" ")[0]
    if target in THROWN_AWAY:
        return Answer(True, f"kernel.core_pattern is `{pattern}`: every core dump is thrown away.", TO_A_FOLDER)
    if not pattern:
        return Answer(True, "kernel.core_pattern is empty.", TO_A_FOLDER)
    if pattern.startswith("|"):
        return Answer(False, f"Core dumps go to {target}.")
    if pattern.startswith("@"):
        return Answer(False, f"Core dumps go to the socket {pattern.lstrip('@')}.")
    if not pattern.startswith("/"):
        seen = (
            f"kernel.core_pattern is `{pattern}`: a file in the folder where the process works, if it may write there."
        )
        return Answer(True, seen, TO_A_FOLDER)
    return Answer(False, f"Core dumps are files: {pattern}")


def _handler(pattern: str, exists: bool) -> Answer:
    if not pattern.startswith("|"):
        return Answer(False, "No program takes the core dumps.")
    handler = pattern[1:].split(" ")[0]
    if exists:
        return Answer(False, f"{handler} is there.")
    remedy = f"apt-get install {SYSTEMD}   # or dnf" if SYSTEMD in handler else TO_A_FOLDER
    return Answer(True, f"kernel.core_pattern names {handler}, which does not exist.", remedy)


def _folder(folder: str, exists: bool) -> Answer:
    if exists or not folder:
        return Answer(False, f"{folder} is there." if folder else "There is no one folder that the kernel writes to.")
    return Answer(
        True, f"{folder} does not exist, and the kernel makes no folders.", f"install -d -m 1733 {quote(folder)}"
    )


def _names(pattern: str, uses_pid: int) -> Answer:
    if pattern[:1] in ("|", "@") or uses_pid or any(one in pattern for one in UNIQUE):
        return Answer(False, "Each core dump has a name of its own.")
    return Answer(
        True, f"All are named `{pattern}`: each overwrites the one before.", _sysctl("kernel.core_uses_pid=1")
    )


def _limit(pattern: str, limits: tuple[int, int]) -> Answer:
    soft, hard = limits
    if pattern[:1] in ("|", "@") and not any(one in pattern for one in ASK_FOR_LIMIT):
        return Answer(False, "The limit does not bound what the kernel gives to a program or a socket.")
    if hard == 0:
        remedy = "echo '* - core unlimited' | tee /etc/security/limits.d/60-cores.conf   # then log in again"
        return Answer(True, "RLIMIT_CORE is 0, and this user may not raise it.", remedy)
    if soft == 0:
        return Answer(True, "RLIMIT_CORE is 0: what is started from this shell leaves nothing.", "ulimit -c unlimited")
    if soft != UNLIMITED:
        return Answer(True, f"RLIMIT_CORE is {_gigabytes(soft)}: larger ones are cut off.", "ulimit -c unlimited")
    return Answer(False, "RLIMIT_CORE is unlimited in this shell.")


def _systemd_limit(value: str) -> Answer:
    if not value:
        return Answer(False, "systemd does not limit the core dumps of its services.")  # unlimited since version 229
    soft = value.split(":")[0]
    if soft in ("infinity", "unlimited"):
        return Answer(False, "DefaultLimitCORE is infinity.")
    what = "leave nothing" if soft == "0" else f"are cut off at {soft}"
    return Answer(True, f"DefaultLimitCORE is {value}: core dumps of services {what}.", SYSTEM_CONF)


def _filter(bits: int) -> Answer:
    remedy = "echo 0x33 > /proc/self/coredump_filter   # in what starts the service; CoredumpFilter=0x33 in a unit"
    if not bits & PRIVATE_MEMORY:
        return Answer(True, f"coredump_filter is {bits:#x}: registers only, no stacks.", remedy)
    if not bits & ELF_HEADERS:
        return Answer(True, f"coredump_filter is {bits:#x}: without build ids, so no binary can be told.", remedy)
    return Answer(False, f"coredump_filter is {bits:#x}: stacks and build ids are in.")


def _suid(pattern: str, value: int) -> Answer:
    if value == 0:
        seen = "fs.suid_dumpable is 0: services that start as root and give that up leave nothing."
        return Answer(True, seen, _sysctl("fs.suid_dumpable=2"))
    if value == 2 and pattern[:1] not in ("|", "@", "/"):
        seen = "fs.suid_dumpable is 2, which wants an absolute core_pattern or a program."
        return Answer(True, seen, TO_A_FOLDER)
    return Answer(False, f"fs.suid_dumpable is {value}.")


def _waiters(pattern: str, limit: int) -> Answer:
    if not pattern.startswith("|") or limit > 0:
        return Answer(False, f"kernel.core_pipe_limit is {limit}.")
    seen = "kernel.core_pipe_limit is 0: the kernel does not wait, and /proc of the process may be gone too early."
    return Answer(True, seen, _sysctl(f"kernel.core_pipe_limit={USUAL_WAITERS}"))


def _storage(pattern: str, conf: dict[str, str]) -> Answer:
    if SYSTEMD not in pattern:
        return Answer(False, "systemd-coredump is not used.")
    storage, longest = conf.get("Storage", "external"), conf.get("ProcessSizeMax", "")
    if storage == "none" or size(longest) == 0:
        setting = "Storage=none" if storage == "none" else "ProcessSizeMax=0"
        remedy = _coredump_conf("Storage=external\\nProcessSizeMax=32G")
        return Answer(True, f"{setting}: systemd-coredump writes a log line and throws the core dump away.", remedy)
    if storage == "journal":
        seen = "Storage=journal: core dumps lie in the journal, where `scan` does not read them."
        return Answer(True, seen, _coredump_conf("Storage=external"))
    return Answer(False, "systemd-coredump keeps core dumps as files.")


def _longest(pattern: str, conf: dict[str, str]) -> Answer:
    if SYSTEMD not in pattern:
        return Answer(False, "systemd-coredump is not used.")
    given = {key: conf[key] for key in ("ExternalSizeMax", "MaxUse") if key in conf}
    small = {key: value for key, value in given.items() if (count := size(value)) is not None and count < SMALL}
    if small:
        shown = ", ".join(f"{key}={value}" for key, value in small.items())
        seen = f"{shown}: large core dumps are cut off, or the last ones are deleted at once."
        return Answer(True, seen, _coredump_conf("ExternalSizeMax=32G\\nMaxUse=64G"))
    return Answer(False, ", ".join(f"{key}={value}" for key, value in given.items()) or "systemd's own limits hold.")


def _compression(pattern: str, conf: dict[str, str]) -> Answer:
    if SYSTEMD not in pattern or conf.get("Compress", "yes").lower() in ("no", "false", "off", "0"):
        return Answer(False, "Core dumps are not compressed: only the pieces that are needed are read.")
    # No lack: it saves three quarters of the disk, and costs a read from start to end.
    return Answer(False, "Core dumps are compressed: smaller, and each is read from start to end (Compress=no).")


def _disk(pattern: str, folder: str, disk: tuple[int, int], conf: dict[str, str]) -> Answer:
    free, whole = disk
    wanted = int(whole * KEEP_FREE) if SYSTEMD in pattern else LEAST_FREE
    if SYSTEMD in pattern and "KeepFree" in conf:
        wanted = size(conf["KeepFree"]) or 0
    if free >= wanted:
        return Answer(False, f"{_gigabytes(free)} of {_gigabytes(whole)} are free in {folder}.")
    what = "systemd deletes old ones to keep" if SYSTEMD in pattern else "a few core dumps need"
    seen = f"{_gigabytes(free)} of {_gigabytes(whole)} are free in {folder}; {what} {_gigabytes(wanted)}."
    return Answer(
        True, seen, f"du -xh --max-depth=2 {quote(folder)} | sort -h | tail   # or a larger disk for {folder}"
    )


def _readable(folder: str, cores: tuple[int, int]) -> Answer:
    tried, refused = cores
    if refused == 0:
        return Answer(False, f"This user may read the core dumps in {folder}.")
    seen = f"{refused} of {tried} files in {folder} may not be read by this user."
    return Answer(
        True, seen, f"sudo -E broadstreet scan {quote(folder)}   # or deploy/systemd, whose service may read all"
    )


def _store(store: str, count: int) -> Answer:
    if count:
        return Answer(False, f"{count:,} binaries in {store}.")
    seen = f"No binary is kept in {store}: after the next upgrade, older core dumps lose their stacks."
    return Answer(True, seen, "broadstreet binaries add /usr/bin /usr/lib /opt   # before each upgrade")


def _servers(servers: Sequence[str]) -> Answer:
    shown = (
        ", ".join(servers) if servers else "No debuginfod server: nothing leaves this host (BROADSTREET_DEBUGINFOD)."
    )
    return Answer(False, shown)


def _symbols(extras: dict[str, bool]) -> Answer:
    if extras["symbols"]:
        return Answer(False, "The extra `symbols` is installed.")
    return Answer(True, "The extra `symbols` is not installed.", "pip install 'broadstreet[symbols]'")


def _cluster(extras: dict[str, bool]) -> Answer:
    return Answer(False, f"The extra `cluster` is {'' if extras['cluster'] else 'not '}installed.")


SYSCTL = "/proc/sys/kernel/"
HOST_CHECKS = (
    Check(
        "core_pattern",
        ("core_pattern",),
        "nothing is kept",
        "Without one known place nobody can collect core dumps.",
        SYSCTL + "core_pattern",
        _pattern,
    ),
    Check(
        "core_handler",
        ("core_pattern", "handler_exists"),
        "nothing is kept",
        "The kernel gives each core dump to this program; without it, it is lost.",
        SYSCTL + "core_pattern",
        _handler,
    ),
    Check(
        "core_folder",
        ("core_folder", "core_folder_exists"),
        "nothing is kept",
        "What cannot be written is lost without a word.",
        SYSCTL + "core_pattern",
        _folder,
    ),
    Check(
        "core_limit",
        ("core_pattern", "core_limit"),
        "nothing is kept",
        "A process with a limit of 0 leaves no core dump, and one beyond a limit is cut off where stacks lie.",
        "/proc/self/limits",
        _limit,
    ),
    Check(
        "services_limit",
        ("systemd_limit",),
        "nothing is kept",
        "Services have their limit from systemd, not from a shell.",
        "/etc/systemd/system.conf",
        _systemd_limit,
    ),
    Check(
        "coredump_storage",
        ("core_pattern", "coredump_conf"),
        "nothing is kept",
        "A log line has no registers.",
        "/etc/systemd/coredump.conf",
        _storage,
    ),
    Check(
        "core_names",
        ("core_pattern", "core_uses_pid"),
        "evidence is lost",
        "A crash loop must not leave one core dump for a thousand crashes.",
        SYSCTL + "core_uses_pid",
        _names,
    ),
    Check(
        "coredump_filter",
        ("coredump_filter",),
        "evidence is lost",
        "Frames need the stacks, and the right binary is found by its build id.",
        "/proc/self/coredump_filter",
        _filter,
    ),
    Check(
        "coredump_size",
        ("core_pattern", "coredump_conf"),
        "evidence is lost",
        "The main thread's stack lies at the end of a core dump, and is cut off first.",
        "/etc/systemd/coredump.conf",
        _longest,
    ),
    Check(
        "core_disk",
        ("core_pattern", "core_folder", "core_disk", "coredump_conf"),
        "evidence is lost",
        "On a full disk core dumps are cut off, or deleted before a scan sees them.",
        "the folder of the core dumps",
        _disk,
    ),
    Check(
        "core_permission",
        ("core_folder", "cores"),
        "evidence is lost",
        "A scan by this user names these files as unreadable.",
        "the folder of the core dumps",
        _readable,
    ),
    Check(
        "suid_dumpable",
        ("core_pattern", "suid_dumpable"),
        "evidence is lost",
        "Many servers change their user after they started, and then count as privileged.",
        "/proc/sys/fs/suid_dumpable",
        _suid,
    ),
    Check(
        "container",
        ("container",),
        "less can be said",
        "Where core dumps go is decided by the node, for all of its containers.",
        "/.dockerenv, /run/.containerenv, /proc/1/cgroup",
        _container,
    ),
    Check(
        "core_pipe_limit",
        ("core_pattern", "core_pipe_limit"),
        "less can be said",
        "A handler reads the program's path, unit and maps there.",
        SYSCTL + "core_pipe_limit",
        _waiters,
    ),
    Check(
        "binaries",
        ("binary_store", "binaries"),
        "less can be said",
        "Frames need the unwind tables of the very build that crashed.",
        "BROADSTREET_BINARIES",
        _store,
    ),
    Check(
        "symbols",
        ("extras",),
        "less can be said",
        "With debug information it gives file and line; all else works without.",
        "the Python environment",
        _symbols,
    ),
    Check(
        "compression",
        ("core_pattern", "coredump_conf"),
        "less can be said",
        "A compressed stream has no middle to seek to, least of all in a bucket.",
        "/etc/systemd/coredump.conf",
        _compression,
    ),
    Check(
        "debuginfod",
        ("debuginfod",),
        "less can be said",
        "A server can give binaries that are kept nowhere here.",
        "BROADSTREET_DEBUGINFOD",
        _servers,
    ),
    Check(
        "cluster",
        ("extras",),
        "less can be said",
        "Only `scan --engine dask` needs it.",
        "the Python environment",
        _cluster,
    ),
)
