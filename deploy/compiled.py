"""The engine compiled: `processor/core` and `processor/codec` as extension modules, made of the same sources by mypyc.

    .venv/bin/python deploy/compiled.py FOLDER          a copy of this checkout in FOLDER whose engine is compiled
    ... --modules FOLDER                                nothing but the modules, as a wheel has them (hatch_build.py)
    ... --level 1 FOLDER                                optimised less, and compiled in a third of the time: for tests

Needs mypy and setuptools (`pip install .[compile]`), a C compiler and Python's headers. What was compiled once is kept in
~/.cache/ticket-kpis and taken from there as long as the sources, Python and mypy are the same. The sources in the checkout stay as they
are, with no module beside them: whoever changes them sees what he changed.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("core", "codec")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticket-kpis"
KEPT = 4  # so many results stay in the cache: a branch or two, at both levels
ABANDONED_SECONDS = 7200
LIBRARY = "ticket_kpis"  # one library holds the code of all modules, so that they call each other directly
MARK = ".compiled-copy"
LEFT_OUT = {"build", "dist", "__pycache__"}

MYPY_SETTINGS = "[mypy]\nstrict = True\nexplicit_package_bases = True\n"


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(allow_abbrev=False, description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--level", default="3", choices=("0", "1", "2", "3"), help="of the C compiler's optimisation (default 3)")
    parser.add_argument("--modules", action="store_true", help="the modules alone")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    modules = compiled_modules(given.level)
    if not given.modules:
        copy_checkout(given.folder)
    shutil.copytree(modules, given.folder, dirs_exist_ok=True)


def sources() -> list[Path]:
    """The modules to compile, relative to the checkout."""
    found = [path.relative_to(ROOT) for part in PARTS for path in sorted((ROOT / "processor" / part).glob("*.py"))]
    return [path for path in found if path.name != "__init__.py"]


def compiled_modules(level: str) -> Path:
    """The folder of the cache that holds the modules; compiles them if they are not there."""
    digest = hashlib.sha256()
    for said in (level, sys.version, sysconfig.get_platform(), version("mypy"), os.environ.get("CFLAGS", "")):
        digest.update(said.encode() + b"\0")
    for path in (*sources(), Path(__file__).relative_to(ROOT)):
        digest.update(str(path).encode() + b"\0" + (ROOT / path).read_bytes() + b"\0")
    kept = CACHE / f"compiled-{digest.hexdigest()[:24]}"
    if not kept.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE, prefix="compiling-") as work:
            result = compile_in(Path(work), level)
            try:
                result.rename(kept)
            except OSError:  # somebody else was quicker
                assert kept.is_dir()
    kept.touch()
    for left in CACHE.glob("compiling-*"):  # by somebody who was killed
        if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
            shutil.rmtree(left, ignore_errors=True)
    for old in sorted(CACHE.glob("compiled-*"), key=lambda folder: -folder.stat().st_mtime)[KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return kept


def compile_in(work: Path, level: str) -> Path:
    """Compile copies of the sources, so that nothing is left beside them; returns the folder with the modules."""
    for path in (Path("processor/__init__.py"), *(Path("processor", part, "__init__.py") for part in PARTS), *sources()):
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, work / path)
    (work / "mypy.ini").write_text(MYPY_SETTINGS)
    # A process of its own: mypyc writes into the current folder, and gives up by ending the process.
    script = f"import runpy; runpy.run_path({str(Path(__file__))!r})['build'](level={level!r})"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MYPY")}
    done = subprocess.run([sys.executable, "-c", script], cwd=work, env=environment, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{(done.stdout + done.stderr)[-4000:]}\nthe engine could not be compiled; without it everything works as well, slower")
    return work / "result"


def build(level: str) -> None:
    """In the current folder: compile what is there, into `result`."""
    from mypyc.build import mypycify
    from setuptools.dist import Distribution

    files = [str(path) for path in sources()]
    # A C file for each module, so that every core has something to do; in one file for all the code becomes no faster.
    extensions = mypycify(["--config-file=mypy.ini", *files], opt_level=level, debug_level="0", multi_file=True, group_name=LIBRARY)
    # A distribution without a project: what pyproject.toml says is none of its business.
    command = Distribution({"name": LIBRARY, "ext_modules": extensions}).get_command_obj("build_ext")
    command.build_lib, command.build_temp = "result", "objects"
    command.ensure_finalized()
    compile_side_by_side()
    command.run()


def compile_side_by_side() -> None:
    """Let setuptools run as many compilers at once as there are cores; it knows no way to ask for that within one library."""
    from distutils.ccompiler import CCompiler  # setuptools' own

    one_by_one = CCompiler.compile

    def compile_all(compiler: CCompiler, sources: list[str], *arguments: Any, **named: Any) -> list[str]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            objects = pool.map(lambda source: one_by_one(compiler, [source], *arguments, **named), sources)
            return [name for names in objects for name in names]

    CCompiler.compile = compile_all


def entries() -> Iterator[Path]:
    """What a checkout consists of."""
    return (path for path in sorted(ROOT.iterdir()) if not path.name.startswith(".") and path.name not in LEFT_OUT)


def copy_checkout(folder: Path) -> None:
    """Make FOLDER a copy of the checkout, in place of the one that it may be."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        sys.exit(f"{folder} holds something else; name a folder that is empty or not there")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / MARK).write_text(f"{ROOT}\n", encoding="utf-8")  # where it is from, for the tests that compare the two
    for path in entries():
        if path.is_dir():
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, folder / path.name)


if __name__ == "__main__":
    main()
