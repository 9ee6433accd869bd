"""A worker's place in a deployment: who sits there may die and be replaced; its failpoint and its clock are set from here."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

from processor.stream.failpoints import FILE_VARIABLE, HIT_SUFFIX, VARIABLE
from processor.wall_clock import OFFSET_VARIABLE
from tests.chaos.nursery import Forked
from tests.kafka.deployment import Deployment, Worker

POLL_SECONDS = 0.02


class ChaosWorker(Worker):
    """A worker out of the nursery."""

    environment: dict[str, str]

    def begin(self, config: Path) -> Any:
        """See Worker."""
        return Forked(config, self.log_path, {VARIABLE: "", **self.environment}, list(self._options))

    def __init__(self, deployment: Deployment, name: str, port: int, environment: dict[str, str], options: list[str]) -> None:
        self.environment = environment
        super().__init__(deployment, name, port, options, "")


class Seat:
    """One of the workers of a round."""

    def __init__(self, deployment: Deployment, number: int, *, named: bool) -> None:
        self.name = f"worker-{number}"
        self.named = named
        self._deployment = deployment
        self._armed = deployment.directory / f"{self.name}.failpoint"
        self._hit = Path(f"{self._armed}{HIT_SUFFIX}")
        self._clock = deployment.directory / f"{self.name}.clock"
        self._timer: Timer | None = None
        self.worker: ChaosWorker | None = None

    # -- who sits there -----------------------------------------------------------------------------------------------------------

    def start(self) -> ChaosWorker:
        """Somebody new, unless somebody is there."""
        if self.worker is None or self.worker.process.poll() is not None:
            self._leave()
            environment = {FILE_VARIABLE: str(self._armed), OFFSET_VARIABLE: str(self._clock)}
            options = ["--instance", self.name] if self.named else []
            self.worker = ChaosWorker(self._deployment, self.name, self._deployment.configure(self.name), environment, options)
        return self.worker

    def end(self, number: signal.Signals) -> int:
        """End whoever sits there, and wait."""
        self.wake()
        assert self.worker is not None
        return self.worker.end(number) if self.worker.process.poll() is None else self.worker.process.wait(0)

    def alive(self) -> bool:
        """Whether somebody is there."""
        return self.worker is not None and self.worker.process.poll() is None

    def shows(self) -> set[int]:
        """The partitions that whoever sits there shows; none where nobody does."""
        return set(self.worker.applied()) if self.worker is not None and self.alive() else set()

    def _leave(self) -> None:
        if self.worker is not None:
            self.worker.__exit__(None, None, None)

    def close(self) -> None:
        """Nobody any more, at once."""
        self.wake()
        self.disarm()
        self._leave()
        self.worker = None

    # -- what is done to it -------------------------------------------------------------------------------------------------------

    def arm(self, point: str, count: int, action: str) -> None:
        """Something happens at a place in the code of whoever sits there."""
        self._hit.unlink(missing_ok=True)
        written = self._armed.with_suffix(".new")
        written.write_text(f"{point}:{count}:{action}", encoding="ascii")
        written.rename(self._armed)

    def disarm(self) -> None:
        """Nothing happens any more."""
        self._armed.unlink(missing_ok=True)

    def struck(self, seconds: float) -> bool:
        """Whether it happens, within so many seconds."""
        return wait_for(self._hit.exists, seconds)

    def go_on_after(self, seconds: float) -> None:
        """SIGCONT, in the background."""
        self.wake()
        assert self.worker is not None
        self._timer = Timer(seconds, self.worker.process.send_signal, (signal.SIGCONT,))
        self._timer.start()

    def wake(self) -> None:
        """Wait until it has gone on."""
        if self._timer is not None:
            self._timer.join()
            self._timer = None

    def set_clock(self, milliseconds: int) -> None:
        """By so much the system's clock is wrong from now on."""
        written = self._clock.with_suffix(".new")
        written.write_text(str(milliseconds), encoding="ascii")
        written.rename(self._clock)


def wait_for(ask: Callable[[], bool], seconds: float) -> bool:
    """Whether it comes true in time."""
    give_up = time.monotonic() + seconds
    while not ask():
        if time.monotonic() > give_up:
            return False
        time.sleep(POLL_SECONDS)
    return True
