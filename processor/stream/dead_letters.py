"""A refused record on its way to the dead-letter topic: the untouched bytes, with the reason and the place in the headers."""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from processor.core.events import Rejected
from processor.stream.committer import DeadLetter

# What max.message.bytes of the dead-letter topic takes, headers left aside. The source topic's own limit is lower, but it counts compressed
# bytes: a batch of a few kilobytes may hold a record that no topic would take as it is.
LETTER_BYTES_MAX = 2_000_000
DETAIL_BYTES_MAX = 1024


def dead_letter(record: Any, value: bytes | None, rejected: Rejected, payload: Literal["full", "hash"]) -> DeadLetter:
    """The letter about a record of the events topic. What must not or cannot be written is replaced by its SHA-256 in the headers."""
    headers = [
        ("reason", rejected.reason.encode()),
        ("detail", rejected.detail.encode("utf-8", "replace")[:DETAIL_BYTES_MAX]),
        ("topic", record.topic.encode()),
        ("partition", str(record.partition).encode()),
        ("offset", str(record.offset).encode()),
    ]
    key = record.key
    if key is not None and len(key) > LETTER_BYTES_MAX // 2:
        headers.append(("key_sha256", _sha256(key)))
        key = None
    if value is not None and (payload == "hash" or len(key or b"") + len(value) > LETTER_BYTES_MAX):
        headers.append(("sha256", _sha256(value)))
        value = None
    return DeadLetter(key, value, headers)


def _sha256(withheld: bytes) -> bytes:
    return hashlib.sha256(withheld).hexdigest().encode()
