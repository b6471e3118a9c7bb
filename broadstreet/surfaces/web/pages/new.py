"""What is new since a reader last looked. The browser keeps when that was; the server keeps nothing of readers."""

from datetime import UTC, datetime, timedelta

import msgspec

from broadstreet.errors import UsageError
from broadstreet.store.since import outbreaks_since, read_since, syndromes_since
from broadstreet.surfaces.durations import moment
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.crash_told import brief
from broadstreet.surfaces.web.found import investigation
from broadstreet.surfaces.web.page import Asked, Page, Parameter

DAYS = 7  # that are looked back where nobody says since when


class NewOutbreakTold(msgspec.Struct, frozen=True):
    """An outbreak with new cases; `all_new`: it had none before."""

    id: str
    title: str
    new: int
    cases: int
    all_new: bool


class NewSyndromeTold(msgspec.Struct, frozen=True):
    """A syndrome with new cases; `unseen`: it had none before."""

    syndrome: str
    mechanism: str
    site: str | None
    new: int
    cases: int
    unseen: bool


class NewTold(msgspec.Struct, frozen=True):
    """What was read since a moment, in a sentence, by outbreak and by syndrome; alarms that fell due since.

    There are `more` syndromes with new cases than are listed.
    """

    heading: str
    since: datetime
    cases: int
    outbreaks: list[NewOutbreakTold]
    syndromes: list[NewSyndromeTold]
    more: int
    alarms: list[str]
    newest: datetime | None
    queries: list[str]


def tell(asked: Asked) -> NewTold:
    """What is new in this version."""
    atlas = asked.atlas
    read = read_since(atlas, datetime.now(UTC)).dicts()[0]
    newest = None if read["newest"] is None else read["newest"].astimezone(UTC)
    since = _since(asked.one("since"), newest)
    whole, by_outbreak, by_syndrome = (
        read_since(atlas, since),
        outbreaks_since(atlas, since),
        syndromes_since(atlas, since),
    )
    titles = {one.id: one.title for one in investigation(atlas).outbreaks}
    outbreaks = [
        NewOutbreakTold(row["outbreak"], titles[row["outbreak"]], row["new"], row["cases"], row["new"] == row["cases"])
        for row in by_outbreak.dicts()
    ]
    rows = by_syndrome.dicts()
    syndromes = [
        NewSyndromeTold(
            row["syndrome"],
            row["mechanism"].replace("_", " "),
            brief(row["site"]) if row["site"] else None,
            row["new"],
            row["cases"],
            row["unseen"],
        )
        for row in rows
    ]
    [said] = whole.dicts()
    return NewTold(
        heading=_heading(said["cases"], outbreaks, rows[0]["of_unseen"] if rows else 0, said["without"]),
        since=since,
        cases=said["cases"],
        outbreaks=outbreaks,
        syndromes=syndromes,
        more=rows[0]["of"] - len(rows) if rows else 0,
        alarms=[one.syndrome for one in investigation(atlas).alarms if datetime.fromisoformat(one.at) >= since],
        newest=newest,
        queries=[whole.select, by_outbreak.select, by_syndrome.select],
    )


def _since(text: str, newest: datetime | None) -> datetime:
    if not text:
        return (newest or datetime.now(UTC)) - timedelta(days=DAYS)
    try:
        return moment(text, datetime.now(UTC))
    except ValueError as error:
        raise UsageError(f"since: {error}", "Write since=2026-03-12 or since=2026-03-12T14:00.") from error


def _heading(cases: int, outbreaks: list[NewOutbreakTold], unseen: int, without: int) -> str:
    if not cases:
        return "Nothing new."
    new = sum(one.all_new for one in outbreaks)
    kinds = plural(unseen, "new syndrome") if unseen else "no syndrome" if cases == without else "all known syndromes"
    kinds += f", {without:,} of no syndrome" if 0 < without < cases else ""
    return f"{plural(cases, 'case')}, {kinds}. {plural(new, 'new outbreak') if new else 'No new outbreak'}."


PAGE = Page(
    "/new",
    "New",
    "Overview",
    NewTold,
    tell,
    "new.html",
    "What was read since a moment: cases, new syndromes, new outbreaks.",
    parameters=(Parameter("since", "Since when, UTC; else the seven days before the newest reading."),),
)
