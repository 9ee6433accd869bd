"""The series of a live worker over a recorded log, as Prometheus would have scraped them: one sample for each minute of event time.

A log is taken to have come when its events say: a minute passes when the first event of a later one is read. Then timers run up to it, as
the wall clock moves them in a live worker, the partitions report, the KPI stage adds up, and the exporter's tables become samples. So a
late event counts when it came, not when it should have come. The processor itself is taken to be well all the time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from processor.backtest.heard import Breaches, Flow
from processor.backtest.rules import Rules
from processor.backtest.series import Series
from processor.compile import compile_settings
from processor.config import Config
from processor.core.outputs import Stated
from processor.core.settings import DAY_MS, MINUTE_MS
from processor.core.told import watched
from processor.export.catalogue import FAMILIES
from processor.export.collector import Exporter
from processor.export.family import Family
from processor.export.kpi_view import KpiView
from processor.export.telemetry import Telemetry
from processor.replay import Refused, Replay
from processor.replay.kpis import ReplayedKpis

DAYS_MAX = 120
HISTORY_MS = 22 * DAY_MS  # of before `since`: alerts compare with the last three weeks
_MINUTES_MAX = DAYS_MAX * 1440


class Metering:
    """Replays a log and notes the series that the rules need, between `since` and `until` (ms), and three weeks before.

    After `finish` the first minute that is noted, the first that is to be evaluated and the last are known, unless there are none;
    `too_long` where there is more than fits. Everything counts, whatever is noted.
    """

    def __init__(
        self, config: Config, rules: Rules, *,
        since: int | None = None, until: int | None = None, partitions: int | None = None,
        on_refused: Callable[[Refused], None] | None = None,
    ) -> None:  # fmt: skip
        names = _wanted(rules)
        self.families = tuple(family for family in FAMILIES if not names.keys().isdisjoint(_sample_names(family)))
        self.series = Series(names, rules.ranged)
        self.breaches, self.flow = Breaches(), Flow(config.reporting_zone)
        self.first = self.begin = self.last = 0  # minutes since 1970
        self.too_long = False
        self._since, self._until = since, until
        self._exporter, self._telemetry = Exporter(config, families=self.families, kpi_windows=rules.windows), Telemetry()
        settings = compile_settings(config)
        self._delay = settings.timer_delay
        asked = any(family.source == "kpi" for family in self.families)
        self._kpis = ReplayedKpis(config, settings, lambda: len(self.replay.engines)) if asked else None
        self._minute = 0
        self.replay = Replay(
            config, settings=settings, partitions=partitions, engine=watched(self), on_refused=on_refused,
            report_every_minutes=1 if self._kpis else 0, on_report=self._kpis.report if self._kpis else None,
        )  # fmt: skip

    def stated(self, facts: Iterable[Stated]) -> None:
        """See `told.Watch`."""
        self.breaches.hear(facts)

    def hear(self, at: int) -> None:
        """An event of this instant is about to be folded."""
        minute = at // MINUTE_MS
        if minute <= self._minute:
            return
        if not self._minute:
            self._minute = minute
        if minute - self._minute > _MINUTES_MAX:
            self.too_long = True
            return
        while self._minute < minute:
            self._minute += 1
            self._pass(self._minute)

    @property
    def heard(self) -> bool:
        """Whether there was any event."""
        return self._minute > 0

    def finish(self) -> None:
        """The minute in which the last event came is over, too."""
        if self.heard:
            self.hear((self._minute + 1) * MINUTE_MS)
        self.flow.close()

    def _pass(self, minute: int) -> None:
        """The numbers at the beginning of this minute."""
        at = minute * MINUTE_MS
        self.replay.finish(at - self._delay)
        since = self._since or 0
        if at < since - HISTORY_MS or (self._until is not None and at > self._until) or self.too_long:
            return
        self.first, self.last = self.first or minute, minute
        if self.last - self.first > _MINUTES_MAX or self.series.full:
            self.too_long = True
            return
        views = [engine.view() for engine in self.replay.engines.values()]
        if at - MINUTE_MS < since:  # the minute that ends here had begun before
            self.flow.before(at, views)
        else:
            self.flow.hear(at, views)
        if at >= since:
            self.begin = self.begin or minute
        for view in views:
            self._telemetry.running(view.partition, flag=True)
            self._telemetry.replaying(view.partition, flag=False)
        for table in self._exporter.tables(views, self._telemetry, self._kpi_views()):
            self.series.note(minute, table.family, table.numbers or table.histograms)

    def _kpi_views(self) -> Sequence[KpiView]:
        if self._kpis is None:
            return ()
        for number, engine in self.replay.engines.items():
            self._kpis.take_levels(number, engine)
        return self._kpis.views()


def _wanted(rules: Rules) -> dict[str, list[str]]:
    """Sample name -> the names under which it is written."""
    wanted = {name: [name] for family in FAMILIES for name in _sample_names(family) if name in rules.names}
    for other, name in rules.renamed.items():
        wanted.setdefault(name, []).append(other)
    return wanted


def _sample_names(family: Family) -> list[str]:
    if family.kind != "histogram":
        return [family.name]
    return [f"{family.name}{suffix}" for suffix in ("_bucket", "_sum", "_count")]
