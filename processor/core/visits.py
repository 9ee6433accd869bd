"""A person's visits to the knowledge base: sessions, searches that were followed by a ticket, votes.

A session is what one session id does until it is idle for half an hour; visits without a session id are one session. One that saw a single
page and did nothing else has bounced, half an hour after its last event. A session that searched is followed by a ticket where this person
writes one within a day of its last search. Whoever votes again on an article has changed the vote.
"""

from __future__ import annotations

from typing import Any, Final

from processor.core.business_hours import NEVER
from processor.core.events import Event
from processor.core.facts import Fact, Out, pseudonym
from processor.core.settings import DAY_MS, MINUTE_MS, NO_DIMENSIONS

SESSION_IDLE: Final = 30 * MINUTE_MS  # after so long without an event a session has ended
TICKET_AFTER: Final = DAY_MS  # a ticket this long after a search followed it
REVOTE_WITHIN: Final = DAY_MS  # a vote on the same article within this replaces the one before
SESSIONS_MAX: Final = 64  # sessions, and searches that may still be followed by a ticket, at a time; beyond, the oldest are given up
VOTES_MAX: Final = 64  # votes of one person that can still be changed
REMEMBERED: Final = TICKET_AFTER + SESSION_IDLE  # after so long without an event nothing here matters any more



class Session:
    """One visit."""

    __slots__ = ("article", "last_at", "number", "one_page", "search", "viewed")

    def __init__(self, at: int) -> None:
        self.last_at = at
        self.viewed = False
        self.article: str | None = None  # the first one
        self.one_page = True  # so far
        self.number = 0  # the instance of its first view
        self.search = 0  # the instance of its first search; 0: none

    @property
    def may_bounce(self) -> bool:
        """Whether it has bounced if nothing more comes."""
        return self.viewed and self.one_page

    @property
    def ends_at(self) -> int:
        """When it has ended if nothing more comes."""
        return self.last_at + SESSION_IDLE

    def freeze(self) -> tuple[Any, ...]:
        """Plain values."""
        return (self.last_at, self.viewed, self.article, self.one_page, self.number, self.search)

    @classmethod
    def thaw(cls, stored: Any) -> Session:
        """Undo `freeze`."""
        self = cls(stored[0])
        _, self.viewed, self.article, self.one_page, self.number, self.search = stored
        return self


class Visits:
    """What is remembered of a visitor."""

    __slots__ = ("last_at", "searches", "sessions", "votes")

    def __init__(self) -> None:
        self.last_at = 0
        self.sessions: dict[str, Session] = {}
        self.searches: dict[int, tuple[int, int]] = {}  # number of a session's first search -> its first and last search
        self.votes: dict[str, tuple[int, int, bool]] = {}  # article -> instance, instant, whether it helped

    @property
    def wake(self) -> int:
        """When the next session bounces."""
        return min((session.ends_at for session in self.sessions.values() if session.may_bounce), default=NEVER)

    def fire(self, limit: int, out: Out) -> None:
        """End the sessions that are idle at `limit`, in order."""
        ended = [(session.ends_at, name) for name, session in self.sessions.items() if session.ends_at <= limit]
        for ends_at, name in sorted(ended):
            session = self.sessions.pop(name)
            if session.may_bounce:
                out.append((1, Fact("person.session_bounced", session.number, ends_at, NO_DIMENSIONS, ())))

    def viewed(self, event: Event, at: int, number: int, out: Out) -> None:
        """An article was read."""
        session_id, article = event.data
        session = self._session(session_id, at)
        first = not session.viewed
        if first:
            session.viewed, session.article, session.number = True, article, number
        elif article is None or article != session.article:
            session.one_page = False
        out.append((1, Fact("person.article_viewed", number, at, NO_DIMENSIONS, (pseudonym(event.key), first))))

    def searched(self, event: Event, at: int, number: int, out: Out) -> None:
        """Something was looked for."""
        session = self._session(event.data[0], at)
        session.one_page = False
        first = not session.search
        if first:
            session.search = number
            while len(self.searches) >= SESSIONS_MAX:
                del self.searches[next(iter(self.searches))]
            self.searches[number] = (at, at)
        elif session.search in self.searches:  # no ticket has followed it yet
            self.searches[session.search] = (self.searches[session.search][0], at)
        out.append((1, Fact("person.searched", number, at, NO_DIMENSIONS, (first,))))

    def voted(self, event: Event, at: int, number: int, out: Out) -> None:
        """An article was called helpful, or not."""
        session_id, article, helpful = event.data
        self._session(session_id, at).one_page = False
        known = self.votes.pop(article, None) if article is not None else None
        if known is not None and at - known[1] <= REVOTE_WITHIN:
            number, voted_at, helped = known
            if helped == helpful:
                self.votes[article] = known
                return
            out.append((-1, Fact("person.article_voted", number, voted_at, NO_DIMENSIONS, (helped,))))
        if article is not None:
            while len(self.votes) >= VOTES_MAX:
                del self.votes[next(iter(self.votes))]
            self.votes[article] = (number, at, helpful)
        out.append((1, Fact("person.article_voted", number, at, NO_DIMENSIONS, (helpful,))))

    def ticket_came(self, since: int, at: int, out: Out) -> None:
        """This person has written a ticket, which began at `since`."""
        for number, (first, last) in list(self.searches.items()):
            if at > last + TICKET_AFTER:
                del self.searches[number]
            elif since >= first:
                del self.searches[number]
                out.append((1, Fact("person.search_ticketed", number, at, NO_DIMENSIONS, ())))

    def _session(self, session_id: str | None, at: int) -> Session:
        self.last_at = at
        name = session_id or ""
        session = self.sessions.get(name)
        if session is None or session.ends_at < at:
            self.sessions = {other: known for other, known in self.sessions.items() if known.ends_at >= at}
            if len(self.sessions) >= SESSIONS_MAX:
                del self.sessions[min(self.sessions, key=lambda other: (self.sessions[other].last_at, other))]
            session = self.sessions[name] = Session(at)
        session.last_at = at
        return session

    def freeze(self) -> tuple[Any, ...]:
        """Plain values."""
        sessions = tuple((name, session.freeze()) for name, session in self.sessions.items())
        return (self.last_at, sessions, tuple(self.searches.items()), tuple(self.votes.items()))

    @classmethod
    def thaw(cls, stored: Any) -> Visits:
        """Undo `freeze`."""
        self = cls()
        self.last_at, sessions, searches, votes = stored
        self.sessions = {name: Session.thaw(session) for name, session in sessions}
        self.searches = {number: (first, last) for number, (first, last) in searches}
        self.votes = {article: (number, at, helpful) for article, (number, at, helpful) in votes}
        return self
