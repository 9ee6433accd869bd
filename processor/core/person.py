"""A person: requester, respondent of surveys, visitor of the knowledge base. One pseudonym, one fold.

What is remembered in each of these roles is a module of its own: `requester`, `respondent`, `visits`. They do not know each other, except
that a ticket of the requester may have followed a search of the visitor. Nothing is remembered for ever: `gone_at` is when nothing matters
any more. Instances of facts are instants, so that those of different lives never share a slot.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from processor.core.business_hours import NEVER, freeze_due, thaw_due
from processor.core.events import Event
from processor.core.facts import Out
from processor.core.policies import Policies
from processor.core.requester import CONTACT_PREFIX, Sources
from processor.core.requester import remembered as sources_remembered
from processor.core.respondent import Respondent
from processor.core.respondent import remembered as answers_remembered
from processor.core.visits import REMEMBERED as VISITS_REMEMBERED
from processor.core.visits import Visits


class Person:
    """The folded state of one person."""

    __slots__ = ("gone_at", "last_fired", "last_number", "policies", "respondent", "sources", "visits", "wake")

    def __init__(self, policies: Policies) -> None:
        self.policies = policies
        self.last_number = 0
        self._begin()

    def _begin(self) -> None:
        """Nothing is remembered."""
        self.sources: Sources | None = None
        self.respondent: Respondent | None = None
        self.visits: Visits | None = None
        self.last_fired = 0
        self.gone_at = NEVER
        self.wake = NEVER

    def step(self, event: Event, at: int, out: Out) -> None:
        """Fold one event that happened at `at`."""
        if self.wake < at:
            self.fire(at - 1, out)
        if self.gone_at < at:
            self._begin()
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, event, at, out)
        self._set_times(at)

    def fire(self, limit: int, out: Out) -> None:
        """Let the sessions end whose time has come by `limit`."""
        visits = self.visits
        if visits is None or self.wake > limit:
            return
        while visits.wake <= limit:
            self.last_fired = visits.wake
            visits.fire(self.last_fired, out)
        self._set_times(self.last_fired)

    def _set_times(self, at: int) -> None:
        """When to look again, and when nothing matters any more: not before the last session has ended, however late that is noticed."""
        settings = self.policies.settings
        self.wake = self.visits.wake if self.visits is not None else NEVER
        self.gone_at = NEVER
        if self.wake == NEVER:
            self.gone_at = max(
                at,
                self.sources.last_at + sources_remembered(settings) if self.sources is not None else 0,
                self.respondent.last_at + answers_remembered(settings) if self.respondent is not None else 0,
                self.visits.last_at + VISITS_REMEMBERED if self.visits is not None else 0,
            )

    def _number(self, at: int) -> int:
        """An instance for a fact of this instant: larger than all before."""
        self.last_number = max(at, self.last_number + 1)
        return self.last_number

    # -- events -------------------------------------------------------------------------------------------------------------------

    def _contacted(self, event: Event, at: int, out: Out) -> None:
        if self.sources is None:
            self.sources = Sources()
        self.sources.contacted(event.data, at, self.policies.settings, self._number, out)
        source, _topic, since = event.data
        if self.visits is not None and not source.startswith(CONTACT_PREFIX):
            self.visits.ticket_came(since, at, out)

    # -- stored form --------------------------------------------------------------------------------------------------------------

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        parts = (part.freeze() if part is not None else None for part in (self.sources, self.respondent, self.visits))
        return (self.last_number, self.last_fired, freeze_due(self.gone_at), *parts)

    @classmethod
    def thaw(cls, stored: Any, policies: Policies) -> Person:
        """Undo `freeze`; also after a round trip through JSON."""
        person = cls(policies)
        person.last_number, person.last_fired, gone_at, sources, respondent, visits = stored
        person.sources = Sources.thaw(sources) if sources else None
        person.respondent = Respondent.thaw(respondent, policies.settings) if respondent else None
        person.visits = Visits.thaw(visits) if visits else None
        person.gone_at = thaw_due(gone_at)
        person.wake = person.visits.wake if person.visits is not None else NEVER
        return person


def _visiting(what: Callable[[Visits, Event, int, int, Out], None]) -> Callable[[Person, Event, int, Out], None]:
    def handler(person: Person, event: Event, at: int, out: Out) -> None:
        if person.visits is None:
            person.visits = Visits()
        what(person.visits, event, at, person._number(at), out)

    return handler


def _responding(what: Callable[[Respondent, Event, int, int, Out], None]) -> Callable[[Person, Event, int, Out], None]:
    def handler(person: Person, event: Event, at: int, out: Out) -> None:
        if person.respondent is None:
            person.respondent = Respondent(person.policies.settings)
        what(person.respondent, event, at, person._number(at), out)

    return handler


_HANDLERS: Final[dict[str, Callable[[Person, Event, int, Out], None]]] = {
    "person.contacted": Person._contacted,
    "person.answered": _responding(Respondent.answered),
    "person.survey_sent": _responding(Respondent.sent),
    "person.survey_responded": _responding(Respondent.responded),
    "person.article_viewed": _visiting(Visits.viewed),
    "person.searched": _visiting(Visits.searched),
    "person.article_voted": _visiting(Visits.voted),
}
