"""The command line. Heavy imports stay inside of the commands, so that --help answers at once."""

import errno
import os
import sys
from typing import ClassVar

import click

from broadstreet import __version__
from broadstreet.errors import BroadStreetError, UnreadableSpecimen, UsageError

UNREADABLE, USAGE = 1, 2
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENOENT)
CANNOT_WRITE = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class _LazyGroup(click.Group):
    """Imports a command only when it is asked for."""

    commands_at: ClassVar = {
        "read": ("broadstreet.surfaces.read", "One core dump as a page for a human."),
        "scan": ("broadstreet.surfaces.scan", "All core dumps below folders, as a table of labelled cases."),
        "investigate": ("broadstreet.surfaces.investigate", "Which outbreaks there are, and what is at fault in each."),
        "serve": ("broadstreet.surfaces.serve", "The whole of it in a browser: map, curve, cases, verdicts."),
        "explain": ("broadstreet.surfaces.explain", "Any case, syndrome or outbreak, down to the bytes."),
        "report": ("broadstreet.surfaces.report", "What happened, in one file to hand over: HTML or Markdown."),
        "outbreaks": ("broadstreet.surfaces.outbreaks", "The outbreaks, one a line, the newest first."),
        "hosts": ("broadstreet.surfaces.hosts", "Which hosts crash more than their share."),
        "fixed": ("broadstreet.surfaces.fixed", "Whether a fix worked: crashes since, against those expected."),
        "cases": ("broadstreet.surfaces.cases", "The cases of a casebook, the newest first."),
        "syndromes": ("broadstreet.surfaces.syndromes", "Cases that look the same; merge, split and name them."),
        "modules": ("broadstreet.surfaces.modules", "The programs and libraries of all cases."),
        "sql": ("broadstreet.surfaces.sql", "Ask a casebook anything: one SELECT."),
        "relabel": ("broadstreet.surfaces.casebook", "Judge stored cases again by the rules of today."),
        "fleet": ("broadstreet.surfaces.fleet", "Tell what there was: hosts, releases, time at risk."),
        "casebook": ("broadstreet.surfaces.casebook", "What a casebook holds; tidy it; make it forget."),
        "slim": ("broadstreet.surfaces.slim", "A small valid core dump with only what a reading needs."),
        "binaries": ("broadstreet.surfaces.binaries", "Keep what reading needs of programs and libraries."),
        "doctor": ("broadstreet.surfaces.doctor", "What this host and a casebook lack, and what mends it."),
        "plausible": ("broadstreet.surfaces.plausible", "Whether a hypothesis can make so many crashes."),
        "lab": ("broadstreet.lab.commands", "Make real crashes with known causes; score the labels."),
        "schema": ("broadstreet.surfaces.schema", "The JSON Schema of a case."),
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands_at)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.commands_at:
            return None
        module = __import__(self.commands_at[name][0], fromlist=[name])
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in self.commands_at.items()])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="broadstreet")
def cli() -> None:
    """Core dump epidemiology: read crashes, say what each one shows, and how far that can be trusted.

    Start with `broadstreet read CORE` for one core dump, or `broadstreet scan DIR` for a folder of them. With
    `--casebook URL` a scan keeps what it read, for all the other commands.
    """


def main() -> None:
    """Run the command line; what the operator can mend is said in two lines, without a traceback."""
    try:
        cli()
    except UsageError as error:
        click.echo(f"broadstreet: {error.what}\n  {error.hint}", err=True)
        sys.exit(USAGE)
    except UnreadableSpecimen as error:
        click.echo(f"broadstreet: not a readable core dump: {error}", err=True)
        sys.exit(UNREADABLE)
    except BroadStreetError as error:
        click.echo(f"broadstreet: {error}", err=True)
        sys.exit(UNREADABLE)
    except OSError as error:
        if error.errno in REFUSED and error.filename is not None:
            click.echo(
                f"broadstreet: {error.filename}: {error.strerror}\n  Check the path and its permissions.", err=True
            )
            sys.exit(USAGE)
        if error.errno not in CANNOT_WRITE:
            raise
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left would fail again at exit
        if error.errno != errno.EPIPE:
            click.echo(f"broadstreet: the output could not be written: {error.strerror}", err=True)
        sys.exit(UNREADABLE)
