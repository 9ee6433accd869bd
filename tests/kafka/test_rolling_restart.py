"""A rolling restart under load: what the others have goes on as if nothing had happened, and no number changes.

Bounds are conditions, not timings, so that they hold on a busy machine; `python -m tests.bench` has the seconds.
"""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

import orjson
import pytest

from processor.codec.times import parse_time
from tests.bench.rolling import flow
from tests.kafka.background import Background
from tests.kafka.broker import Broker
from tests.kafka.commits import commits, takeovers
from tests.kafka.deployment import Deployment, Worker, caught_up, until
from tests.kafka.events import created, keyed
from tests.kafka.offline import written_facts

TopicName = Callable[[str], str]
PARTITIONS = 6
NAMES = ("first", "second", "third")
TARGET_MS = 2000
DELAY_MS = 500
SCRAPE_SECONDS = 0.5


def now_ms() -> int:
    """The present instant."""
    return time.time_ns() // 1_000_000


def made(broker: Broker, name: str, directory: Path, session_seconds: int = 300) -> Deployment:
    """A live clock and a short promise for urgent tickets."""
    policies = [
        {"id": "urgent", "match": {"priority": "urgent"}, "targets": {"first_response": f"{TARGET_MS}ms"}},
        {"id": "rest", "targets": {"first_response": "1h"}},
    ]
    worker = {"clock": "live", "session_timeout_seconds": session_seconds}
    delay = {"timer_delay": f"{DELAY_MS}ms"}
    deployment = Deployment(broker.bootstrap, name, directory, partitions=PARTITIONS, worker=worker, time=delay, policies=policies)
    return deployment.create_topics()


class Scrapes(Background):
    """Scrapes all workers again and again; `doubled` are the partitions that two workers showed twice in a row."""

    def __init__(self, workers: dict[str, Worker]) -> None:
        super().__init__()
        self._workers = workers
        self.rounds = 0
        self.seen: set[int] = set()
        self.doubled: set[int] = set()

    def _work(self) -> None:
        before: set[int] = set()
        while not self._end.wait(SCRAPE_SECONDS):
            shown = Counter(number for worker in list(self._workers.values()) for number in partitions_at_metrics(worker))
            twice = {number for number, times in shown.items() if times > 1}
            self.seen |= shown.keys()
            self.doubled |= twice & before
            self.rounds, before = self.rounds + 1, twice


def partitions_at_metrics(worker: Worker) -> set[int]:
    """Of which partitions a worker shows numbers of tickets; none while it is down."""
    if worker.process.poll() is not None:
        return set()
    with suppress(AssertionError):  # it ends just now
        return {int(labels.split('"')[1]) for labels in worker.samples("support_processor_ledger_facts")}
    return set()


