"""`broadstreet plausible`: the Fermi check."""

import csv
import math
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from broadstreet.errors import UsageError

if TYPE_CHECKING:
    from broadstreet.records.hypothesis import DoseResponse, Plausibility, Range, Solved

REJECTED = 1
DOSE_COLUMNS = ("cohort", "dose", "cases", "at_risk")
INDENT, NAME, VALUE = "  ", 16, 20


class _Setting(click.ParamType[Any]):
    name = "setting"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> "tuple[str, Range]":
        from broadstreet.records.hypothesis import Range

        factor, _, figures = str(value).partition("=")
        try:
            told = [float(one) for one in figures.split(",")]
        except ValueError:
            told = []
        if not (1 <= len(told) <= 3 and all(math.isfinite(one) and one > 0 for one in told) and told == sorted(told)):
            self.fail(
                f"{value!r} is not FACTOR=VALUE, FACTOR=LOW,HIGH or FACTOR=LOW,MIDDLE,HIGH over 0, rising.", param, ctx
            )
        middle = told[1] if len(told) == 3 else math.sqrt(told[0]) * math.sqrt(told[-1])
        return factor.replace("-", "_"), Range(told[0], told[0] if len(told) == 1 else middle, told[-1])


@click.command()
@click.argument("template", required=False, metavar="TEMPLATE")
@click.option("--list", "listed", is_flag=True, help="What hypotheses there are, and their factors.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    type=_Setting(),
    metavar="FACTOR=LOW,HIGH",
    help="What a factor may be: one value, LOW,HIGH, or LOW,MIDDLE,HIGH. Repeatable.",
)
@click.option("--observed", type=click.IntRange(0), metavar="N", help="How many crashes there were.")
@click.option("--at-risk", type=click.FloatRange(0, min_open=True), metavar="HOURS", help="In how many process-hours.")
@click.option("--solve", metavar="FACTOR", help="What this factor must be for the rest to make what was observed.")
@click.option(
    "--doses",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE.csv",
    help="Does the rate follow the dose? Columns cohort, dose, cases, at_risk.",
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the draws.")
@click.option("--query", is_flag=True, help="Also the line of Python that gives the figures again, to paste.")
@click.option(
    "-o", "form", type=click.Choice(["table", "json"]), default="table", show_default=True, help="What to write."
)
def plausible(
    template: str | None,
    listed: bool,
    settings: "tuple[tuple[str, Range], ...]",
    observed: int | None,
    at_risk: float | None,
    solve: str | None,
    doses: str | None,
    seed: int,
    query: bool,
    form: str,
) -> None:
    """Can this hypothesis make so many crashes? Multiply its factors out (the Fermi check).

    Factors are ranges, as wide as what is known of them. The exit status is 1 where the hypothesis is rejected.
    """
    from broadstreet.population import hypotheses

    if listed:
        _write(hypotheses.templates(), form, _listed)
    elif doses is not None:
        columns = _doses(doses)
        told = hypotheses.dose_response(*columns)
        _write(told, form, _dose_lines)
        _again("dose_response", columns, query and form == "table")
        _exit(told.follows == "does not follow")
    elif template is None:
        raise UsageError("which hypothesis?", "broadstreet plausible --list")
    elif template not in hypotheses.templates():
        raise UsageError(f"there is no hypothesis {template}", "broadstreet plausible --list")
    elif observed is None or at_risk is None:
        raise UsageError(
            "what was observed?", f"broadstreet plausible {template} ... --observed CRASHES --at-risk PROCESS_HOURS"
        )
    elif solve is not None:
        factor = solve.replace("-", "_")
        asked = (template, factor, dict(settings), observed, at_risk, seed)
        _write(hypotheses.solution(*asked), form, _solved_lines)
        _again("solution", asked, query and form == "table")
    else:
        given = (template, dict(settings), observed, at_risk, seed)
        checked = hypotheses.plausibility(*given)
        _write(checked, form, _checked_lines)
        _again("plausibility", given, query and form == "table")
        _exit(checked.answer != "compatible")


def _write(found: Any, form: str, lines: Any) -> None:
    from broadstreet.surfaces.text import echo

    if form == "json":
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    for line in lines(found):
        echo(line)


def _again(function: str, arguments: tuple[Any, ...], query: bool) -> None:
    if query:
        click.echo("")
        click.echo(
            f"from broadstreet.population.hypotheses import {function}; "
            "from broadstreet.records.hypothesis import Range; "
            f"print({function}({', '.join(map(repr, arguments))}))"
        )


def _exit(rejected: bool) -> None:
    if rejected:
        raise SystemExit(REJECTED)


def _doses(path: str) -> tuple[list[str], list[float], list[int], list[float]]:
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file)
        lacking = [name for name in DOSE_COLUMNS if name not in (rows.fieldnames or ())]
        if lacking:
            raise UsageError(f"{path} has no column {lacking[0]}", f"It needs {', '.join(DOSE_COLUMNS)}.")
        cohorts: list[str] = []
        dose: list[float] = []
        cases: list[int] = []
        at_risk: list[float] = []
        for row in rows:
            try:
                figures = float(row["dose"]), int(row["cases"]), float(row["at_risk"])
            except (TypeError, ValueError):
                figures = (-1.0, -1, -1.0)
            if not (min(figures) >= 0 and math.isfinite(figures[0]) and 0 < figures[2] < math.inf):
                raise UsageError(
                    f"{path} line {rows.line_num} is not a dose, a number of cases and a time at risk",
                    "A dose of 0 may be; a time at risk of 0 tells nothing: leave that row out.",
                )
            cohorts.append(row["cohort"])
            dose.append(figures[0])
            cases.append(figures[1])
            at_risk.append(figures[2])
    return cohorts, dose, cases, at_risk


