"""What happens to all tickets, written down in whatever order scripts are played, and entered in the order of time."""

from __future__ import annotations

from typing import Any

from processor.synthetic.books import Totals
from processor.synthetic.clock import Desk
from processor.synthetic.ticket_book import TicketBook


class Accounts:
    """What was written down of all tickets, to be entered in the order of time."""

    def __init__(self, desk: Desk, totals: Totals) -> None:
        self._desk = desk
        self._totals = totals
        self._acts: list[tuple[int, int, str, str, tuple[Any, ...]]] = []
        self._books: dict[str, TicketBook] = {}

    def write_down(self, ticket: str, at: int, act: str, *content: Any) -> None:
        """`act` is a method of TicketBook."""
        self._acts.append((at, len(self._acts), ticket, act, content))

    def entered(self) -> list[TicketBook]:
        """The books with everything in them. To be called once."""
        merged: dict[str, int] = {}  # where the merge is that may be undone yet
        acts = sorted(self._acts, key=lambda entry: entry[:2])
        for place, (at, _, ticket, act, content) in enumerate(acts):
            if act == "discard" and content[0] == "merged":
                merged[ticket] = place
            elif act == "restore" and content[0] == "merged":
                merged_at, merge_number, _, _, _ = acts[merged[ticket]]
                if at - merged_at <= self._desk.settings.allowed_lateness:  # undone soon: nothing was ever handed over
                    acts[merged[ticket]] = (merged_at, merge_number, ticket, "discard", ("merged",))
        for at, _, ticket, act, content in acts:
            self._enter(ticket, at, act, content)
        return list(self._books.values())

    def _enter(self, ticket: str, at: int, act: str, content: tuple[Any, ...]) -> None:
        book = self._books.get(ticket)
        if book is None:
            book = self._books[ticket] = TicketBook(self._desk, self._totals, ticket, self._enter)
        getattr(book, act)(at, *content)
