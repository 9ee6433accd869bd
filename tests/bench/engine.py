"""The engine alone, on one core: decode, fold, rows; the whole configuration, no Kafka. By processor time: neighbours do not count."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from statistics import median
from typing import Any

from processor.codec.decode import decode
from processor.codec.state import quicken
from processor.codec.times import parse_time
from processor.core.engine import Engine
from processor.core.events import Event
from processor.cycles import none_made
from processor.export.snapshot import compare_truth, snapshot
from tests.bench.log import Log, log_of, settings
from tests.bench.options import Size

STEP_EVENTS = 2000
EVENTS_MAX = 400_000
ROUNDS_MAX = 3
REPORT_MINUTES = 60  # as a worker does in a backfill
# Nothing but time states these: deadlines that were waited for.
TIMED = frozenset({"clock.breached", "ticket.fcr_settled", "ticket.summarized"})


class Fold:
    """One engine fed with lines; what it took, and what it stated."""

    def __init__(self) -> None:
        self.engine = Engine(settings())
        quicken(self.engine)
        self.engine.report_every(REPORT_MINUTES, hold=True)
        self.decode_seconds = self.fold_seconds = 0.0
        self.stated: Counter[str] = Counter()

    def feed(self, lines: Iterable[bytes]) -> None:
        """Decode and fold in steps, as a worker does."""
        source = iter(lines)
        while piece := list(islice(source, STEP_EVENTS)):
            began = time.process_time()
            with none_made():
                decoded = [event for event in map(decode, piece) if isinstance(event, Event)]
                turned = time.process_time()
                self._step(decoded)
            self.decode_seconds += turned - began
            self.fold_seconds += time.process_time() - turned
            assert len(decoded) == len(piece)

    def _step(self, decoded: list[Event]) -> None:
        engine, stated = self.engine, self.stated
        for event in decoded:
            engine.apply(event)
        engine.advance_by_log()
        engine.sweep()
        step = engine.drain()
        for handed in step.rekeyed:
            engine.apply_rekeyed(handed)
        stated["facts"] += len(step.facts)
        stated["records"] += len(step.records)
        for fact in step.facts:
            if fact.sign < 0:
                stated["retractions"] += 1
            elif fact.fact.kind in TIMED:
                stated["timers_fired"] += 1

    def answers(self) -> dict[str, Any]:
        """What was concluded. None of it may be nothing."""
        counts = self.engine.counts
        told = {
            **{name: self.stated[name] for name in ("facts", "timers_fired", "retractions")},
            "out_of_order": counts["corrections"],
            "duplicates": counts["duplicates"],
        }
        assert all(told.values()), told
        return told


def run(size: Size) -> dict[str, Any]:
    """Events a second of decode and fold together, and of each; medians of up to three rounds."""
    gc.set_threshold(100_000, 50, 100)  # as the worker does
    log = log_of(min(size.events, EVENTS_MAX))
    rounds = []
    for _ in range(min(size.rounds, ROUNDS_MAX)):
        fold = Fold()
        fold.feed(log.lines())
        told = fold.answers()
        rounds.append((fold.decode_seconds, fold.fold_seconds, told | {"digest": finish(fold, log)}))
        del fold
        gc.unfreeze()
        gc.collect()
    assert all(each[2:] == rounds[0][2:] for each in rounds), "the same log gave different answers"
    decode_seconds, fold_seconds = median(each[0] for each in rounds), median(each[1] for each in rounds)
    return {
        "events": log.events,
        "decode_events_per_second": round(log.events / decode_seconds),
        "fold_events_per_second": round(log.events / fold_seconds),
        "engine_events_per_second": round(log.events / (decode_seconds + fold_seconds)),
        "open_tickets": log.open_tickets,
        **rounds[0][2],
    }


def finish(fold: Fold, log: Log) -> str:
    """The benchmark's own answer: once the clocks have run on, every total that the generator knows. Returns the digest."""
    engine = fold.engine
    counts = engine.counts
    assert counts["accepted"] + counts["duplicates"] + counts["late"] == log.events, (counts, log.events)
    engine.advance(parse_time(log.truth["clock_advanced_at"]))
    while handed := engine.drain().rekeyed:
        for each in handed:
            engine.apply_rekeyed(each)
    # What was refused is counted by the door, of which there is none here.
    families = {name: amount for name, amount in log.truth["families"].items() if "events_invalid" not in name}
    shown = snapshot([engine.view()], None, engine.settings.group_bys)
    differences = compare_truth({"families": families}, shown)
    assert not differences, [str(each) for each in differences[:10]]
    assert int(shown["digest"], 16)
    return str(shown["digest"])
