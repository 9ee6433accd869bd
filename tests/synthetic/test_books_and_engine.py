"""Two accounts of the same log that know nothing of each other: the generator's books and the engine agree in every family."""

from __future__ import annotations

from collections import Counter
from zlib import crc32

import pytest

from processor.codec.decode import decode
from processor.codec.times import parse_time
from processor.core.business_hours import Calendar
from processor.core.engine import Engine
from processor.core.events import Event, Reason, Rejected
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, Policy, Settings, Target
from processor.core.working_days import WorkingDays
from processor.replay.joined import Joined
from processor.synthetic.generate import Synthetic, generate

START = parse_time("2026-03-02T00:00:00Z")
OPENS = [day * DAY_MS + 8 * HOUR_MS for day in range(START // DAY_MS - 5, START // DAY_MS + 60) if (day + 3) % 7 < 5]
DAYS = [opens // DAY_MS for opens in OPENS]
OFFICE = Calendar(
    *("office", OPENS, [opens + 9 * HOUR_MS for opens in OPENS]),
    working_days=WorkingDays(DAYS, [(day * 24 + 17) * HOUR_MS for day in DAYS], [0], [0]),
)
PAUSES = {"resolution": frozenset({"pending", "on_hold"}), "first_response": frozenset({"on_hold"})}


def _policy(name: str, version: int, since: int, match: dict[str, frozenset[str]], minutes: int, calendar: str | None) -> Policy:
    targets = {
        "first_response": Target(minutes * MINUTE_MS, calendar),
        "resolution": Target(6 * minutes * MINUTE_MS, calendar),
        "queue_wait": Target(30_000),
    }
    if name == "premium":
        targets["resolution"] = Target(0, calendar, working_days=1, end_of_working_day=True)
    return Policy(name, version, since, match, targets, PAUSES, calendar)


SETTINGS = Settings(
    calendars={"office": OFFICE},
    policies=(
        Policy("calls", 1, 0, {"channel": frozenset({"phone"})}, {"queue_wait": Target(20_000)}, {}),
        _policy("urgent", 1, 0, {"priority": frozenset({"urgent"})}, 20, None),
        _policy("premium", 1, 0, {"tier": frozenset({"premium", "enterprise"})}, 90, "office"),
        _policy("standard", 2, START + 12 * HOUR_MS, {}, 60, "office"),
        _policy("standard", 1, 0, {}, 150, "office"),
    ),
)


def fold(log: Synthetic, partitions: int) -> tuple[list[Engine], Counter[str]]:
    """The log through engines, one for each partition, as a worker would: in batches, timers by the log, then up to the end of time."""
    joined = Joined(SETTINGS, partitions, lambda key: crc32(key.encode()) % partitions, limits={})
    engines = list(joined.engines.values())
    refused: Counter[str] = Counter()
    for number, line in enumerate(log.lines):
        event = decode(line)
        verdict = engines[crc32(event.key.encode()) % partitions].apply(event) if isinstance(event, Event) else event
        if isinstance(verdict, Rejected):
            refused[verdict.reason] += 1
        if number % 701 == 0:
            joined.step()
    joined.step()
    joined.finish(lambda _partition: parse_time(log.truth["clock_advanced_at"]))
    return engines, refused


def numbers(engines: list[Engine]) -> Counter[str]:
    """The engines' net totals under the names of the exported families; durations in milliseconds."""
    found: Counter[str] = Counter()
    for engine in engines:
        for cell in engine.view().cells.values():
            for key, amount in cell.items():
                found[family_of(key.removesuffix("-"))] += -amount if key.endswith("-") else amount
        for level, amount in engine.levels.counts.items():
            found["support_backlog_tickets"] += amount if level[0] == "backlog" else 0
            found["support_contacts_waiting"] += amount if level[0] == "waiting" else 0
        found["support_processor_events_duplicate_total"] += engine.counts["duplicates"]
    return found


def family_of(posting: str) -> str:
    name, _, part = posting.partition(":")
    if part == "sum" or part.startswith("b:"):
        return f"support_{name}_seconds_{'sum' if part == 'sum' else 'count'}"
    if name.startswith("sla_"):
        outcome = {"sla_induced": "breach_induced"}.get(name, name.removeprefix("sla_"))
        return f'support_sla_clocks_{outcome}_total{{clock="{part}"}}'
    return f'support_{name}_total{{reason="{part}"}}' if part else f"support_{name}_total"


@pytest.mark.parametrize(
    ("seed", "days", "events", "partitions"), [(1, 1, 25_000, 4), (2, 4, 15_000, 3), (3, 30, 10_000, 1), (4, 1, 1_500, 12)]
)
def test_the_engine_counts_what_the_generator_knows(seed: int, days: int, events: int, partitions: int) -> None:
    log = generate(SETTINGS, events=events, seed=seed, start=START, duration=days * DAY_MS, faults=True)
    engines, refused = fold(log, partitions)
    found = numbers(engines)
    found["support_processor_events_late_total"] = refused[Reason.TOO_LATE]
    for reason, count in refused.items():
        found[f'support_processor_events_invalid_total{{reason="{reason}"}}'] = count
    expected = {name: log.truth["milliseconds"].get(name, amount) for name, amount in log.truth["families"].items()}
    assert {name: found[name] for name in expected} == expected
    assert sum(engine.counts["rekeyed"] for engine in engines) > events // 400  # tickets and contacts had to do with each other
    known = {name.partition("{")[0] for name in expected}
    unknown = {name for name, amount in found.items() if amount and name not in expected and name.partition("{")[0] in known}
    assert unknown <= {'support_backlog_entered_total{reason="moved_in"}', 'support_backlog_left_total{reason="moved_out"}'}
