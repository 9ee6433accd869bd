"""What the tests of deploy/ share: the tools of operations, and the files as data."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
UNPACKED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticket-kpis" / "tools" / "usr" / "bin"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def path_of(tool: str) -> str:
    """Where a tool is; skips, with the way out, where it is missing."""
    path = shutil.which(tool) or shutil.which(tool, path=str(UNPACKED))
    if path is None:
        pytest.skip(f"{tool} is missing; `bash tests/run` brings it along")
    return path


@pytest.fixture
def run() -> Run:
    """Run a tool in the project's root; its output is in the failure."""

    def call(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [path_of(tool), *map(str, arguments)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return call


def load_yaml(path: str) -> Any:
    """A file of the repository."""
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def rules(kind: str) -> list[dict[str, Any]]:
    """All recording rules (`record`) or alerts (`alert`)."""
    return [rule for rule in _all_rules() if kind in rule]


@cache
def _all_rules() -> list[dict[str, Any]]:
    files = sorted((ROOT / "deploy/prometheus/rules").glob("*.yml"))
    groups = [group for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder: `-m 'not deploy'` leaves it out."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.deploy)
