"""The demonstration behind `deploy/demo`.

With --check it proves the numbers and leaves: a generated day, whose totals the generator knows by its own bookkeeping, goes through
Kafka and a worker; then the generator's truth, the worker's /snapshot and an offline replay of the captured topic must agree. Without
--check it keeps running and feeds the worker a live stream. --embedded does the same without Kafka: the same engine on a log inside this
process.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from processor.config import load
from processor.demo.embedded import serve_embedded
from processor.demo.live import Live, feed
from processor.export.snapshot import compare, compare_truth, unread

CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "config.demo.yaml"
CHECK_EVENTS = 120_000
SEED = 2026
PATIENCE_SECONDS = 300
QUIET_SECONDS = 1.0  # the worker asks ten times a second for what is handed over

console = Console(stderr=True, highlight=False)


def main() -> int:
    """Parse the arguments of deploy/demo and run. Exit code 0: the numbers agree."""
    parser = argparse.ArgumentParser(allow_abbrev=False, prog="deploy/demo", description=__doc__)
    parser.add_argument("--check", action="store_true", help="prove the numbers and leave")
    parser.add_argument("--embedded", action="store_true", help="without Kafka: the same engine on a log inside the process")
    parser.add_argument("--events", type=int, default=CHECK_EVENTS, help=f"events of --check (default {CHECK_EVENTS:,})")
    parser.add_argument("--port", type=int, default=9108, help="where /metrics is served without --check (default 9108)")
    parser.add_argument("--bootstrap", help="broker to use; deploy/demo starts one")
    parser.add_argument("--arguments-only", action="store_true", help=argparse.SUPPRESS)  # before deploy/demo starts a broker for them
    options = parser.parse_args()
    if options.arguments_only:
        return 0
    # Leave by way of the `finally`s, which stop the worker.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_interrupted(options, signal.SIGTERM)))
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-demo-") as folder:
        demo = Demo(Path(folder), options)
        try:
            return demo.check() if options.check else demo.stay()
        except KeyboardInterrupt:
            return _interrupted(options, signal.SIGINT)
        except DemoError as error:
            console.print(f"[red]{error}[/]")
            return 1


def _interrupted(options: argparse.Namespace, number: signal.Signals) -> int:
    """The exit code after a signal: it is how the live demonstration ends, but a proof that was interrupted has proven nothing."""
    console.print("stopped")
    return 128 + number if options.check else 0


class DemoError(Exception):
    """Something that the demonstration needs did not work; the message says what."""


class Demo:
    """One run, in a folder of its own."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self.folder = folder
        self.options = options
        self.events = folder / "events.jsonl"
        self.truth = folder / "truth.json"
        self.config = folder / "config.yaml"

    # -- the two ways -------------------------------------------------------------------------------------------------------------

    def check(self) -> int:
        """Generate, process, compare."""
        self._write_config(clock="log", port=_free_port())
        self._step(f"generating a day of {self.options.events:,} events and the truth about it")
        self._command("generate", "--events", str(self.options.events), "--seed", str(SEED), "--faults",
                      "--output", str(self.events), "--truth", str(self.truth))
        truth = json.loads(self.truth.read_text())
        compared = self._check_embedded(truth) if self.options.embedded else self._check_kafka(truth)
        return self._verdict(compared)

    def _check_kafka(self, truth: dict[str, Any]) -> list[tuple[str, str, int, list[Any]]]:
        capture, live = self.folder / "capture.jsonl", self.folder / "snapshot.json"
        self._command("topics", "create", quiet=True)
        self._step("starting a worker, sending the events through Kafka")
        with self._worker() as worker:
            self._command("send", str(self.events), "--advance-clock", truth["clock_advanced_at"])
            self._command("capture", "--output", str(capture))
            ends = _ends_of(capture)
            snapshot = self._wait_for_snapshot(worker, ends)
            live.write_text(json.dumps(snapshot))
        self._step("replaying the captured topic offline, up to the worker's offsets")
        offline = self.folder / "replayed.json"
        self._command("replay", str(capture), "--snapshot", str(live), "--write-snapshot", str(offline), quiet=True, accept=(0, 1))
        replayed = json.loads(offline.read_text())
        return [
            ("truth of the generator", "worker's /snapshot", _families(truth), compare_truth(truth, snapshot)),
            ("truth of the generator", "replay of the topic", _families(truth), compare_truth(truth, replayed)),
            ("worker's /snapshot", "replay of the topic, with digest", _numbers(snapshot), compare(snapshot, replayed)),
        ]

    def _check_embedded(self, truth: dict[str, Any]) -> list[tuple[str, str, int, list[Any]]]:
        self._step("replaying on one partition and on four")
        snapshots = []
        for partitions in (1, 4):
            path = self.folder / f"snapshot-{partitions}.json"
            self._command("replay", str(self.events), "--partitions", str(partitions), "--at", truth["clock_advanced_at"],
                          "--write-snapshot", str(path), quiet=True, accept=(0, 1))
            snapshots.append(json.loads(path.read_text()))
        return [
            ("truth of the generator", "one partition", _families(truth), compare_truth(truth, snapshots[0])),
            ("truth of the generator", "four partitions", _families(truth), compare_truth(truth, snapshots[1])),
            ("one partition", "four partitions, with digest", _numbers(snapshots[0]), compare(*snapshots, partitions=False)),
        ]

    def stay(self) -> int:
        """Serve and feed until somebody stops it."""
        self._write_config(clock="live", port=self.options.port)
        config = load(self.config)
        live = Live(config)
        url = f"http://localhost:{self.options.port}"
        where = f"\n  [bold]{url}/wall[/]  the boards, live: 1 to 6, ? for help\n  {url}/metrics\n  {url}/snapshot\n  {url}/readyz\n"
        if self.options.embedded:
            tell = f"events of history; live now:{where}  Ctrl-C ends it"
            asyncio.run(serve_embedded(config, live, lambda sent: self._step(f"{sent:,} {tell}")))
            return 0
        self._command("topics", "create", quiet=True)
        with self._worker() as worker:
            self._step("sending the last six hours, then each event at its time")

            def caught_up(sent: int) -> None:
                at = self.options.bootstrap
                kpis = f"  .venv/bin/python deploy/examples/latest_kpis.py {at}\n"
                self._step(f"{sent:,} events of history; live now:{where}{kpis}  Kafka is at {at}; Ctrl-C ends it")

            asyncio.run(feed(config, live, ended=lambda: worker.poll() is not None, caught_up=caught_up))
        raise DemoError("the worker ended; its log is above")

    # -- parts --------------------------------------------------------------------------------------------------------------------

    def _write_config(self, *, clock: str, port: int) -> None:
        document = yaml.safe_load(CONFIG.read_text())
        document["worker"]["clock"] = clock
        document["http"] = {"host": "127.0.0.1", "port": port}
        if self.options.bootstrap:
            document["kafka"] = {"bootstrap_servers": [self.options.bootstrap]}
        self.config.write_text(yaml.safe_dump(document))

    def _step(self, text: str) -> None:
        console.print(f"[bold]▸[/] {text}")

    def _command(self, *arguments: str, quiet: bool = False, accept: tuple[int, ...] = (0,)) -> None:
        command = [sys.executable, "-m", "processor.cli.main", *arguments, "--config", str(self.config)]
        done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL if quiet else None)  # noqa: S603 - our own command
        if done.returncode not in accept:
            raise DemoError(f"`ticket-kpis {' '.join(arguments)}` failed with exit code {done.returncode}")

    @contextmanager
    def _worker(self) -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-m", "processor.cli.main", "worker", "--log-level", "warning", "--config", str(self.config)]
        # A session of its own: Ctrl-C is for the demonstration, which ends the worker.
        worker = subprocess.Popen(command, start_new_session=True)  # noqa: S603 - our own command
        try:
            yield worker
        finally:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(timeout=30)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()

    def _wait_for_snapshot(self, worker: subprocess.Popen[bytes], ends: dict[str, int]) -> dict[str, Any]:
        """The worker's numbers once it has applied everything up to `ends`, and nothing goes from one partition to another any more."""
        port = load(self.config).http.port
        give_up = time.monotonic() + PATIENCE_SECONDS
        quiet_since, last = time.monotonic(), None
        with console.status("waiting for the worker") as status:
            while time.monotonic() < give_up:
                snapshot = _get(f"http://127.0.0.1:{port}/snapshot")
                applied = {number: part["applied"] for number, part in snapshot.get("partitions", {}).items()}
                read = {number: part["rekeyed_applied"] for number, part in snapshot.get("partitions", {}).items()}
                if applied != ends or read != last or unread(snapshot):
                    quiet_since, last = time.monotonic(), read
                elif time.monotonic() - quiet_since > QUIET_SECONDS:
                    return snapshot
                status.update(f"the worker has applied {_records(applied):,} of {_records(ends):,} records")
                with suppress(subprocess.TimeoutExpired):
                    worker.wait(timeout=0.2)
                    raise DemoError("the worker ended; its log is above")
        raise DemoError(f"the worker did not reach the end of the topic in {PATIENCE_SECONDS} s; its log is above")

    def _verdict(self, compared: list[tuple[str, str, int, list[Any]]]) -> int:
        table = Table("compared", "with", "numbers", "differences", box=None, pad_edge=False)
        for first, second, numbers, differences in compared:
            table.add_row(first, second, f"{numbers:,}", "[green]none[/]" if not differences else f"[red]{len(differences)}[/]")
        console.print(table)
        wrong = [difference for *_, differences in compared for difference in differences]
        for difference in wrong[:20]:
            console.print(f"  [red]{difference}[/]")
        console.print("[bold green]The numbers agree.[/]" if not wrong else "[bold red]The numbers do not agree.[/]")
        return 1 if wrong else 0


def _ends_of(capture: Path) -> dict[str, int]:
    """The last offset of each partition in a capture."""
    ends: dict[str, int] = {}
    with capture.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            ends[str(record["partition"])] = record["offset"]
    return ends


def _records(last: dict[str, int]) -> int:
    """How many records there are up to these last offsets."""
    return sum(last.values()) + len(last)


def _families(truth: dict[str, Any]) -> int:
    return len(truth["families"])


def _numbers(snapshot: dict[str, Any]) -> int:
    return sum(len(values) for values in snapshot["metrics"].values())


def _get(url: str) -> dict[str, Any]:
    """The JSON at a URL; empty while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=10) as response:  # noqa: S310 - our own worker on this machine
            found: dict[str, Any] = json.load(response)
            return found
    except (urllib.error.URLError, OSError):
        return {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
