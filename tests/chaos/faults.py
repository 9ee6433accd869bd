"""What can be done to a deployment. Each fault tells whether it really came about: a failpoint that nobody passed does not count."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from tests.chaos.arena import SESSION_SECONDS, Arena
from tests.chaos.plan import Injection, starts
from tests.chaos.seats import Seat, wait_for

HIT_SECONDS = 10.0  # for somebody to pass a failpoint
BEYOND_SESSION_SECONDS = SESSION_SECONDS + 0.7
BURSTS = 8
BURST_SECONDS, BREATH_SECONDS = 0.25, 0.1
CLOCK_MS = 3_600_000
MANY = 200  # events
TOO_LARGE = "MessageSizeTooLargeError"

Fault = Callable[[Arena, Injection, Seat], bool]


def inject(arena: Arena, injection: Injection) -> bool:
    """Do it, to a seat in which somebody sits and is awake."""
    seat = arena.seats[injection.seat]
    seat.wake()
    seat.start()
    fault = FAULTS.get(injection.name, _failpoint)
    return fault(arena, injection, seat)


def heal(arena: Arena) -> None:
    """No fault any more, and somebody in every seat."""
    for seat in arena.seats:
        seat.disarm()
        seat.wake()
        seat.set_clock(0)
        seat.start()
    arena.flow.silence(silent=False)


# -- workers ----------------------------------------------------------------------------------------------------------------------


def _failpoint(arena: Arena, injection: Injection, seat: Seat) -> bool:
    if starts(injection.name):  # partitions are given out anew, and this one gets some of them
        seat.end(signal.SIGKILL if injection.abrupt else signal.SIGTERM)
        seat.arm(injection.name, injection.count, injection.action)
        seat.start()
    else:
        seat.arm(injection.name, injection.count, injection.action)
    with _one_more(arena, injection, seat) if injection.name.startswith("rebalance.") else nullcontext():
        hit = seat.struck(HIT_SECONDS)
        seat.disarm()
        hit = hit or seat.struck(0)  # between the last look and now
    if hit and injection.action == "STOP":
        assert seat.worker is not None
        wait_for(seat.worker.stopped, 1)
        seat.go_on_after(BEYOND_SESSION_SECONDS)
    if hit and injection.action == "KILL":
        assert seat.worker is not None
        seat.worker.exit_code()
        seat.start()
    return hit


@contextmanager
def _one_more(arena: Arena, injection: Injection, seat: Seat) -> Iterator[Seat]:
    """Another worker, who gets partitions of those who are there, and is gone in the end."""
    extra = Seat(arena.deployment, len(arena.seats) + injection.seat, named=seat.named)
    extra.start()
    try:
        yield extra
    finally:
        extra.close()


def _killed(_arena: Arena, _injection: Injection, seat: Seat) -> bool:
    seat.end(signal.SIGKILL)
    seat.start()
    return True


def _terminated(_arena: Arena, _injection: Injection, seat: Seat) -> bool:
    worker = seat.start()
    if not wait_for(lambda: worker.get("/healthz") is not None, HIT_SECONDS):  # before it serves, it may not have heard of signals yet
        return False
    code = seat.end(signal.SIGTERM)
    if code != 0:
        raise AssertionError(f"{seat.name} was asked to end and did with exit code {code}")
    seat.start()
    return True


def _zombie(arena: Arena, _injection: Injection, seat: Seat) -> bool:
    """It is stopped until others show all that it had, and goes on as if no time had passed."""
    zombie, others = seat.start(), [each for each in arena.seats if each is not seat]
    for each in others:
        each.wake()
    if not wait_for(lambda: bool(seat.shows()), HIT_SECONDS):
        return False
    had = seat.shows()
    zombie.tell(signal.SIGSTOP)
    try:
        return wait_for(lambda: had <= {number for each in others for number in each.shows()}, BEYOND_SESSION_SECONDS + HIT_SECONDS)
    finally:
        zombie.tell(signal.SIGCONT)


def _storm(arena: Arena, injection: Injection, seat: Seat) -> bool:
    """Another worker comes, and goes as soon as partitions have been dealt out anew because of it; three times."""
    return all(_came_and_went(arena, injection, seat, number) for number in (signal.SIGTERM, signal.SIGKILL, signal.SIGTERM))


def _came_and_went(arena: Arena, injection: Injection, seat: Seat, number: signal.Signals) -> bool:
    def rebalances() -> float:
        return sum(seat.start().samples("support_processor_rebalances_total").values())

    before = rebalances()
    with _one_more(arena, injection, seat) as extra:
        came = wait_for(lambda: rebalances() > before, HIT_SECONDS)
        extra.end(number)
    return came


# -- broker -----------------------------------------------------------------------------------------------------------------------


def _in_mid_transaction(arena: Arena, seat: Seat, do: Callable[[], None]) -> bool:
    """While one worker stands still with a transaction open."""
    seat.arm("step.after_flush", 2, "STOP")
    hit = seat.struck(HIT_SECONDS)
    seat.disarm()
    do()
    arena.broker.start()
    if hit or seat.struck(0):
        seat.go_on_after(0)
    return hit


def _broker_killed(arena: Arena, _injection: Injection, seat: Seat) -> bool:
    return _in_mid_transaction(arena, seat, arena.broker.kill)


def _broker_restarted(arena: Arena, _injection: Injection, seat: Seat) -> bool:
    return _in_mid_transaction(arena, seat, arena.broker.stop)


def _broker_out(arena: Arena, injection: Injection, _seat: Seat) -> bool:
    arena.broker.tell(signal.SIGSTOP)
    try:
        time.sleep(injection.seconds)
    finally:
        arena.broker.tell(signal.SIGCONT)
    return True


def _broker_slow(arena: Arena, _injection: Injection, _seat: Seat) -> bool:
    for _ in range(BURSTS):
        _broker_out(arena, Injection("", 0, seconds=BURST_SECONDS), _seat)
        time.sleep(BREATH_SECONDS)
    return True


def _refuses(arena: Arena, injection: Injection, _seat: Seat) -> bool:
    """No record fits into the state topic any more, as if its disk were full; the ends of transactions (78 bytes) do."""
    before = _too_large(arena)
    arena.alter(("state",), max_message_bytes=100)
    hit = wait_for(lambda: _too_large(arena) > before, HIT_SECONDS)
    time.sleep(injection.seconds / 2)  # and go on refusing
    arena.alter(("state",), max_message_bytes=None)
    return hit


def _too_large(arena: Arena) -> int:
    """How often workers were told so."""
    return sum(seat.start().log().count(TOO_LARGE) for seat in arena.seats)


def _compacted(arena: Arena, _injection: Injection, seat: Seat) -> bool:
    """Whatever may be cleaned away is, at once, also what is deleted; then somebody reads it anew."""
    roles = ("state", "partials", "kpis")
    at_once = {"segment_ms": 100, "min_cleanable_dirty_ratio": 0.01, "max_compaction_lag_ms": 200, "delete_retention_ms": 0}
    arena.alter(roles, **at_once)
    cleaned = Path(arena.broker.directory, "data", "cleaner-offset-checkpoint")
    topic = arena.config.topics.state
    done = wait_for(lambda: cleaned.exists() and topic in cleaned.read_text(encoding="ascii"), HIT_SECONDS)
    _killed(arena, _injection, seat)
    return done


# -- offsets ----------------------------------------------------------------------------------------------------------------------


def _while_all_are_away(arena: Arena, do: Callable[[str, list[TopicPartition]], None]) -> None:
    for seat in arena.seats:
        seat.wake()
        seat.end(signal.SIGTERM)
    topics, group = arena.config.topics, arena.config.application_id
    inputs = [TopicPartition(topic, number) for topic in (topics.events, topics.rekeyed) for number in range(topics.partitions)]
    groups = [group, f"{group}-kpis"]
    with arena.admin() as admin:  # a member that was killed, or has a name, is there until its session ends
        assert wait_for(lambda: not any(each.get("members") for each in admin.describe_groups(groups).values()), HIT_SECONDS)
    do(group, inputs)
    do(f"{group}-kpis", [TopicPartition(topics.partials, number) for number in range(topics.kpi_partitions)])
    for seat in arena.seats:
        seat.start()


def _rewound(arena: Arena, _injection: Injection, _seat: Seat) -> bool:
    def rewind(group: str, sources: list[TopicPartition]) -> None:
        with arena.admin() as admin:
            done = admin.alter_group_offsets(group, {source: OffsetAndMetadata(0, "", -1) for source in sources})
        assert all(error.errno == 0 for error in done.values()), done

    _while_all_are_away(arena, rewind)
    return True


def _deleted(arena: Arena, _injection: Injection, _seat: Seat) -> bool:
    def delete(group: str, _sources: list[TopicPartition]) -> None:
        with arena.admin() as admin:
            admin.delete_groups([group])

    _while_all_are_away(arena, delete)
    return True


# -- events and clocks ------------------------------------------------------------------------------------------------------------


def _silent(arena: Arena, injection: Injection, _seat: Seat) -> bool:
    arena.flow.silence(silent=True)
    time.sleep(injection.seconds)
    arena.flow.silence(silent=False)
    return True


def _twice(arena: Arena, _injection: Injection, _seat: Seat) -> bool:
    return wait_for(lambda: arena.flow.again(MANY) > 0, HIT_SECONDS)


def _late(arena: Arena, _injection: Injection, _seat: Seat) -> bool:
    return arena.flow.late(MANY) > 0


def _clock_jumps(_arena: Arena, injection: Injection, seat: Seat) -> bool:
    """There, further, and back."""
    for milliseconds in (CLOCK_MS, -CLOCK_MS, 0):
        seat.set_clock(milliseconds)
        time.sleep(injection.seconds / 4)
    return True


def _clock_wrong(arena: Arena, injection: Injection, seat: Seat) -> bool:
    """A worker begins with it; later it is set right."""
    seat.end(signal.SIGTERM)
    seat.set_clock(CLOCK_MS if injection.seconds > 2 else -CLOCK_MS)
    seat.start()
    return True


FAULTS: dict[str, Fault] = {
    "worker killed": _killed,
    "worker terminated": _terminated,
    "worker stopped beyond its session": _zombie,
    "rebalance storm": _storm,
    "broker killed in mid-transaction": _broker_killed,
    "broker restarted in mid-transaction": _broker_restarted,
    "broker out": _broker_out,
    "broker slow": _broker_slow,
    "adapter silent": _silent,
    "offsets rewound": _rewound,
    "offsets deleted": _deleted,
    "compaction forced": _compacted,
    "state refuses writes": _refuses,
    "events twice": _twice,
    "events late": _late,
    "clock jumps": _clock_jumps,
    "clock wrong at the start": _clock_wrong,
}
