"""Two accounts of the same log that know nothing of each other: the generator's books and the engine agree in every family."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from zlib import crc32

import pytest

from processor.codec.decode import decode
from processor.codec.times import parse_time
from processor.core.business_hours import Calendar
from processor.core.engine import Engine
from processor.core.events import Event, Reason, Rejected
from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, Policy, Settings, Target
from processor.core.working_days import WorkingDays
from processor.export.snapshot import compare_truth, snapshot
from processor.replay.joined import Joined
from processor.synthetic.feed import USUAL, Arrivals
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


@pytest.mark.parametrize(
    ("seed", "days", "events", "partitions"), [(1, 1, 25_000, 4), (2, 4, 15_000, 3), (3, 30, 10_000, 1), (4, 1, 1_500, 12)]
)
def test_the_engine_counts_what_the_generator_knows(seed: int, days: int, events: int, partitions: int) -> None:
    arrivals = Arrivals(0.01, 0.001, SETTINGS.timer_delay, transit_ms=0) if seed == 4 else USUAL
    log = generate(SETTINGS, events=events, seed=seed, start=START, duration=days * DAY_MS, faults=True, arrivals=arrivals)
    engines, refused = fold(log, partitions)
    assert log.truth["families"]["support_processor_events_late_total"] == refused[Reason.TOO_LATE]
    taken = snapshot([engine.view() for engine in engines], None, SETTINGS.group_bys)
    families = {name: amount for name, amount in log.truth["families"].items() if "events_invalid" not in name}
    assert [str(difference) for difference in compare_truth({"families": families}, taken)] == []
    for reason, count in refused.items():
        assert log.truth["families"][f'support_processor_events_invalid_total{{reason="{reason}"}}'] == count
    assert sum(engine.counts["rekeyed"] for engine in engines) > events // 10  # tickets, contacts and people had to do with each other
    assert _beyond(families, taken["metrics"]) == {}


def _beyond(families: dict[str, float], metrics: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Of the families of the truth what a snapshot counts under labels that the truth does not name."""
    known: defaultdict[str, float] = defaultdict(float)
    for written, amount in families.items():
        known[written.partition("{")[0]] += amount
    moved = {"support_backlog_entered_total": "moved_in", "support_backlog_left_total": "moved_out"}
    known.pop("support_window_observations", None)
    found = {name: sum(amount for labels, amount in metrics.get(name, {}).items() if moved.get(name, "\n") not in labels) for name in known}
    return {name: round(found[name] - amount, 3) for name, amount in known.items() if round(found[name] - amount, 3)}
