"""`broadstreet fleet`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from broadstreet.errors import BroadStreetError, UsageError
from broadstreet.records.columns import FLEET
from broadstreet.surfaces.casebook_options import casebook_option, chosen, say_if_simulated, to_change

if TYPE_CHECKING:
    from broadstreet.pipeline.fleet import Change, FleetStore

FORMS = ("table", "json", "ndjson", "csv", "parquet")
ENDINGS = (".csv", ".parquet", ".json", ".ndjson")
ADD = "broadstreet fleet add TABLE FILE, with one of: " + ", ".join(FLEET)
MOST_SHOWN = 20


@contextmanager
def open_store(context: click.Context, casebook: str | None, writing: bool) -> "Iterator[FleetStore]":
    """The casebook of this command line: the one place where a command reaches it."""
    if context.obj is not None:  # a test's own
        yield context.obj
        return
    from broadstreet.store.casebook import open_for_writing
    from broadstreet.store.fleet import FleetTables

    url = to_change(casebook) if writing else chosen(casebook)
    say_if_simulated(url)
    book = open_for_writing(url) if writing else None
    try:
        yield FleetTables(url, book)
    finally:
        if book is not None:
            book.close()


@click.group()
def fleet() -> None:
    """Tell what there was: hosts, placements, services, builds, time at risk, fatal signals.

    Crashes alone give no rate. docs/fleet.md says what each table holds.
    """


@fleet.command()
@click.argument("places", nargs=-1, required=True, metavar="TABLE FILE...")
@click.option("--map", "mapping", type=click.Path(exists=True, dir_okay=False), help="A TOML file that maps columns.")
@click.option("--at", metavar="TIME", help="The files tell of this time only: what differs from then on is changed.")
@click.option("--complete", is_flag=True, help="Of a snapshot: what is not in it has ended.")
@click.option("--replace", is_flag=True, help="Forget the rows of the table that are known.")
@click.option("--dry-run", is_flag=True, help="Check, say what would happen, and change nothing.")
@casebook_option
@click.pass_context
def add(
    context: click.Context,
    casebook: str | None,
    places: tuple[str, ...],
    mapping: str | None,
    at: str | None,
    complete: bool,
    replace: bool,
    dry_run: bool,
) -> None:
    """Add files to a table: CSV, Parquet, JSON, NDJSON, or what `kubectl get nodes -o json` prints.

    Without TABLE, each FILE is named after its table, or is a folder of such files. Every row is checked first; if one
    is wrong or contradicts another, nothing is added. Adding a file twice is harmless.
    """
    from broadstreet.pipeline.fleet import Manner, change, write
    from broadstreet.sources.fleet.mapping import mappings
    from broadstreet.surfaces.text import echo

    files = _files(places)
    manner = Manner(mappings(mapping) if mapping else {}, _time(at), complete, replace)
    with open_store(context, casebook, writing=True) as store:
        changes = [change(store, name, paths, manner) for name, paths in files.items()]
        refused = sum(one.refusal_count for one in changes)
        if refused:
            raise _refused(changes, refused)
        if complete and not any(one.taken for one in changes):
            raise UsageError("--complete is of a snapshot", "Say of which time it is: --at 2026-03-12T09:40:00Z")
        for one in changes:
            if not dry_run and (replace or not one.changes_nothing):
                write(store, one, replace)
            for line in _told(one):
                echo(line)
    if dry_run:
        echo("Nothing was written (--dry-run).")


def _refused(changes: "list[Change]", count: int) -> BroadStreetError:
    from broadstreet.surfaces.text import echo, safe

    lines = [line for one in changes for line in one.refusals]
    for line in lines[:MOST_SHOWN]:
        echo("  " + safe(line, 1000), err=True)
    if count > MOST_SHOWN:
        echo(f"  and {count - MOST_SHOWN:,} more", err=True)
    return BroadStreetError(f"nothing was added: {count:,} {'fault' if count == 1 else 'faults'}, as above")


def _files(places: tuple[str, ...]) -> dict[str, list[str]]:
    from broadstreet.sources.fleet.files import tells_of

    if places[0] in FLEET and (len(places) > 1 or not os.path.exists(places[0])):
        if len(places) == 1:
            raise UsageError(f"no file for {places[0]}", f"broadstreet fleet add {places[0]} FILE")
        return {places[0]: [_existing(place) for place in places[1:]]}
    found: dict[str, list[str]] = {}
    for place in places:
        inside = _inside(place) if os.path.isdir(place) else [_existing(place)]
        if not inside:
            raise UsageError(f"{place} holds no file that is named after a table", ADD)
        for path in inside:
            name = tells_of(path)
            if name is None:
                raise UsageError(f"which table is {path}?", ADD)
            found.setdefault(name, []).append(path)
    return {name: found[name] for name in FLEET if name in found}


def _existing(place: str) -> str:
    if not os.path.exists(place):
        raise UsageError(f"no such file: {place}", ADD)
    return place


def _inside(folder: str) -> list[str]:
    names = sorted(os.listdir(folder))
    return [os.path.join(folder, n) for n in names if n.partition(".")[0] in FLEET and n.endswith(ENDINGS)]


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"no time: {text}", "--at 2026-03-12T09:40:00Z") from error
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _told(one: "Change") -> list[str]:
    from broadstreet.surfaces.text import plural, safe

    parts = [plural(one.added, "row") + " added"]
    for count, text in (
        (one.known, "known already"),
        (one.repeated, "twice in the file"),
        (one.ended, "open until now, ended"),
        (one.gone, "no more in the snapshot, ended"),
        (one.outdated, "older than what is known, ignored"),
    ):
        if count:
            parts.append(f"{count:,} {text}")
    lines = [f"{one.table}: {', '.join(parts)}"]
    for path, at in one.taken:
        lines.append(f"  {safe(path)} was taken as a snapshot of {at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} (--at)")
    if one.exposures:
        lines.append(f"  kept as exposures: {safe(', '.join(one.exposures))}")
    if one.naive_times:
        lines.append(f"  {plural(one.naive_times, 'time')} without a zone, taken as UTC")
    return lines


@fleet.command()
@click.argument("table", required=False, metavar="[TABLE]", type=click.Choice(list(FLEET)))
@click.option("-o", "form", type=click.Choice(FORMS), default="table", show_default=True, help="How to write the rows.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="PATH", help="Write there instead of to stdout.")
@casebook_option
@click.pass_context
def show(context: click.Context, casebook: str | None, table: str | None, form: str, output: str | None) -> None:
    """Say what is known of the fleet, and what is missing for which analysis; or write the rows of TABLE."""
    from broadstreet.surfaces.fleet_page import page
    from broadstreet.surfaces.fleet_rows import written
    from broadstreet.surfaces.text import echo

    if table is None and (form != "table" or output is not None):
        raise UsageError("which table?", f"broadstreet fleet show TABLE -o {form}, with one of: {', '.join(FLEET)}")
    with open_store(context, casebook, writing=False) as store:
        if table is not None:
            written(table, store.fleet(table), form, output)
            return
        for line in page({name: store.fleet(name) for name in FLEET}, store.case_hosts()):
            echo(line)
