"""How many different people: agents who were active, visitors of the knowledge base.

A row counts under `FAMILY:PSEUDONYM` how many facts there were of each; the number of keys with a positive count is the answer, and exact.
That is additive like everything else in a row: over minutes, partitions and retractions.

In a row with more than `EXACT_MAX` keys they are brought into a sketch, under `FAMILY:~BUCKET.RANK`: a HyperLogLog whose registers are
counts, so that it can be added, and what was added can be taken away again. Its standard error is 1.04 / sqrt(512) = 4.6 %. Keys and a
sketch may stand side by side, when one is added to the other; reading brings them together.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, log
from typing import Final

AGENTS: Final = "agents"
VISITORS: Final = "kb_visitors"
FAMILIES: Final = (AGENTS, VISITORS)
EXACT_MAX: Final = 10_000  # keys of one row; some 300 KB, as a record of the state
_BUCKET_BITS: Final = 9  # so that the sketch of a million people has 7,000 keys
_BUCKETS: Final = 1 << _BUCKET_BITS
_REST_BITS: Final = 64 - _BUCKET_BITS
_FEW = 100  # people of a family that are never the reason for a row's length
_SKETCH: Final = "~"
_ALPHA: Final = 0.7213 / (1 + 1.079 / _BUCKETS)
_HEADS: Final = tuple(f"{family}:" for family in FAMILIES)

Row = dict[str, int]


def is_person(key: str) -> bool:
    """Whether a row's key stands for a person, or for many in a sketch."""
    return key.startswith(_HEADS)


def compact(row: Row) -> None:
    """Bring the people of a row that has more than `EXACT_MAX` keys into a sketch."""
    for family in FAMILIES:
        keys = list(_exact(row, f"{family}:"))
        if len(keys) > _FEW:
            for key in keys:
                _add(row, _register(family, key), row.pop(key))


def count(row: Row, family: str) -> int:
    """How many different ones there are in a row."""
    head = f"{family}:"
    mark = head + _SKETCH
    sketch: Row = {key: amount for key, amount in row.items() if key.startswith(mark)}
    if not sketch:
        return sum(amount > 0 for key, amount in row.items() if key.startswith(head))
    for key in _exact(row, head):
        _add(sketch, _register(family, key), row[key])
    return _estimate(sketch, len(mark))


def collapse(row: Row, family: str) -> None:
    """Put the number in the place of the keys: of people who live on one partition, numbers of partitions can be added up."""
    head = f"{family}:"
    keys = [key for key in row if key.startswith(head)]
    if keys:
        number = count(row, family)
        for key in keys:
            del row[key]
        if number:
            row[family] = number


def _exact(row: Row, head: str) -> Iterator[str]:
    at = len(head)
    return (key for key in row if key.startswith(head) and key[at : at + 1] != _SKETCH)


def _register(family: str, key: str) -> str:
    """Bucket and rank of a pseudonym, which is a hash of 64 bits already."""
    number = int(key[len(family) + 1 :], 16)
    rest = number & ((1 << _REST_BITS) - 1)
    return f"{family}:{_SKETCH}{number >> _REST_BITS}.{_REST_BITS - rest.bit_length() + 1}"


def _add(row: Row, key: str, amount: int) -> None:
    row[key] = row.get(key, 0) + amount


def _estimate(sketch: Row, at: int) -> int:
    ranks: dict[str, int] = {}
    for key, amount in sketch.items():
        if amount > 0:
            bucket, _, rank = key[at:].partition(".")
            ranks[bucket] = max(ranks.get(bucket, 0), int(rank))
    empty = _BUCKETS - len(ranks)
    estimate = _ALPHA * _BUCKETS**2 / (empty + fsum([2.0**-rank for rank in ranks.values()]))
    if empty and estimate <= 2.5 * _BUCKETS:  # few: by how many buckets are empty
        return round(_BUCKETS * log(_BUCKETS / empty))
    return round(estimate)
