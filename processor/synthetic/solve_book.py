"""The books of a ticket's solutions: what they took, whether they held, whether the first contact was enough.

What a solution says stands until the ticket is reopened, except how often it was solved. Effort is calendar time since the customer asked:
not what the ticket was pending or solved, and as work not what it was on hold either.
"""

from __future__ import annotations

from dataclasses import dataclass

from processor.core.business_hours import NEVER
from processor.core.settings import Settings
from processor.synthetic.books import Totals, labelled, observe

WITHDRAWN = "withdrawn"  # the reason of a solution by the customer


@dataclass(slots=True)
class Solution:
    """What the present one says. `at_once` is None where first contact resolution is not asked about."""

    at: int
    wait: int
    work: int
    turns: int
    by_agent: bool
    at_once: bool | None
    marked: bool | None
    topic_counts: bool
    repeated: bool = False


class SolveBook:
    """One ticket's solutions."""

    __slots__ = (
        *("escalated", "fcr_due", "forgiven", "repeated", "reopened", "reopening", "said_no", "settings", "settled", "settled_topic"),
        *("since", "solution", "status", "topic", "touched", "transfers", "wait", "withdrawn", "work", "works"),
    )

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.status = "open"
        self.topic = ""
        self.since = 0
        self.wait = 0
        self.work = 0
        self.transfers = 0
        self.escalated: set[str] = set()
        self.works = 0
        self.touched = 0
        self.reopening: int | None = None  # a reopen of which it is not known yet whether it was worth counting
        self.reopened = False
        self.forgiven = 0
        self.withdrawn = 0
        self.repeated = False
        self.said_no = False
        self.solution: Solution | None = None
        self.fcr_due = NEVER
        self.settled: bool | None = None
        self.settled_topic = False

    def begin(self, at: int, status: str) -> None:
        """From here on somebody waits."""
        self.since, self.status, self.wait, self.work = at, status, 0, 0

    def passes(self, at: int, status: str) -> None:
        """Time went by in the status that ends now."""
        passed, self.since = at - self.since, at
        if self.status not in ("pending", "solved", "closed"):
            self.wait += passed
            self.work += 0 if self.status == "on_hold" else passed
        self.status = status

    def worked(self, ms: int) -> None:
        """An agent logged work."""
        self.works += 1
        self.touched += ms

    def human_replied(self) -> None:
        """So the ticket was not reopened for nothing."""
        if self.reopening is not None:
            self.reopening, self.reopened = None, True

    def solve(self, at: int, turns: int, by_agent: bool, reason: str | None, answered: bool, marked: bool | None, eligible: bool) -> bool:
        """Solved. `eligible`: seen from its creation on, and the customer began. Returns whether the customer withdrew it."""
        if self.reopening is not None:
            benign = at - self.reopening <= self.settings.benign_reopen_window
            self.forgiven += benign
            self.reopened |= not benign
            self.reopening = None
        withdrawn = reason == WITHDRAWN and not answered
        self.withdrawn += withdrawn
        at_once: bool | None = None
        if eligible and not withdrawn and (turns or self.settings.fcr_counts_unanswered):
            at_once = turns <= 1 and not (self.transfers or self.escalated or self.reopened)
            if self.settled is None:
                self.fcr_due = at + self.settings.repeat_window
        self.solution = Solution(at, self.wait, self.work, turns, by_agent, at_once, marked, self._topic_counts(), self.repeated)
        return withdrawn

    def reopen(self, at: int, since_solved: int) -> None:
        """The solution did not hold."""
        self.solution, self.fcr_due = None, NEVER
        if since_solved <= self.settings.reopen_horizon:
            self.reopening = at

    def contacted_again(self, at: int, solved_at: int | None) -> None:
        """The requester came back about the topic; `solved_at` is None while the ticket is open."""
        if solved_at is not None and at - solved_at > self.settings.repeat_window:
            return
        self.repeated = True
        if self.solution is not None:
            self.solution.repeated = True

    def settle(self, at: int) -> None:
        """What time alone does before `at`: nobody who comes back counts any more."""
        if self.fcr_due < at and self.solution is not None:
            self.fcr_due = NEVER
            self.settled, self.settled_topic = self._resolved(self.solution), self._topic_counts()

    def _resolved(self, solution: Solution) -> bool:
        return bool(solution.at_once) and not self.repeated and not self.said_no

    def _topic_counts(self) -> bool:
        return self.topic not in self.settings.fcr_excluded_topics

    def close(self, totals: Totals, until: int, known: bool) -> None:
        """Add what stands."""
        self.settle(until + 1)
        totals["support_tickets_reopen_forgiven_total"] += self.forgiven
        totals["support_tickets_withdrawn_total"] += self.withdrawn
        totals["support_tickets_transferred_total"] += self.transfers
        totals["support_tickets_worked_total"] += bool(self.works)
        totals["support_touch_seconds_total"] += self.touched
        totals["support_tickets_escalated_once_total"] += bool(self.escalated)
        for kind in self.escalated:
            totals[labelled("support_tickets_escalated_total", kind=kind)] += 1
        if self.settled is not None:
            _rate(totals, "support_tickets_fcr_evaluated_total", "support_tickets_first_contact_resolved_total", self.settled)
            if self.settled_topic:
                _rate(totals, "support_tickets_fcr_eligible_total", "support_tickets_fcr_eligible_resolved_total", self.settled)
        if self.solution is not None:
            self._close_solution(totals, self.solution, known)

    def _close_solution(self, totals: Totals, solution: Solution, known: bool) -> None:
        totals["support_tickets_completed_total"] += 1
        totals["support_tickets_solved_by_agents_total"] += solution.by_agent
        totals["support_tickets_repeat_contacted_total"] += solution.repeated
        if known:
            observe(totals, "requester_wait", solution.wait)
            observe(totals, "agent_work", solution.work)
            totals["support_human_turns_count"] += 1
            totals["support_human_turns_sum"] += solution.turns
        if solution.at_once is not None and solution.topic_counts:
            _rate(totals, "support_tickets_fcr_assessed_total", "support_tickets_fcr_assessed_resolved_total", self._resolved(solution))
        if solution.marked is not None:
            _rate(totals, "support_tickets_fcr_marked_total", "support_tickets_fcr_marked_resolved_total", solution.marked)


def _rate(totals: Totals, family: str, part: str, is_part: bool) -> None:
    totals[family] += 1
    totals[part] += is_part
