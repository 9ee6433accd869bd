"""Mends aiokafka: what compaction leaves of a transaction's end is no damage, and readers must get past it.

Compaction keeps the last batch of every producer, as the place of its number, and takes the record out of it: also of the batch that ended
a transaction, once `delete.retention.ms` has passed. So whoever writes to a compacted topic beside others and is quiet for a day leaves an
empty one. aiokafka raises there (0.14: "Control batch did not contain any records"), at every attempt, for ever; Java's consumer goes on.
"""

from __future__ import annotations

from typing import Any

from aiokafka.consumer.fetcher import ABORT_MARKER, ControlRecord, PartitionRecords


def read_over_empty_batches() -> None:
    """From now on every consumer of this process does."""
    PartitionRecords._contains_abort_marker = _contains_abort_marker  # noqa: SLF001 - there is no other way in


def _contains_abort_marker(_records: Any, batch: Any) -> bool:
    record = next(batch, None)
    return record is not None and ControlRecord.parse(record.key) == ABORT_MARKER
