"""The whole of a backtest: replay the log into samples, evaluate the rules over them, and say what was found."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from processor.backtest.evaluating import Advance, evaluate
from processor.backtest.findings import Findings
from processor.backtest.metering import DAYS_MAX, Metering
from processor.backtest.prometheus import tool
from processor.backtest.rules import Rules
from processor.config import Config
from processor.replay import Refused, Replay, no_events


class BacktestError(Exception):
    """The log cannot be backtested; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Range:
    """Which part of the log is evaluated, in milliseconds since 1970; what lies before counts all the same."""

    since: int | None = None
    until: int | None = None


def backtest(
    config: Config, rules: Rules, read: Callable[[Replay], float], *,
    within: Range, partitions: int | None, folder: Path | None, advance: Advance, on_refused: Callable[[Refused], None],
) -> dict[str, Any]:  # fmt: skip
    """What would have fired. `read` feeds the log into a replay, `advance` hears of each rule.

    `folder` is where promtool and prometheus are, if not on the PATH; that they are there is checked before the log is read.
    """
    if within.since is not None and within.until is not None and within.since > within.until:
        raise BacktestError("--since is after --until: nothing lies between them")
    for name in ("promtool", "prometheus"):
        tool(name, folder)
    started = perf_counter()
    with tempfile.TemporaryDirectory(prefix="ticket-kpis-backtest-") as name:
        directory = Path(name)
        samples = directory / "samples.txt"
        metering = Metering(config, rules, since=within.since, until=within.until, partitions=partitions, on_refused=on_refused)
        read(metering.replay)
        metering.finish()
        _check(metering)
        replayed = perf_counter()
        with samples.open("w", encoding="utf-8") as sink:
            sink.writelines(metering.series.text(metering.first, metering.last))
        first, begin, last = (minute * 60 for minute in (metering.first, metering.begin, metering.last))
        fired = evaluate(rules, samples, directory, (first, begin, last), advance, folder)
    found = Findings(rules, fired, metering.breaches, metering.flow, begin, last).document()
    seconds = {"replaying": replayed - started, "evaluating": perf_counter() - replayed}
    replay = metering.replay
    counted = {"records": replay.records, "rejected": replay.refused.total(), "samples": metering.series.samples}
    return {**found, **counted, "took_seconds": seconds}


def _check(metering: Metering) -> None:
    if metering.too_long:
        limit = f"spans more than {DAYS_MAX} days, or has more numbers than fit into memory"
        raise BacktestError(f"the log {limit}: say which part with --since and --until")
    if not metering.replay.records:
        raise BacktestError("the log is empty")
    if not metering.heard:
        raise BacktestError(no_events(metering.replay.refused))
    if not metering.begin:
        raise BacktestError("the log has nothing within --since and --until")
