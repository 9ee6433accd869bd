"""Partitions are dealt out evenly, the same number of every topic to the same worker, and those who have one keep it."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from processor.stream.assignor import assignor, deal

TOPICS = ("events", "rekeyed")


class Cluster:
    """Knows how many partitions each topic has."""

    def __init__(self, **partitions: int) -> None:
        self._partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return set(range(self._partitions[topic])) if topic in self._partitions else None


def assigned(cluster: Any, members: dict[str, Any]) -> dict[str, ConsumerProtocolMemberAssignment]:
    metadata = {name: member.metadata(TOPICS) for name, member in members.items()}
    dealt: dict[str, ConsumerProtocolMemberAssignment] = assignor({}).assign(cluster, metadata)
    for name, member in members.items():
        member.on_assignment(dealt[name])
    return dealt


@pytest.mark.parametrize("members", [1, 2, 3, 5])
@pytest.mark.parametrize("partitions", [1, 4, 16])
def test_both_topics_come_together_and_everything_is_dealt_out_evenly(members: int, partitions: int) -> None:
    dealt = assigned(Cluster(events=partitions, rekeyed=partitions), {f"m{number}": assignor({}) for number in range(members)})
    shares = []
    for assignment in dealt.values():
        by_topic = dict(assignment.assignment)
        assert by_topic["events"] == by_topic["rekeyed"]
        shares.append(by_topic["events"])
    assert sorted(chain(*shares)) == list(range(partitions))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_who_has_a_partition_keeps_it_when_others_come_and_go() -> None:
    cluster = Cluster(events=8, rekeyed=8)
    first, second, third = assignor({}), assignor({}), assignor({})
    assigned(cluster, {"b": first})
    assigned(cluster, {"b": first, "a": second})
    before = set(first.owned), set(second.owned)
    assert (len(before[0]), len(before[1])) == (4, 4)
    assigned(cluster, {"b": first, "a": second, "c": third})
    assert set(first.owned) <= before[0]
    assert set(second.owned) <= before[1]
    middle = set(first.owned)
    assigned(cluster, {"b": first, "c": third})
    assert set(first.owned) >= middle


def test_a_claim_that_two_make_goes_to_one_of_them() -> None:
    dealt = deal({"a": [0, 1, 2, 3], "b": [2, 3]}, {0, 1, 2, 3})
    assert dealt == {"a": [0, 1], "b": [2, 3]}


def test_claims_of_what_is_not_there_and_words_that_nobody_understands_mean_nothing() -> None:
    assert deal({"a": [7], "b": []}, {0, 1}) == {"a": [0], "b": [1]}
    strange = ConsumerProtocolMemberMetadata(0, list(TOPICS), b"\xff")
    dealt = assignor({}).assign(Cluster(events=2, rekeyed=2), {"a": strange})
    assert dict(dealt["a"].assignment) == {"events": [0, 1], "rekeyed": [0, 1]}


def test_a_topic_that_is_shorter_or_missing_leaves_the_other_as_it_is() -> None:
    (assignment,) = assigned(Cluster(events=3, rekeyed=2), {"a": assignor({})}).values()
    assert dict(assignment.assignment) == {"events": [0, 1, 2], "rekeyed": [0, 1]}
    (assignment,) = assigned(Cluster(events=2), {"a": assignor({})}).values()
    assert dict(assignment.assignment) == {"events": [0, 1], "rekeyed": []}


def test_what_one_consumer_has_is_not_what_another_has() -> None:
    first, second = assignor({}), assignor({})
    first.owned = (1, 2)
    assert second.metadata(TOPICS).user_data == b"[]"


def test_of_a_topic_that_the_cluster_does_not_know_just_now_the_configured_partitions_are_dealt_out() -> None:
    """A broker that has just started answers so; nobody would own anything for minutes."""
    known = {"events": 3, "rekeyed": 3}
    first, second = assignor(known), assignor(known)
    metadata = {"a": first.metadata(TOPICS), "b": second.metadata(TOPICS)}
    for cluster in (Cluster(), Cluster(events=3)):
        dealt = first.assign(cluster, metadata)
        for topic in TOPICS:
            assert sorted(chain(*(dict(share.assignment)[topic] for share in dealt.values()))) == [0, 1, 2]
