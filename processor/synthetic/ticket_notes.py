"""What is entered of a ticket beside its life and its clocks: who has it, who worked on it, bots, surveys, requesters who come back."""

from __future__ import annotations

from processor.core.settings import Settings
from processor.synthetic.books import Totals
from processor.synthetic.solve_book import SolveBook
from processor.synthetic.survey_book import SurveyBook
from processor.synthetic.talk_book import TalkBook

SOLVED = frozenset({"solved", "closed"})


class TicketNotes:
    """The base of a ticket's book: acts that change neither its status nor its clocks."""

    __slots__ = ("adopted", "assigned", "eligible", "inbound", "solved_at", "solving", "status", "surveys", "talk")

    def __init__(self, settings: Settings) -> None:
        self.inbound = False
        self.adopted = False
        self.eligible = False  # the customer has asked for something
        self.assigned = False
        self.status = "open"
        self.solved_at = 0
        self.talk = TalkBook()
        self.solving = SolveBook(settings)
        self.surveys = SurveyBook(settings)

    def noted(self, _at: int) -> None:
        """What a human agent wrote and the customer never saw."""
        self.talk.author = True

    def identify(self, _at: int, _requester: str) -> None:
        """Whose it is: the requester's business."""

    def assign(self, _at: int) -> None:
        """Somebody has it now."""
        self.assigned = True

    def escalate(self, _at: int, kind: str) -> None:
        """To people who know or decide more."""
        if self.eligible:
            self.solving.escalated.add(kind)

    def log_work(self, _at: int, ms: int) -> None:
        """An agent was busy with it."""
        if self.eligible:
            self.solving.worked(ms)

    def bot_start(self, _at: int) -> None:
        """A bot answers first."""
        self.talk.bot_started |= self.eligible

    def bot_hand_off(self, _at: int) -> None:
        """And gives up."""
        self.talk.bot_fails()
        self.talk.bot_gave_up = True

    def bot_resolve(self, _at: int) -> None:
        """Or does not."""
        self.talk.contain()

    def contacted_again(self, at: int) -> None:
        """Its requester came back about the topic."""
        self.solving.contacted_again(at, self.solved_at if self.status in SOLVED else None)

    def ask(self, _at: int, survey: str) -> None:
        """A survey was sent."""
        if self.eligible:
            self.surveys.ask(survey)

    def hear(self, at: int, survey: str, respondent: str | None, score: int, low: int, high: int) -> None:
        """And answered."""
        if self.eligible and self.surveys.hear(at, survey, respondent, score, low, high) and survey == "fcr":
            self.solving.said_no = self.surveys.says_no

    def settle(self, at: int) -> None:
        """What time alone has done before `at`, and what comes next may depend on."""
        self.solving.settle(at)

    def close_notes(self, totals: Totals, until: int) -> None:
        """Add what stands of all this."""
        self.talk.close(totals, not self.adopted)
        self.solving.close(totals, until, not self.adopted)
        self.surveys.close(totals)
