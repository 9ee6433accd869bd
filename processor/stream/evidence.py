"""What stands behind an alert, told by the running worker: of the partitions that it owns, as of now.

What is awake is looked at between two steps, so that nothing is told that was not committed; tickets that sleep are woken after that, in
a thread and for a bounded time. One search at a time: alerts come in swarms, and the work that they are about goes first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from aiokafka import TopicPartition

from processor.config import Config
from processor.explain.evidence import Document, QueryError, Search, known_values, read_query, together
from processor.stream.partition import PartitionProcessor

STEPS_SECONDS = 1.0  # to wait for the steps that are open, of all partitions together
SLEEPERS_SECONDS = 1.5  # for all tickets that sleep

Answer = tuple[int, Document]  # HTTP status and document


class Evidence:
    """Searches the partitions of one worker."""

    def __init__(self, config: Config, owned: Mapping[TopicPartition, PartitionProcessor]) -> None:
        self._known = known_values(config)
        self._owned = owned
        self._one_at_a_time = asyncio.Lock()

    async def answer(self, query: Mapping[str, str]) -> Answer:
        """What /evidence says: 200 with what could be had, `problems` naming the rest; 400 for what nobody can answer; 503 without any."""
        try:
            segment, limit = read_query(query)
        except QueryError as error:
            return 400, {"error": str(error), "reason": "query"}
        async with self._one_at_a_time:
            return await self._search(segment, limit)

    async def _search(self, segment: Mapping[str, str], limit: int) -> Answer:
        owned = dict(sorted(self._owned.items()))
        total = next((partition.partitions for partition in owned.values()), 0)
        problems: list[str] = []
        searches: list[Search] = []
        steps_until = asyncio.get_running_loop().time() + STEPS_SECONDS
        for source, partition in owned.items():
            try:
                searches.append(await self._awake(partition, segment, limit, steps_until))
            except TimeoutError:
                problems.append(f"partition {source.partition}: in the middle of a step")
            except LookupError as error:
                problems.append(f"partition {source.partition}: {error}")
        if not searches:
            return 503, {"error": "; ".join(problems) or "this worker has no partitions yet", "reason": "starting"}
        until = time.monotonic() + SLEEPERS_SECONDS
        for search in searches:
            await asyncio.to_thread(search.asleep, lambda: time.monotonic() < until)
        found = together((search.document() for search in searches), limit, problems)
        return 200, {"segment": dict(segment), "of_partitions": total, **found}

    async def _awake(self, partition: PartitionProcessor, segment: Mapping[str, str], limit: int, until: float) -> Search:
        async with asyncio.timeout_at(until):
            await partition.between_steps.acquire()
        try:
            if partition.phase != "running":
                raise LookupError("it is being taken over")
            search = Search(partition.engine, segment, self._known, limit)
            await asyncio.to_thread(search.awake)
            return search
        finally:
            partition.between_steps.release()