def _listed(templates: Any) -> Iterator[str]:
    from broadstreet.population.hypotheses import span

    for name, kind in templates.items():
        yield f"{name}: {kind.says}"
        yield f"{INDENT}{kind.source}"
        for factor, told in kind.factors.items():
            unset = ", ".join(filter(None, ("to be set", told.unit)))
            yield from _row(factor, span(told.usual, told.unit) if told.usual else unset, told.means)
        yield ""


def _factor_lines(template: str, factors: "dict[str, Range]") -> Iterator[str]:
    from broadstreet.population.hypotheses import span
    from broadstreet.population.hypotheses import template as kind_of

    yield kind_of(template).says
    for name, told in factors.items():
        kind = kind_of(template).factors[name]
        yield from _row(name, span(told, kind.unit), f"{kind.means}{' (usual)' if told == kind.usual else ''}")
    yield ""


def _row(name: str, value: str, means: str) -> Iterator[str]:
    from broadstreet.surfaces.text import page_width

    first, *more = textwrap.wrap(means, page_width() - NAME - VALUE - len(INDENT))
    if len(value) >= VALUE:  # beside which nothing has room
        first, more = "", [first, *more]
    yield f"{INDENT}{name:{NAME}}{value:{VALUE}}{first}".rstrip()
    for line in more:
        yield f"{INDENT}{'':{NAME + VALUE}}{line}"


def _said(name: str, text: str) -> Iterator[str]:
    from broadstreet.surfaces.text import page_width

    for line in textwrap.wrap(text, page_width() - NAME - len(INDENT)):
        yield f"{INDENT}{name:{NAME}}{line}"
        name = ""


def _checked_lines(found: "Plausibility") -> Iterator[str]:
    from broadstreet.population.hypotheses import chance, figure
    from broadstreet.verdict.figures import amount

    predicted, observed = found.predicted, found.observed
    yield from _factor_lines(found.template, found.factors)
    yield from _said(
        "predicted",
        f"{figure(predicted.value)}, 95 % {figure(predicted.low)} to {figure(predicted.high)} crashes "
        f"in {amount(found.at_risk_hours)} hours; one in {figure(found.hours_between.value)} hours",
    )
    yield from _said(
        "observed",
        f"{figure(observed.value)}, which a mean of {figure(observed.low)} to {figure(observed.high)} may bring",
    )
    yield from _said("answer", found.says)
    yield from _said("", f"P(so many or more) {chance(found.at_least)}, P(so many or fewer) {chance(found.at_most)}")
    yield from _said("", f"{found.draws:,} draws, seed {found.seed}")


def _solved_lines(found: "Solved") -> Iterator[str]:
    from broadstreet.population.hypotheses import quantity, span
    from broadstreet.records.hypothesis import Range
    from broadstreet.verdict.figures import amount

    value = found.value
    yield from _factor_lines(found.template, found.given)
    yield from _said("observed", f"{found.observed:,} crashes in {amount(found.at_risk_hours)} hours")
    ends = span(Range(value.low, value.value, value.high), found.unit)
    yield from _said(found.factor, f"{quantity(value.value, found.unit)}, 95 % {ends}")
    yield from _said("answer", found.says)
    yield from _said("", f"{found.draws:,} draws, seed {found.seed}")


def _dose_lines(found: "DoseResponse") -> Iterator[str]:
    from broadstreet.surfaces.text import page_width, safe

    longest = max((len(safe(name, 40)) for name in found.doses), default=0)
    yield f"{INDENT}{'cohort':{max(longest, 6)}}  {'dose':>10}  {'cases':>8}  {'at risk':>12}  {'rate':>10}"
    for name, (dose, cases, at_risk) in found.doses.items():
        yield f"{INDENT}{safe(name, 40):{max(longest, 6)}}  {dose:10.4g}  {cases:8,}  {at_risk:12,.6g}  " + (
            f"{cases / at_risk:10.3g}"
        )
    yield ""
    for line in textwrap.wrap(found.says, page_width() - len(INDENT)):
        yield INDENT + line
