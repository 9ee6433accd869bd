"""A worker that is cut off from its group knows for how long it may be believed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from processor.stream.membership import SHARE, Membership

SESSION = 30.0


class Coordinator(SimpleNamespace):
    """As aiokafka's, whose answer takes two seconds."""

    now = 1000.0
    answer = True

    async def _do_heartbeat(self) -> bool:
        Coordinator.now += 2
        return self.answer


@pytest.fixture
def coordinator() -> Coordinator:
    Coordinator.now = 1000.0
    return Coordinator()


async def test_a_heartbeat_proves_it_from_the_instant_when_it_was_sent(coordinator: Coordinator) -> None:
    membership = Membership(SESSION, lambda: Coordinator.now)
    membership.listen(coordinator)
    assert not membership.valid()
    assert await coordinator._do_heartbeat()
    assert membership.valid()
    assert membership.silent_seconds() == 2
    Coordinator.now = 1000.0 + SESSION * SHARE - 0.1
    assert membership.valid()
    Coordinator.now = 1000.0 + SESSION * SHARE
    assert not membership.valid()


async def test_a_heartbeat_that_failed_proves_nothing(coordinator: Coordinator) -> None:
    membership = Membership(SESSION, lambda: Coordinator.now)
    membership.listen(coordinator)
    coordinator.answer = False
    assert not await coordinator._do_heartbeat()
    assert not membership.valid()


def test_an_older_proof_takes_nothing_from_a_newer_one() -> None:
    membership = Membership(SESSION, lambda: 1010.0)
    membership.proven(1009.0)
    membership.proven(900.0)
    assert membership.silent_seconds() == 1
