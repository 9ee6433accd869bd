"""Drives engines as the worker does, in any way that it may: any batches, clocks at any pace, killed and restored anywhere."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from zlib import crc32

from processor.codec.rekeyed import decode_rekeyed, encode_heartbeat, encode_rekeyed
from processor.codec.state import decode_marker, decode_record, encode_marker, encode_record
from processor.core.ageing import let_nap, make_heaps_anew
from processor.core.business_hours import NEVER
from processor.core.engine import Engine
from processor.core.events import Event, Rejected
from processor.core.facts import DETAIL_KINDS, LEDGER_MODULUS
from processor.core.levels import Key, keys_of
from processor.core.outputs import Conflict, Rekeyed, Report, Stated, Step, View
from processor.core.postponed import told_until
from processor.core.settings import HOUR_MS, MINUTE_MS, Settings
from processor.core.sleep import Sleeping, tail_of
from processor.core.timeline import fold
from processor.core.upstream import Heartbeat
from tests.laws.meeting import Met

SIGNED = frozenset({"customers_counted"})  # a count of all customers may be lower than the one before

NetFacts = Counter[tuple[str, str, int]]
Taken = tuple[int, Event | Rekeyed | Heartbeat]  # with the partition that it is from


@dataclass
class Manner:
    """How a partition is driven; drawn from a seed. The plain manner is one batch, one advance, no restart."""

    seed: int | None = None
    restarts: bool = True
    ahead: bool = True  # timers may run ahead of the log, as the wall clock lets them
    patient: bool = True  # what is behind them then may wait; not where reports are held: only a clock that follows the log does that

    def random(self, partition: int) -> Random:
        return Random(f"{self.seed}/{partition}")


class Network:
    """What is on its way between partitions: from each to each in order, and otherwise as it comes."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken: list[list[Taken]] = [[] for _ in range(count)]  # what each partition took in, in order
        self.queues: dict[tuple[int, int], deque[Rekeyed | Heartbeat]] = {(a, b): deque() for a in range(count) for b in range(count)}

    def place(self, key: str) -> int:
        return crc32(key.encode()) % self.count

    def send(self, source: int, step: Step) -> None:
        for handed in step.rekeyed:
            self.queues[source, self.place(handed.target)].append(handed)
        if step.heartbeat is not None:
            for target in range(self.count):
                self.queues[source, target].append(step.heartbeat)

    def deliver(self, source: int, target: Partition) -> None:
        """The next that is on its way, as it comes out of the topic."""
        item = self.queues[source, target.number].popleft()
        key, value = encode_rekeyed(item, source, "tests") if isinstance(item, Rekeyed) else encode_heartbeat(source, item, "tests")
        told_by, told = decode_rekeyed(value, key)
        assert told == item
        self.taken[target.number].append((told_by, told))
        target.take(told_by, told)

    def waiting(self) -> list[tuple[int, int]]:
        return [pair for pair, queue in self.queues.items() if queue]


@dataclass
class Partition:
    """One engine with what it would have left in its topics."""

    settings: Settings
    number: int = 0
    store: dict[bytes, bytes] = field(default_factory=dict)
    facts: NetFacts = field(default_factory=Counter)
    stated: dict[tuple[str, str, int], Stated] = field(default_factory=dict)
    outcomes: list[str] = field(default_factory=list)
    report_every_minutes: int = 0
    hold: bool = False
    network: Network | None = None  # None: alone, what it hands over comes back at once
    handed: Counter[tuple[str, int]] = field(default_factory=Counter)
    given: Counter[Rekeyed] = field(default_factory=Counter)  # the same, net
    reports: list[Report] = field(default_factory=list)
    met: Met = field(default_factory=Met)
    restarts: int = 0

    def __post_init__(self) -> None:
        self.engine = self._new_engine()
        self.engine.report_every(self.report_every_minutes, hold=self.hold)

    def _new_engine(self) -> Engine:
        return Engine(self.settings, self.number, self.network.count if self.network else 0)

    def take(self, source: int, told: Event | Rekeyed | Heartbeat) -> None:
        """The next record of one of its topics."""
        if isinstance(told, Event):
            self.apply(told)
        elif isinstance(told, Rekeyed):
            self.engine.apply_rekeyed(told)
        else:
            self.engine.hear(source, told)

    def apply(self, event: Event) -> None:
        outcome = self.engine.apply(event)
        if isinstance(outcome, Rejected):
            self.outcomes.append(outcome.reason)
            self.met[outcome.reason] += 1
        else:
            self.outcomes.append("conflict" if isinstance(outcome, Conflict) else "")
            self.met["conflict"] += isinstance(outcome, Conflict)
        if self.network is None:
            self._take_back()

    def _take_back(self) -> None:
        """Alone, all that is handed over comes back at once, and what that hands on."""
        while handed := self.engine.step.rekeyed:
            self.engine.step.rekeyed = []
            for each in handed:
                self.handed[each.kind, each.sign] += 1
                self.met[each.kind] += each.sign > 0
                self.engine.apply_rekeyed(each)

    def step(self) -> None:
        """What a transaction does: facts out, state records into the store."""
        step = self.engine.drain()
        self.reports += step.reports
        for stated in step.facts:
            self.met.fact(stated.sign, stated.fact, self.settings)
            name = stated.entity, stated.key, stated.number
            self.stated[name] = stated
            self.facts[name] += stated.sign
            if not self.facts[name]:
                del self.facts[name]
        for key, value in step.records.items():
            stored_key, stored = encode_record(key, value)
            if stored is None:
                self.store.pop(stored_key, None)
            else:
                self.store[stored_key] = stored
        for handed in step.rekeyed:
            self.handed[handed.kind, handed.sign] += 1
            self.met[handed.kind] += handed.sign > 0
            self.given[replace(handed, sign=1)] += handed.sign
        if self.network is not None:
            self.network.send(self.number, step)

    def has(self, event: Event) -> bool:
        """Whether the event is for this partition."""
        return self.network is None or not event.key or self.network.place(event.key) == self.number

    def restart(self) -> None:
        """Drop the engine and build it again from the store."""
        self.step()
        marker = decode_marker(encode_marker(self.engine.marker()))
        before = self.engine
        self.engine = self._new_engine()
        records = [decode_record(key, value) for key, value in sorted(self.store.items())]
        self.restarts += 1
        if self.restarts % 3 == 0:  # as by a release that concludes otherwise what follows from a base: those who sleep are woken
            records = [(key, value._replace(mark="") if isinstance(value, Sleeping) else value) for key, value in records]
        for _ in self.engine.restore(marker, records):
            pass
        assert_same_state(before, self.engine)
        self.engine.patient = before.patient
        self.engine.report_every(self.report_every_minutes, hold=self.hold)
        self.engine.reports_again()


