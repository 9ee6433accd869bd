"""From one number of partitions to another: pure, no broker.

An entity goes where its events will go, to murmur2 of its id. What has happened is additive: rows, cells, ledger and counts may lie
anywhere, since every reader adds them up over all partitions; those of an old partition go to its number modulo the new count. A ticket of
the backlog takes one entry along, since each partition checks itself: what entered less what left is what it has.

Only the clocks cannot be dealt out, because an entity may come to lie beside others whose partition was further on. So before anything
moves, all partitions are brought to one instant: what was handed over and not read is delivered, timers run up to the greatest timer time,
stream time becomes the greatest, and rows age to the same floors. Deadlines that pass thereby state their facts now: part of the move.

It changes no net number and no digest, and what comes later counts as if nothing had moved, as long as no event is too late under either
number of partitions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from processor.codec.murmur2 import partition_of
from processor.codec.rekeyed import decode_rekeyed
from processor.codec.state import ENTITY_FORMS, decode_marker, decode_record, encode_record
from processor.codec.upgrade import UPGRADED_FROM
from processor.core.engine import Engine
from processor.core.events import TICKET
from processor.core.exchange import Exchange
from processor.core.facts import LEDGER_MODULUS
from processor.core.kpi_counts import ENTERED_REASONS
from processor.core.outputs import RecordKey, Rekeyed, Stated, View
from processor.core.rows import CellKey, Row
from processor.core.settings import MINUTE_MS, Settings
from processor.core.sleep import look_at
from processor.core.ticket import Ticket
from processor.core.upgrading import catch_up
from processor.core.upstream import Heartbeat, all_at
from processor.export.snapshot import Difference, compare, snapshot
from processor.state_tools.file import StoredPartition
from processor.versions import objections

Store = dict[RecordKey, Any]
Where = Callable[[str, int], int]  # the new partition of an entity, from its id and its old partition


class MoveError(Exception):
    """The state cannot be moved as things are. The message says what to do about it."""


@dataclass(slots=True)
class MovedPartition:
    """One of the new partitions: its part of the marker, all its records, the facts that the move stated, and what it shows."""

    number: int
    marker: dict[str, Any]
    records: Store
    facts: list[Stated]
    view: View

    def encoded(self) -> Iterator[tuple[bytes, bytes | None]]:
        """The records as they go into the state topic."""
        return (encode_record(key, value) for key, value in self.records.items())


@dataclass(slots=True)
class Moved:
    """The new partitions, in order, and what the move itself did."""

    partitions: list[MovedPartition]
    timer_time: int
    stream_time: int
    delivered: int  # re-keyed records that the old partitions had not read
    group_bys: Sequence[tuple[str, ...]]
    taken: dict[str, Any]  # the snapshot of the old partitions, once they stood at one instant

    @property
    def facts(self) -> int:
        """How many facts and retractions the move stated."""
        return sum(len(each.facts) for each in self.partitions)

    def differences(self) -> list[Difference]:
        """In which numbers the new partitions, restored from their records, differ from the old ones. There must be none."""
        taken = snapshot([each.view for each in self.partitions], None, self.group_bys)
        return compare(self.taken, taken, partitions=False)


def move(
    settings: Settings,
    old: Sequence[StoredPartition],
    partitions: int,
    *,
    stay: bool = False,
    progress: Callable[[int], None] = lambda _records: None,
) -> Moved:
    """Deal the old partitions out to so many new ones; with `stay`, each entity stays where it is, whatever its id says.

    `progress` hears of records taken. Raises MoveError.
    """
    where = _stays if stay else _by_key(partitions)
    before = _Joined(settings, old, progress)
    delivered = before.deliver_pending()
    before.level()
    taken = shown(list(before.engines.values()))
    stores, markers = _dealt(before, partitions, where)
    before.engines.clear()  # one partition after the other is restored: a big state must not be in memory twice
    moved = []
    for number in range(partitions):
        facts = [stated for old_number, stated in before.facts if where(stated.key, old_number) == number]
        view = engine_of(settings, number, partitions, markers[number], stores[number]).view()
        moved.append(MovedPartition(number, markers[number], stores[number], facts, view))
        progress(len(stores[number]))
    return Moved(moved, before.timer_time, before.stream_time, delivered, settings.group_bys, taken)


def engine_of(settings: Settings, number: int, partitions: int, marker: dict[str, Any], records: Store) -> Engine:
    """The engine of a partition, from its part of the marker and its records."""
    engine = Engine(settings, number, partitions)
    for _ in engine.restore(marker, records.items()):
        pass
    return engine


def _stays(_key: str, number: int) -> int:
    return number


def _by_key(partitions: int) -> Where:
    return lambda key, _number: partition_of(key.encode(), partitions)


def shown(engines: Sequence[Engine]) -> dict[str, Any]:
    """Their numbers, as a worker's /snapshot."""
    return snapshot([engine.view() for engine in engines], None, engines[0].settings.group_bys)


