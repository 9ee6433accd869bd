"""A real Prometheus over recorded samples: promtool makes blocks of an OpenMetrics text, a server on a free port answers queries.

Nothing is asked of the network but of this machine's own address, and nothing of it is kept: its files lie in a folder that is given.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

UNPACKED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ticket-kpis" / "tools" / "usr" / "bin"
PATIENCE_SECONDS = 60.0
QUERY_SECONDS = 600.0
BLOCK = "1000h"  # promtool reads the text once for each block; so there are few
POINTS_MAX = 10_000  # of a series in one answer; Prometheus refuses more than 11,000
NOTHING_SCRAPED = "scrape_configs: []\n"
SAMPLES_MAX = 2_000_000_000  # that a query may look at


class PrometheusError(Exception):
    """Prometheus is missing or did not do what it was asked; the message says what to do."""


def tool(name: str, folder: Path | None = None) -> str:
    """Where promtool or prometheus is: in that folder, on the PATH, or where deploy/setup.sh unpacks it."""
    places = [str(folder)] if folder else [None, str(UNPACKED)]
    found = next((path for place in places if (path := shutil.which(name, path=place))), None)
    if found is None:
        where = f"in {folder}" if folder else f"on the PATH, nor in {UNPACKED}"
        raise PrometheusError(
            f"{name} is not {where}. It comes with Prometheus (Debian and Ubuntu: apt-get install prometheus; or "
            "bash -c 'source deploy/setup.sh; setup tools', which installs nothing); say where it is with --prometheus FOLDER"
        )
    return found


class Prometheus:
    """A server over the samples that were loaded, its files in `directory`. A context manager; load before."""

    def __init__(self, directory: Path, folder: Path | None = None, configuration: str = NOTHING_SCRAPED) -> None:
        self._directory = directory
        self._configuration = configuration
        self._promtool, self._server = tool("promtool", folder), tool("prometheus", folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ""

    def load(self, text: Path) -> None:
        """Add the samples of an OpenMetrics text."""
        create = ("tsdb", "create-blocks-from", "--quiet", f"--max-block-duration={BLOCK}", "openmetrics", text, self._directory / "data")
        done = subprocess.run((self._promtool, *create), capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        if done.returncode:
            raise PrometheusError(f"promtool could not load the samples: {(done.stderr or done.stdout).strip()}")

    def __enter__(self) -> Self:
        (self._directory / "prometheus.yml").write_text(self._configuration, encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        call = (
            self._server, f"--config.file={self._directory / 'prometheus.yml'}", f"--storage.tsdb.path={self._directory / 'data'}",
            "--storage.tsdb.retention.time=100y", f"--web.listen-address={self._address}", "--log.level=warn",
            f"--query.max-samples={SAMPLES_MAX}", f"--query.timeout={QUERY_SECONDS:.0f}s",
        )  # fmt: skip
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(call, stdout=log, stderr=log)  # noqa: S603 - our own command
        try:
            self._await_ready(self._process)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    @property
    def _log(self) -> Path:
        return self._directory / "log"

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise PrometheusError(f"Prometheus does not start: {self._log.read_text(errors='replace').strip()[-2000:]}")
            threading.Event().wait(0.05)

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self._address}/-/ready", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_SECONDS)

    def series(self, query: str, first: int, last: int, step: int = 60) -> Iterator[tuple[Mapping[str, str], list[tuple[int, str]]]]:
        """The series of a query with their samples from `first` to `last` (seconds since 1970), as Prometheus writes the values.

        A long range is asked for in pieces; then a series comes once for each piece.
        """
        for begin in range(first, last + 1, POINTS_MAX * step):
            end = min(begin + (POINTS_MAX - 1) * step, last)
            for each in self._ask("query_range", query, {"start": begin, "end": end, "step": step}):
                yield each["metric"], [(int(at), value) for at, value in each["values"]]

    def _ask(self, path: str, query: str, parameters: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        body = urllib.parse.urlencode({"query": query, **parameters}).encode()
        try:
            with urllib.request.urlopen(f"http://{self._address}/api/v1/{path}", body, timeout=QUERY_SECONDS) as answer:
                found: list[dict[str, Any]] = orjson.loads(answer.read())["data"]["result"]
                return found
        except urllib.error.HTTPError as error:
            raise PrometheusError(f"Prometheus refuses {query}: {error.read().decode(errors='replace')[:2000]}") from None
        except (OSError, ValueError) as error:
            raise PrometheusError(f"Prometheus gives no answer to {query}: {error}") from None
