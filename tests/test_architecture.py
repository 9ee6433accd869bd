"""The shape of the package, as a test that fails: who may import whom, what may not be called, how long a thing may grow."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "processor"
MODULES = sorted(PACKAGE.rglob("*.py"))

# One way only: a part may import itself and the parts of lower rank; parts of the same rank do not know each other.
RANKS = {
    "core": 0, "wall_clock": 0, "schemas_path": 0, "cycles": 0, "flavour": 0, "addresses": 0,
    "codec": 1, "config": 1,
    "calendar_tables": 2, "versions": 2, "side_by_side": 2,
    "compile": 3,
    "export": 4, "explain": 4,
    "boards": 5, "kpis": 5,
    "report": 6,
    "replay": 7, "alerting": 7,
    "backtest": 8, "stream": 8, "synthetic": 8, "convert": 8, "what_if": 8,
    "state_tools": 9, "paging": 9, "client": 9,
    "wall": 10,
    "cli": 11, "demo": 11,
}  # fmt: skip

# What brings the outside world in, and the only parts that may use it.
OWNERS = {
    "faust": {"stream", "cli"},
    "mode": {"stream"},
    "aiokafka": {"stream", "state_tools", "cli", "client", "paging", "wall"},  # the command line names its errors; the client reads with it
    "kafka": {"stream", "state_tools", "cli"},
    "prometheus_client": {"export"},
    "pydantic": {"config", "convert"},  # files that people write
    "click": {"cli"},
    "rich": {"cli", "report", "demo"},
    "aiohttp": {"export", "stream", "demo", "paging", "wall"},
    "jinja2": {"report"},
    "markupsafe": {"report"},
    "holidays": {"calendar_tables", "config"},
}

# The core is pure: of the standard library it gets what computes, not what looks around.
NOT_IN_CORE = {"asyncio", "datetime", "logging", "os", "pathlib", "random", "socket", "subprocess", "threading", "time"}

COMPILED = {"core", "codec"}  # by mypyc, where that is asked for

BANNED_CALLS = {
    "time.time": "processor.wall_clock",
    "time.time_ns": "processor.wall_clock",
    "datetime.now": "processor.wall_clock",
    "datetime.utcnow": "processor.wall_clock",
    "datetime.today": "processor.wall_clock",
    "date.today": "processor.wall_clock",
    "datetime.datetime.now": "processor.wall_clock",
    "print": "a return value, or click.echo in processor.cli",
    "time.sleep": "a condition to wait for",
}
ALLOWED_CALLS = {
    ("wall_clock.py", "time.time"), ("wall_clock.py", "time.time_ns"),  # here the wall clock is read, and nowhere else
    ("stream/connection.py", "time.sleep"), ("stream/topics.py", "time.sleep"),  # between attempts at a broker
}  # fmt: skip

FUNCTION_LINES_MAX = 50
MODULE_LINES_MAX = 300
# What is longer, with the length that it may not exceed. Only shrinks; an entry that is no longer needed must go.
LONGER_MODULES = {"core/engine.py": 450, "core/ticket.py": 500, "stream/partition.py": 430}
LONGER_FUNCTIONS: dict[tuple[str, str], int] = {}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def functions_of(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def calls_of(tree: ast.AST) -> Iterator[str]:
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    return (ast.unparse(called) for called in calls if isinstance(called, ast.Name | ast.Attribute))


@pytest.mark.parametrize("path", [path for path in MODULES if path.parent != PACKAGE or path.stem != "__init__"], ids=name_of)
def test_imports_run_one_way(path: Path) -> None:
    part = part_of(path)
    assert part in RANKS, f"{part} is new: say in RANKS who may import it"
    for imported in imports_of(tree_of(path)):
        top, _, rest = imported.partition(".")
        if top == "processor" and rest and not rest.startswith("__"):
            other = rest.partition(".")[0]
            assert other == part or RANKS[other] < RANKS[part], f"{part} may not import {other}"
        else:
            assert part in OWNERS.get(top, {part}), f"{top} belongs to {sorted(OWNERS[top])}"


@pytest.mark.parametrize("path", sorted((PACKAGE / "core").rglob("*.py")), ids=name_of)
def test_the_core_computes_and_looks_at_nothing_outside(path: Path) -> None:
    tops = {imported.partition(".")[0] for imported in imports_of(tree_of(path))} - {"processor"}
    assert tops <= sys.stdlib_module_names
    assert not tops & NOT_IN_CORE


@pytest.mark.parametrize("path", [path for path in MODULES if part_of(path) not in COMPILED], ids=name_of)
def test_nobody_extends_a_class_that_may_be_compiled(path: Path) -> None:
    """Such a class could not be instantiated."""
    tree = tree_of(path)
    sources = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    theirs = {
        name.asname or name.name
        for node in sources if node.module and node.module.split(".")[:2] in [["processor", part] for part in COMPILED]
        for name in node.names
    }  # fmt: skip
    bases = {ast.unparse(base) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases}
    assert not bases & theirs, "compiled classes are extended in processor.core, see told.py"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_the_clock_is_read_and_the_terminal_is_written_at_one_place(path: Path) -> None:
    found = {call for call in calls_of(tree_of(path)) if call in BANNED_CALLS and (name_of(path), call) not in ALLOWED_CALLS}
    assert not found, f"use instead: {({call: BANNED_CALLS[call] for call in found})}"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_modules_stay_small(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    allowed = LONGER_MODULES.get(name_of(path), MODULE_LINES_MAX)
    assert lines <= allowed, f"{lines} lines; split it by what changes for different reasons"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_functions_fit_on_a_screen(path: Path) -> None:
    for function in functions_of(tree_of(path)):
        lines = (function.end_lineno or 0) - function.lineno + 1
        allowed = LONGER_FUNCTIONS.get((name_of(path), function.name), FUNCTION_LINES_MAX)
        assert lines <= allowed, f"{function.name} has {lines} lines"


def test_exceptions_that_are_no_longer_needed_are_gone() -> None:
    for name in LONGER_MODULES:
        assert len((PACKAGE / name).read_text(encoding="utf-8").splitlines()) > MODULE_LINES_MAX, f"{name} is short now"
    for name, function_name in LONGER_FUNCTIONS:
        lengths = [(node.end_lineno or 0) - node.lineno + 1 for node in functions_of(tree_of(PACKAGE / name)) if node.name == function_name]
        assert max(lengths, default=0) > FUNCTION_LINES_MAX, f"{name}: {function_name} is short now"


@pytest.mark.parametrize("path", [path for path in MODULES if path.stat().st_size], ids=name_of)
def test_every_module_opens_with_what_it_is_for(path: Path) -> None:
    assert len(ast.get_docstring(tree_of(path)) or "") > 20
