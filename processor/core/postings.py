"""What each fact adds to which family: the one table between facts and numbers.

A posting is a list of (key, amount). Keys name a family, with its sub-value behind a colon: "backlog_entered:created",
"first_response:b:7" (bucket), "first_response:sum" (milliseconds), "sla_measured:resolution".
"""

from __future__ import annotations

from collections.abc import Callable

from processor.core.facts import Fact
from processor.core.histogram import HistogramKeys

Entries = tuple[tuple[str, int], ...]

HISTOGRAMS = {
    name: HistogramKeys(name)
    for name in ("first_response", "first_response_business", "first_resolution", "full_resolution", "speed_of_answer", "time_to_abandon")
}

_FIRST_RESPONSE = HISTOGRAMS["first_response"]
_FIRST_RESPONSE_BUSINESS = HISTOGRAMS["first_response_business"]
_FIRST_RESOLUTION = HISTOGRAMS["first_resolution"]
_FULL_RESOLUTION = HISTOGRAMS["full_resolution"]
_SPEED_OF_ANSWER = HISTOGRAMS["speed_of_answer"]
_TIME_TO_ABANDON = HISTOGRAMS["time_to_abandon"]


def _observe(histogram: HistogramKeys, duration: int) -> Entries:
    return ((histogram.bucket(duration), 1), (histogram.sum, duration))


def _counting(key: str) -> Callable[[Fact], Entries]:
    entries: Entries = ((key, 1),)
    return lambda _fact: entries


def _by_content(family: str) -> Callable[[Fact], Entries]:
    return lambda fact: ((f"{family}:{fact.content[0]}", 1),)


def _solved(fact: Fact) -> Entries:
    since_created = fact.content[0]
    if fact.instance == 1 and since_created is not None:
        return (("tickets_solved", 1), *_observe(_FIRST_RESOLUTION, since_created))
    return (("tickets_solved", 1),)


def _first_responded(fact: Fact) -> Entries:
    duration, business = fact.content
    entries = _observe(_FIRST_RESPONSE, duration)
    return entries if business is None else (*entries, *_observe(_FIRST_RESPONSE_BUSINESS, business))


def _answered(fact: Fact) -> Entries:
    wait, in_target = fact.content
    entries = (("contacts_answered", 1), *_observe(_SPEED_OF_ANSWER, wait))
    return (*entries, ("contacts_answered_in_target", 1)) if in_target else entries


def _abandoned(fact: Fact) -> Entries:
    wait, short = fact.content
    return (("contacts_short_abandoned", 1),) if short else (("contacts_abandoned", 1), *_observe(_TIME_TO_ABANDON, wait))


def _fulfilled(fact: Fact) -> Entries:
    # A clock is measured once: at its breach, or at its fulfilment in time.
    return ((f"sla_measured:{fact.content[0]}", 1),) if fact.content[5] else ()


def _breached(fact: Fact) -> Entries:
    clock = fact.content[0]
    entries = ((f"sla_measured:{clock}", 1), (f"sla_breached:{clock}", 1))
    return (*entries, (f"sla_induced:{clock}", 1)) if fact.content[4] else entries


def _nothing(_fact: Fact) -> Entries:
    return ()


POSTINGS: dict[str, Callable[[Fact], Entries]] = {
    "ticket.created": _counting("tickets_created"),
    "ticket.adopted": _counting("tickets_adopted"),
    "ticket.solved": _solved,
    "ticket.reopened": _counting("tickets_reopened"),
    "ticket.merged": _counting("tickets_merged"),
    "ticket.discarded": _by_content("tickets_discarded"),
    "ticket.restored": _counting("tickets_restored"),
    "ticket.first_responded": _first_responded,
    "ticket.summarized": lambda fact: _observe(_FULL_RESOLUTION, fact.content[0]),
    "backlog.entered": _by_content("backlog_entered"),
    "backlog.left": _by_content("backlog_left"),
    "clock.started": _by_content("sla_started"),
    "clock.paused": _nothing,
    "clock.resumed": _nothing,
    "clock.fulfilled": _fulfilled,
    "clock.cancelled": _by_content("sla_cancelled"),
    "clock.breached": _breached,
    "contact.offered": _counting("contacts_offered"),
    "contact.answered": _answered,
    "contact.abandoned": _abandoned,
}
