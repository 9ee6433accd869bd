"""The engines of all partitions in one process, joined: what one leaves for another is delivered at once, until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace

from processor.codec.facts import encode_fact
from processor.codec.state import quicken
from processor.config.service import Facts
from processor.core.business_hours import NEVER
from processor.core.engine import Engine
from processor.core.exchange import Exchange
from processor.core.facts import DETAIL_KINDS
from processor.core.outputs import Report, Stated, Step
from processor.core.settings import Settings
from processor.core.told import EngineKind
from processor.replay.following import Following

OnReport = Callable[[int, Report], None]


class Joined:
    """Engines 0 to `partitions` - 1. `place` gives the partition of a key.

    `limits` are the instants that timers never pass, by partition; those that it does not name have none. Every `report_every_minutes`
    (0 = never) `on_report` hears the reports, with their partition; each waits until all partitions have passed its minute. `kind` is
    the class of the engines. Of the partitions in `shown` net facts are kept where `keep_facts` says so, and `following` hears what they
    state and count.
    """

    def __init__(
        self,
        settings: Settings,
        partitions: int,
        place: Callable[[str], int],
        *,
        limits: Mapping[int, int],
        report_every_minutes: int = 0,
        on_report: OnReport | None = None,
        kind: EngineKind = Engine,
        following: Following | None = None,
        shown: Container[int] = (),
        keep_facts: bool = False,
    ) -> None:
        self.engines = {number: kind(settings, number, partitions) for number in range(partitions)}
        for engine in self.engines.values():
            quicken(engine)
        self._ledger: dict[int, tuple[int, Stated]] = {}
        self._keep_facts = keep_facts
        self._exchange = Exchange(self.engines, place)
        self._on_report = on_report
        self._following, self._shown = following, shown
        for number, engine in self.engines.items():
            engine.limit = limits.get(number, NEVER)
            if report_every_minutes:
                engine.report_every(report_every_minutes, hold=True)
            if following is not None and number in shown:
                following.follow(engine.rows)

    def step(self) -> None:
        """Let timers follow the log, deliver what goes from one to another, and put down what was stated."""
        for engine in self.engines.values():
            engine.advance_by_log()
            engine.sweep()
        self._settle()

    def finish(self, at: Callable[[int], int]) -> None:
        """Let the timers of each partition run up to an instant."""
        for number, engine in self.engines.items():
            engine.limit = max(engine.limit, at(number))
            engine.advance(at(number), last=True)
        self._settle()

    def _settle(self) -> None:
        """Drain and deliver until nothing moves."""
        waiting = list(self.engines)
        while waiting:
            reached: set[int] = set()
            for number in waiting:
                step = self.engines[number].drain()
                self._put_down(number, step)
                reached |= self._exchange.deliver(number, step)
            waiting = sorted(reached)

    def _put_down(self, number: int, step: Step) -> None:
        if self._on_report is not None:
            for report in step.reports:
                self._on_report(number, report)
        if self._following is not None and number in self._shown:
            self._following.facts(step.facts)
        if not self._keep_facts or number not in self._shown:
            return
        ledger = self._ledger
        for stated in step.facts:
            present = ledger.get(stated.number)
            count = stated.sign if present is None else present[0] + stated.sign
            if count:
                ledger[stated.number] = (count, stated if stated.sign > 0 or present is None else present[1])
            else:
                del ledger[stated.number]

    def standing(self) -> list[Stated]:
        """The net facts in the order of their instants; but for their causes the same in whatever order and partitions events came."""
        standing = (stated for count, stated in self._ledger.values() for _ in range(count))
        return sorted(standing, key=lambda stated: (stated.fact.at, stated.entity, stated.key, stated.fact.kind, stated.number))

    def facts(self, said: Facts) -> Iterator[bytes]:
        """The net facts, encoded, as much of them as the configuration says.

        Without their causes: which event brought a fact about depends on the order in which they came.
        """
        shown = (stated for stated in self.standing() if said.detail == "all" or stated.fact.kind not in DETAIL_KINDS)
        return (encode_fact(replace(stated, cause=""), agents=said.agents) for stated in shown)
