"""Where the schemas and topic specifications are: beside the package in a checkout, inside it once installed from a wheel."""

from __future__ import annotations

from pathlib import Path


def schemas_path() -> Path:
    """The folder that holds `*.schema.json`, `examples/`, `invalid/` and `topics/`.

    The checkout wins, so that an edited schema takes effect without a reinstallation. Raises `FileNotFoundError` when a broken
    installation has neither.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package.parent / "schemas", package / "_schemas"):
        if (candidate / "topics").is_dir():
            return candidate
    raise FileNotFoundError(f"no schemas beside or inside {package}; reinstall ticket-kpis")
