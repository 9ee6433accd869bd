"""The lease ends before the group can give away what it stands for, whatever the clock and the order of messages do."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from processor.stream.kpi_lease import Lease
from processor.stream.membership import SHARE, steady_seconds

SESSION = 10.0


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_it_counts_from_before_the_question_not_from_the_answer() -> None:
    clock = Clock()
    lease = Lease(SESSION, clock)
    lease.begin()
    question = lease.ask()
    clock.seconds += SESSION * SHARE - 1  # the answer took its time, or the process was stopped
    assert not lease.valid()
    assert lease.prove(question)
    assert lease.valid()
    clock.seconds += 1
    assert not lease.valid()


def test_what_was_stopped_beyond_its_session_has_no_lease_when_it_goes_on() -> None:
    clock = Clock()
    lease = Lease(SESSION, clock)
    lease.begin()
    question = lease.ask()
    clock.seconds += 2 * SESSION
    lease.prove(question)
    assert not lease.valid()


def test_nothing_is_proven_while_partitions_are_dealt_out() -> None:
    lease = Lease(SESSION, Clock())
    lease.begin()
    asked_before = lease.ask()
    lease.end()
    assert not lease.prove(asked_before)
    asked_between = lease.ask()
    assert not lease.prove(asked_between)  # the coordinator takes commits until everybody has joined again
    lease.begin()
    assert not lease.prove(asked_before)
    assert not lease.prove(asked_between)
    assert not lease.valid()
    assert lease.prove(lease.ask())
    assert lease.valid()


def test_assigned_anew_without_being_revoked_is_a_new_deal() -> None:
    lease = Lease(SESSION, Clock())
    lease.begin()
    question = lease.ask()
    assert lease.prove(question)
    lease.begin()
    assert not lease.valid()
    assert not lease.prove(question)


@given(st.lists(st.tuples(st.sampled_from(["begin", "end", "ask", "prove"]), st.floats(0, 4))))
def test_valid_only_within_a_session_after_a_question_of_the_same_deal_that_was_answered(steps: list[tuple[str, float]]) -> None:
    clock = Clock()
    lease = Lease(SESSION, clock)
    ours, asked, proven = False, lease.ask(), None
    asked_at: float | None = None
    for step, seconds in steps:
        clock.seconds += seconds
        if step in ("begin", "end"):
            getattr(lease, step)()
            ours, asked_at, proven = step == "begin", None, None
        elif step == "ask":
            asked = lease.ask()
            asked_at = clock.seconds if ours else None
        elif lease.prove(asked):
            assert asked_at is not None
            proven = max(proven or 0, asked_at)
        assert lease.valid() == (proven is not None and clock.seconds < proven + SESSION * SHARE)


def test_the_clock_goes_on() -> None:
    before = steady_seconds()
    assert steady_seconds() >= before
