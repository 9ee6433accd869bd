"""All partitions in one process, joined: what one engine hands over reaches the other, as through the topic between workers.

For replays, tools and tests; the worker sends the same through Kafka. Which of them comes first makes no difference to what is true in the
end, so here everything is delivered at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from processor.core.engine import Engine
from processor.core.outputs import Step


class Exchange:
    """Delivers steps. `place` gives the partition of an entity's id; what is for a partition that is not here goes nowhere."""

    def __init__(self, engines: Mapping[int, Engine], place: Callable[[str], int]) -> None:
        self._engines = engines
        self._place = place

    def deliver(self, partition: int, step: Step) -> set[int]:
        """Hand over what the step of a partition left; returns the partitions that have something to drain because of it."""
        reached: set[int] = set()
        for handed in step.rekeyed:
            place = self._place(handed.target)
            engine = self._engines.get(place)
            if engine is not None:
                engine.apply_rekeyed(handed)
                reached.add(place)
        if step.heartbeat is not None:
            for place, engine in self._engines.items():
                engine.hear(partition, step.heartbeat)
                if engine.news():
                    reached.add(place)
        return reached
