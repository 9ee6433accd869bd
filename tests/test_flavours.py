"""Compiled or not, the engine says and stores the same, byte by byte.

`tests/run` makes a compiled copy of the checkout and runs this there; `deploy/compiled.py` leaves a note of where the copy is from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any

import orjson
import pytest

from processor.codec.decode import decode
from processor.codec.facts import fact_record
from processor.codec.kpis import kpis_document
from processor.codec.partials import Sender, encode_levels, encode_report
from processor.codec.rekeyed import encode_rekeyed
from processor.codec.state import decode_marker, decode_record, encode_marker, encode_record
from processor.core.engine import Engine
from processor.core.events import Event, Rejected
from processor.core.kpis import observed
from processor.core.outputs import Conflict, Report
from processor.core.settings import HOUR_MS
from processor.flavour import COMPILED, flavour
from tests.bench.log import log_of, settings

ROOT = Path(__file__).resolve().parents[1]
NOTE = ROOT / ".compiled-copy"
EVENTS = 10_000
STEP_EVENTS = 700
DAY_MS = 86_400_000
DAYS = 20  # that clocks run on after the last event


class Worker:
    """One partition that owns everything and keeps all that it would send, restarted from its own records now and then."""

    def __init__(self) -> None:
        self.engine = self._engine()
        self.state: dict[bytes, bytes] = {}
        self.told: defaultdict[str, list[bytes]] = defaultdict(list)
        self._sender = Sender(0, 1, 1, 4, settings().group_bys, "tests")
        self._sent = 0

    def _engine(self) -> Engine:
        engine = Engine(settings())
        engine.report_every(1, hold=False)
        return engine

    def take(self, line: bytes) -> None:
        """One record of the log."""
        decoded = decode(line)
        self.told["decoded"].append(repr(decoded).encode("utf-8", "backslashreplace"))
        if isinstance(decoded, Event):
            verdict = self.engine.apply(decoded)
            if isinstance(verdict, Rejected | Conflict):
                self.told["refused"].append(repr(verdict).encode("utf-8", "backslashreplace"))

    def commit(self) -> None:
        """Everything since the last call, as bytes."""
        self.engine.sweep()
        step = self.engine.drain()
        while True:
            self.told["facts"] += [key + b" " + value for key, value in (fact_record(stated, agents=True) for stated in step.facts)]
            for key, value in (encode_record(key, value) for key, value in step.records.items()):
                if value is None:
                    self.state.pop(key, None)
                else:
                    self.state[key] = value
                    self.told["records"].append(key + b" " + value)
            for report in step.reports:
                self._send(encode_report(report, self._sender, self._sent))
                self._read(report)
            if not step.rekeyed:
                break
            for handed in step.rekeyed:
                self.told["rekeyed"].append(encode_rekeyed(handed, 0, "tests")[1])
                self.engine.apply_rekeyed(handed)
            step = self.engine.drain()
        self._send(encode_levels(self.engine.level_sums(), self.engine.timer_time, self._sender, self._sent))

    def _send(self, partials: Any) -> None:
        self._sent += 1
        self.told["partials"] += [repr(partial).encode() for partial in partials]

    def _read(self, report: Report) -> None:
        """The KPIs of every full hour, as they would stand in their topic were this the only partition."""
        for segment, windows in report.windows.items() if report.end % HOUR_MS == 0 else ():
            for row in windows.values():
                found = observed(settings().group_bys[segment[0]], row, report.backlog.get(segment, 0), 3600)
                self.told["kpis"].append(orjson.dumps(kpis_document(found, 30)))

    def restart(self) -> None:
        """Go on from the records alone."""
        marker = encode_marker(self.engine.marker())
        self.told["markers"].append(marker)
        self.engine = self._engine()
        for _ in self.engine.restore(decode_marker(marker), [decode_record(*record) for record in self.state.items()]):
            pass


def told() -> dict[str, str]:
    """Digests of everything that a worker of this form says of the log: what, how often, and in which words."""
    random = Random(7)
    worker = Worker()
    for number, line in enumerate(log_of(EVENTS).lines(), 1):
        worker.take(line)
        if number % 5 == 0:
            worker.take(damaged(line, random))
        if number % STEP_EVENTS == 0:
            worker.engine.advance_by_log()
            worker.commit()
        if number % (6 * STEP_EVENTS) == 0:
            worker.restart()
    worker.engine.advance(worker.engine.stream_time + DAYS * DAY_MS)
    worker.commit()
    worker.restart()
    digests = {name: f"{len(lines)} {blake2b(b'|'.join(sorted(lines)), digest_size=8).hexdigest()}" for name, lines in worker.told.items()}
    return {**digests, "digest": f"{worker.engine.digest:x}", "flavour": flavour()}


def damaged(line: bytes, random: Random) -> bytes:
    """A record with one value too many, too few or of another kind: its refusal is told in the same words, too."""
    document = json.loads(line)
    part = random.choice((document, document["data"]))
    name = random.choice([*part])
    part[name] = random.choice((None, "", "x", "x" * 300, 0, 7, 7.0, -1.5, True, [], ["x"], {}, {"type": "agent"}, "2026-02-30T00:00:00Z"))
    if random.random() < 0.1:
        del part[name]
    document["id"] = f"{document.get('id')}-damaged"
    return json.dumps(document).encode()


@pytest.mark.skipif(not NOTE.exists() or flavour() != COMPILED, reason="compares a compiled copy with its checkout: tests/run makes one")
def test_compiled_and_pure_say_and_store_the_same() -> None:
    here, there = (_told_in(checkout) for checkout in (ROOT, Path(NOTE.read_text(encoding="utf-8").strip())))
    assert (here.pop("flavour"), there.pop("flavour")) == ("compiled", "pure Python")
    assert here == there


def _told_in(checkout: Path) -> dict[str, str]:
    call = [sys.executable, "-c", "import json; from tests.test_flavours import told; print(json.dumps(told()))"]
    environment = {**os.environ, "PYTHONPATH": str(checkout), "PYTHONHASHSEED": "0"}
    done = subprocess.run(call, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, str] = json.loads(done.stdout)
    return answer
