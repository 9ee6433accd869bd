"""Alertmanager with our configuration, and a Prometheus that scrapes and tells it: real ones, whose intervals are made shorter."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import yaml

from processor.alerting.durations import scaled
from tests.deploy.conftest import ROOT, UNPACKED, path_of
from tests.deploy.receivers import Receivers

PATIENCE_SECONDS = 90.0
INTERVALS = ("group_wait", "group_interval", "repeat_interval", "resolve_timeout")
ALERTMANAGER = "deploy/alertmanager/alertmanager.yml"

Found = TypeVar("Found")


def until(what: str, ask: Callable[[], Found | None], seconds: float = PATIENCE_SECONDS, every: float = 0.05) -> Found:
    """The first answer that is not falsy. `every` so many seconds it is asked for."""
    give_up = time.monotonic() + seconds
    while not (answer := ask()):
        assert time.monotonic() < give_up, f"after {seconds:.0f} s still waiting until {what}"
        threading.Event().wait(every)
    return answer


class Server:
    """A program that answers at `address`, its files in `directory`. A context manager; `stop` and `start` keep address and files."""

    ready_path = "/-/ready"

    def __init__(self, directory: Path, port: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.address = directory, f"127.0.0.1:{port}"
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What is run."""
        raise NotImplementedError

    def start(self) -> None:
        """Return when it is ready."""
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(self.command(), cwd=self.folder(), stdout=log, stderr=log)
        until(f"{self.command()[0]} is ready", self._ready)

    def folder(self) -> Path:
        """Where it runs."""
        return self.directory

    def stop(self) -> None:
        """End it, and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_SECONDS)
            self._process = None

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log()
        try:
            with urllib.request.urlopen(f"http://{self.address}{self.ready_path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def get(self, path: str) -> Any:
        """The JSON of a path."""
        with urllib.request.urlopen(f"http://{self.address}{path}", timeout=PATIENCE_SECONDS) as answer:
            return json.load(answer)

    def log(self) -> str:
        """What it said."""
        return (self.directory / "log").read_text(errors="replace")[-6000:]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
        if error is not None:
            error.add_note(f"--- log of {self.command()[0]} ---\n{self.log()}")


class Alertmanager(Server):
    """Ours, with the addresses of `receivers` in place of the placeholders; `topic` is where support.alerts.v1 is written."""

    def __init__(self, directory: Path, port: int, receivers: Receivers, *, time_scale: float, topic: str = "") -> None:
        super().__init__(directory, port)
        self._text = configuration(directory, receivers, time_scale, topic or f"{receivers.url}/topic")
        (directory / "alertmanager.yml").write_text(self._text, encoding="utf-8")

    def command(self) -> list[str]:
        program = shutil.which("alertmanager") or path_of("prometheus-alertmanager")
        return [
            program, f"--config.file={self.directory / 'alertmanager.yml'}", f"--storage.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}", "--cluster.listen-address=",
        ]  # fmt: skip

    def folder(self) -> Path:
        """Debian's reads its default templates from here where it was unpacked only, see deploy/setup.sh."""
        return UNPACKED.parent if UNPACKED.parent.is_dir() else self.directory

    def post(self, *alerts: Mapping[str, str], notes: Mapping[str, str], over: bool = False) -> None:
        """Tell it of alerts by their labels, as Prometheus would."""
        ends = datetime.now(UTC) + timedelta(minutes=-1 if over else 5)
        body = [{"labels": dict(labels), "annotations": dict(notes)} | ({"endsAt": ends.isoformat()}) for labels in alerts]
        request = urllib.request.Request(
            f"http://{self.address}/api/v2/alerts", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            assert answer.status == 200

    def states(self) -> dict[str, str]:
        """The alerts that it knows: name and segment -> active, suppressed or unprocessed."""
        told = self.get("/api/v2/alerts")
        return {f"{each['labels']['alertname']} {each['labels'].get('group', '')}".strip(): each["status"]["state"] for each in told}


def configuration(directory: Path, receivers: Receivers, time_scale: float, topic: str) -> str:
    """deploy/alertmanager/alertmanager.yml with test addresses, and intervals so many times shorter."""
    document = yaml.safe_load((ROOT / ALERTMANAGER).read_text(encoding="utf-8"))
    for name, text in (("chat_url", f"{receivers.url}/chat"), ("pager_key", "key")):
        (directory / name).write_text(text, encoding="utf-8")
    document["templates"] = [str((ROOT / ALERTMANAGER).parent / pattern) for pattern in document["templates"]]
    document["global"] |= {"smtp_smarthost": receivers.smarthost, "smtp_require_tls": False}
    for receiver in document["receivers"]:
        for pager in receiver.get("pagerduty_configs", ()):
            pager |= {"url": f"{receivers.url}/pager", "routing_key_file": str(directory / "pager_key")}
        for chat in receiver.get("slack_configs", ()):
            chat["api_url_file"] = str(directory / "chat_url")
        for webhook in receiver.get("webhook_configs", ()):
            webhook["url"] = topic if receiver["name"] == "topic" else f"{receivers.url}/{receiver['name']}"
    for section in (document["global"], *_routes(document["route"])):
        section |= {name: scaled(section[name], time_scale) for name in INTERVALS if section.get(name, "0s") != "0s"}
    return yaml.safe_dump(document)


def _routes(route: dict[str, Any]) -> Iterable[dict[str, Any]]:
    yield route
    for inner in route.get("routes", ()):
        yield from _routes(inner)


class LivePrometheus(Server):
    """Scrapes what listens at `targets`, evaluates the rules of a folder, and tells Alertmanager."""

    def __init__(self, directory: Path, port: int, *, targets: Iterable[str], rules: Path, alertmanager: Server) -> None:
        super().__init__(directory, port)
        self._targets = directory / "targets.json"
        self.scrape(targets)
        document = {
            "global": {"scrape_interval": "3s", "scrape_timeout": "3s", "evaluation_interval": "1s"},  # machines that run tests are busy
            "rule_files": [f"{rules}/*.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.address]}]}]},
            "scrape_configs": [{
                "job_name": "ticket-kpis",
                "file_sd_configs": [{"files": [str(self._targets)], "refresh_interval": "1s"}],
            }],
        }  # fmt: skip
        (directory / "prometheus.yml").write_text(yaml.safe_dump(document), encoding="utf-8")

    def scrape(self, targets: Iterable[str]) -> None:
        """From now on these."""
        found = self._targets.with_suffix(".new")
        found.write_text(json.dumps([{"targets": list(targets)}]), encoding="utf-8")
        found.replace(self._targets)

    def command(self) -> list[str]:
        return [
            path_of("prometheus"), f"--config.file={self.directory / 'prometheus.yml'}", f"--storage.tsdb.path={self.directory / 'data'}",
            f"--web.listen-address={self.address}", "--log.level=warn", "--rules.alert.resend-delay=10s",
            "--rules.alert.for-outage-tolerance=1h", "--rules.alert.for-grace-period=1s",
        ]  # fmt: skip

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of this instant."""
        found: list[dict[str, Any]] = self.get(f"/api/v1/query?{urllib.parse.urlencode({'query': expression})}")["data"]["result"]
        return found

    def alerts(self) -> dict[tuple[str, str], str]:
        """(name, severity) -> pending or firing."""
        told = self.get("/api/v1/alerts")["data"]["alerts"]
        return {(each["labels"]["alertname"], each["labels"]["severity"]): each["state"] for each in told}
