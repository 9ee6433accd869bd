"""History that comes to a quiet desk: the clocks of all partitions are at the present, and one reads days of it before another any.

Whichever reads faster, and where one dies meanwhile: what they hand to each other finds its place, as if no clock had ever moved.
"""

from __future__ import annotations

import pytest

from processor.codec.state import decode_marker, decode_record, encode_marker
from processor.core.events import Event
from processor.core.facts import LEDGER_MODULUS
from processor.core.settings import DAY_MS, HOUR_MS
from processor.state_tools.moving import engine_of
from tests.laws.worlds import SETTINGS, START
from tests.state_tools.joined import CREATED, Partitions


class Desk(Partitions):
    """Two partitions with a live clock, at the present before anything has come or not."""

    def __init__(self, present: int) -> None:
        super().__init__(SETTINGS, 2)
        for engine in self.engines.values():
            engine.patient = True
        if present:
            self.finish(present)

    def take(self, event: Event) -> None:
        """A step of one event; then everybody reads what is handed over."""
        number = self.place(event.key)
        self.apply(event)
        self.engines[number].advance_by_log()
        self.engines[number].sweep()
        self.step(number)
        for each in self.engines:
            self.read(each, len(self.unread(each)))

    def restart(self, number: int) -> None:
        """Its worker dies and another one takes over."""
        marker = decode_marker(encode_marker(self.engines[number].marker()))
        records = dict(decode_record(key, value) for key, value in self.stores[number].items())
        self.engines[number] = engine_of(SETTINGS, number, 2, marker, records)
        self.engines[number].patient = True


def history(desk: Desk) -> list[Event]:
    """A ticket on one partition is merged into one on the other, which has gone on for three days before the merge is read."""
    ids = [f"T-{number}" for number in range(400)]
    (source, *_), (target, *others) = ([key for key in ids if desk.place(key) == number] for number in range(2))
    created = [(target, 2000), *((key, hour * HOUR_MS) for hour, key in enumerate(others[:80], 1)), (source, 0)]
    events = [Event(START + at, 0, "", "a", f"created-{key}", "ticket.created", key, CREATED) for key, at in created]
    events.insert(2, Event(START + HOUR_MS, 2, "", "a", "note", "message.added", target, ("M", "agent", "internal", False, None)))
    return [*events, Event(START + 3000, 3, "", "a", "merged", "ticket.merged", source, (target,))]


@pytest.mark.parametrize("dies_after", [None, 0, 1, 40, 81])
def test_what_partitions_hand_to_each_other_is_not_late_because_a_clock_was_at_the_present(dies_after: int | None) -> None:
    digests = []
    for present in (0, START + 30 * DAY_MS):
        desk = Desk(present)
        for number, event in enumerate(history(desk)):
            desk.take(event)
            if number == dies_after:
                desk.restart(desk.place(event.key))
        desk.finish(START + 31 * DAY_MS)
        assert [engine.counts["rekeyed_late"] for engine in desk.engines.values()] == [0, 0]
        digests.append(sum(engine.digest for engine in desk.engines.values()) % LEDGER_MODULUS)
    assert digests[0] == digests[1]