class _Joined:
    """The old partitions as engines that hand over to each other, and what they would have left in their topics."""

    def __init__(self, settings: Settings, old: Sequence[StoredPartition], progress: Callable[[int], None]) -> None:
        self.facts: list[tuple[int, Stated]] = []
        self.engines: dict[int, Engine] = {}
        self.stores: dict[int, Store] = {}
        self._pending = {each.number: each.pending for each in old}
        self._exchange = Exchange(self.engines, lambda key: partition_of(key.encode(), len(old)))
        markers = {each.number: decode_marker(orjson.dumps(each.marker)) for each in old}
        self.stream_time = max(marker["stream_time"] for marker in markers.values())
        self.timer_time = max(marker["timer_time"] for marker in markers.values())
        self.history = any(marker["history"] for marker in markers.values())
        for each in old:
            marker = markers[each.number]
            problems = objections(marker["settings"], settings, max(self.stream_time, self.timer_time))
            if problems:
                raise MoveError(f"the configuration does not fit the state: {'; '.join(problems)}. Mend that, and import again")
            store = self.stores[each.number] = dict(decode_record(key, value) for key, value in each.records.items())
            engine = self.engines[each.number] = Engine(settings, each.number, len(old))
            try:
                for _ in engine.restore(marker, store.items()):
                    pass
                if UPGRADED_FROM in marker:  # as a worker that takes it over
                    for _ in catch_up(engine, marker[UPGRADED_FROM]):
                        pass
            except LookupError as error:
                raise MoveError(f"partition {each.number}: {error.args[0]}. Put that version back into the configuration") from error
            progress(len(store))

    @property
    def heartbeat(self) -> Heartbeat:
        """What each of them says once all stand at one instant."""
        return all_at(self.timer_time, self.stream_time if self.history else max(self.stream_time, self.timer_time))

    def deliver_pending(self) -> int:
        """What was handed over and not read yet; returns how much that was."""
        count = 0
        for number, pending in self._pending.items():
            for key, value in pending:
                source, said = decode_rekeyed(value, key)
                if isinstance(said, Rekeyed):
                    self.engines[number].apply_rekeyed(said)
                    count += 1
                else:
                    self.engines[number].hear(source, said)
        return count

    def level(self) -> None:
        """Bring all partitions to the greatest clocks. What they hand over meanwhile is delivered before anything ages."""
        for engine in self.engines.values():
            engine.advance(self.timer_time)
        while self._drain():
            pass
        for engine in self.engines.values():
            engine.stream_time = self.stream_time
            for number in self.engines:
                engine.hear(number, self.heartbeat)
            engine.sweep()
        self._drain()
        floors = {(engine.rows.minute_floor, engine.rows.quarter_floor) for engine in self.engines.values()}
        assert len(floors) == 1, "rows of different age cannot be added up"

    def _drain(self) -> bool:
        """Keep what the engines leave; whether something was handed over."""
        handed = False
        for number, engine in self.engines.items():
            step = engine.drain()
            self.facts += ((number, stated) for stated in step.facts)
            store = self.stores[number]
            for key, value in step.records.items():
                if value is None:
                    store.pop(key, None)
                else:
                    store[key] = value
            handed = handed or bool(step.rekeyed)
            self._exchange.deliver(number, step)
        return handed


def _dealt(before: _Joined, partitions: int, where: Where) -> tuple[list[Store], list[dict[str, Any]]]:
    """Records and markers of the new partitions."""
    stores: list[Store] = [{} for _ in range(partitions)]
    for number, store in before.stores.items():
        for key, value in store.items():
            if key[0] in ENTITY_FORMS:
                into = stores[where(key[-1], number)]
                if key in into:
                    raise MoveError(
                        f"{key[1]} {key[-1]} lies on two partitions: its events were not keyed by its id, so it cannot be dealt out. "
                        "Import to as many partitions as there were"
                    )
                into[key] = value
            else:
                _add(stores[number % partitions].setdefault(key, {}), value, 1)
    _take_entries_along(before, stores, where)
    return stores, [_marker(before, partitions, number) for number in range(partitions)]


def _take_entries_along(before: _Joined, stores: list[Store], where: Where) -> None:
    """One entry into the backlog for each ticket of it that comes to lie elsewhere than the sums of its partition."""
    moves: Counter[tuple[CellKey, int, int]] = Counter()
    for number, engine in before.engines.items():
        for key, entity in engine.entities[TICKET].items():
            ticket = look_at(engine, entity)
            home, new = number % len(stores), where(key, number)
            if isinstance(ticket, Ticket) and ticket.in_backlog and new != home:
                moves[engine.rows.cell_key(TICKET, ticket.dims), home, new] += 1
    for (cell_key, source, target), count in moves.items():
        left = count
        taken, given = stores[source].get(("c", cell_key), {}), stores[target].setdefault(("c", cell_key), {})
        for name in [f"backlog_entered:{reason}" for reason in ENTERED_REASONS]:
            amount = min(left, taken.get(name, 0) - taken.get(f"{name}-", 0))
            if amount > 0:
                _add(taken, {name: amount}, -1)
                _add(given, {name: amount}, 1)
                left -= amount


def _add(into: Row, row: Row, sign: int) -> None:
    """Add amounts; one that is zero stays, since a duration of nothing has been measured all the same."""
    for name, amount in row.items():
        into[name] = into.get(name, 0) + sign * amount


def _marker(before: _Joined, partitions: int, number: int) -> dict[str, Any]:
    """What the engine of a new partition begins with."""
    mine = [engine for old, engine in before.engines.items() if old % partitions == number]
    counts: Counter[str] = Counter()
    for engine in mine:
        counts.update(engine.counts)
    any_marker = next(iter(before.engines.values())).marker()
    since, sent_until, taken_until = zip(*(engine.marker()["reported"] for engine in before.engines.values()), strict=True)
    return {
        **any_marker,
        "digest": f"{sum(engine.digest for engine in mine) % LEDGER_MODULUS:032x}",
        "ledger_count": sum(engine.ledger_count for engine in mine),
        "counts": dict(counts),
        "upstream": {str(other): before.heartbeat for other in range(partitions)},
        "history": before.history,
        # Nobody has seen a report of the new partitions: the first is that of the last minute which all old ones had reported.
        "reported": [
            min((instant for instant in since if instant), default=0),
            min(sent_until) or before.timer_time // MINUTE_MS * MINUTE_MS,
            max(taken_until),
        ],
    }
