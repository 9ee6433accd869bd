"""A real Prometheus with recorded samples in it: promtool makes blocks of an OpenMetrics file, a server on a free port answers queries."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.deploy.conftest import path_of

PATIENCE_SECONDS = 60.0
BLOCK = "48h"  # longer blocks make loading quicker; anything that covers the log will do

Labels = tuple[str, ...]


class Prometheus:
    """A server over the samples of `text`, its files in `directory`. A context manager."""

    def __init__(self, text: Path, directory: Path) -> None:
        self._directory = directory
        create = ("tsdb", "create-blocks-from", f"--max-block-duration={BLOCK}", "openmetrics", text, directory / "data")
        done = subprocess.run((path_of("promtool"), *create), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        (directory / "prometheus.yml").write_text("scrape_configs: []\n", encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"

    def __enter__(self) -> Self:
        call = (
            path_of("prometheus"), f"--config.file={self._directory / 'prometheus.yml'}", f"--storage.tsdb.path={self._directory / 'data'}",
            "--storage.tsdb.retention.time=100y", f"--web.listen-address={self._address}",
        )  # fmt: skip
        self._log = (self._directory / "log").open("wb")
        self._process = subprocess.Popen(call, stdout=self._log, stderr=self._log)
        try:
            self._await_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _await_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._ready():
            assert self._process.poll() is None, (self._directory / "log").read_text()
            assert time.monotonic() < deadline, (self._directory / "log").read_text()
            threading.Event().wait(0.1)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE_SECONDS)
        self._log.close()

    def range(self, query: str, names: Labels, first: int, last: int, step: int = 60) -> dict[Labels, dict[int, float]]:
        """The values of a query by those labels and by time, from `first` to `last` (seconds since 1970)."""
        parameters = urllib.parse.urlencode({"query": query, "start": first, "end": last, "step": step}).encode()
        with urllib.request.urlopen(f"http://{self._address}/api/v1/query_range", parameters, timeout=PATIENCE_SECONDS) as answer:
            found = json.load(answer)["data"]["result"]
        by_labels = {tuple(each["metric"].get(name, "") for name in names): each["values"] for each in found}
        assert len(by_labels) == len(found), f"{names} do not tell the series of {query} apart"
        return {labels: {int(at): float(value) for at, value in values} for labels, values in by_labels.items()}
