"""A worker's process ends in bounded time, also where something in it never does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import asyncio, faust, os, signal
from faust.app.base import BootStrategy
from processor.stream import host

host.STOP_SECONDS = 0.5
class Boot(BootStrategy):
    enable_kafka = False

class App(faust.App):
    BootStrategy = Boot

app = App("ends", broker="kafka://127.0.0.1:1", store="memory://", web_enabled=False, topic_allow_declare=False)
app.producer_only = True

@app.service
class Work(faust.Service):
    async def on_start(self):
        if HOW == "fails":
            raise RuntimeError("it cannot begin")
        if HOW != "crashes":
            os.kill(os.getpid(), signal.SIGTERM)

    @faust.Service.task
    async def work(self):
        if HOW == "crashes":
            raise RuntimeError("it cannot go on")

    async def on_stop(self):
        print("stopping", flush=True)
        if HOW == "hangs":
            await asyncio.Event().wait()

worker = host.Host(app, quiet=True, loglevel="warning", redirect_stdouts=False)
worker.spinner = None
worker.execute_from_commandline()
"""


ENDS = [("ends", 0, ""), ("hangs", 0, "not everything has ended"), ("fails", 1, "it cannot begin"), ("crashes", 1, "it cannot go on")]


@pytest.mark.parametrize(("how", "code", "words"), ENDS)
def test_a_worker_ends_whatever_its_services_do(how: str, code: int, words: str, tmp_path: Path) -> None:
    call = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r}); HOW = {how!r}\n{PROGRAM}"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code
    assert words in done.stderr
    assert "stopping" in done.stdout or how == "fails"  # else everything had its chance to end in order
