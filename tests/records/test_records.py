"""The nouns: frozen, comparable, and the same on the other side of a process boundary."""

import inspect
import pickle
from dataclasses import FrozenInstanceError, fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import get_args

import pytest

from broadstreet.errors import BroadStreetError, UnreadableSpecimen, UsageError
from broadstreet.records.case import Unreadable
from broadstreet.records.columns import CASES
from broadstreet.records.exposure import Circumstances, HostSource, TimeSource
from broadstreet.records.frame import TRUSTS, Frame, Trust

FOLDER = Path(__file__).parent.parent.parent / "broadstreet" / "records"
MODULES = [import_module(f"broadstreet.records.{path.stem}") for path in FOLDER.glob("[!_]*.py")]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: str(module.__name__))
def test_every_record_is_frozen(module: ModuleType) -> None:
    own = [one for _, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__]
    loose = [one for one in own if is_dataclass(one) and not one.__dataclass_params__.frozen]  # type: ignore[attr-defined]
    assert own
    assert loose == []
    assert [one for one in own if not is_dataclass(one) and not issubclass(one, tuple)] == []


def test_what_is_not_known_of_circumstances_is_null_and_says_unknown() -> None:
    bare = Circumstances(path="core")
    values = {field.name: getattr(bare, field.name) for field in fields(bare)}
    assert {name for name, value in values.items() if value is not None} == {
        *("path", "time_source", "host_source", "labels")
    }
    assert (bare.time_source, bare.host_source, bare.labels) == ("unknown", "unknown", ())


def test_a_record_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Circumstances(path="core").host = "vm-1"  # type: ignore[misc]


def test_trust_is_ranked_from_best_to_worst() -> None:
    assert get_args(Trust) == TRUSTS
    assert (TRUSTS[0], TRUSTS[-1]) == ("register", "below_sp")


def test_a_frame_of_which_only_the_pc_is_known_is_no_signal_frame() -> None:
    frame = Frame(1, None, None, None, None, None, None, "register")
    assert (frame.signal_frame, frame.return_address) == (False, False)


@pytest.mark.parametrize(("column", "sources"), [("time_source", TimeSource), ("host_source", HostSource)])
def test_every_source_of_time_and_host_is_explained(column: str, sources: object) -> None:
    meaning = next(one.meaning for one in CASES if one.name == column)
    assert [source for source in get_args(sources) if source not in meaning] == []


def test_an_unreadable_specimen_names_place_wanted_and_found() -> None:
    error = UnreadableSpecimen("ELF header", 16, "a core dump (type 4)", "type 2")
    assert str(error) == "ELF header at byte 16: wanted a core dump (type 4), found type 2"
    assert isinstance(error, BroadStreetError)


def test_an_unreadable_specimen_travels_between_processes() -> None:
    error = UnreadableSpecimen("ELF header", 16, "a core dump", "type 2")
    other = pickle.loads(pickle.dumps(error))
    assert (str(other), other.offset, other.found) == (str(error), 16, "type 2")
    outcome = Unreadable("core", "ELF header", str(error))
    assert pickle.loads(pickle.dumps(outcome)) == outcome


def test_a_usage_error_has_the_command_to_try_next() -> None:
    error = UsageError("no such file: core", "broadstreet read CORE")
    assert (str(error), error.hint) == ("no such file: core", "broadstreet read CORE")
