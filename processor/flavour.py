"""In which form the engine runs: as it is written (pure Python), or compiled. Numbers, state and records are the same."""

from __future__ import annotations

from importlib.machinery import EXTENSION_SUFFIXES, PathFinder
from pathlib import Path

PURE = "pure Python"
COMPILED = "compiled"


def flavour() -> str:
    """Which of the two. Asks where the engine would be imported from, and imports nothing."""
    found = PathFinder.find_spec("engine", [str(Path(__file__).parent / "core")])
    origin = "" if found is None else str(found.origin)
    return COMPILED if origin.endswith(tuple(EXTENSION_SUFFIXES)) else PURE
