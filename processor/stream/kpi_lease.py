"""Until when this worker may say that it owns what the group has given to it.

    asked ──────── answered                                      asked + session
      │   the broker knows us as a member at some instant in here      │
      └── the session begins not before `asked`, so nobody else gets our partitions before ──┘

A worker that was stopped and goes on believes that it still owns what has been somebody else's for long. So gauges are served on proof
only: a commit of offsets that the group's coordinator accepted for our generation begins the session anew, at some instant after it was
asked. The instant before the question counts, never the one after the answer. While a rebalance is under way nothing is a proof: the
coordinator still takes commits then, although the partitions may be dealt out to others next.

The consumer lives in a thread of its own and ends the lease there, before anybody else hears of a rebalance; the event loop reads it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

from processor.stream.membership import Membership, steady_seconds


class Lease:
    """Membership in the consumer group as far as it is proven. `seconds` is the session timeout."""

    def __init__(self, seconds: float, clock: Callable[[], float] = steady_seconds) -> None:
        self._member = Membership(seconds, clock)
        self._clock = clock
        self._lock = Lock()
        self._deal = 0  # odd while partitions are ours, even between revoke and assignment

    def begin(self) -> None:
        """Partitions were assigned. Nothing is proven yet."""
        with self._lock:
            self._deal += 1 + self._deal % 2
            self._member.forget()

    def end(self) -> None:
        """Partitions are revoked, or the consumer is gone."""
        with self._lock:
            self._deal += self._deal % 2
            self._member.forget()

    def ask(self) -> tuple[int, float]:
        """To be called before the broker is asked; what it returns goes to `prove`."""
        with self._lock:
            return self._deal, self._clock()

    def prove(self, question: tuple[int, float]) -> bool:
        """The broker has answered yes to that question. False, and no proof, where partitions were dealt anew since, or are just being."""
        deal, asked_at = question
        with self._lock:
            if deal != self._deal or deal % 2 == 0:
                return False
            self._member.proven(asked_at)
            return True

    def valid(self) -> bool:
        """Whether what is assigned is ours at this instant, for sure."""
        with self._lock:
            return self._member.valid()
