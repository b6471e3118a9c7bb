"""What people say of verdicts, later: that one was right or wrong, and what it really was. Kept as it was said."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from broadstreet.errors import UsageError
from broadstreet.pipeline.explaining import outbreak_named
from broadstreet.pipeline.investigation import investigation
from broadstreet.pipeline.standing import CAUSES, syndrome_of
from broadstreet.records.verdict import Judgement, Kind, Says, Verdict
from broadstreet.store.casebook import open_for_writing
from broadstreet.store.judgements import judgements, say
from broadstreet.store.questions import Questions

LONGEST = 10_000  # characters of a note: some pages; more belongs into the post-mortem that it names


@dataclass(frozen=True)
class Of:
    """The verdict of which something is said, as `Judgement` keeps it; `judged`: whether a word stands on it."""

    outbreak: str
    formerly: str | None
    says: Says
    certainty: float
    held: str | None
    syndrome: str | None
    cohort: Mapping[str, str]
    version: int
    judged: bool


def judge(url: str, name: str, kind: Kind, author: str, text: str | None = None, truth: str | None = None) -> Judgement:
    """Say it of the outbreak with this rank, or with an id that begins so, in the newest version of the casebook."""
    found = investigation(url)
    about = of(outbreak_named(name, found.verdicts, url), found.casebook_version)
    return keep(url, about, kind, author, text, truth)


def of(verdict: Verdict, version: int) -> Of:
    """What a word on this verdict of this casebook version is about."""
    outbreak, last = verdict.outbreak, verdict.judgement
    return Of(
        outbreak=outbreak.id,
        formerly=None if last is None or last.outbreak == outbreak.id else last.outbreak,
        says="undetermined" if verdict.held else verdict.says,
        certainty=verdict.certainty,
        held=verdict.held,
        syndrome=syndrome_of(outbreak),
        cohort=outbreak.cohort,
        version=version,
        judged=last is not None,
    )


def keep(url: str, about: Of, kind: Kind, author: str, text: str | None = None, truth: str | None = None) -> Judgement:
    """Say it of a verdict that is at hand, without investigating again; what is kept of it."""
    note, really = ((said or "").strip() or None for said in (text, truth))
    really = really.lower() if really and really.lower() in CAUSES else really
    _check(about, kind, note, really)
    book = open_for_writing(url)
    try:
        with Questions(url) as questions:
            before = judgements(questions)
        judgement = Judgement(
            number=before[-1].number + 1 if before else 1,
            outbreak=about.outbreak,
            formerly=about.formerly,
            kind=kind,
            says=about.says,
            certainty=about.certainty,
            held=about.held,
            syndrome=about.syndrome,
            cohort=about.cohort,
            version=about.version,
            truth=really,
            text=note,
            author=author,
            made=datetime.now(UTC),
        )
        return replace(judgement, number=say(book, judgement))
    finally:
        book.close()


def _check(about: Of, kind: Kind, note: str | None, truth: str | None) -> None:
    own = about.outbreak
    for what, said in (("note", note), ("truth", truth)):
        if said is not None and len(said) > LONGEST:
            raise UsageError(f"the {what} is too long", f"Give at most {LONGEST:,} characters.")
    if kind == "withdraw":
        if not about.judged:
            raise UsageError(f"nobody judged {own}", f"broadstreet outbreaks confirm {own}")
        if truth is not None:
            raise UsageError("to withdraw says nothing of the truth", "Confirm or refute it, or leave the truth out.")
    elif about.says not in CAUSES:
        if truth is None:
            raise UsageError(f"it cannot be told what is at fault in {own}", "Say what it was: --truth hardware")
    elif kind == "confirm" and truth in CAUSES and truth != about.says:
        raise UsageError(f"the verdict on {own} is {about.says}", f"broadstreet outbreaks refute {own} --truth ...")
    elif kind == "refute" and truth == about.says:
        raise UsageError(f"the verdict on {own} is {truth}", f"broadstreet outbreaks confirm {own}")
