"""A casebook in which every text that others chose is hostile: markup, formulas, paths, control characters, megabytes.

    python -m tests.surfaces.web.hostile FOLDER

The crashes are those of the corpus and the sample, read by the reader; what names and words they carry is put in
place of theirs before the store's own writers keep them, since no reader would let all of it through and a casebook
that somebody else wrote may hold it. One machine crashes far more than the rest, so that every page has its subject.
"""

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from broadstreet.pipeline.grouping import grouped, keep_new
from broadstreet.pipeline.investigation import investigation
from broadstreet.pipeline.judgements import of
from broadstreet.records.case import Case, Unreadable
from broadstreet.records.exposure import Circumstances
from broadstreet.records.frame import Frame
from broadstreet.records.gap import Gap
from broadstreet.records.specimen import Examined, Specimen
from broadstreet.records.verdict import Judgement
from broadstreet.store.casebook import Casebook, open_for_writing
from broadstreet.store.fleet import FleetTables
from broadstreet.store.judgements import say
from broadstreet.store.questions import Questions
from broadstreet.store.syndromes import Event, keep, rows_of
from tests.store.examined import case, corpus, sample
from tests.store.fleets import table

MEGABYTE = "<b onclick=alert(1)>1 MB</b>" + "M" * 1_000_000
SCRIPT = "<script>alert(1)</script>"
IMAGE = '"><img src=x onerror=alert(1)>'
TEXTS: tuple[str, ...] = (
    SCRIPT,
    IMAGE,
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "{{7*7}}${7*7}<%= 7*7 %>{% include 'x' %}",
    "' OR 1=1 --",
    '"; DROP VIEW crashes; --',
    "</title></style></textarea></svg><svg onload=alert(1)>",
    "--><!-- ]]> <![CDATA[",
    "&lt;script&gt;alert(2)&lt;/script&gt;&#60;&amp;",
    "C0:" + "".join(map(chr, range(0x20))),
    "C1:\x7f" + "".join(map(chr, range(0x80, 0xA0))),
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\r\noverwritten",
    "\u202egnp.exe\u202c \u2067rtl\u2069 \u2066ltr",
    "עברית العربية 123",
    "zero\u200bwidth\u200d\u2060\ufeff\u00ad",
    "z" + "\u0300\u0316\u0323" * 400,
    "\U000e0001tag\U000e0041 \ufffe\uffff \ud7ff\ue000",
    "lone \ud800 and \udcff surrogates",
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd",
    "+1\t-1,2;3|4",
    "../../etc/passwd",
    "%2e%2e/%2e%2e/%00",
    "..",
    ".",
    "a/b?c=d#e&f%g+h;i=j k",
    "http://example.invalid/x?y=z",
    "//example.invalid/x",
    "looks-like.json",
    "tilde~",
    "x" * 5_000,
    "`backticks` $(id) | tee",
    MEGABYTE,
    "null",
    "[not](javascript:alert(1)) **bold** | cell |\n# head",
    "  spaces  at both ends  ",
    "",
)
KEYS = (*(text for text in TEXTS if "\ud800" not in text), "host", "HOST", "time", "number", "case_id", "is.host")
START = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 60
ONSET = START + timedelta(days=40)
MACHINES = 10
BAD = 0
BAD_MACHINE = IMAGE
CRASHES = 44  # of the bad machine, and as many of one release
RELEASES, NEWEST = 4, 2
NAMED = 12  # syndromes


def stored(text: str) -> str:
    """A text as a casebook holds it: what is no Unicode as codes."""
    return text.encode("utf-8", "backslashreplace").decode()


def _path(text: str) -> str:
    """What can stand in a location: of surrogates those alone that name a byte."""
    return text.replace("\ud800", "")


def text_of(number: int) -> str:
    """One of the texts, over and over."""
    return TEXTS[number % len(TEXTS)]


def host(number: int) -> str:
    """A virtual machine: each text names one."""
    return stored(text_of(number))


def machine(number: int) -> str:
    """A physical host. A name of its own: two texts, since there are fewer of them."""
    return BAD_MACHINE if number == BAD else f"{text_of(3 * number)[:200]} on {text_of(5 * number)[:200]}"


