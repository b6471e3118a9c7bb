"""Labelling is blind to exposure: if a label knew the host, a concentration on that host would prove nothing."""

import ast
import inspect
import json
import os
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path
from types import FunctionType, ModuleType
from typing import get_type_hints

import pytest

from broadstreet import features, labels
from broadstreet.cases.case import case_of
from broadstreet.pipeline.reading import case_at
from broadstreet.reading.machine_state import MachineState
from broadstreet.records.case import Case
from broadstreet.records.exposure import Circumstances
from broadstreet.sources.binaries import Binaries
from tests import synth
from tests.features.machines import MACHINES, Machine, core
from tests.features.read_back import binaries_in, dump, reading

PACKAGE = Path(__file__).parent.parent / "broadstreet"
BLIND = sorted((*(PACKAGE / "features").glob("*.py"), *(PACKAGE / "labels").glob("*.py")))
EXPOSURES = [field.name for field in fields(Circumstances)]
UNSEEN = ("broadstreet.records.exposure", "broadstreet.records.case", "broadstreet.sources", "broadstreet.store")
NOWHERE_ELSE = {"executable", "labels"}  # a mapping's right, a package: words that mean another thing here

HERE = Circumstances(path="/var/cores/core.1", host="vm-1", region="north", time="2026-06-30T00:00:00.000000Z", cpu=1)
ELSEWHERE = Circumstances(
    path="/mnt/b/core.zst",
    executable="another",
    pid=1,
    uid=1000,
    cpu=95,
    numa_node=1,
    kernel_release="5.4.0",
    time="1970-01-01T00:00:00.000000Z",
    time_source="mtime",
    host="vm-2",
    host_source="xattr",
    boot_id="0" * 32,
    service="search",
    service_release="9",
    workload="batch",
    region="south",
    labels=(("rack", "r7"),),
)
every_machine = pytest.mark.parametrize("name", MACHINES)


def seen(case: Case) -> tuple[object, ...]:
    """What a label rests on, and what it says."""
    return case.mechanism, case.findings, case.features


def case(data: bytes, where: Circumstances = HERE) -> Case:
    return case_of(reading(data), where, 1, 1)


@every_machine
def test_other_circumstances_give_the_same_findings(name: str) -> None:
    assert seen(case(dump(name), HERE)) == seen(case(dump(name), ELSEWHERE))


@every_machine
@pytest.mark.parametrize(
    "change",
    [{"cpu": 191, "node": 7}, {"kernel": (4, 18, 255)}, {"path": "/opt/other/bin/walker"}],
    ids=lambda change: next(iter(change)),
)
def test_another_cpu_kernel_or_program_path_gives_the_same_findings(name: str, change: dict[str, object]) -> None:
    machine: Machine = MACHINES[name]
    changed = replace(machine, **change)  # type: ignore[arg-type]
    other = case(synth.core_dump(core(changed)))
    assert other.circumstances != case(dump(name)).circumstances
    assert seen(other) == seen(case(dump(name)))


@pytest.fixture(scope="module")
def binaries(tmp_path_factory: pytest.TempPathFactory) -> Binaries:
    return Binaries((str(binaries_in(tmp_path_factory.mktemp("binaries"))),))


@pytest.mark.parametrize("name", ["ret popped zero", "sp 8 low in a body", "abort by free", "a living process"])
def test_a_specimen_s_name_time_attributes_and_sidecar_give_the_same_findings(
    name: str, tmp_path: Path, binaries: Binaries
) -> None:
    plain = tmp_path / "a" / "core"
    named = tmp_path / "b" / f"core.walker.1000.{'0f' * 16}.77.1751241600000000"
    for path in (plain, named):
        path.parent.mkdir()
        path.write_bytes(dump(name))
    os.utime(plain, (0, 0))
    known = {"time": "2020-01-01T00:00:00Z", "host": "vm-9", "pid": 5, "region": "west", "labels": {"rack": "r1"}}
    Path(f"{named}.json").write_text(json.dumps(known))
    try:
        os.setxattr(named, "user.coredump.hostname", b"vm-8")
        os.setxattr(named, "user.coredump.exe", b"/bin/other")
    except OSError:
        pass  # this file system has no extended attributes; the other three still differ
    first, second = case_at(str(plain), binaries), case_at(str(named), binaries)
    assert (first.circumstances.host, second.circumstances.host) == (None, "vm-9")
    assert (first.circumstances.time_source, second.circumstances.time_source) == ("mtime", "sidecar")
    assert seen(first) == seen(second)


def test_the_machine_state_holds_no_exposure() -> None:
    assert not {field.name for field in fields(MachineState)} & set(EXPOSURES)
    assert not [name for name, hint in get_type_hints(MachineState).items() if hint is Circumstances]


@pytest.mark.parametrize("path", BLIND, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_feature_and_no_label_names_an_exposure(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    keys = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not (attributes | keys) & (set(EXPOSURES) - NOWHERE_ELSE - {"path"})
    # A module's path is only shown, or compared with the vdso's.
    compared = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    assert all("'[vdso]'" in text for text in compared if ".path" in text)


def test_features_and_labels_take_nothing_but_the_machine_state_and_the_row() -> None:
    assert [p.annotation for p in inspect.signature(features.row).parameters.values()] == [MachineState | None]
    for source in vars(features)["_SOURCES"]:
        assert list(get_type_hints(source)) == ["state", "row", "return"]
        assert get_type_hints(source)["state"] is MachineState
    assert list(inspect.signature(labels.findings).parameters) == ["row"]


def test_nothing_that_features_and_labels_import_knows_of_exposure() -> None:
    """Also not by way of another module: what they load, all of it."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys; from broadstreet import features, labels; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert "broadstreet.labels.return_to_null" in told
    assert [name for name in told if name.startswith(UNSEEN)] == []


def test_no_function_of_the_blind_layers_takes_circumstances() -> None:
    blind = ("broadstreet.features", "broadstreet.labels")
    modules = [module for name, module in sys.modules.items() if name.startswith(blind)]
    taken = [
        f"{module.__name__}.{function.__name__}"
        for module in modules
        if isinstance(module, ModuleType)
        for function in vars(module).values()
        if isinstance(function, FunctionType) and Circumstances in get_type_hints(function).values()
    ]
    assert len(modules) > 40
    assert taken == []
