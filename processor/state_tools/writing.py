"""Writing state as a worker of the partition would: through its transactional id, so that nobody else can write any more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from processor.config import Config
from processor.stream.committer import Committer
from processor.stream.connection import aiokafka_settings
from processor.stream.failpoints import Failpoints

TRANSACTION_SECONDS = 300  # a whole partition goes in one transaction; nobody reads these topics meanwhile


@asynccontextmanager
async def fenced(config: Config, partition: int, *, state_topic: str | None = None) -> AsyncIterator[Committer]:
    """The transactional producer of a partition, with all others of the same id fenced; perhaps for another state topic."""
    worker = config.worker.model_copy(update={"transaction_timeout_seconds": TRANSACTION_SECONDS})
    topics = config.topics if state_topic is None else config.topics.model_copy(update={"state": state_topic})
    patient = config.model_copy(update={"worker": worker, "topics": topics})
    committer = Committer(patient, aiokafka_settings(config.kafka), partition, Failpoints(""))
    await committer.start()
    try:
        yield committer
    finally:
        await committer.stop()