def made(folder: Path) -> str:
    """The casebook; its address."""
    url = str(folder / "casebook")
    book = open_for_writing(url)
    scan = book.begin(TEXTS, SCRIPT)
    crashes = list(_crashes())
    examined = [Examined(Specimen(f"/{n}/{_path(text_of(n))}", 1, "1"), one) for n, one in enumerate(crashes)]
    lost = [
        Examined(Specimen(f"/lost/{n}/{_path(text)}", 1, "1"), Unreadable(text, text, text))
        for n, text in enumerate(TEXTS)
    ]
    book.add([*examined, *lost], scan, "none", 2)
    book.end(scan, TEXTS, SCRIPT, len(examined) + len(lost), 0, len(lost))
    tables = FleetTables(url, book)
    for name, rows in _fleet(crashes).items():
        tables.replace_fleet(name, table(name, [_sound(row) for row in rows]), SCRIPT)
    keep_new(book, url)
    _said(url, book)
    _judged(url, book)
    book.close()
    return url


def _said(url: str, book: Casebook) -> None:
    """What people said: a name for each syndrome, every text as a note by an author of that name, once a merge."""
    with Questions(url) as questions:
        syndromes = grouped(questions).syndromes
    names = [("name", one, None, f"{text_of(n)[:300]} {n}", SCRIPT) for n, one in enumerate(syndromes[:NAMED])]
    notes = [("note", syndromes[0], None, text, text) for text in TEXTS]
    told = [*names, *notes, ("merge", syndromes[-1], syndromes[-2], None, IMAGE)]
    keep(book, rows_of([]), [Event(n, *map(_sound, one), START) for n, one in enumerate(told, 1)], SCRIPT)


def _judged(url: str, book: Casebook) -> None:
    """A word on each verdict, and on the first as many as a page may have to show."""
    found = investigation(url)
    words = [(verdict, SCRIPT) for verdict in found.verdicts]
    words += [(found.verdicts[0], text) for text in (IMAGE, MEGABYTE, TEXTS[10], TEXTS[13])]
    for verdict, text in words:
        about = asdict(of(verdict, found.casebook_version))
        del about["judged"]
        say(book, Judgement(0, kind="confirm", truth=text, text=text, author=text, made=START, **about))


