"""How the state of a partition stays small: aged tails are folded into bases, final tickets shrink to stubs, what has gone is forgotten.

Nothing here changes a number: it is about events that nothing that may still come can reach. So it does not matter when it is done.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, Final

from processor.core import postponed, sleep
from processor.core.business_hours import NEVER
from processor.core.events import TICKET
from processor.core.lateness import horizon_of, latest_of
from processor.core.settings import HOUR_MS, Settings
from processor.core.ticket import Ticket
from processor.core.timeline import State, Timeline

if TYPE_CHECKING:
    from processor.core.engine import Engine

QUIET_MS: Final = 4 * HOUR_MS  # a ticket of which nothing is heard for so long may nap; to rouse it costs as much as three events
HEAP_SLACK: Final = 1_000  # for few entities it is not worth the trouble
SWEEPS_MAX = 1_000  # entities that one sweep looks at, some 50 us each: after a jump in time the rest waits, so that no step is long


def sweep(engine: Engine) -> None:
    """Look at the entities whose time has come."""
    sweeps, now, left, settings = engine.sweeps, engine.settled, SWEEPS_MAX, engine.settings
    while sweeps and sweeps[0][0] < now and left:
        at, kind, key = heappop(sweeps)
        entity = engine.entities[kind].get(key)
        if entity is not None and entity.sweep_at == at:
            entity.sweep_at = NEVER
            _sweep(engine, entity, now)
            left -= 1
    while len(engine.stubs) > settings.max_stubs:
        forget(engine, engine.entities[TICKET][next(iter(engine.stubs))])
    let_nap(engine, settings.quiet_max)


def tidy(engine: Engine) -> None:
    """Make the heaps anew where a third of what one holds has been put off or called off.

    The deadline of a ticket that was solved may lie days ahead, and all that time its entry would stay: a busy desk leaves millions.
    """
    known = sum([len(entities) for entities in engine.entities.values()])
    most = known + known // 2 + HEAP_SLACK
    if len(engine.timers) > most or len(engine.sweeps) > most:
        make_heaps_anew(engine)


def make_heaps_anew(engine: Engine) -> None:
    """Of what is still to come."""
    timers, sweeps = engine.timers, engine.sweeps
    timers.clear()
    sweeps.clear()
    for kind, known in engine.entities.items():
        for key, entity in known.items():
            if entity.timer != NEVER:
                timers.append((entity.timer, kind, key))
            if entity.sweep_at != NEVER:
                sweeps.append((entity.sweep_at, kind, key))
    heapify(timers)
    heapify(sweeps)


def schedule(engine: Engine, entity: Timeline, at: int) -> None:
    """Look at the entity again at `at`."""
    entity.sweep_at = at
    heappush(engine.sweeps, (at, entity.kind, entity.key))


def first_look(kind: str, settings: Settings) -> int:
    """How long after its first event an entity is looked at."""
    horizon = horizon_of(kind, settings)
    return min(horizon, QUIET_MS) if kind == TICKET else horizon


def _sweep(engine: Engine, entity: Timeline, now: int) -> None:
    if is_stub(engine, entity):
        _sweep_stub(engine, entity, now)
        return
    settings = engine.settings
    state = entity.state or sleep.wake_up(engine, entity, postponed.told_until(engine, entity))
    aged_at = entity.aged_at(settings)
    if aged_at >= now:
        if entity.tail[-1].occurred_at + horizon_of(entity.kind, settings) < now:
            shorten(engine, entity)  # it is kept because of a survey: from there on
        _await_age(engine, entity, now, aged_at)  # what may still come may be a twin of its last event
        return
    pending = isinstance(state, Ticket) and not state.rests  # a timer that has yet to tell something
    if state.gone_at + latest_of(entity.kind, settings) < now and not pending:
        forget(engine, entity)  # whatever may still come begins a new life
        return
    if entity.tail:
        shorten(engine, entity)
    doze(engine, entity, state, now)


def _await_age(engine: Engine, entity: Timeline, now: int, aged_at: int) -> None:
    """Its tail is too young to go: a quiet ticket may nap until then."""
    if entity.kind != TICKET or not entity.tail:
        schedule(engine, entity, aged_at)
    elif _is_quiet(engine, entity, now):
        schedule(engine, entity, aged_at)
        sleep.leave_word(engine, entity)
        engine.quiet.append(entity.key)
    else:
        look_at = entity.tail[-1].occurred_at + QUIET_MS
        schedule(engine, entity, min(look_at if look_at >= now else now + QUIET_MS, aged_at))


def _is_quiet(engine: Engine, entity: Timeline, now: int) -> bool:
    """Whether nothing has happened for long, and the deadlines that lie before its last event have been told."""
    last = entity.tail[-1].occurred_at
    return last + QUIET_MS < now and last <= engine.timer_time


def let_nap(engine: Engine, most: int) -> None:
    """Of more quiet tickets than `most`, those that have been quiet for longest nap."""
    quiet, tickets, now = engine.quiet, engine.entities[TICKET], engine.settled
    while len(quiet) > most:
        entity = tickets.get(quiet.popleft())
        if entity is None or entity.state is None or not entity.tail:
            continue  # it sleeps by now, or has gone
        if _is_quiet(engine, entity, now):
            sleep.nap(engine, entity)
        else:  # it has been heard of since
            _await_age(engine, entity, now, entity.aged_at(engine.settings))


def heard(engine: Engine, kind: str, key: str) -> Timeline | None:
    """The entity of which something is heard that its tail must be asked about: it naps no longer."""
    entity = engine.entities[kind].get(key)
    if entity is not None and entity.stowed is not None:
        sleep.wake_up(engine, entity, postponed.told_until(engine, entity))
        schedule(engine, entity, engine.settled + QUIET_MS)
    return entity


def is_stub(engine: Engine, entity: Timeline) -> bool:
    """Whether it is a ticket that has come to rest for good."""
    return entity.state is None and entity.kind == TICKET and entity.key in engine.stubs


def _sweep_stub(engine: Engine, entity: Timeline, now: int) -> None:
    end = engine.stubs[entity.key] + latest_of(TICKET, engine.settings)
    if end < now:
        forget(engine, entity)
    else:
        schedule(engine, entity, end)


def doze(engine: Engine, entity: Timeline, state: State, now: int) -> None:
    """Its tail is empty: let it sleep, if the deadlines that lie before its last event have been told."""
    last = entity.base_last
    if entity.tail or (last is not None and last[0] > engine.timer_time):
        schedule(engine, entity, now + horizon_of(entity.kind, engine.settings))
        return
    if isinstance(state, Ticket) and rests(engine, entity, state, now):
        entity.settle(state.freeze(), last)
        become_stub(engine, entity, state)
    await_end(engine, entity, state, now)
    sleep.fall_asleep(engine, entity)


def rests(engine: Engine, entity: Timeline, state: State, now: int) -> bool:
    """Whether nothing is expected of it any more, and nothing that may still come can lie before its last deadline."""
    if (isinstance(state, Ticket) and not state.rests) or (entity.kind, entity.key) in engine.postponed:
        return False
    return state.gone_at != NEVER and state.last_fired + horizon_of(entity.kind, engine.settings) < now


def await_end(engine: Engine, entity: Timeline, state: State, now: int) -> None:
    """Look again when the entity, which is about to sleep, may have come to rest or may be forgotten. Deadlines come by themselves."""
    settings, gone_at = engine.settings, state.gone_at
    entity.sweep_at = NEVER
    if gone_at == NEVER:
        return
    if rests(engine, entity, state, now):
        schedule(engine, entity, max(gone_at + latest_of(entity.kind, settings), now))
    else:
        schedule(engine, entity, max(state.last_fired, now) + horizon_of(entity.kind, settings))


def shorten(engine: Engine, entity: Timeline) -> None:
    """Move aged events from the tail into the base; where the tail is full of young ones, the oldest of them."""
    serials = entity.drop_aged(engine.settled, engine.policies)
    tail_max = engine.settings.tail_max
    if len(entity.tail) >= tail_max:
        serials += entity.drop_oldest(len(entity.tail) - tail_max + 1, engine.policies)
    if serials:
        _write_base(engine, entity)
        for serial in serials:
            engine.step.records["e", entity.kind, serial, entity.key] = None


def _write_base(engine: Engine, entity: Timeline) -> None:
    engine.step.records["h", entity.kind, entity.key] = (entity.base, entity.base_last, entity.next_serial)


def take_out(engine: Engine, entity: Timeline, index: int) -> None:
    """Take an event out of the tail; a record that says what follows from it is replaced."""
    engine.step.records["e", entity.kind, entity.serials.pop(index), entity.key] = None
    del entity.tail[index]
    if entity.has_base:
        _write_base(engine, entity)
    else:
        engine.step.records["h", entity.kind, entity.key] = None


def become_stub(engine: Engine, entity: Timeline, state: Ticket) -> None:
    """A ticket rests: nothing wakes it but an event."""
    entity.timer = NEVER
    engine.stubs[entity.key] = state.gone_at


def revive(engine: Engine, entity: Timeline) -> State:
    """A sleeping entity is heard of again."""
    stub = is_stub(engine, entity)
    if stub:
        del engine.stubs[entity.key]
    entity.sweep_at = NEVER
    state = sleep.wake_up(engine, entity, postponed.told_until(engine, entity))
    if stub and state.wake < NEVER:
        engine.set_timer(entity, state.wake)  # as a stub it had none
    return state


def deadline(engine: Engine, entity: Timeline, due: int, to: int) -> None:
    """A deadline passes over an entity that sleeps, with all up to `to`. A discarded ticket's pass in silence."""
    if is_stub(engine, entity):
        return
    sleep.pass_deadline(engine, entity, due, to)
    assert entity.state is not None
    if entity.tail:
        sleep.leave_word(engine, entity)
        sleep.nap(engine, entity)
    else:
        doze(engine, entity, entity.state, engine.settled)


def forget(engine: Engine, entity: Timeline) -> None:
    """Give up the memory of an entity."""
    del engine.entities[entity.kind][entity.key]
    if entity.kind == TICKET:
        engine.stubs.pop(entity.key, None)
    engine.levels.change(entity.levels, ())  # a stub has none
    entity.moved = False
    postponed.forget(engine, entity)
    if entity.has_base or entity.kind == TICKET:  # one that has napped may have a record without a base
        engine.step.records["h", entity.kind, entity.key] = None
    for serial in entity.serials:
        engine.step.records["e", entity.kind, serial, entity.key] = None
