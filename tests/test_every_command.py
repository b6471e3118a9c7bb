"""What every command must be, over all of them: explained, on its page, and answering --help."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from broadstreet import __version__
from broadstreet.sources import binary_store
from broadstreet.surfaces import casebook_options, options
from broadstreet.surfaces.cli import cli
from broadstreet.surfaces.documents import documents
from tests.surfaces.shell import broadstreet

ROOT = Path(__file__).parent.parent
TERMINAL = 80  # columns, of which click leaves two free
# The settings, each with its page: what a test or a user may set beside the options.
VARIABLES = {binary_store.STORE_VARIABLE, options.DEBUGINFOD_VARIABLE, casebook_options.VARIABLE, "NO_COLOR"}


def commands(group: click.Group = cli, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{name} is listed and cannot be had"
        yield (*names, name), command
        if isinstance(command, click.Group):
            yield from commands(command, (*names, name))


COMMANDS = dict(commands())
every_command = pytest.mark.parametrize("names", COMMANDS, ids=" ".join)


def test_the_commands_are_those_that_were_asked_for() -> None:
    assert {" ".join(names) for names in COMMANDS} == {
        *("read", "scan", "slim", "binaries", "binaries add", "schema", "doctor"),
        *("cases", "modules", "sql", "relabel", "fleet", "fleet add", "fleet show"),
        *("syndromes", "syndromes list", "syndromes show", "syndromes merge", "syndromes split", "syndromes name"),
        *("syndromes note", "syndromes rules", "syndromes regroup"),
        *("casebook", "casebook info", "casebook tidy", "casebook forget"),
        *("investigate", "explain", "outbreaks", "report", "hosts", "fixed", "plausible", "serve"),
        *("outbreaks confirm", "outbreaks refute", "outbreaks withdraw"),
        *("lab", "lab list", "lab crash", "lab make", "lab score", "lab campaign"),
    }


@every_command
def test_a_command_says_in_its_first_sentence_what_it_does(names: tuple[str, ...]) -> None:
    first = (COMMANDS[names].help or "").split("\n\n")[0]
    assert re.match(r"[A-Z].+[.:]", first, re.DOTALL)


@every_command
def test_every_option_is_explained(names: tuple[str, ...]) -> None:
    given = [parameter for parameter in COMMANDS[names].params if isinstance(parameter, click.Option)]
    assert [one.name for one in given if not one.help or not one.help.endswith((".", ")"))] == []


@every_command
def test_every_argument_has_a_name_for_people(names: tuple[str, ...]) -> None:
    given = [parameter for parameter in COMMANDS[names].params if isinstance(parameter, click.Argument)]
    assert [one.name for one in given if not (one.metavar or "").isupper()] == []


@every_command
def test_a_name_on_the_command_line_is_that_of_its_function(names: tuple[str, ...]) -> None:
    assert COMMANDS[names].name == names[-1]


@every_command
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_what_the_page_of_commands_says(names: tuple[str, ...], option: str) -> None:
    result = CliRunner().invoke(cli, [*names, option], prog_name="broadstreet", terminal_width=TERMINAL - 2)
    assert result.exit_code == 0
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert f"## broadstreet {' '.join(names)}\n\n```\n{result.stdout.rstrip()}\n```\n" in page


def test_the_help_of_all_lists_every_command_with_a_sentence() -> None:
    lines = CliRunner().invoke(cli, ["--help"]).stdout.split("Commands:\n")[1].splitlines()
    listed = dict(line.split(maxsplit=1) for line in lines)
    assert list(listed) == [name for (name, *more) in COMMANDS if not more]
    assert all(sentence.endswith(".") for sentence in listed.values())


def test_the_page_of_commands_is_what_the_declarations_say() -> None:
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == documents()["commands.md"]


def test_the_pages_do_not_depend_on_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    before = documents()
    monkeypatch.setenv("COLUMNS", "132")
    assert documents() == before


def test_every_setting_has_its_page() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert {name for name in VARIABLES if f"`{name}`" not in page} == set()


def test_the_published_schema_is_what_schema_prints() -> None:
    published = (ROOT / "docs" / "case.schema.json").read_text("utf-8")
    assert published == documents()["case.schema.json"] == CliRunner().invoke(cli, ["schema"]).stdout


def test_version_is_the_package_s(tmp_path: Path) -> None:
    said = broadstreet("--version", store=tmp_path)
    assert (said.status, said.text) == (0, f"broadstreet, version {__version__}\n")


@pytest.mark.parametrize("arguments", [["nonsense"], ["--nonsense"], ["read"], ["scan"], ["slim"], ["binaries", "add"]])
def test_wrong_arguments_exit_2_and_say_how_to_ask(arguments: list[str]) -> None:
    result = CliRunner().invoke(cli, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Usage: ")


def test_a_problem_that_the_operator_can_mend_is_two_lines(tmp_path: Path) -> None:
    said = broadstreet("slim", tmp_path / "nothing", tmp_path / "out", store=tmp_path)
    assert (said.status, said.out) == (2, b"")
    assert re.fullmatch(r"broadstreet: no such file: .+\n  broadstreet slim CORE OUT.*\n", said.err)