def _crashes() -> Iterator[Case]:
    """The bad machine's, as many in one release, then others everywhere."""
    known = [case(one) for one in (*corpus(), *sample())]
    bad = [one for one in known if one.mechanism in ("misaligned_stack", "one_bit_off")]
    race = next(one for one in known if one.mechanism == "return_to_null")
    newest = [n for n in range(len(TEXTS)) if n % RELEASES == NEWEST]
    everywhere = 4 * len(TEXTS)
    for n in range(CRASHES):
        when = ONSET + timedelta(hours=5 * n)
        yield _hostile(bad[n % len(bad)], n, n % 9, MACHINES * (n % 4) + BAD, when)
        yield _hostile(race, CRASHES + n, 3, newest[n % len(newest)], when + timedelta(minutes=11))
    for n in range(everywhere):
        when = START + timedelta(minutes=37 + n * DAYS * 24 * 60 // everywhere)
        yield _hostile(known[n % len(known)], 2 * CRASHES + n, n // len(known), n % len(TEXTS), when)


def _hostile(one: Case, number: int, kind: int, on: int, when: datetime) -> Case:
    """A crash of its own; those of one kind have the same functions and files."""
    names = {module.path: f"/lib/{text_of(n + kind)}" for n, module in enumerate(one.modules)}
    features = one.features | {"instruction": text_of(number + 3), "abort_message": text_of(number + 4)}
    return replace(
        one,
        case_id=f"{number + 1:032x}",
        circumstances=_where(number, on, when),
        features=features,
        frames=_frames(one.frames, names, kind),
        below_sp=_frames(one.below_sp, names, kind + 5),
        handler_frames=_frames(one.handler_frames, names, kind + 7),
        modules=tuple(replace(module, path=names[module.path]) for module in one.modules),
        missing=(*one.missing, *(Gap(text_of(number + n), text_of(number + n + 1), text_of(number)) for n in range(2))),
    )


def _where(number: int, on: int, when: datetime) -> Circumstances:
    labels = {
        "tenant": MEGABYTE if number % 60 == 8 else text_of(number % 7),
        KEYS[number % len(KEYS)]: text_of(number),
    }
    labels |= {KEYS[n]: text_of((number + n) % 3) for n in range(0, len(KEYS), 4)}
    long = {"service_release": MEGABYTE, "workload": MEGABYTE} if number % 60 == 7 else {}
    told = {"service_release": text_of(1 + on % RELEASES), "workload": text_of(2 + number % 6), **long}
    return Circumstances(
        path=f"/{number}/{text_of(number)[:300]}",
        executable=f"/usr/bin/{text_of(number % 5)}",
        pid=number,
        tid=number,
        cpu=number % 4,
        numa_node=0,
        kernel_release=text_of(on % 4),
        time=when.isoformat(),
        time_source="sidecar",
        host=host(on),
        host_source="sidecar",
        boot_id=text_of(number + 9),
        service=text_of(on % 3),
        **told,
        labels=tuple(labels.items()),
    )


def _frames(frames: Sequence[Frame], names: dict[str, str], kind: int) -> tuple[Frame, ...]:
    return tuple(
        frame._replace(
            module=None if frame.module is None else names.get(frame.module, text_of(kind)),
            function=None if frame.function is None else f"{frame.function} {text_of(kind + n)}",
        )
        for n, frame in enumerate(frames)
    )


def _fleet(crashes: Sequence[Case]) -> dict[str, list[dict[str, Any]]]:
    end = START + timedelta(days=DAYS)
    span = {"from": START.isoformat(), "to": end.isoformat()}
    hosts, placements, services, at_risk = [], [], [], []
    for n in range(len(TEXTS)):
        on = n % MACHINES
        place = {"region": text_of(on // 8), "zone": text_of(on // 4), "rack": text_of(on // 2)}
        place |= {"sku": text_of(6 + on % 3), "cpu_model": text_of(7 + on % 2), "microcode": text_of(9 + on % 2)}
        place |= {"kernel_release": text_of(n % 4)}
        work = {"service": text_of(n % 3), "service_release": text_of(1 + n % RELEASES), "workload": text_of(2 + n % 6)}
        more = {KEYS[at]: text_of(n % 3) for at in range(1, len(KEYS), 3)}
        hosts.append({"host": host(n), **place, **span, "boot_time": START.isoformat(), "exposures": more})
        placements.append({"host": host(n), "physical_host": machine(on), **span, "exposures": {}})
        services.append({"host": host(n), **work, **span, "exposures": {}})
        hours = {"host_hours": 24.0 * DAYS, "process_hours": 96.0 * DAYS, "exceptions": 1000 * n}
        at_risk.append({"host": host(n), **place, **work, "tenant": text_of(n % 7), **span, **hours, "exposures": {}})
    builds = {build: n for n, build in enumerate(sorted(_builds()))}
    return {
        "hosts": hosts,
        "placements": placements,
        "services": services,
        "at_risk": at_risk,
        "builds": [
            {"build_id": build, "library": text_of(n), "library_release": text_of(n + 1), "exposures": {}}
            for build, n in builds.items()
        ],
        "fatal_signals": [
            {"host": name, "hour": hour, "count": count, "exposures": {}} for (name, hour), count in _signals(crashes)
        ],
    }


def _signals(crashes: Sequence[Case]) -> Iterable[tuple[tuple[str, str], int]]:
    where = [one.circumstances for one in crashes]
    return Counter((str(one.host), f"{str(one.time)[:13]}:00:00+00:00") for one in where).items()


def _builds() -> set[str]:
    return {m.build_id for one in (*corpus(), *sample()) for m in case(one).modules if m.build_id}


def _sound(value: Any) -> Any:
    if isinstance(value, str):
        return stored(value)
    return {stored(key): _sound(one) for key, one in value.items()} if isinstance(value, dict) else value


if __name__ == "__main__":
    print(made(Path(sys.argv[1])))
