"""The wheel: pure Python, or with the engine compiled where that is asked for; both know which of the two they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from processor import __version__
from processor.flavour import COMPILED, PURE, flavour

ROOT = Path(__file__).resolve().parents[1]


def hatch(call: str, asked: str) -> str:
    """The answer of the build backend, called as pip does."""
    environment = {**os.environ, "TICKET_KPIS_COMPILE": asked, "TICKET_KPIS_COMPILE_LEVEL": "1"}
    done = subprocess.run(
        [sys.executable, "-c", f"import json; from hatchling import build; print('\\n' + json.dumps(build.{call}))"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("asked", ["", "0", "1"])
def test_only_who_compiles_needs_mypy(asked: str) -> None:
    needed = hatch("get_requires_for_build_wheel()", asked)
    assert ("mypy" in needed) == (asked == "1")
    assert ("setuptools" in needed) == (asked == "1")


@pytest.mark.skipif(flavour() == COMPILED, reason="wheels are made of a checkout, not of its compiled copy")
@pytest.mark.parametrize(("asked", "form"), [("0", PURE), ("1", COMPILED)])
def test_an_installed_wheel_says_what_it_is(tmp_path: Path, asked: str, form: str) -> None:
    name = hatch(f"build_wheel({str(tmp_path)!r})", asked)
    assert name.endswith("-py3-none-any.whl") == (form == PURE)
    installed = tmp_path / "installed"
    with zipfile.ZipFile(tmp_path / name) as wheel:
        wheel.extractall(installed)
    modules = len(list((ROOT / "processor/core").glob("[!_]*.py")))
    assert len(list(installed.glob("processor/core/*.so"))) == (modules if form == COMPILED else 0)
    assert (installed / "processor/core/engine.py").exists()  # for tracebacks
    assert (installed / "processor/report/page/templates/report.html").exists()
    pages = sorted(path.name for path in (ROOT / "processor/wall/static").iterdir())
    assert sorted(path.name for path in installed.glob("processor/wall/static/*")) == pages == ["wall.css", "wall.html", "wall.js"]
    script = "from processor.cli.main import main; from processor.codec import decode; print(decode.__file__); main(['--version'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    loaded, said = done.stdout.splitlines()
    assert loaded.startswith(str(installed))
    assert said == f"ticket-kpis, version {__version__}, {form}"
    assert loaded.endswith(".py") == (form == PURE)
