"""Runs the usual Faust way, see `usual_faust`, over the first events of tickets: all of them would take it many minutes."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from tests.bench import usual_faust
from tests.bench.loaded import PARTITIONS, PATIENCE_SECONDS, Loaded, Speed
from tests.bench.options import ROOT


def measure(loaded: Loaded) -> Speed:
    """By its own watch, from its first event to its last: what it commits it commits every few seconds."""
    name = f"usual-faust-{time.monotonic_ns()}"
    environment = {
        usual_faust.ADDRESS: loaded.bootstrap,
        usual_faust.TOPIC: loaded.few.name,
        usual_faust.PARTITIONS: str(PARTITIONS),
        usual_faust.EVENTS: str(loaded.few.events),
        usual_faust.NAME: name,
        usual_faust.FOLDER: str(loaded.folder / name),
    }
    call = [sys.executable, "-m", "tests.bench.usual_faust", "worker", "-l", "error", "--without-web"]
    cpu_before = sum(os.times()[2:4])
    done = subprocess.run(
        call, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS
    )  # fmt: skip
    cpu = sum(os.times()[2:4]) - cpu_before
    seconds = float(done.stdout.splitlines()[-1])
    loaded.delete(name)
    return Speed(loaded.few.events / seconds, cpu / loaded.few.events * 1e6)