@pytest.mark.parametrize("named", [True, False], ids=["named", "nameless"])
def test_partitions_of_others_are_kept_and_a_deadline_in_the_gap_has_its_own_time(
    broker: Broker, topic_name: TopicName, tmp_path: Path, *, named: bool
) -> None:
    deployment = made(broker, topic_name("rolling"), tmp_path)

    def begin(name: str) -> Worker:
        return deployment.worker(name, *(("--instance", name) if named else ()))

    with ExitStack() as stack:
        workers = {name: stack.enter_context(begin(name)) for name in NAMES}
        until("all have a share", lambda: dealt(workers), every=0.2)
        shares = {name: set(worker.applied()) for name, worker in workers.items()}
        with flow(deployment), Scrapes(workers) as scrapes:
            if named:  # it is back at once, though its session lasts longer than anybody waits here
                assert workers[NAMES[1]].end(signal.SIGKILL) == -signal.SIGKILL
                workers[NAMES[1]] = stack.enter_context(begin(NAMES[1]))
                until("it has its share again", lambda: dealt(workers), every=0.2)
            had, began = shares[NAMES[0]], now_ms()
            ticket = next(each for each in (f"U-{number}" for number in count()) if keyed(each, b"", PARTITIONS)[0] in had)
            deployment.send([keyed(ticket, created(ticket, began, priority="urgent"), PARTITIONS)])
            assert workers[NAMES[0]].end() == 0
            until("the deadline has passed, whoever owns it", lambda: now_ms() > began + TARGET_MS + DELAY_MS)
            workers[NAMES[0]] = stack.enter_context(begin(NAMES[0]))
            until("all have a share again", lambda: dealt(workers), every=0.2)
            ended, rounds = now_ms(), scrapes.rounds
            until("it was looked at once more", lambda: scrapes.rounds > rounds + 1)
        events = deployment.read("events")
        ends = {number: sum(record.partition == number for record in events) for number in range(PARTITIONS)}
        each = until("they have caught up", lambda: caught_up(ends, *workers.values()), every=0.2)
        until("the deadline is noticed", lambda: ticket in breaches(deployment), every=0.2)
        assert scrapes.seen == set(range(PARTITIONS))
        assert scrapes.doubled == set()
    taken = {number: takeovers(history, began, ended) for number, history in commits(deployment).items()}
    if named:
        assert taken == {number: int(number in had) for number in range(PARTITIONS)}  # nobody else is disturbed
        assert {name: {int(number) for number in shown["partitions"]} for name, shown in zip(workers, each, strict=True)} == shares
    else:
        moved = {number for number, times in taken.items() if times}
        assert had <= moved
        assert len(moved) <= 2 * len(had)  # the others give back as many as they got, perhaps others; the rest they keep all the time
    assert breaches(deployment)[ticket] == [began + TARGET_MS]
    assert sum(sum(shown["metrics"]["support_tickets_created_total"].values()) for shown in each) == len(events)
    assert set(written_facts(deployment.read("facts")).values()) == {1}


def test_of_two_workers_with_one_name_the_first_waits_for_the_other_to_go(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = made(broker, topic_name("namesake"), tmp_path, session_seconds=6)
    with deployment.worker("first", "--instance", "same") as first:
        until("the first is ready", first.ready)
        with deployment.worker("second", "--instance", "same") as second:
            until("the first waits", lambda: b"another worker has the name 'same'" in answer_of(first))
            until("the second has all", lambda: second.ready() and len(second.applied()) == PARTITIONS, every=0.2)
            assert partitions_at_metrics(first) == set()
            epochs = {number: history[-1].epoch for number, history in commits(deployment).items()}
            deployment.send(keyed(each, created(each, now_ms()), PARTITIONS) for each in ("T-1", "T-2", "T-3"))
            until("it goes on", lambda: sum(second.applied().values()) == 3 - PARTITIONS, every=0.2)
            assert {number: history[-1].epoch for number, history in commits(deployment).items()} == epochs
            assert second.end() == 0
        until("the first has all again", lambda: first.ready() and sum(first.applied().values()) == 3 - PARTITIONS, every=0.2)
        assert first.end() == 0


def answer_of(worker: Worker) -> bytes:
    """What /readyz says."""
    answer = worker.get("/readyz")
    return answer.body if answer else b""


def dealt(workers: dict[str, Worker]) -> bool:
    """Whether all partitions are shown, each by one worker, as many by each."""
    shown = [worker.applied().keys() for worker in workers.values()]
    return all(len(each) == PARTITIONS // len(workers) for each in shown) and len(set().union(*shown)) == PARTITIONS


def breaches(deployment: Deployment) -> dict[str, list[int]]:
    """Ticket -> when its clocks breached, as the facts say."""
    found: dict[str, list[int]] = {}
    for record in deployment.read("facts"):
        fact = orjson.loads(record.value)
        if fact["type"] == "support.clock.breached":
            found.setdefault(fact["data"]["subject"].removeprefix("ticket/"), []).append(parse_time(fact["data"]["at"]))
    return found
