"""What postings are made of: keys, and the simple ways in which a fact becomes some of them."""

from __future__ import annotations

from collections.abc import Callable

from processor.core.facts import Fact
from processor.core.histogram import HistogramKeys, NumberKeys

Entries = tuple[tuple[str, int], ...]

HISTOGRAMS = {
    name: HistogramKeys(name)
    for name in (
        *("first_response", "first_response_business", "next_response", "handoff_response", "first_assignment"),
        *("first_resolution", "full_resolution", "requester_wait", "agent_work", "survey_delay"),
        *("speed_of_answer", "time_to_abandon", "handle_time"),
    )
}
TURNS_MAX = 50  # more turns than this are counted as so many; their sum is exact
NUMBERS = {
    "interactions": NumberKeys("interactions", 0, TURNS_MAX),
    "ces": NumberKeys("ces", 1, 7),
}


def observe(keys: HistogramKeys | NumberKeys, amount: int) -> Entries:
    """One observation: milliseconds, or thousandths."""
    return ((keys.bucket(amount), 1), (keys.sum, amount))


def counting(*names: str) -> Callable[[Fact], Entries]:
    """One of each, whatever the fact says."""
    entries: Entries = tuple((name, 1) for name in names)
    return lambda _fact: entries


def by_content(family: str) -> Callable[[Fact], Entries]:
    """One of the family, told apart by what the content begins with."""
    return lambda fact: ((f"{family}:{fact.content[0]}", 1),)


def flagged(name: str, flag: str, place: int) -> Callable[[Fact], Entries]:
    """One of the first, and of the second where the content says yes at that place."""
    plain: Entries = ((name, 1),)
    both: Entries = (*plain, (flag, 1))
    return lambda fact: both if fact.content[place] else plain


def nothing(_fact: Fact) -> Entries:
    """Facts that no number needs."""
    return ()
