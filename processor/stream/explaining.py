"""Why a ticket's numbers are what they are, told by the running worker: of what the partition that owns the ticket still keeps of it.

What is kept is copied between two steps, so that nothing is told that was not committed; the rest is done in a thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from aiokafka import TopicPartition

from processor.codec.murmur2 import partition_of
from processor.config import Config
from processor.core.events import TICKET
from processor.core.policies import Policies
from processor.core.settings import Settings
from processor.explain import Kept, answer
from processor.explain.finding import no_ticket, similar
from processor.stream.partition import PartitionProcessor

PATIENCE_SECONDS = 10.0  # for the step that is open
ID_CHARS_MAX = 256  # no ticket has a longer id

Owned = Mapping[TopicPartition, PartitionProcessor]
Answer = tuple[int, dict[str, Any]]  # HTTP status and document


async def explain_ticket(config: Config, settings: Settings, owned: Owned, ticket: str, at: int | None) -> Answer:
    """The explanation, or why there is none: 404 with `reason` unknown or elsewhere, 503 while the partition is being taken over."""
    if not ticket or len(ticket) > ID_CHARS_MAX:
        return 400, {"error": "say which ticket: /explain?ticket=ID", "reason": "no_ticket"}
    total = next((partition.partitions for partition in owned.values()), 0)
    if not total:
        return 503, {"error": "this worker has no partitions yet; ask again, or another one", "reason": "starting"}
    wanted = partition_of(ticket.encode("utf-8", "surrogatepass"), total) if config.worker.partitioner == "murmur2" else None
    asked = [partition for source, partition in sorted(owned.items()) if wanted is None or source.partition == wanted]
    if not asked:
        numbers = ", ".join(str(source.partition) for source in sorted(owned))
        told = f"{ticket} belongs to partition {wanted} of {total}, which another worker serves (this one has {numbers}): ask the others"
        return 404, {"error": told, "reason": "elsewhere", "partition": wanted, "partitions": total}
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            kept, number = await _kept(asked, ticket)
    except TimeoutError:
        return 503, {"error": f"partition {wanted} is in the middle of a step; ask again", "reason": "busy"}
    if kept is not None:
        return await asyncio.to_thread(lambda: answer(kept, Policies(settings), number, at))
    if number < 0:
        return 503, {"error": f"the partition of {ticket} is being taken over; ask again", "reason": "starting"}
    return await _unknown(asked, ticket, wanted is None and len(owned) < total)


async def _kept(partitions: Iterable[PartitionProcessor], ticket: str) -> tuple[Kept | None, int]:
    """What is kept of it, and where; nothing with a partition below 0 where one of them cannot tell."""
    ready = 0
    for partition in partitions:
        async with partition.between_steps:
            if partition.phase != "running":
                ready = -1
                continue
            kept = Kept.by(partition.engine, ticket)
            if kept is not None:
                return kept, partition.engine.partition
    return None, ready


async def _unknown(partitions: list[PartitionProcessor], ticket: str, perhaps_elsewhere: bool) -> Answer:
    engines = [partition.engine for partition in partitions]
    told = no_ticket(ticket, engines)
    if told is not None:
        return 404, {"error": told, "reason": "unknown"}
    known = [key for engine in engines for key in engine.entities[TICKET]]
    near = await asyncio.to_thread(similar, ticket, known)
    told = f"{ticket} is not among the {len(known):,} tickets that its partition keeps"
    told += f"; similar: {', '.join(near)}" if near else "; one that was final long ago is explained from a recorded log"
    return 404, {"error": told, "reason": "elsewhere" if perhaps_elsewhere else "unknown", "similar": near}
