"""Who of the consumer group owns what: partition p of every input topic goes to the same worker, and stays there if it can.

A partition processor reads its events and what is re-keyed to it, so both must come together. A worker that keeps a partition keeps its
state in memory; so each says what it has, and gives away only what is more than its share.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import orjson
from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.assignors.abstract import AbstractPartitionAssignor
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

NAME = "ticket-kpis-together"
VERSION = 0


def assignor(partitions: Mapping[str, int]) -> type[AbstractPartitionAssignor]:
    """An assignor for one consumer. A class of its own for each, since aiokafka keeps what it remembers in the class.

    `partitions` is how many each topic ought to have. That counts where the cluster does not know a topic: a broker that has just started
    may answer so, and whoever deals out nothing then notices it only when the metadata are asked for again, five minutes later.
    """

    class Together(AbstractPartitionAssignor):
        """Deals out partition numbers, not partitions of single topics."""

        name = NAME
        owned: tuple[int, ...] = ()

        @classmethod
        def assign(
            cls, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
        ) -> dict[str, ConsumerProtocolMemberAssignment]:
            topics = sorted({topic for metadata in members.values() for topic in metadata.subscription})
            found = {topic: cluster.partitions_for_topic(topic) or set(range(partitions.get(topic, 0))) for topic in topics}
            numbers = set[int]().union(*found.values())
            dealt = deal({member: _claimed(metadata.user_data) for member, metadata in members.items()}, numbers)
            return {
                member: ConsumerProtocolMemberAssignment(
                    VERSION, [(topic, [number for number in share if number in found[topic]]) for topic in topics], b""
                )
                for member, share in dealt.items()
            }

        @classmethod
        def metadata(cls, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
            return ConsumerProtocolMemberMetadata(VERSION, sorted(topics), orjson.dumps(cls.owned))

        @classmethod
        def on_assignment(cls, assignment: ConsumerProtocolMemberAssignment) -> None:
            cls.owned = tuple(sorted({source.partition for source in assignment.partitions()}))

    return Together


def deal(claims: Mapping[str, Iterable[int]], numbers: set[int]) -> dict[str, list[int]]:
    """Partition numbers for each member, as evenly as can be; who claims a number keeps it within its share.

    Where two claim the same one, which happens after a member was away, it goes to the one that claims less.
    """
    if not claims:
        return {}
    wanted = {member: [number for number in sorted(set(claimed)) if number in numbers] for member, claimed in claims.items()}
    fewest_first = sorted(wanted, key=lambda member: (len(wanted[member]), member))
    share, larger = divmod(len(numbers), len(wanted))
    dealt: dict[str, list[int]] = {member: [] for member in wanted}
    free = set(numbers)
    for member in fewest_first:  # everybody's share at first, so that nobody's remainder is in another's way
        kept = [number for number in wanted[member] if number in free][:share]
        dealt[member] += kept
        free.difference_update(kept)
    for member in sorted(wanted, key=lambda member: (-len(wanted[member]), member)):
        rest = [number for number in wanted[member] if number in free]
        if larger and rest and len(dealt[member]) == share:
            dealt[member].append(rest[0])
            free.discard(rest[0])
            larger -= 1
    sizes = Counter({member: len(kept) for member, kept in dealt.items()})
    for number in sorted(free):
        member = min(sizes, key=lambda name: (sizes[name], name))
        dealt[member].append(number)
        sizes[member] += 1
    return {member: sorted(share) for member, share in dealt.items()}


def _claimed(user_data: bytes) -> tuple[int, ...]:
    """What a member says that it has; nothing where it says nothing that can be understood."""
    try:
        return tuple(int(number) for number in orjson.loads(user_data or b"[]"))
    except (ValueError, TypeError):
        return ()
