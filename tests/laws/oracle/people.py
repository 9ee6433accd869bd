"""A person: who comes back about the same topic, what counts of their answers, and their visits to the knowledge base."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from processor.core.events import Event
from processor.core.facts import pseudonym
from processor.core.settings import DAY_MS, MINUTE_MS, Settings
from tests.laws.oracle.log import NOWHERE, Said, distinct, given
from tests.laws.oracle.surveys import LOW, nps, rounds_of

Score = tuple[int, str, int, int, tuple[Any, ...]]  # answered at, the ticket, which round, score, dimensions and details

IDLE = 30 * MINUTE_MS


class PersonReading:
    """One person."""

    def __init__(self, key: str, events: list[Event], received: list[Event], until: int, settings: Settings) -> None:
        self.key, self.settings, self.until = key, settings, until
        self.said: list[Said] = []
        self.given: list[Event] = []
        self.events = sorted([*distinct(events), *received], key=lambda event: event[:5])
        self._repeats()
        self._surveys()
        self._visits()
        self._votes()

    def _say(self, kind: str, at: int, *content: Any) -> None:
        self.said.append(Said(kind, at, NOWHERE, content))

    def _repeats(self) -> None:
        """Whoever is first heard of with a topic concerns the earlier tickets of that topic, and is concerned by the later ones."""
        known: dict[str, tuple[str | None, int, int]] = {}
        remembered = 2 * self.settings.repeat_window + DAY_MS
        for event in self.events:
            if event.kind != "met":
                continue
            at, source, (topic, since) = event.occurred_at, event.id, event.data
            known = {other: each for other, each in known.items() if each[2] >= at - remembered}
            if topic is not None and (source not in known or known[source][0] != topic):
                others = [(other, each[1]) for other, each in known.items() if other != source and each[0] == topic and each[1] != since]
                earlier = [(other, source) for other, began in others if began < since]
                later = [(source, other) for other, began in others if began > since]
                for target, by in [*earlier, *later]:
                    if not target.startswith("contact:"):
                        self.given.append(given("again", target, at, self.key, by))
            known[source] = (topic, since, at)

    def _surveys(self) -> None:
        said: dict[tuple[str, str], list[tuple[int, int, str, tuple[Any, ...]]]] = {}
        for number, event in enumerate(self.events):
            what = {"person.survey_sent": "sent", "person.survey_responded": "responded"}.get(event.kind)
            if what is not None:
                said.setdefault((event.data[1], event.data[0]), []).append((event.occurred_at, number, what, event.data))
        scores: list[Score] = []
        for (survey, _), entries in said.items():
            for each in rounds_of(entries, self.settings, self.settings.nps_window):
                if each.sent is not None:
                    self._say("survey.sent", each.sent[0], survey, None)
                if each.answers:
                    at, _, answer = each.answers[-1]
                    details = ("none", None, answer.reason, answer.touchpoint, None)
                    if survey == "nps":
                        scores.append((at, "", each.number, answer.score, (NOWHERE, *details)))
                    else:
                        self._say("survey.answered", at, survey, answer.result, answer.score, *details)
                    if answer.result in LOW:
                        self._say("survey.negative", at, survey, answer.score, answer.reason)
        self._count(sorted([*scores, *self._scores_of_tickets()], key=lambda score: score[:3]))

    def _scores_of_tickets(self) -> list[Score]:
        """The last word of each ticket about each of its rounds; words about what lies far back change nothing."""
        remembered = self.settings.nps_window + self.settings.survey_edit_window
        scores: dict[tuple[str, int], Score] = {}
        for event in self.events:
            if event.kind == "scored":
                number, answered_at, score, details = event.data
                if answered_at >= event.occurred_at - remembered:
                    scores.pop((event.id, number), None)
                    if score is not None:
                        scores[event.id, number] = (answered_at, event.id, number, score, details)
        return list(scores.values())

    def _count(self, scores: list[Score]) -> None:
        """One that is followed by another one soon does not count."""
        followed = [later[0] - earlier[0] <= self.settings.nps_window for earlier, later in pairwise(scores)]
        for (at, _, _, score, (dims, *details)), is_followed in zip(scores, [*followed, False], strict=False):
            if not is_followed:
                self.said.append(Said("survey.answered", at, dims, ("nps", nps(score / 1000), score, *details)))

    def _visits(self) -> None:
        """Sessions by their names, until they are idle for half an hour."""
        sessions: dict[str, list[list[Event]]] = {}
        for event in self.events:
            if event.kind in ("person.article_viewed", "person.searched", "person.article_voted"):
                named = sessions.setdefault(event.data[0] or "", [])
                if not named or event.occurred_at - named[-1][-1].occurred_at > IDLE:
                    named.append([])
                named[-1].append(event)
        tickets = [event for event in self.events if event.kind == "met" and not event.id.startswith("contact:")]
        for session in [each for named in sessions.values() for each in named]:
            views = [event for event in session if event.kind == "person.article_viewed"]
            searches = [event for event in session if event.kind == "person.searched"]
            for view in views:
                self._say("person.article_viewed", view.occurred_at, pseudonym(self.key), view is views[0])
            for search in searches:
                self._say("person.searched", search.occurred_at, search is searches[0])
            ends_at = session[-1].occurred_at + IDLE
            one_page = all(view.data[1] is not None and view.data[1] == views[0].data[1] for view in views[1:])
            if views and len(views) == len(session) and one_page and ends_at <= self.until:
                self._say("person.session_bounced", ends_at)
            if searches:
                self._followed(searches, tickets)

    def _followed(self, searches: list[Event], tickets: list[Event]) -> None:
        """A session that searched is followed by the first ticket that begins after its first search, within a day of its last."""
        for ticket in tickets:
            before = [search for search in searches if search[:5] < ticket[:5]]
            if not before or ticket.data[1] < before[0].occurred_at:
                continue
            if ticket.occurred_at > before[-1].occurred_at + DAY_MS:
                return
            self._say("person.search_ticketed", ticket.occurred_at)
            return

    def _votes(self) -> None:
        """The last vote on an article, of those that follow each other within a day."""
        standing: dict[str, tuple[int, bool]] = {}
        for event in self.events:
            if event.kind == "person.article_voted":
                _, article, helpful = event.data
                known = standing.get(article) if article is not None else None
                soon = known is not None and event.occurred_at - known[0] <= DAY_MS
                if known is not None and soon and known[1] == helpful:
                    continue
                if known is not None and not soon:
                    self._say("person.article_voted", known[0], known[1])
                if article is None:
                    self._say("person.article_voted", event.occurred_at, helpful)
                else:
                    standing[article] = (event.occurred_at, helpful)
        for at, helpful in standing.values():
            self._say("person.article_voted", at, helpful)
