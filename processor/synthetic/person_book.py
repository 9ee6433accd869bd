"""The books of one person: about what they write and call, what they look up, and what they say apart from tickets."""

from __future__ import annotations

from collections.abc import Callable

from processor.core.settings import DAY_MS, MINUTE_MS, Settings
from processor.synthetic.books import Totals
from processor.synthetic.survey_book import SurveyBook

IDLE_MS = 30 * MINUTE_MS  # so long after its last event a visit to the help pages is over
FOLLOWED_WITHIN_MS = DAY_MS  # a ticket so long after a search followed it
REVOTE_MS = DAY_MS
CONTACT = "contact:"  # begins the names of contacts among what a person has begun
TOLD_MAX = 8  # a ticket hears of so many repeats
SEARCH, VOTE = "search", "vote"  # what is done in a visit beside reading an article, which goes by the article's name

Tell = Callable[[str, int], None]  # which ticket hears that its requester came back, and when


class PersonBook:
    """One person's entries."""

    __slots__ = ("asked", "begun", "found", "searches", "settings", "tell", "told", "visits", "votes")

    def __init__(self, settings: Settings, tell: Tell) -> None:
        self.settings = settings
        self.tell = tell
        self.begun: dict[str, tuple[str, int, int]] = {}  # ticket or contact -> topic, when it began, when it was last heard of
        self.told: dict[str, int] = {}
        self.visits: dict[str, list[tuple[int, str]]] = {}  # session -> what was done when: SEARCH, VOTE or an article
        self.searches: dict[str, tuple[int, int]] = {}  # session -> its first and last search, until a ticket follows
        self.found = 0
        self.votes: dict[str, list[tuple[int, bool]]] = {}  # article -> votes that count
        self.asked: dict[str, SurveyBook] = {}  # by the id of the survey

    # -- tickets and contacts ------------------------------------------------------------------------------------------------------

    def begin(self, at: int, source: str, topic: str, since: int) -> None:
        """A ticket or contact is there, or is about another topic now."""
        remembered = at - 2 * self.settings.repeat_window - DAY_MS
        known = self.begun.get(source)
        if known is not None and known[2] < remembered:
            known = None
            self.told.pop(source, None)
        if known is None or known[0] != topic:
            others = [(name, began) for name, (about, began, heard) in self.begun.items() if about == topic and heard >= remembered]
            for name, began in others:
                if name != source and began != since:
                    self._repeat(name if began < since else source, at)
        self.begun[source] = (topic, since, at)
        if not source.startswith(CONTACT):
            self._follow(at, since)

    def _repeat(self, earlier: str, at: int) -> None:
        if not earlier.startswith(CONTACT) and self.told.get(earlier, 0) < TOLD_MAX:
            self.told[earlier] = self.told.get(earlier, 0) + 1
            self.tell(earlier, at)

    def _follow(self, at: int, since: int) -> None:
        for session, (first, last) in list(self.searches.items()):
            if at <= last + FOLLOWED_WITHIN_MS and since >= first:
                self.found += 1
                del self.searches[session]

    # -- the knowledge base --------------------------------------------------------------------------------------------------------

    def view(self, at: int, session: str, article: str) -> None:
        """An article was read."""
        self.visits.setdefault(session, []).append((at, article))

    def search(self, at: int, session: str) -> None:
        """Something was looked for."""
        first = not any(what == SEARCH for _, what in self.visits.get(session, ()))
        if first or session in self.searches:
            self.searches[session] = (at if first else self.searches[session][0], at)
        self.visits.setdefault(session, []).append((at, SEARCH))

    def vote(self, at: int, session: str, article: str, helpful: bool) -> None:
        """An article was helpful, or not. Whoever says the same again says nothing; otherwise, soon after, it is another opinion."""
        self.visits.setdefault(session, []).append((at, VOTE))
        votes = self.votes.setdefault(article, [])
        if votes and at - votes[-1][0] <= REVOTE_MS:
            if votes[-1][1] == helpful:
                return
            votes.pop()
        votes.append((at, helpful))

    @property
    def reads(self) -> bool:
        """Whether any article was read."""
        return any(map(_articles, self.visits.values()))

    # -- surveys -------------------------------------------------------------------------------------------------------------------

    def ask(self, _at: int, survey_id: str, survey: str) -> None:
        """A survey was sent that belongs to no ticket."""
        self.asked.setdefault(survey_id, SurveyBook(self.settings)).ask(survey)

    def hear(self, at: int, survey_id: str, survey: str, respondent: str, score: int, low: int, high: int) -> None:
        """And answered."""
        self.asked.setdefault(survey_id, SurveyBook(self.settings)).hear(at, survey, respondent, score, low, high)

    # -- the end -------------------------------------------------------------------------------------------------------------------

    def close(self, totals: Totals, until: int) -> None:
        """Add all of it."""
        totals["support_kb_searches_to_ticket_total"] += self.found
        for book in self.asked.values():
            book.close(totals)
        for votes in self.votes.values():
            totals["support_kb_votes_total"] += len(votes)
            totals["support_kb_votes_helpful_total"] += sum(helpful for _, helpful in votes)
        for steps in self.visits.values():
            views = _articles(steps)
            searches = sum(what == SEARCH for _, what in steps)
            totals["support_kb_views_total"] += len(views)
            totals["support_kb_sessions_total"] += bool(views)
            totals["support_kb_searches_total"] += searches
            totals["support_kb_search_sessions_total"] += bool(searches)
            bounced = len(views) == len(steps) and len(set(views)) == 1 and max(at for at, _ in steps) + IDLE_MS <= until
            totals["support_kb_sessions_bounced_total"] += bounced


def _articles(steps: list[tuple[int, str]]) -> list[str]:
    return [what for _, what in steps if what not in (SEARCH, VOTE)]
