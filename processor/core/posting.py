"""What postings are made of: keys, and the simple ways in which a fact becomes some of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from processor.core.facts import Fact
from processor.core.histogram import HistogramKeys, NumberKeys

Entries = tuple[tuple[str, int], ...]

HISTOGRAMS: Final = {
    name: HistogramKeys(name)
    for name in (
        *("first_response", "first_response_business", "next_response", "handoff_response", "first_assignment"),
        *("first_resolution", "full_resolution", "requester_wait", "agent_work", "survey_delay"),
        *("speed_of_answer", "time_to_abandon", "handle_time"),
    )
}
TURNS_MAX: Final = 50  # more turns than this are counted as so many; their sum is exact
NUMBERS: Final = {
    "interactions": NumberKeys("interactions", 0, TURNS_MAX),
    "ces": NumberKeys("ces", 1, 7),
}


KNOWN_MAX: Final = 1000  # contents of which it is remembered what they add


class Posting:
    """What the facts of one kind add.

    Most kinds add the same each time, or what the first entry of the content says, which has few values: those are made once. `flag`: the
    place of another entry that matters by whether it is true.
    """

    __slots__ = ("_flag", "_known", "_known_without", "_make", "always", "of_clock", "of_detail", "of_people")

    def __init__(self, make: Callable[[Fact], Entries], *, always: Entries | None = None, by_first: bool = False, flag: int = -1) -> None:
        self.always = always
        self.of_clock = False  # about a clock: counted in its cell
        self.of_detail = False  # a step on the way to an outcome
        self.of_people = False  # somebody did it who is counted, too
        self._make = make
        self._flag = flag
        self._known: dict[Any, Entries] | None = {} if by_first else None
        self._known_without: dict[Any, Entries] = {}

    def __call__(self, fact: Fact) -> Entries:
        """What this fact adds."""
        return self.entries(fact)

    def entries(self, fact: Fact) -> Entries:
        """The same, by a name that compiled code can call directly."""
        if self.always is not None:
            return self.always
        known = self._known
        if known is None:
            return self._make(fact)
        content = fact.content
        if self._flag >= 0 and not content[self._flag]:
            known = self._known_without
        first = content[0]
        found = known.get(first)
        if found is None:
            found = self._make(fact)
            if len(known) < KNOWN_MAX:
                known[first] = found
        return found


def observe(keys: HistogramKeys | NumberKeys, amount: int) -> Entries:
    """One observation: milliseconds, or thousandths."""
    return ((keys.bucket(amount), 1), (keys.sum, amount))


def counting(*names: str) -> Posting:
    """One of each, whatever the fact says."""
    entries: Entries = tuple((name, 1) for name in names)
    return Posting(lambda _fact: entries, always=entries)


def by_content(family: str) -> Posting:
    """One of the family, told apart by what the content begins with."""
    return Posting(lambda fact: ((f"{family}:{fact.content[0]}", 1),), by_first=True)


def flagged(name: str, flag: str, place: int) -> Posting:
    """One of the first, and of the second where the content says yes at that place."""
    plain: Entries = ((name, 1),)
    both: Entries = (*plain, (flag, 1))
    return Posting(lambda fact: both if fact.content[place] else plain)


def nothing() -> Posting:
    """Facts that no number needs."""
    return Posting(lambda _fact: (), always=())
