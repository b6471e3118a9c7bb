"""`broadstreet fixed`."""

import shlex
import textwrap
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import click

from broadstreet.errors import UsageError
from broadstreet.surfaces.casebook_options import asked, casebook_option
from broadstreet.surfaces.durations import MOMENTS, Moment

if TYPE_CHECKING:
    from broadstreet.records.fixed import Fix, Fixed

FORMS = ("text", "json")
NOT_FIXED = 1
LABEL = 14


@click.command()
@click.option("--syndrome", metavar="ID", required=True, help="The syndrome, such as S-12a, or its name.")
@click.option("--since", type=Moment(), metavar="DATE", help=f"From then: {MOMENTS}; UTC.")
@click.option("--release", metavar="RELEASE", help="What ran this service release or a later one, against older ones.")
@click.option(
    "--without-host",
    metavar="HOST",
    help="Since this host, or physical host, was at risk no more, or since DATE.",
)
@click.option("--mechanism", metavar="NAME", help="Only its crashes with this mechanism, such as return_to_null.")
@click.option(
    "--query", is_flag=True, help="Also the SQL of both sides, and the line of Python that gives the p, to paste."
)
@click.option("--json", "as_json", is_flag=True, help="The same as -o json.")
@click.option("-o", "form", type=click.Choice(FORMS), default="text", show_default=True, help="What to write.")
@casebook_option
def fixed(
    syndrome: str,
    since: datetime | None,
    release: str | None,
    without_host: str | None,
    mechanism: str | None,
    query: bool,
    as_json: bool,
    form: str,
    casebook: str | None,
) -> None:
    """Did a fix work? Crashes since, against those that the rate before would have made in the same time at risk.

    Fixed: so few by chance have p under 1 %, and the rate fell tenfold. Where it cannot be told yet it says when. Where
    fewer crashes were captured since, it is held: a collector that fails looks like a fix. The exit status is 0 only
    where it is fixed.
    """
    from broadstreet.pipeline.fixed import fixed as answered
    from broadstreet.records.fixed import Fix
    from broadstreet.surfaces.text import echo

    if (release is None) == (since is None and without_host is None):
        raise UsageError(
            "a fix is a date, a release or a host",
            "--since DATE, --release RELEASE, --without-host HOST, or --without-host HOST --since DATE.",
        )
    fix = Fix(since, release, without_host)
    with asked(casebook) as questions:
        found = answered(questions, syndrome, fix, mechanism)
        version = questions.version.number
    if as_json or form == "json":
        _json(found, version)
    else:
        for line in _page(found, query, casebook):
            echo(line)
    if found.answer != "fixed":
        raise SystemExit(NOT_FIXED)


def _json(found: "Fixed", version: int) -> None:
    import msgspec

    from broadstreet.surfaces.case_json import written

    click.echo(msgspec.json.format(written({"casebook_version": version} | msgspec.to_builtins(found)), indent=2))


def _page(found: "Fixed", query: bool, casebook: str | None) -> Iterator[str]:
    from broadstreet.surfaces.text import page_width, safe
    from broadstreet.verdict.figures import amount, interval, percent, ratio, small
    from broadstreet.verdict.sentences import measure

    def said(name: str, text: str) -> Iterator[str]:
        for part in textwrap.wrap(text, page_width() - LABEL - 2):
            yield f"  {name:{LABEL}}{part}".rstrip()
            name = ""

    which = f"{found.syndrome} {found.mechanism}" if found.mechanism else found.syndrome
    yield f"  {safe(which)}, {safe(_fix(found.fix, found.moment))}"
    yield ""
    for part in textwrap.wrap(safe(found.says, 400), page_width() - 2):
        yield "  " + click.style(part, bold=True)
    yield ""
    unit = "episodes" if found.against == "other crashes" else measure(found.measure)
    yield click.style(f"  {'':{LABEL}}{'episodes':>9}  {'other ' * (unit == 'episodes') + unit:>16}", dim=True)
    for name, side in (("before", found.before), ("after", found.after)):
        of = f"{side.at_risk:,.0f}" if found.against == "other crashes" else amount(side.at_risk)
        yield f"  {name:{LABEL}}{side.episodes:>9,}  {of:>16}"
    if found.expected is not None:
        yield from said("expected", f"{interval(found.expected)} after, at the rate before")
    if found.ratio is not None:
        within = f", within each {' and '.join(found.strata)}" if found.strata else ""
        yield from said("rate ratio", f"{interval(found.ratio)}, 95%{within}".replace("_", " "))
    if found.test is not None:
        yield from said("p", f"{small(found.test.p)}: so few after, if nothing had changed")
    if found.a_day is not None:
        yield from said("naive", f"{ratio(found.a_day)} times as many a calendar day")
    if found.capture is not None:
        shares = [
            "nothing counted" if side.ratio is None else percent(side.ratio.value)
            for side in (found.capture.before, found.capture.after)
        ]
        yield from said("captured", f"{shares[0]} before, {shares[1]} since, of the crashes around that day")
    for note in found.notes:
        yield from said("note", safe(note, 400))
    if query:
        yield ""
        yield from _query(found, casebook)


def _query(found: "Fixed", casebook: str | None) -> Iterator[str]:
    from broadstreet.surfaces.query_lines import sql_line
    from broadstreet.verdict import fix_reads
    from broadstreet.verdict.again import line

    named = f" --casebook {shlex.quote(casebook)}" if casebook else ""
    yield sql_line(fix_reads.crashes(found), named)
    if found.against == "time at risk":
        yield sql_line(fix_reads.at_risk(found), named)
    if found.test is not None and (python := line(found.test)) is not None:
        yield python


def _fix(fix: "Fix", moment: datetime) -> str:
    if fix.release is not None:
        return f"what runs {fix.release} or later, from {moment:%Y-%m-%d} on"
    if fix.without_host is not None:
        return f"without {fix.without_host}, since {moment:%Y-%m-%d %H:%M} UTC"
    return f"since {moment:%Y-%m-%d %H:%M} UTC"
