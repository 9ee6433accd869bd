"""One round: faults while a log flows, then the verdict; what is needed to understand a bad one is kept."""

from __future__ import annotations

import signal
import time
import traceback
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from typing import Any

import orjson

from processor.config.service import TOPIC_ROLES
from tests.chaos.arena import Arena
from tests.chaos.complaints import complaints
from tests.chaos.faults import heal, inject
from tests.chaos.plan import Injection, Plan
from tests.chaos.verdict import UnsettledError, differences, nothing_to_compare, settled, state_differences
from tests.kafka.broker import Broker

SAME, DIFFERENT, UNSETTLED, COMPLAINED, BROKEN = "same", "difference", "not settled", "exception", "harness failed"
GAP_SECONDS = 0.3  # between two injections
FIRST_SECONDS = 20.0  # for the first partition to be shown

Notify = Callable[[str], None]


@dataclass(slots=True)
class Outcome:
    """What came of a round. `injected` are the injections that came about, by their numbers in the plan."""

    verdict: str = BROKEN
    injected: list[int] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    seconds: float = 0.0
    facts: int = 0
    phases: list[tuple[str, float]] = field(default_factory=list)  # what was begun at which second

    def injections(self, plan: Plan) -> list[Injection]:
        """Those that came about."""
        return [plan.injections[number] for number in self.injected]


def run_round(broker: Broker, plan: Plan, name: str, directory: Path, notify: Notify = lambda _text: None) -> Outcome:
    """Never raises for what workers do. `directory` is removed where all was well."""
    outcome, began = Outcome(), time.monotonic()

    def begin(phase: str) -> None:
        notify(phase)
        outcome.phases.append((phase, round(time.monotonic() - began, 1)))

    rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    try:
        with Arena(broker, plan, name, directory) as arena:
            try:
                _run(arena, outcome, begin)
            finally:
                if outcome.verdict != SAME:
                    _keep(arena, outcome)
    except Exception:  # noqa: BLE001 - one bad round is not the end
        outcome.verdict = BROKEN if outcome.verdict == SAME else outcome.verdict
        outcome.told.append(traceback.format_exc())
    outcome.seconds = round(time.monotonic() - began, 1)
    if outcome.verdict == SAME:
        rmtree(directory)
    else:
        document = {"plan": plan.document(), "verdict": outcome.verdict, "injected": outcome.injected, "told": outcome.told}
        (directory / "outcome.json").write_bytes(orjson.dumps(document, option=orjson.OPT_INDENT_2))
    return outcome


def _run(arena: Arena, outcome: Outcome, begin: Notify) -> None:
    begin("starting")
    with arena.flow:
        for seat in arena.seats:
            seat.start()
        if not _begun(arena):
            outcome.verdict, outcome.told = UNSETTLED, ["nobody has shown a partition after the start"]
            return
        for number, injection in enumerate(arena.plan.injections):
            begin(injection.label)
            if inject(arena, injection):
                outcome.injected.append(number)
            time.sleep(GAP_SECONDS)
        begin("healing")
        heal(arena)
        arena.flow.finish(arena.last())
    begin("settling")
    if arena.plan.live:
        arena.follow_the_log()
        for seat in arena.seats:
            seat.end(signal.SIGTERM)
            seat.start()
    try:
        truth, taken = settled(arena, begin)
    except UnsettledError as error:
        outcome.verdict, outcome.told = UNSETTLED, [str(error), *_states(arena)]
        return
    begin("comparing")
    outcome.facts = len(truth.fold.facts)
    outcome.told = nothing_to_compare(truth) + differences(arena, truth, taken)
    begin("ending")
    for seat in arena.seats:
        seat.start().tell(signal.SIGTERM)
    codes = {seat.name: seat.end(signal.SIGTERM) for seat in arena.seats}
    outcome.told += [f"{name} ended with exit code {code}" for name, code in codes.items() if code != 0]
    begin("reading the state")
    outcome.told += state_differences(arena, truth)
    if outcome.told:
        outcome.verdict = DIFFERENT
        return
    outcome.told = [f"{log.name}: {text}" for log in sorted(arena.deployment.directory.glob("*.log")) for text in complaints(log)]
    outcome.verdict = COMPLAINED if outcome.told else SAME


def _begun(arena: Arena) -> bool:
    give_up = time.monotonic() + FIRST_SECONDS
    while time.monotonic() < give_up:
        if any(seat.worker is not None and seat.worker.applied() for seat in arena.seats):
            return True
        time.sleep(0.1)
    return False


def _states(arena: Arena) -> list[str]:
    """What the workers say of themselves."""
    told = []
    for seat in arena.seats:
        if seat.worker is None or not seat.alive():
            told.append(f"{seat.name}: not there")
            continue
        answer = seat.worker.get("/readyz")
        seat.worker.tell(signal.SIGUSR1)
        told.append(f"{seat.name}: {answer.body.decode() if answer else 'no answer'} {seat.worker.snapshot().get('partitions')}")
    return told


def _keep(arena: Arena, outcome: Outcome) -> None:
    """The topics' contents, each record a line, beside the logs of the workers."""
    for role in TOPIC_ROLES:
        try:
            records = arena.deployment.read(role)
        except Exception as error:  # noqa: BLE001 - then without it
            outcome.told.append(f"{role} could not be kept: {error!r}")
            continue
        lines = [orjson.dumps(_record(record)) for record in records]
        (arena.deployment.directory / f"{role}.jsonl").write_bytes(b"\n".join(lines))


def _record(record: Any) -> dict[str, Any]:
    """As `ticket-kpis capture` writes it."""
    encoded = {name: None if each is None else b64encode(each).decode() for name, each in (("key", record.key), ("value", record.value))}
    return {
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "headers": [[name, value.decode(errors="replace")] for name, value in record.headers],
    } | {f"{name}_base64": each for name, each in encoded.items()}