def drive(settings: Settings, events: Iterable[Event], until: int, manner: Manner, number: int = 0) -> Partition:
    """Let a partition take all events in a manner, and its timers run up to `until`."""
    partition = Partition(settings, number)
    random = manner.random(number)
    for event in events:
        partition.apply(event)
        if manner.seed is not None and random.random() < 0.5:
            act(partition, random, manner, soon(partition, random, until))
    partition.engine.advance(until)
    if manner.seed is not None:
        partition.engine.sweep()
    partition.step()
    check_ledger(partition)
    return partition


def soon(partition: Partition, random: Random, until: int) -> int:
    """To when timers may run ahead of the log."""
    return min(partition.engine.stream_time + random.choice((0, 1, MINUTE_MS, HOUR_MS)), until)


def act(partition: Partition, random: Random, manner: Manner, ahead_to: int) -> None:
    """Something that a worker may do between two records, or nothing."""
    engine = partition.engine
    action = random.randrange(11)
    if action in (0, 1, 2):
        engine.advance_by_log()
    if action == 3 and manner.ahead:
        engine.advance(ahead_to)
    if action in (1, 4):
        engine.sweep()
    if action == 5:
        engine.view()
    if action < 6:
        partition.step()
    if action == 7 and manner.restarts:
        partition.restart()
    if action == 8:
        make_heaps_anew(engine)
    if action == 9:
        let_nap(engine, 0)
        engine.rows.pack(engine.timer_time // MINUTE_MS + random.randrange(100))
    if action == 10:
        engine.patient = manner.patient and not engine.patient
    check_entities(partition.engine)


def drive_all(
    settings: Settings, arrivals: list[tuple[int, Event]], until: int, manner: Manner, count: int, report_every_minutes: int = 0
) -> list[Partition]:
    """Let several partitions take the events at the instants at which they come, in a manner, each at its own pace.

    What they hand to each other is on its way for long or short; in some worlds nothing of one partition arrives before the end. Reports
    are held until all partitions have passed their minutes. Control events go to every partition.
    """
    random, network = Random(f"{manner.seed}/{count}"), Network(count)
    manner = replace(manner, patient=manner.patient and not report_every_minutes)
    partitions = [
        Partition(settings, number, network=network, report_every_minutes=report_every_minutes, hold=True) for number in range(count)
    ]
    pace, silent = random.choice((0.1, 0.5, 0.9)), random.choice((None, None, random.randrange(count)))
    for at, event in arrivals:
        for number in [network.place(event.key)] if event.key else range(count):
            network.taken[number].append((number, event))
            partitions[number].apply(event)
        while random.random() < pace:
            act(random.choice(partitions), random, manner, min(at, until))
            waiting = [pair for pair in network.waiting() if pair[0] != silent]
            if waiting:
                source, target = random.choice(waiting)
                network.deliver(source, partitions[target])
    finish(partitions, network, random)
    for partition in partitions:
        partition.engine.advance(until)
        partition.engine.sweep()
    finish(partitions, network, random)
    for partition in partitions:
        check_ledger(partition)
    return partitions


def finish(partitions: list[Partition], network: Network, random: Random) -> None:
    """Deliver until nothing moves any more."""
    for partition in partitions:
        partition.step()
    while waiting := network.waiting():
        source, target = random.choice(waiting)
        network.deliver(source, partitions[target])
        if random.random() < 0.3 or not network.waiting():
            for partition in partitions:
                partition.step()


def drive_taken(settings: Settings, taken: list[Taken], until: int, manner: Manner, number: int, count: int) -> Partition:
    """Let one partition take in again what it took in before, in another manner. What it hands over goes nowhere."""
    random = manner.random(number)
    partition = Partition(settings, number, network=Network(count))
    for source, told in taken:
        partition.take(source, told)
        while manner.seed is not None and random.random() < 0.5:
            act(partition, random, manner, soon(partition, random, until))
    partition.engine.advance(until)
    partition.step()
    check_ledger(partition)
    return partition


def check_ledger(partition: Partition) -> None:
    """The digest is that of the net facts."""
    check_entities(partition.engine)
    ledger = {name: count for name, count in partition.facts.items() if partition.stated[name].fact.kind not in DETAIL_KINDS}
    assert partition.engine.digest == sum(number * count for (_, _, number), count in ledger.items()) % LEDGER_MODULUS
    assert partition.engine.ledger_count == sum(ledger.values())


def check_entities(engine: Engine) -> None:
    """However an entity's state came about, it is what its base and tail fold to; no deadline comes before its entry in the heap."""
    due = {(kind, key, at) for at, kind, key in engine.timers}
    swept = {(kind, key, at) for at, kind, key in engine.sweeps}
    assert set(engine.stubs) <= {key for key, entity in engine.entities["ticket"].items() if entity.state is None}
    levels: Counter[Key] = Counter()
    for kind, entities in engine.entities.items():
        for key, entity in entities.items():
            assert entity.sweep_at == NEVER or (kind, key, entity.sweep_at) in swept
            tail, serials = tail_of(engine, entity)
            assert tail == sorted(tail)
            assert len(tail) == len(serials) == len(set(serials))
            told = told_until(engine, entity)
            folded, _ = fold(kind, entity.base, tail, told, engine.policies)
            assert ((kind, key) in engine.postponed) == (folded.wake <= engine.timer_time)
            levels.update(keys_of(folded))
            if entity.state is None:
                assert not entity.tail
                assert entity.timer == (NEVER if kind == "ticket" and key in engine.stubs else folded.wake)
                assert entity.timer == NEVER or (kind, key, entity.timer) in due
                continue
            assert folded.freeze() == entity.state.freeze()
            assert folded.wake == entity.state.wake > told
            assert folded.wake == NEVER or (entity.timer <= folded.wake and (kind, key, entity.timer) in due)
    assert levels == engine.levels.counts
    assert all(key in engine.entities[kind] for kind, key in engine.postponed)


def assert_same_state(before: Engine, after: Engine) -> None:
    """A restored engine stands where the one before stood."""
    assert before.marker() == after.marker()
    assert before.levels.counts == after.levels.counts
    assert before.postponed == after.postponed
    assert before.entities.keys() == after.entities.keys()
    for kind, entities in before.entities.items():
        assert entities.keys() == after.entities[kind].keys()
        for key, entity in entities.items():
            restored = after.entities[kind][key]
            assert tail_of(before, entity) == tail_of(after, restored)
            if entity.state is not None and restored.state is not None:
                assert entity.state.freeze() == restored.state.freeze()
                assert entity.state.wake == restored.state.wake
    assert comparable(before.view())[1:] == comparable(after.view())[1:]


def net_cells(view: View) -> dict[Any, dict[str, int]]:
    """Cells as gross minus retracted, without zeros."""
    result: dict[Any, dict[str, int]] = {}
    for key, cell in view.cells.items():
        net: Counter[str] = Counter()
        for name, amount in cell.items():
            assert amount >= 0 or name.removesuffix("-") in SIGNED
            net[name.removesuffix("-")] += -amount if name.endswith("-") else amount
        kept = {name: amount for name, amount in net.items() if amount}
        assert all(amount > 0 or name in SIGNED for name, amount in kept.items()), (key, kept)
        if kept:
            result[key] = kept
    return result


def comparable(view: View) -> tuple[Any, ...]:
    """What of a view the laws speak of."""
    return view.digest, view.ledger_count, net_cells(view), view.levels, view.windows, view.window_end, view.timer_time


def added_up(partitions: list[Partition]) -> tuple[Any, ...]:
    """The same over several partitions of one log."""
    facts: NetFacts = Counter()
    cells: dict[Any, Counter[str]] = {}
    levels: Counter[Any] = Counter()
    windows: dict[Any, Counter[str]] = {}
    for partition in partitions:
        view = partition.engine.view()
        facts.update(partition.facts)
        levels.update(view.levels)
        for key, cell in net_cells(view).items():
            cells.setdefault(key, Counter()).update(cell)
        for name, segments in view.windows.items():
            for segment, row in segments.items():
                windows.setdefault((name, segment), Counter()).update(row)
    return facts, sum(partition.engine.digest for partition in partitions) % LEDGER_MODULUS, cells, levels, windows


def split(events: list[Event], count: int) -> list[list[Event]]:
    """The logs of `count` partitions, by key."""
    logs: list[list[Event]] = [[] for _ in range(count)]
    for event in events:
        logs[crc32(event.key.encode()) % count].append(event)
    return logs
