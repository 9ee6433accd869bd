"""What all partitions of a replay have come to together: for the demonstration without Kafka."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

from processor.client.kpis import KpiKey, KpiWindow, decode_kpis
from processor.client.latest import KpiChange, LatestKpis
from processor.codec.partials import place_of
from processor.compile import compile_rules, compile_settings
from processor.config import Config
from processor.core.outputs import Report
from processor.core.windows import WINDOWS
from processor.kpis.combine import TOTAL, Combined
from processor.kpis.encode import encode_kpis
from processor.replay import Replay
from processor.replay.kpis import EPOCH, ReplayedKpis
from processor.wall.tails import OnWindow

if TYPE_CHECKING:
    from processor.wall.feed import OnBegun


class Replayed:
    """The KPIs of the total and the levels of a replay that goes on. `report` is its `on_report`; call `look` after each step."""

    def __init__(self, config: Config) -> None:
        self._settings = compile_settings(config)
        self._rules = compile_rules(config)
        self._kpi_partition = place_of(*TOTAL, config.topics.kpi_partitions)
        self._total = self._settings.group_bys.index(()), ()
        self._stage = ReplayedKpis(config, self._settings, lambda: config.topics.partitions)
        self._latest = LatestKpis()
        self._end = -1
        self._levels: dict[int, Mapping[str, int]] = {}
        self._on_window: OnWindow | None = None
        self.report: Callable[[int, Report], None] = self._stage.report

    def open(self, on_window: OnWindow) -> tuple[Replayed, Callable[[OnBegun], Awaitable[None]]]:
        """For a feed: everything is there already."""
        self._on_window = on_window

        async def read(begun: OnBegun) -> None:
            begun()

        return self, read

    def look(self, replay: Replay) -> None:
        """Take over what the replay has come to."""
        self._levels = {number: engine.level_sums().get(self._total, {}) for number, engine in replay.engines.items()}
        view = next((view for view in self._stage.views() if view.kpi_partition == self._kpi_partition), None)
        if view is None or view.end == self._end:
            return
        self._end = view.end
        combined = Combined(view.end, 0, view.complete, (), {TOTAL: view.segments[TOTAL]}, ())
        for _, value in encode_kpis(combined, EPOCH, self._settings.midnights, self._rules):
            window = decode_kpis(value or b"")
            self._latest.apply(0, KpiChange(window.key, window))
            if self._on_window is not None:
                self._on_window(window)

    @property
    def windows(self) -> Mapping[str, KpiWindow]:
        """By name."""
        return {window: found for window in WINDOWS if (found := self._latest.get(KpiKey((), (), window))) is not None}

    @property
    def levels(self) -> Mapping[str, int] | None:
        """Sums over the partitions."""
        sums: dict[str, int] = {}
        for levels in self._levels.values():
            for name, count in levels.items():
                sums[name] = sums.get(name, 0) + count
        return sums if self._levels else None

    @property
    def levels_from(self) -> frozenset[int]:
        """The partitions that are in them."""
        return frozenset(self._levels)
