"""A wheel whose engine is compiled, where TICKET_KPIS_COMPILE=1 asks for it: `TICKET_KPIS_COMPILE=1 pip install .`

Without it the wheel is pure Python and needs neither mypy nor a C compiler. An editable install stays pure, too: it runs the sources
themselves; `deploy/compiled.py` makes a compiled copy of a checkout.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASKED = "TICKET_KPIS_COMPILE"
LEVEL = "TICKET_KPIS_COMPILE_LEVEL"  # of the C compiler's optimisation, 0 to 3


class CompiledEngine(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the extension modules, and the tag of the platform that they are for."""

    def dependencies(self) -> list[str]:
        """What the build needs beyond hatchling: the extra `compile`."""
        return list(self.metadata.core.optional_dependencies["compile"]) if asked() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is packed."""
        if not asked() or version == "editable":
            return
        self._work = tempfile.TemporaryDirectory()
        folder = Path(self._work.name)
        compiler = Path(self.root) / "deploy" / "compiled.py"
        subprocess.run([sys.executable, str(compiler), "--modules", "--level", os.environ.get(LEVEL, "3"), str(folder)], check=True)
        for path in folder.rglob("*"):
            if path.is_file():
                build_data["force_include"][str(path)] = path.relative_to(folder).as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatch's interface
        """The modules are in the wheel."""
        if asked() and version != "editable":
            self._work.cleanup()


def asked() -> bool:
    """Whether the engine is to be compiled."""
    return os.environ.get(ASKED, "0") not in ("", "0")
