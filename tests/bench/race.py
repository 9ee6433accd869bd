"""The worker beside others on the same events, in one run: the limit of any consumer, the usual Faust way, Kafka Streams.

Kafka Streams, with one thread or two, runs once in each variant; the best runs again in every round, before two workers, who share the
partitions as its threads do, and the worker. Ratios are those of one round each, and their medians are what counts: all see the same
broker, disk and neighbours within a minute or two.
"""

from __future__ import annotations

import tempfile
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import faust_peer, kafka_streams, raw, worker
from tests.bench.kafka_streams import VARIANTS, Variant
from tests.bench.loaded import Loaded, Speed, loaded
from tests.bench.log import log_of
from tests.bench.options import Size

FAUST_EVENTS = 30_000
FAUST_ROUNDS_MAX = 3


def run(size: Size) -> dict[str, Any]:
    """Everybody's events a second and processor time per event, the worker's ratios, and what the worker wrote and concluded."""
    log = log_of(size.events)
    few = min(FAUST_EVENTS, log.ticket_events)
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-bench-") as folder, loaded(Path(folder), log, few) as ready:
        laps = {"raw": [], "usual_faust": [], "kafka_streams": [], "worker": [], "two_workers": []}  # type: dict[str, list[Speed]]
        best = _best(ready, size)
        digests, asked = set(), {}  # type: tuple[set[str], dict[str, Any]]
        for number in range(1, size.rounds + 1):
            laps["raw"].append(raw.measure(ready))
            if number <= FAUST_ROUNDS_MAX:
                laps["usual_faust"].append(faust_peer.measure(ready))
            if best is not None and size.peer is not None:
                laps["kafka_streams"].append(kafka_streams.measure(ready, size.peer, best))
            pair = worker.measure(ready, f"pair-{number}", 2)
            laps["two_workers"].append(pair.speed)
            if number < size.rounds:
                lap = worker.measure(ready, f"lap-{number}")
            else:
                lap, asked = worker.measure_and_ask(ready, f"lap-{number}")
            laps["worker"].append(lap.speed)
            digests |= {lap.digest, pair.digest}
    assert len(digests) == 1, f"the same log gave different conclusions: {digests}"
    return {
        "events": log.events,
        "ticket_events": log.ticket_events,
        "open_tickets": log.open_tickets,
        "rounds": size.rounds,
        **({"kafka_streams_best": f"{best[0]} threads, cache {best[1]}"} if best else {}),
        **_figures(laps),
        **asked,
    }


def _best(ready: Loaded, size: Size) -> Variant | None:
    """The quickest variant of Kafka Streams; None where it is not there."""
    if size.peer is None:
        return None
    variants = VARIANTS[:1] if size.tiny else VARIANTS
    speeds = {each: kafka_streams.measure(ready, size.peer, each).events_per_second for each in variants}
    return max(speeds, key=lambda each: speeds[each])


def _figures(laps: dict[str, list[Speed]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, speeds in laps.items():
        if speeds:
            figures[f"{name}_events_per_second"] = round(median(each.events_per_second for each in speeds))
            figures[f"{name}_cpu_us_per_event"] = round(median(each.cpu_us_per_event for each in speeds), 1)
    for name, us in product(("kafka_streams", "usual_faust"), ("worker", "two_workers")):
        pairs = list(zip(laps[us], laps[name], strict=False))
        if pairs:
            ratios = [ours.events_per_second / theirs.events_per_second for ours, theirs in pairs]
            figures[f"{us}_to_{name}"] = round(median(ratios), 2)
            by_cpu = [theirs.cpu_us_per_event / ours.cpu_us_per_event for ours, theirs in pairs]
            figures[f"{us}_to_{name}_by_cpu"] = round(median(by_cpu), 2)
    return figures
