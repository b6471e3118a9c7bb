"""What a machine can enforce of the layers in DESIGN.md and of the house style."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "broadstreet"

LAYERS_WITHOUT_IO = ("formats", "reading", "features", "labels", "statistics")
MODULES_THAT_REACH_OUTSIDE = {"io", "mmap", "os", "pathlib", "random", "socket", "subprocess", "time"}
CALLS_THAT_REACH_OUTSIDE = {"input", "open", "print"}
NAMES_THAT_SAY_NOTHING = {"common", "core", "helpers", "utils"}
LONGEST_FUNCTION, LONGEST_FILE = 80, 500

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Function = (ast.FunctionDef, ast.AsyncFunctionDef)

SOURCES = {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in sorted(PACKAGE.rglob("*.py"))}
TREES = {name: ast.parse(source) for name, source in SOURCES.items()}


def where(offends: Callable[[str, ast.AST], bool]) -> list[str]:
    """`module.py:line` of each syntax node that offends."""
    return [
        f"{name}:{getattr(node, 'lineno', 1)}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if offends(name, node)
    ]


def imported_roots(node: ast.AST) -> set[str]:
    if isinstance(node, ast.Import):
        return {alias.name.partition(".")[0] for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return {node.module.partition(".")[0]}
    return set()


def names_in(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def is_broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    return node.type is None or bool(names_in(node.type) & {"Exception", "BaseException"})


def bases(node: ast.ClassDef) -> set[str]:
    return set().union(*(names_in(base) for base in node.bases))


def decorators(node: Definition) -> set[str]:
    return set().union(*(names_in(decorator) for decorator in node.decorator_list))


def public_definitions(tree: ast.Module) -> Iterator[Definition]:
    """Public functions and classes of a module, and public methods; what stands in a function is private."""
    for node in tree.body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from (
                    method
                    for method in node.body
                    if isinstance(method, Function)
                    and not method.name.startswith("_")
                    and not explains_itself(method, node)
                )


def explains_itself(method: ast.FunctionDef | ast.AsyncFunctionDef, owner: ast.ClassDef) -> bool:
    """A property of a record that is one expression."""
    is_record = "NamedTuple" in bases(owner) or "dataclass" in decorators(owner)
    return is_record and "property" in decorators(method) and len(method.body) == 1


def is_explained_elsewhere(name: str, node: Definition) -> bool:
    """The two that STYLE.md leaves bare: a layout, which is a table, and a rule's judge, which its module explains."""
    if isinstance(node, ast.ClassDef):
        return name.startswith("formats/") and "NamedTuple" in bases(node)
    return (name.startswith("labels/") and node.name == "judge") or "overload" in decorators(node)


def test_modules_import_only_what_their_layer_may_know(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    status = lint_imports(config_filename="pyproject.toml", no_cache=True)
    assert status == EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_the_middle_imports_nothing_that_reaches_outside() -> None:
    def offends(name: str, node: ast.AST) -> bool:
        return name.startswith(LAYERS_WITHOUT_IO) and bool(imported_roots(node) & MODULES_THAT_REACH_OUTSIDE)

    assert where(offends) == []


def test_the_middle_neither_opens_nor_prints() -> None:
    def offends(name: str, node: ast.AST) -> bool:
        called = node.func if isinstance(node, ast.Call) else None
        is_outside = isinstance(called, ast.Name) and called.id in CALLS_THAT_REACH_OUTSIDE
        return is_outside and name.startswith(LAYERS_WITHOUT_IO)

    assert where(offends) == []


def test_only_the_pipeline_catches_every_exception_and_only_once() -> None:
    found = [place.partition(":")[0] for place in where(lambda _, node: is_broad(node))]
    assert found == ["pipeline/outcome.py"]


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [name for name in SOURCES if NAMES_THAT_SAY_NOTHING & set(Path(name).with_suffix("").parts)] == []


def test_no_function_is_longer_than_eighty_lines() -> None:
    def offends(_: str, node: ast.AST) -> bool:
        return isinstance(node, Function) and (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION

    assert where(offends) == []


def test_no_file_is_longer_than_five_hundred_lines() -> None:
    assert [name for name, source in SOURCES.items() if len(source.splitlines()) > LONGEST_FILE] == []


def test_every_module_says_what_it_is() -> None:
    assert [name for name, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_every_public_function_and_class_has_a_docstring() -> None:
    bare = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in TREES.items()
        if not Path(name).name.startswith("_") or name.endswith("__init__.py")
        for node in public_definitions(tree)
        if not ast.get_docstring(node) and not is_explained_elsewhere(name, node)
    ]
    assert bare == []


def test_specimens_are_written_without_the_package_that_reads_them() -> None:
    synth = [path.read_text("utf-8") for path in (ROOT / "tests" / "synth").rglob("*.py")]
    assert synth
    assert not any("broadstreet" in imported_roots(node) for text in synth for node in ast.walk(ast.parse(text)))
