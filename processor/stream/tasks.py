"""Ending what runs in the background, also where a cancellation gets lost.

On Python 3.11 `asyncio.wait_for` swallows a cancellation that comes in the same moment as the result it waits for, and libraries have other
ways to lose one. Who waits for the end of a task then waits for ever. So nobody cancels only once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

AGAIN_SECONDS = 1.0  # a task that cleans up may take so long before it is cancelled once more


async def end(task: asyncio.Task[Any] | None) -> None:
    """Cancel a task until it has ended; how it ended is not asked.

    One that was cancelled keeps where it stood, with all that was in use there, until somebody takes it: a takeover a whole state.
    """
    if task is None:
        return
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=AGAIN_SECONDS)
    if task.cancelled():
        with suppress(asyncio.CancelledError):
            task.result()


async def within(seconds: float, work: Coroutine[Any, Any, Any]) -> None:
    """Do it in at most so many seconds; raises TimeoutError, without waiting for its end.

    Libraries cancel tasks of their own at times; for the caller that is a failure, and not its own end.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        ended = task.done()
        task.cancel()
    if not ended:
        raise TimeoutError(f"not done in {seconds:.0f} s")
    if task.cancelled():
        raise RuntimeError("cancelled from within")
    task.result()
