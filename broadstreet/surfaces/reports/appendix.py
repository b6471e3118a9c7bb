"""The appendix: how it was asked, the versions, every number again, the method, the cases, and how to replay it."""

from collections.abc import Iterator, Sequence
from operator import itemgetter

from broadstreet.store.atlas import Atlas
from broadstreet.store.parts import cases_of, part_of
from broadstreet.surfaces.investigation_json import AgainJson, InvestigationJson
from broadstreet.surfaces.query_lines import sql_line
from broadstreet.surfaces.reports.parts import Part
from broadstreet.surfaces.reports.record import Block, Code, Facts, Section, Words
from broadstreet.surfaces.text import plural
from broadstreet.surfaces.web.verdicts import numbers_again
from broadstreet.verdict.words import exposure

MOST_CASES = 2_000  # ids of one side of an outbreak that are listed
MOST_FAMILIES = 40
LONGEST_SQL = 20_000  # characters; a line that names more cases is given by --query
SIDES = {"inside": "Cases inside", "elsewhere": "Cases elsewhere", "unplaced": "Cases whose place is not known"}
METHOD = (
    "Each core dump becomes a case: registers, the crashing stack and the build ids are read, and rules that know "
    "nothing of host or time say what it shows. Cases with the same frames form a syndrome. Of each syndrome is asked, "
    "for every exposure (host, machine, release, kernel and so on), whether it has more of the crashes than its share "
    "of the time at risk explains. Of the outbreaks that are named, one in a hundred may be chance, however many "
    "questions were asked. The evidence is not multiplied: what its sum is worth was counted in simulated fleets whose "
    "causes are known.",
    "Episode: crashes of one trace on one host, each within half an hour of the last, counted once. Time at risk: how "
    "long something ran and could have crashed. 95% interval: it holds the true value 19 times of 20. p: how likely "
    "so much is by chance alone. q: of findings with so small a q, that share at most is expected to be chance.",
)


def appendix(
    atlas: Atlas, found: InvestigationJson, parts: Sequence[Part], name: str | None, casebook: str
) -> Iterator[Section]:
    """The last section, with its parts. `name` is what the report was asked of, `casebook` what a command needs."""
    yield Section("Appendix: how to check this", (Facts(tuple(_versions(found))),))
    if found.cases:
        yield Section("How it was asked", tuple(_asked(found)), 3)
    for part in parts:
        of = f" of outbreak {part.outbreak.rank}" if len(parts) > 1 else ""
        yield Section(f"Every number{of} again", tuple(_numbers(atlas, part, found, casebook)), 3)
        yield Section(f"Cases{of}", tuple(_cases(atlas, part)), 3)
    if found.cases:
        yield Section("Method, and words", tuple(Words(text, small=True) for text in METHOD), 3)
        yield Section("Replay", tuple(_replay(found, parts, name, casebook)), 3)


def _versions(found: InvestigationJson) -> Iterator[tuple[str, str]]:
    yield "Casebook", f"{found.casebook}, version {found.casebook_version}"
    yield "Program", f"broadstreet {found.broadstreet_version}"
    yield "Weights of the evidence", found.weights_version
    yield (
        "Read",
        f"{plural(found.cases, 'case')}, {plural(found.episodes, 'episode')}, {plural(found.syndromes, 'syndrome')}",
    )
    if found.capture.notes:
        yield "Capture", "; ".join(found.capture.notes)


def _asked(found: InvestigationJson) -> Iterator[Block]:
    families = sorted(filter(itemgetter(1), found.families.items()), key=lambda family: (-family[1], family[0]))
    asked = [f"{exposure(family)} {count:,}" for family, count in families[:MOST_FAMILIES]]
    rest = families[MOST_FAMILIES:]
    if rest:
        asked.append(f"{plural(len(rest), 'more family', 'more families')} {sum(count for _, count in rest):,}")
    yield Words(
        f"{plural(found.questions, 'question')} in {plural(len(families), 'family', 'families')}, each corrected for "
        f"all of its family: {'; '.join(asked)}.",
        small=True,
    )


def _numbers(atlas: Atlas, part: Part, found: InvestigationJson, casebook: str) -> Iterator[Block]:
    same = f"broadstreet explain {part.outbreak.id} --query --at {found.casebook_version}{casebook}"
    yield Words(
        "Under each number stand the question to the casebook that gives its inputs, and one line of Python that gives "
        f"the number, where a single line can. The same: {same}",
        small=True,
    )
    for one in numbers_again(atlas).get(part.outbreak.id, ()):
        yield _number(one, casebook)


def _number(one: AgainJson, casebook: str) -> Block:
    value = "infinite" if one.value is None else f"{one.value:.6g}"
    sql = [sql_line(one.reads, casebook)] if one.reads and len(one.reads) <= LONGEST_SQL else []
    missing = ["(the question names too many cases to stand here: explain --query)"] if one.reads and not sql else []
    return Code(f"{one.what} = {value}", (*sql, *missing, *([one.python] if one.python else [])), folded=True)


def _cases(atlas: Atlas, part: Part) -> Iterator[Block]:
    counts = {one.side: one.count for one in part.told.cases}
    for side, label in SIDES.items():
        if counts.get(side):
            rows = cases_of(atlas, part_of(part.outbreak.id, side), ["time"], "first", MOST_CASES).dicts()
            more = counts[side] - len(rows)
            lines = [row["case_id"] for row in rows] + ([f"and {more:,} more"] if more > 0 else [])
            yield Code(f"{label}: {counts[side]:,}, the first one first", tuple(lines), folded=True)


def _replay(found: InvestigationJson, parts: Sequence[Part], name: str | None, casebook: str) -> Iterator[Block]:
    at = f"--at {found.casebook_version}"
    asked = f"{name} " if name else ""
    lines = [
        f"broadstreet report {asked}{at} --output report.html{casebook}",
        f"broadstreet investigate {at}{casebook}",
    ]
    lines += [f"broadstreet explain {part.outbreak.id} {at}{casebook}" for part in parts]
    yield Words(
        "The same version of the casebook gives the same answer, as long as that version is kept. "
        f"To keep it through every tidying: broadstreet investigate --keep {at}{casebook}",
        small=True,
    )
    yield Code("", tuple(lines))
