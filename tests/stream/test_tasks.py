"""A task ends although it loses a cancellation; what takes too long is not waited for."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from processor.stream import tasks
from processor.stream.tasks import end, within


async def test_a_task_that_loses_a_cancellation_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "AGAIN_SECONDS", 0.01)
    lost: list[int] = []

    async def stubborn() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost.append(1)
                if len(lost) == 3:
                    raise

    task = asyncio.create_task(stubborn())
    await asyncio.sleep(0)
    await end(task)
    assert task.cancelled()
    assert len(lost) == 3


async def test_the_end_of_what_has_ended_or_never_began_is_now() -> None:
    await end(None)
    done = asyncio.create_task(asyncio.sleep(0))
    await done
    await end(done)


async def test_how_a_task_failed_is_not_asked() -> None:
    async def failing() -> None:
        raise ValueError("its own affair")

    await end(asyncio.create_task(failing()))


async def test_what_does_not_end_in_time_is_left_alone() -> None:
    go_on = asyncio.Event()

    async def deaf() -> None:
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue

    with pytest.raises(TimeoutError):
        await within(0.01, deaf())
    go_on.set()


async def test_what_it_raises_is_raised_and_a_cancellation_of_its_own_is_a_failure() -> None:
    async def cancelled() -> None:
        raise asyncio.CancelledError

    async def failing() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await within(1, failing())
    with pytest.raises(RuntimeError, match="cancelled from within"):
        await within(1, cancelled())


async def test_what_a_cancelled_task_had_in_use_is_given_up() -> None:
    """Of itself it would be kept as long as the task: where it stood is kept, for whoever may ask."""

    class State:
        """Of a takeover, say."""

    kept: list[weakref.ref[State]] = []

    async def hold() -> None:
        state = State()
        kept.append(weakref.ref(state))
        await asyncio.Event().wait()

    task = asyncio.create_task(hold())
    await asyncio.sleep(0)
    gc.disable()
    try:
        await end(task)
        assert kept[0]() is None
    finally:
        gc.enable()
