"""The KPI stage on a recorded log: what the topic of KPIs would hold for every W, without Kafka.

The reports of the engines go through the same slices, the same adding up and the same records as between workers. So a replay says what
any number of workers publishes of that log, minute by minute.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import BinaryIO

from processor.codec.partials import Place, Sender, decode_partial, encode_levels, encode_report, place_of
from processor.compile import compile_rules
from processor.config import Config
from processor.core.engine import Engine
from processor.core.outputs import Report
from processor.core.settings import Settings
from processor.export.kpi_view import KpiView
from processor.kpis.combine import NEVER, TOTAL, Combiner
from processor.kpis.encode import encode_kpis

EPOCH = 1  # of a stage that lives as long as the replay

OnRecord = Callable[[bytes, bytes | None], None]  # key, value; None takes the key away


class ReplayedKpis:
    """All partitions of the KPI stage. `report` is the `on_report` of a replay, `on_record` hears each record, if anybody wants to know.

    `partitions` tells how many the replay has; it is asked with the first report, since a replay learns that from its log.
    """

    def __init__(self, config: Config, settings: Settings, partitions: Callable[[], int], on_record: OnRecord | None = None) -> None:
        self._application = config.application_id
        self._kpi_partitions = config.topics.kpi_partitions
        self._settings = settings
        self._rules = compile_rules(config)
        self._partitions = partitions
        self._on_record = on_record
        self._stage: list[Combiner] = []
        self._senders: list[Sender] = []
        self._sequence = 0

    def _begin(self) -> None:
        partitions, many = self._partitions(), self._kpi_partitions
        self._stage = [_combiner(number, partitions, many) for number in range(many)]
        group_bys, owner = self._settings.group_bys, self._application
        self._senders = [Sender(number, partitions, EPOCH, many, group_bys, owner) for number in range(partitions)]

    def report(self, partition: int, report: Report) -> None:
        """What a partition reports."""
        if not self._stage:
            self._begin()
        self._sequence += 1
        hear = self._on_record
        for number, _, value in encode_report(report, self._senders[partition], self._sequence):
            combiner = self._stage[number]
            combiner.add(decode_partial(value), report.end)
            given = combiner.due(report.end)
            if hear is not None:
                for key, record in chain.from_iterable(encode_kpis(each, EPOCH, self._settings.midnights, self._rules) for each in given):
                    hear(key, record)

    def take_levels(self, partition: int, engine: Engine) -> None:
        """The levels of a partition as of now."""
        if not self._stage:
            self._begin()
        self._sequence += 1
        for number, _, value in encode_levels(engine.level_sums(), engine.timer_time, self._senders[partition], self._sequence):
            self._stage[number].add(decode_partial(value), engine.timer_time)

    def views(self) -> list[KpiView]:
        """What the gauges show in the end."""
        return [view for combiner in self._stage if (view := combiner.view()) is not None]


def lines_into(stream: BinaryIO | None) -> OnRecord | None:
    """Write each record as a line; those that take a key away are left out, since a file takes nothing away."""
    if stream is None:
        return None

    def put(_key: bytes, value: bytes | None) -> None:
        if value is not None:
            stream.write(value + b"\n")

    return put


def _combiner(number: int, partitions: int, kpi_partitions: int) -> Combiner:
    """One that waits for every partition, however far the others are ahead: a replay is no faster for leaving something out."""
    always: frozenset[Place] = frozenset([TOTAL] if place_of(*TOTAL, kpi_partitions) == number else [])
    return Combiner(number, partitions, incomplete_after_ms=NEVER, always=always, pending_max=NEVER)
