"""apport's problem reports, /var/crash/*.crash: fields as in RFC 822, the core dump last, gzip in base64 lines.

problem_report.py, ProblemReport.write: text values first, their further lines indented by one space; then the binary
ones as `KEY: base64`, each line of which is encoded by itself. `Date` is asctime() of the host's local time without a
zone; it is taken for UTC, as most servers are set. ProcCmdline, ProcEnviron and the texts of logs are never read.
"""

from datetime import UTC, datetime

from broadstreet.formats.collectors import Collected

MAGIC = b"ProblemType:"
CRASH = b"ProblemType: Crash\n"
_CORE = b"\nCoreDump: base64\n"
_DATE = "%a %b %d %H:%M:%S %Y"
# key, and what of Collected it is
LABELS = (("Package", "package"), ("DistroRelease", "distribution"))
FIELDS = ("Date", "ExecutablePath", "Uname", "ProcStatus", *(key for key, _ in LABELS))


def core_start(head: bytes | bytearray) -> int | None:
    """Where the lines of the core dump begin; null where it is not among these bytes."""
    at = head.find(_CORE)
    return None if at < 0 else at + len(_CORE)


def said(head: bytes) -> Collected:
    """What the fields before the core dump say."""
    known: dict[str, str] = {}
    key = ""
    for line in head.decode("utf-8", "backslashreplace").split("\n"):
        if line.startswith(" "):
            if key in FIELDS:
                known[key] += f"\n{line[1:]}"
            continue
        key, _, value = line.partition(":")
        if key in FIELDS:
            known[key] = value.strip()
    status = dict(line.partition(":")[::2] for line in known.get("ProcStatus", "").split("\n"))
    uname = known.get("Uname", "").split()
    return Collected(
        pid=_first_number(status.get("Pid")),
        uid=_first_number(status.get("Uid")),
        executable=known.get("ExecutablePath") or None,
        time_microseconds=_microseconds(known.get("Date", "")),
        kernel_release=uname[1] if len(uname) > 1 else None,
        labels=tuple((name, known[key]) for key, name in LABELS if known.get(key)),
    )


def _first_number(text: str | None) -> int | None:
    words = (text or "").split()
    return int(words[0]) if words and words[0].isascii() and words[0].isdigit() and len(words[0]) < 11 else None


def _microseconds(date: str) -> int | None:
    try:
        return int(datetime.strptime(date, _DATE).replace(tzinfo=UTC).timestamp()) * 1_000_000
    except (ValueError, OverflowError):
        return None
