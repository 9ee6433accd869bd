"""The way of events into the log: in the order in which they arrive, with delays, repetitions and what has no business there."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random
from typing import Any

from processor.codec.envelope import cloud_event, encode
from processor.core.settings import HOUR_MS, MINUTE_MS, MS

DELAYED = 0.03  # share of events that arrive minutes late, after younger ones, unless told otherwise
DELAY_MAX_MS = 10 * MINUTE_MS
REPEATED = 0.005  # share of events that arrive twice
REPEAT_MAX_MS = 20 * MINUTE_MS
TRANSIT_MS = 400  # everybody else's way, at most
ONE_LATE_IN = 2_000
ONE_FAULTY_IN = 1_000
LATE_BY_MS = (2 * HOUR_MS, 12 * HOUR_MS)  # beyond what is allowed
ANCHOR = "ticket.assignee_changed"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """How long events take into the log.

    `delayed` is the share that comes after younger ones. `long_delayed` of it, a share of all, takes more than `timer_delay` milliseconds
    and up to ten minutes; the others of it take less. Everything else takes up to `transit_ms`.
    """

    delayed: float = DELAYED
    long_delayed: float = DELAYED
    timer_delay: int = -1
    transit_ms: int = TRANSIT_MS

    def delay_ms(self, draw: float) -> int:
        """The delay that belongs to a number from [0, 1)."""
        if draw < self.long_delayed:  # favours short delays: the square of a uniform number
            return self.timer_delay + 1 + int((draw / self.long_delayed) ** 2 * (DELAY_MAX_MS - self.timer_delay - 1))
        if draw < self.delayed:
            return 1 + int((draw - self.long_delayed) / (self.delayed - self.long_delayed) * self.timer_delay)
        return int((draw - self.delayed) * self.transit_ms)


USUAL = Arrivals()


class Feed:
    """Collects encoded events. `lines` hold (arrival, number, bytes); sorting them gives the log."""

    def __init__(self, random: Random, arrivals: Arrivals = USUAL) -> None:
        self.random = random
        self._arrivals = arrivals
        self.lines: list[tuple[int, int, bytes]] = []
        self.kinds: Counter[str] = Counter()
        self.hours: Counter[int] = Counter()
        self.duplicates = 0
        self._anchors: list[tuple[int, int, str]] = []
        self.last_event_at = 0

    def emit(
        self,
        *,
        source: str,
        id: str,  # noqa: A002 (CloudEvents' name)
        kind: str,
        at: int,
        sequence: str,
        data: dict[str, Any],
        key: str | None = None,
    ) -> None:
        """One event that happened at `at`. `key` is that of the record where `data` does not say it."""
        event = cloud_event(kind=kind, id=id, source=source, occurred_at_ms=at, data=data, sequence=sequence)
        if key is not None and "partitionkey" not in event:
            event["subject"] = event["partitionkey"] = key
            event["data"] = event.pop("data")  # stays the last field
        line = encode(event)
        draw = self.random.random()
        arrival = at + self._arrivals.delay_ms(draw)
        self.put(arrival, line)
        if kind == ANCHOR:
            self._anchors.append((arrival, at, data["ticket_id"]))
        if draw > 1 - REPEATED:
            self.duplicates += 1
            self.put(arrival + MS + int(self.random.random() * REPEAT_MAX_MS), line)
        self.kinds[kind] += 1
        self.hours[at // HOUR_MS] += 1
        self.last_event_at = max(self.last_event_at, at)

    def put(self, arrival: int, line: bytes) -> None:
        """A record as it is."""
        # A copy, since what the encoder returns occupies kilobytes however short it is.
        self.lines.append((arrival, len(self.lines), bytes(memoryview(line))))

    def add_late(self, allowed_lateness: int) -> int:
        """Events that nobody may count any more. Returns how many.

        Each follows another event of its ticket and is older by more than is allowed. So it is late whatever the number of partitions: the
        partition that gets it has just seen the other one.
        """
        count = min(max(2, len(self.lines) // ONE_LATE_IN), len(self._anchors))
        for number, (arrival, at, ticket) in enumerate(self.random.sample(self._anchors, count)):
            kind, data = ("ticket.status_changed", {"status": "solved"}) if number % 2 else ("ticket.created", {"channel": "email"})
            long_ago = at - allowed_lateness - self.random.randrange(*LATE_BY_MS)
            event = cloud_event(
                kind=kind, id=f"late-{number:05d}", source="/helpdesk/mail", occurred_at_ms=long_ago, data={"ticket_id": ticket, **data}
            )
            self.put(arrival + 1, encode(event))
        return count

    def add_faults(self, start: int, end: int) -> Counter[str]:
        """Records that no decoder accepts. Returns how many for which reason."""
        reasons: Counter[str] = Counter()
        for number in range(max(len(FAULTS), len(self.lines) // ONE_FAULTY_IN)):
            reason, change = FAULTS[number % len(FAULTS)]
            arrival = start + int(self.random.random() * (end - start))
            data = {"ticket_id": f"T-FAULT-{number:05d}", "channel": "email"}
            event = cloud_event(kind="ticket.created", id=f"fault-{number:05d}", source="/helpdesk/mail", occurred_at_ms=arrival, data=data)
            self.put(arrival, change if isinstance(change, bytes) else encode({**event, **change}))
            reasons[reason] += 1
        return reasons


# Reason, and the whole record or what it changes in a good one.
FAULTS: tuple[tuple[str, bytes | dict[str, Any]], ...] = (
    ("malformed_json", b'{"specversion": "1.0", "id": "fault", "source":'),
    ("not_an_object", b'["support.ticket.created"]'),
    ("wrong_type", {"id": 17}),
    ("invalid_value", {"specversion": "0.3"}),
    ("invalid_time", {"time": "yesterday"}),
    ("time_out_of_range", {"time": "1970-01-01T00:00:00Z"}),
    ("unknown_type", {"type": "support.ticket.teleported"}),
    ("missing_field", {"data": {"channel": "email"}}),
)
