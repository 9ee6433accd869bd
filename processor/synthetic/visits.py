"""Visits to the help pages: somebody searches, reads, says whether it helped; or is gone after one page, or writes a ticket after all."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from processor.core.settings import MINUTE_MS, MS
from processor.synthetic.accounts import Accounts
from processor.synthetic.feed import Feed
from processor.synthetic.script import LogEndsError, Script
from processor.synthetic.tickets import TicketScript
from processor.synthetic.world import PORTAL_SOURCE, World

ARTICLES = 120
PAUSE_MS = 5 * MINUTE_MS  # between two pages, at most: a visit is one session


class Visit(Script):
    """One session. `before` is a ticket whose requester looked for help first."""

    def __init__(self, world: World, feed: Feed, number: int, accounts: Accounts, before: TicketScript | None) -> None:
        self._session = f"V-{number:06d}"
        if before is not None and before.requester is not None:
            visitor, now = before.requester, max(before.begun_at - world.around(8 * MINUTE_MS), world.start)
        else:
            visitor, now = world.person(), world.arrival()
        super().__init__(world, feed, id_field="visitor_id", id=visitor, source=PORTAL_SOURCE, now=now, name=self._session)
        self._accounts = accounts

    def play(self) -> None:
        """Come, look around, leave."""
        with suppress(LogEndsError):
            article = self._article()
            if self.world.chance(0.6):
                self._does("kb.searched", "search")
                self._pause()
                if self.world.chance(0.2):
                    self._does("kb.searched", "search")
                    self._pause()
            if self.world.chance(0.12):
                return
            self._does("kb.article_viewed", "view", article_id=article)
            while self.world.chance(0.3):
                self._pause()
                article = article if self.world.chance(0.1) else self._article()
                self._does("kb.article_viewed", "view", article_id=article)
            if self.world.chance(0.25):
                self._pause()
                helpful = self.world.chance(0.7)
                self._does("kb.article_voted", "vote", article_id=article, helpful=helpful)
                if self.world.chance(0.1):
                    self._pause()
                    self._does("kb.article_voted", "vote", article_id=article, helpful=helpful is self.world.chance(0.3))

    def _article(self) -> str:
        return f"K-{int(self.random.random() ** 2 * ARTICLES):03d}"  # some are read far more often

    def _pause(self) -> None:
        self.later(self.random.randint(3 * MS, PAUSE_MS))

    def _does(self, event: str, act: str, **data: Any) -> None:
        self.tell(event, {"session_id": self._session, **data})
        self._accounts.write_down_person(self.id, self.now, act, self._session, *data.values())
