"""What happens to all tickets and people, written down in whatever order scripts are played, and entered in the order of time."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from processor.synthetic.books import Totals
from processor.synthetic.clock import Desk
from processor.synthetic.person_book import PersonBook
from processor.synthetic.requesters import Told, told_requesters
from processor.synthetic.survey_book import Recommendation, add_recommendations
from processor.synthetic.ticket_book import TicketBook

Act = tuple[int, int, str, str, tuple[Any, ...]]  # when, its number, of which ticket or person, a method of the book, with what
PERSON = "person:"  # begins the names of people among those of tickets


class Accounts:
    """What was written down of all tickets and people, to be entered in the order of time."""

    def __init__(self, desk: Desk, totals: Totals) -> None:
        self._desk = desk
        self._totals = totals
        self._acts: list[Act] = []
        self._books: dict[str, TicketBook] = {}
        self._people: dict[str, PersonBook] = {}

    def write_down(self, ticket: str, at: int, act: str, *content: Any) -> None:
        """`act` is a method of TicketBook."""
        self._acts.append((at, len(self._acts), ticket, act, content))

    def write_down_person(self, person: str, at: int, act: str, *content: Any) -> None:
        """`act` is a method of PersonBook."""
        self._acts.append((at, len(self._acts), f"{PERSON}{person}", act, content))

    def entered(self) -> list[TicketBook]:
        """The books with everything in them. To be called once."""
        lateness = self._desk.settings.allowed_lateness
        merged: dict[str, int] = {}  # where the merge is that may be undone yet
        acts = sorted(self._acts, key=lambda entry: entry[:2])
        for place, (at, _, ticket, act, content) in enumerate(acts):
            if act == "discard" and content[0] == "merged":
                merged[ticket] = place
            elif act == "restore" and content[0] == "merged":
                merged_at, merge_number, _, _, _ = acts[merged[ticket]]
                if at - merged_at <= lateness:  # undone soon: nothing was ever handed over
                    acts[merged[ticket]] = (merged_at, merge_number, ticket, "discard", ("merged",))
        told = told_requesters(acts, self._desk.settings)
        for at, number, key, act, content in acts:
            if key.startswith(PERSON):
                getattr(self._person(key.removeprefix(PERSON)), act)(at, *content)
                continue
            self._enter(key, at, act, content)
            if number in told:
                self._tell(key, at, told[number])
        return list(self._books.values())

    def close(self, until: int) -> None:
        """Add what is known of people at `until`; tickets close by themselves."""
        given: defaultdict[str, list[Recommendation]] = defaultdict(list)
        for ticket in self._books.values():
            if ticket.eligible and not ticket.flags and ticket.surveys.recommends is not None:
                respondent, recommendation = ticket.surveys.recommends
                given[respondent].append(recommendation)
        for person in self._people.values():
            person.close(self._totals, until)
            for asked in person.asked.values():
                if asked.recommends is not None:
                    given[asked.recommends[0]].append(asked.recommends[1])
        for recommendations in given.values():
            add_recommendations(self._totals, recommendations, self._desk.settings.nps_window)

    @property
    def visitors(self) -> int:
        """How many people have read an article."""
        return sum(person.reads for person in self._people.values())

    def _enter(self, ticket: str, at: int, act: str, content: tuple[Any, ...]) -> None:
        book = self._books.get(ticket)
        if book is None:
            book = self._books[ticket] = TicketBook(self._desk, self._totals, ticket, self._enter)
        book.settle(at)
        getattr(book, act)(at, *content)

    def _tell(self, ticket: str, at: int, told: Told) -> None:
        if told.followed is not None:
            self._contacted_again(told.followed, at)
        if told.requester is not None:
            self._person(told.requester).begin(at, ticket, told.topic, told.since)

    def _person(self, name: str) -> PersonBook:
        book = self._people.get(name)
        if book is None:
            book = self._people[name] = PersonBook(self._desk.settings, self._contacted_again)
        return book

    def _contacted_again(self, ticket: str, at: int) -> None:
        self._enter(ticket, at, "contacted_again", ())
