"""A real Kafka broker for the tests, in a process of its own: the same script that the demonstration uses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

LOCAL = Path(__file__).resolve().parents[2] / "deploy" / "kafka" / "local"


class Broker:
    """One KRaft node on a free port of this machine, its files in `directory`. A context manager; `bootstrap` is HOST:PORT while it runs.

    `kill` and `stop` may be followed by `start`: the broker comes back on the same port with the same data.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.bootstrap = ""

    def start(self) -> None:
        """Return once the broker answers; raises with the script's own message when it cannot run."""
        port = self.bootstrap.rpartition(":")[2] or "0"
        self.bootstrap = self._local("start", "--port", port)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._local("stop")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._local("stop", "--kill")

    def tell(self, number: signal.Signals) -> None:
        """As kill(1)."""
        os.kill(int((self.directory / "kafka.pid").read_text(encoding="ascii")), number)

    def _local(self, command: str, *options: str) -> str:
        call = [sys.executable, str(LOCAL), command, "--dir", str(self.directory), *options]
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"no Kafka for the tests; `bash tests/run` installs what it needs.\n{done.stderr}")
        return done.stdout.strip()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
