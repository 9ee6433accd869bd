"""Each rule of measuring names the stories and tests that show it, and all of them exist."""

from __future__ import annotations

import ast
from functools import cache

from tests.scenarios.running import FOLDER, SCENARIOS

ROOT = FOLDER.parents[1]


def rules() -> dict[str, list[str]]:
    """Rule, with its section -> what shows it."""
    found: dict[str, list[str]] = {}
    section = rule = ""
    for line in (FOLDER / "rules.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("- "):
            rule = f"{section}: {line[2:]}"
            assert rule not in found, f"{rule} stands there twice"
            found[rule] = []
        elif line.startswith("  - "):
            found[rule].append(line[4:])
    return found


@cache
def names_in(path: str) -> frozenset[str]:
    """Names of the tests of a file."""
    file = ROOT / path
    if not path.startswith("tests/") or not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"))


def test_every_rule_is_shown_by_what_exists() -> None:
    stories = set(map(str, SCENARIOS))
    missing = [
        (rule, shown)
        for rule, all_of_it in rules().items()
        for shown in all_of_it
        if shown not in stories and shown.rpartition("::")[2] not in names_in(shown.rpartition("::")[0])
    ]
    assert missing == []


def test_every_rule_is_shown_by_something() -> None:
    assert [rule for rule, shown in rules().items() if not shown] == []
    assert len(rules()) > 100


def test_every_file_of_stories_shows_some_rule() -> None:
    named = {shown.partition(":")[0] for all_of_it in rules().values() for shown in all_of_it}
    assert {path.stem for path in FOLDER.glob("*.txt")} <= named
