"""The score of a campaign as a page of Markdown: docs/accuracy.md is one."""

import json
import platform
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from broadstreet.lab.injection.faults import RECURRING
from broadstreet.lab.score.campaign import CODE_FAULT, Part, Scored
from broadstreet.lab.score.judged import Judged
from broadstreet.lab.score.ratios import HARDWARE_FINDING
from broadstreet.lab.score.tally import Tally, tally, tally_of
from broadstreet.lab.sets import OUTCOMES
from broadstreet.records.weights import STRICT, Count, Interval, Weights

NO_REASON = "not understood yet"
APART = (
    (
        "imitators",
        "Imitators",
        "Bugs made to look like hardware, most of them undecidable from one core dump; no sample of real bugs.",
    ),
    (
        "emulated",
        "aarch64 under an emulator",
        "qemu's core dumps lack NT_SIGINFO and NT_FILE: they prove the degraded path, and no more.",
    ),
)


class Page:
    """The tables over one campaign."""

    def __init__(self, crashes: Scored, weights: Weights, folder: Path, reasons: Path | None) -> None:
        self.tallies = {part: tally(found) for part, found in crashes.items()}
        self.weights = weights
        self.folder = folder
        self.reasons = _reasons(reasons) if reasons else {}

    def lines(self) -> Iterator[str]:
        """The whole page."""
        yield "# Accuracy"
        yield ""
        machine = f"{platform.system()} {_kernel()}, {platform.machine()}"
        yield f"Every figure here is made again by `{self.weights.command}`: real crashes on a real kernel, labelled"
        yield f"without knowing what made them. This run: {self.weights.crashes:,} crashes, {machine}, rules"
        yield f"version {self.weights.rules_version}. What the sets are, and what they cannot show: [lab.md](lab.md)."
        yield ""
        yield "Rules were written with the *fitted* sets in sight. *Reported* sets are other programs, other builds and"
        yield "other seeds. The first blind scores, before what they showed was mended, are in"
        yield "[decisions/0002](decisions/0002-the-frozen-score.md) and [decisions/0004](decisions/0004-the-lab.md)."
        yield from self._mechanisms()
        yield from self._contexts()
        yield from self._hits()
        yield from self._text_flips()
        yield from self._false_findings()
        yield from self._apart()
        yield from self._ratios()

    def _mechanisms(self) -> Iterator[str]:
        claimed = {part: one for part, one in self.tallies.items() if one.claimed}
        yield from _heading(
            "Mechanisms: programs that crash by a known mechanism",
            "Asked: at least 95 % judged, at least 97 % of the judged right.",
            ("set", "crashes", "judged", "right, of the judged", "wrong"),
        )
        for part, one in claimed.items():
            judged = one.claimed - one.not_judged
            right = _share(one.right, judged)
            yield _row(f"{part.name} ({part.role})", one.claimed, _share(judged, one.claimed), right, len(one.wrong))
        yield ""
        yield "Planted against found, per program and build: [confusion.csv](confusion.csv). Every confusion:"
        yield ""
        for part, one in claimed.items():
            for crash in one.wrong:
                yield self._confusion(part, crash)
        yield from _heading(
            "Per program and build",
            "Only where something was wrong or not judged.",
            ("set", "program", "build", "right", "not judged", "wrong"),
        )
        for part, one in claimed.items():
            for (program, build), counts in sorted(one.builds.items()):
                if counts["wrong"] or counts["not judged"]:
                    yield _row(part.name, program, build, counts["right"], counts["not judged"], counts["wrong"])

    def _confusion(self, part: Part, crash: Judged) -> str:
        truth = crash.truth
        reason = self.reasons.get((truth.mechanism, crash.case.mechanism), NO_REASON)
        expected = " or ".join(truth.expected or ())
        return f"- {part.name} `{truth.core}`: {crash.case.mechanism}, and not {expected}. {reason}"

    def _contexts(self) -> Iterator[str]:
        yield from _heading("Context findings", "", ("finding", "of the crashes that claim something", "crashes"))
        total: Counter[tuple[str, str]] = Counter()
        for one in self.tallies.values():
            total += one.contexts
        for (label, text), count in sorted(total.items()):
            yield _row(label, text, count)

    def _hits(self) -> Iterator[str]:
        faults = {part: one for part, one in self.tallies.items() if part.set == "faults" and not part.with_code}
        reported = [one for part, one in faults.items() if part.role == "reported"]
        together = tally_of(reported) if len(reported) > 1 else None
        columns = [*faults.values(), *([together] if together else [])]
        yield from _heading(
            "Injected hardware faults with a strict hardware finding",
            f"{', '.join(STRICT)}: any of them. Asked: at least 75 % averaged over kinds.",
            (
                "kind",
                *(f"{part.name}: {', '.join(part.victims)}" for part in faults),
                *(["reported, together"] if together else []),
                "tries that left no core dump",
            ),
        )
        for kind in dict.fromkeys(kind for one in columns for kind in one.hits):
            counts = (one.hits.get(kind, Count(0, 0)) for one in columns)
            yield _row(kind, *(_share(one.held, one.judged) for one in counts), self._survivors(faults, kind))
        yield _row("**average over kinds**", *(f"**{one.mean_hits:.1%}**" for one in columns), "")
        single = [Tally(hits={kind: one.hits[kind] for kind in one.hits if kind not in RECURRING}) for one in columns]
        yield _row("average over single faults", *(f"{one.mean_hits:.1%}" for one in single), "")
        bare = {part.of: one for part, one in self.tallies.items() if part.of}
        if bare:
            undumped = [_replaced(one, bare[part.name]) for part, one in faults.items() if part.name in bare]
            of_reported = [_replaced(one, bare[part.name]) for part, one in faults.items() if part.role == "reported"]
            shown = [*undumped, *([tally_of(of_reported)] if together else [])]
            yield _row("average, text flips without their page", *(f"{one.mean_hits:.1%}" for one in shown), "")

    def _survivors(self, faults: dict[Part, Tally], kind: str) -> str:
        total: Counter[str] = Counter()
        for part in faults:
            place = self.folder / part.name / OUTCOMES
            total += Counter(json.loads(place.read_text()).get(kind, {})) if place.exists() else Counter()
        return ", ".join(f"{count} {outcome}" for outcome, count in total.most_common() if outcome != "crashed")

    def _false_findings(self) -> Iterator[str]:
        yield from _heading(
            "Software bugs with a strict hardware finding",
            "Asked: at most 0.5 %. Imitators are not in the rate.",
            ("sets", "software bugs", "with a hardware finding"),
        )
        for role in ("fitted", "reported"):
            chosen = [one for part, one in self.tallies.items() if part.role == role]
            total, false = sum(one.bugs for one in chosen), sum(len(one.false_findings) for one in chosen)
            if total:
                yield _row(role, total, _share(false, total, 2))
        yield ""
        left_out = Counter(name for one in self.tallies.values() for name in one.imitators)
        yield f"Left out, {sum(left_out.values())} crashes whose planted mechanism is a hardware finding itself:"
        yield f"{', '.join(sorted(left_out)) or 'none'}."
        yield ""
        for part, one in self.tallies.items():
            for crash in one.false_findings:
                found = ", ".join(sorted(crash.holds & set(STRICT)))
                reason = self.reasons.get((crash.truth.mechanism, found), NO_REASON)
                yield f"- {part.name} `{crash.truth.core}`: {found}. {reason}"

    def _apart(self) -> Iterator[str]:
        for name, title, text in APART:
            for part, one in self.tallies.items():
                if part.set == name:
                    yield from _heading(title, text, ("program", "crashes", "with a hardware finding"))
                    yield from (_row(kind, count.judged, count.held) for kind, count in sorted(one.hits.items()))

    def _text_flips(self) -> Iterator[str]:
        yield from _heading(
            "Text flips with and without the dumped page",
            "ptrace flips code in a private copy of its page, which the kernel dumps. Bad memory flips it in the page "
            "cache, which is not dumped: there the same crashes are read with the page taken out.",
            ("set", "page in the core dump", "page not in the core dump"),
        )
        by_name = {part.name: one for part, one in self.tallies.items()}
        for part, one in self.tallies.items():
            if part.of:
                counts = (tallied.hits.get(CODE_FAULT, Count(0, 0)) for tallied in (by_name[part.of], one))
                yield _row(part.of, *(_share(count.held, count.judged) for count in counts))

    def _ratios(self) -> Iterator[str]:
        yield from _heading(
            "Likelihood ratios: hardware fault against software bug",
            "Shares are averages over kinds, and the kinds are the sample. Text flips count as they are without their "
            "page; code_mismatch is weighed on sets whose core dumps hold code. All other findings, and the counts per "
            "kind and runtime, are in `broadstreet/verdict/weights.json`.",
            (
                "finding",
                "hardware",
                "software",
                "ratio (95 %)",
                "in the same programs",
                "ratio, reported sets",
                "if absent",
            ),
        )
        reported = {weight.finding: weight for weight in self.weights.reported}
        for weight in self.weights.fitted:
            if weight.finding not in (HARDWARE_FINDING, *STRICT):
                continue
            other = reported.get(weight.finding)
            yield _row(
                weight.finding,
                f"{weight.hardware.held} of {weight.hardware.judged}",
                f"{weight.software.held} of {weight.software.judged}",
                _interval(weight.ratio),
                _interval(weight.ratio_in_same_programs),
                _interval(other.ratio if other else None),
                _interval(weight.absent_ratio),
            )
        yield from _heading(
            "Any hardware finding, per runtime and kind of fault",
            "How many times oftener such a fault has one than a software bug. Of a runtime the kinds are the sample, "
            "of a kind its crashes; text flips without their page.",
            ("runtime or kind", "ratio (95 %), fitted", "ratio (95 %), reported"),
        )
        both = [
            next(one for one in role if one.finding == HARDWARE_FINDING)
            for role in (self.weights.fitted, self.weights.reported)
        ]
        for of in ("ratio_by_runtime", "ratio_by_kind"):
            fitted, reported_too = (getattr(one, of) for one in both)
            for name in sorted({**fitted, **reported_too}):
                yield _row(name, *(_interval(one[name]) if name in one else "" for one in (fitted, reported_too)))


def _kernel() -> str:
    return platform.release().partition("-")[0]


def _replaced(one: Tally, bare: Tally) -> Tally:
    return Tally(hits={**one.hits, CODE_FAULT: bare.hits.get(CODE_FAULT, Count(0, 0))})


def _reasons(place: Path) -> dict[tuple[str, str], str]:
    entries = tomllib.loads(place.read_text(encoding="utf-8"))["confusion"]
    return {(entry["planted"], entry["found"]): entry["reason"] for entry in entries}


def _heading(title: str, text: str, columns: tuple[str, ...]) -> Iterator[str]:
    yield from ("", f"## {title}", "", *([text, ""] if text else []))
    yield _row(*columns)
    yield _row(*("---" for _ in columns))


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _share(part: int, whole: int, digits: int = 1) -> str:
    return f"{part} of {whole} ({part / whole:.{digits}%})" if whole else "0"


def _interval(one: Interval | None) -> str:
    if one is None:
        return "not known"
    return f"{one.value:.3g} ({one.low:.2g} to {one.high:.2g})"
