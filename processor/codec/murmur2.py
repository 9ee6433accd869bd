"""Kafka's default partitioner: murmur2 as the Java client computes it, so that the key of a record tells its partition.

Written in Python, so it costs a microsecond or two for a key: ask once per entity, not once per event.
"""

from __future__ import annotations

from struct import unpack_from

_SEED = 0x9747B28C
_M = 0x5BD1E995
_R = 24
_MASK = 0xFFFFFFFF
_POSITIVE = 0x7FFFFFFF


def murmur2(data: bytes) -> int:
    """The hash as an unsigned number of 32 bits."""
    length = len(data)
    words = length >> 2
    state = _SEED ^ length
    for word in unpack_from(f"<{words}I", data):
        mixed = word * _M & _MASK
        mixed = (mixed ^ mixed >> _R) * _M & _MASK
        state = state * _M & _MASK ^ mixed
    rest = data[words << 2 :]
    if rest:
        state = (state ^ int.from_bytes(rest, "little")) * _M & _MASK
    state = (state ^ state >> 13) * _M & _MASK
    return state ^ state >> 15


def partition_of(key: bytes, partitions: int) -> int:
    """The partition to which Java producers and kafka-python send a record with this key."""
    return (murmur2(key) & _POSITIVE) % partitions
