"""`broadstreet lab`: make crashes, list what can be made, score what a scan says of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import click

from broadstreet.errors import UsageError


@click.group()
def lab() -> None:
    """Make real crashes with known causes on this machine, and score the labels against them.

    It crashes programs of its own and installed ones, in folders of its own. See whether to believe the labels on
    your runtime: make a set, scan it, score the scan.
    """


@lab.command("list", short_help="What can be made on this machine.")
def list_() -> None:
    """What can be made here, and what this machine does not allow."""
    from broadstreet.lab.inventory import inventory

    for line in inventory():
        click.echo(line)


@lab.command(short_help="Make a set of crashes, each with its cause.")
@click.argument("name", metavar="SET")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="A new or empty folder.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same plan.")
@click.option("--per-kind", type=click.IntRange(1), default=5, show_default=True, help="Crashes per fault and victim.")
@click.option("--victim", "victims", multiple=True, metavar="NAME", help="Only this program. Repeatable.")
@click.option("--only", "kinds", multiple=True, metavar="KIND", help="Only this mechanism or fault. Repeatable.")
@click.option("--jobs", type=click.IntRange(1), help="Processes at the same time; else as many as CPUs.")
def crash(
    name: str,
    output: Path,
    seed: int,
    per_kind: int,
    victims: tuple[str, ...],
    kinds: tuple[str, ...],
    jobs: int | None,
) -> None:
    """Make a set of crashes: core dumps, and a line of truth for each in truth.jsonl. `lab list` names the sets."""
    from broadstreet.lab import sets

    if name not in sets.SETS:
        raise UsageError(f"no set {name}", f"There are: {', '.join(sets.SETS)}")
    if victims and name not in sets.INJECTED:
        raise UsageError(f"{name} has no victims", f"--victim is for {' and '.join(sets.INJECTED)}.")
    quests = sets.SETS[name](sets.Asked(per_kind, seed, _victims(victims)))
    chosen = [quest for quest in quests if not kinds or quest.kind in kinds]
    if not chosen:
        raise UsageError(
            f"{name} has no {' or '.join(kinds)}", f"It has: {', '.join(sorted({q.kind for q in quests}))}"
        )
    _refuse_if_used(output)
    counts = sets.make(chosen, output, jobs, tell=lambda line: click.echo(line, err=True))
    for line in _summary(counts):
        click.echo(line)


@lab.command(short_help="Make a simulated fleet with real crashes.")
@click.argument("scenario", metavar="SCENARIO")
@click.option("--output", "-o", type=click.Path(path_type=Path), required=True, help="A new or empty folder.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same fleet.")
@click.option("--tables", type=click.Choice(["csv", "parquet"]), default="csv", show_default=True, help="Their format.")
@click.option("--slim", is_flag=True, help="Keep each core dump as `broadstreet slim --pointers-only` writes it.")
@click.option("--table-only", is_flag=True, help="No core dumps: only the tables, and the crashes as a table.")
@click.option("--jobs", type=click.IntRange(1), help="Processes at the same time; else as many as CPUs.")
def make(
    scenario: str,
    output: Path,
    seed: int,
    tables: Literal["csv", "parquet"],
    slim: bool,
    table_only: bool,
    jobs: int | None,
) -> None:
    """Make a simulated fleet on which real crashes happen: core dumps, tables of the fleet, and the truth.

    SCENARIO is a name that `lab list` gives, or a TOML file; docs/fleet.md explains it. DIR/cores holds core dumps and
    their sidecars, DIR/fleet hosts, placements, services, builds, time at risk and fatal signals, DIR/truth the causes.
    """
    from broadstreet.lab.fleet import fleet

    _refuse_if_used(output)
    asked = fleet.Asked(seed, tables, slim, table_only, jobs)
    result = fleet.make(scenario, output, asked, tell=lambda line: click.echo(line, err=True))
    click.echo(f"  {result.crashes} crashes, {result.captured} captured, in {result.host_hours:,.0f} host-hours")
    if not table_only:
        click.echo(f"  {result.made} core dumps in {output / 'cores'}")
    if result.not_made:
        click.echo(f"  {len(result.not_made)} could not be made", err=True)


def _victims(asked: tuple[str, ...]) -> tuple[str, ...]:
    from broadstreet.lab import sets

    absent = set(asked) - set(sets.victims())
    if absent:
        raise UsageError(f"not on this machine: {', '.join(sorted(absent))}", f"There are: {', '.join(sets.victims())}")
    return asked or sets.victims()


def _refuse_if_used(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", "Name a new folder with --output.")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} is not empty", "Name a new folder with --output.")


def _summary(counts: Mapping[str, Mapping[str, int]]) -> list[str]:
    total: dict[str, int] = {}
    for outcomes in counts.values():
        for outcome, count in outcomes.items():
            total[outcome] = total.get(outcome, 0) + count
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(total.items(), key=lambda pair: -pair[1]))
    return [f"  {said or 'nothing was made'}"]


@lab.command(short_help="Score a scan against what was planted.")
@click.argument("folders", metavar="DIR...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--cases", type=click.Path(exists=True, path_type=Path), help="What `scan -o ndjson` printed of DIR.")
@click.option("--binaries", multiple=True, metavar="DIR", help="Passed on to the scan. Repeatable.")
@click.option(
    "-o", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="What to write."
)
def score(folders: tuple[Path, ...], cases: Path | None, binaries: tuple[str, ...], form: str) -> None:
    """Score a scan of crashes that the lab made: what was planted against what was found.

    Without --cases each DIR is scanned first.
    """
    from broadstreet.lab.score.judged import judged
    from broadstreet.lab.score.summary import as_json, summary

    if cases and len(folders) > 1:
        raise UsageError("--cases belongs to one folder", "Score one DIR at a time.")
    crashes = [one for folder in folders for one in judged(folder, cases, binaries)]
    for line in summary(crashes) if form == "table" else [as_json(crashes)]:
        click.echo(line)


@lab.command(short_help="Make all sets, score them, fit weights.")
@click.option(
    "--output", "-o", type=click.Path(path_type=Path), required=True, help="Keeps the crashes; reused if there."
)
@click.option("--quick", is_flag=True, help="A small campaign of about a minute.")
@click.option("--document", type=click.Path(path_type=Path), help="Write the score here, as Markdown.")
@click.option("--matrix", type=click.Path(path_type=Path), help="Write planted against found, per build, as CSV.")
@click.option("--reasons", type=click.Path(exists=True, path_type=Path), help="Why each known confusion happens, TOML.")
@click.option("--weights", "weights_file", type=click.Path(path_type=Path), help="Write the weights here, as JSON.")
@click.option("--jobs", type=click.IntRange(1), help="Processes at the same time; else as many as CPUs.")
def campaign(
    output: Path,
    quick: bool,
    document: Path | None,
    matrix: Path | None,
    reasons: Path | None,
    weights_file: Path | None,
    jobs: int | None,
) -> None:
    """Make all sets, score them, fit the weights of the findings: over 3,000 crashes in about an hour on two CPUs."""
    from broadstreet.lab.score.campaign import FULL, QUICK, fitted_weights, scored
    from broadstreet.lab.score.document import Page
    from broadstreet.lab.score.summary import as_csv, as_lines

    def tell(line: str) -> None:
        click.echo(line, err=True)

    crashes = scored(QUICK if quick else FULL, output, jobs, tell)
    fitted = fitted_weights(crashes, "broadstreet lab campaign --quick" if quick else "make accuracy")
    if matrix:
        matrix.write_text(as_csv(one for found in crashes.values() for one in found))
    text = "\n".join(Page(crashes, fitted, output, reasons).lines()) + "\n"
    if weights_file:
        weights_file.write_text(as_lines(fitted))
    if document:
        document.write_text(text)
    else:
        click.echo(text, nl=False)
