"""What goes on beside a test."""

from __future__ import annotations

from threading import Event, Thread
from typing import Self


class Background:
    """Work in a thread of its own while the test is inside. `_work` ends when `_end` is set."""

    def __init__(self) -> None:
        self._end = Event()
        self._thread = Thread(target=self._work)

    def _work(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()
