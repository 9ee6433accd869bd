"""The surveys of a ticket: sent, answered, answered otherwise, and what follows from a bad answer.

An answer is an outcome of the ticket like any other: discarded with it, stated again when it is restored. It counts for whom the ticket was
with when the survey was sent. Whoever is asked how likely a recommendation is (nps) counts once in a while, however many tickets there are:
where the respondent is known, the ticket hands the answer to that person. Handlers of `Ticket`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from processor.core import ticket_clocks as clocks
from processor.core.events import Event
from processor.core.facts import Dims, Fact, Out
from processor.core.first_contact import survey_said
from processor.core.settings import HOUR_MS, NO_DIMENSIONS
from processor.core.solving import solver
from processor.core.survey_answers import Answer, Round, Rounds, read

if TYPE_CHECKING:
    from processor.core.ticket import Ticket

# How long the first response took, for telling answers apart; "none" where there was none.
BANDS: Final[tuple[tuple[int, str], ...]] = ((HOUR_MS, "under_1h"), (8 * HOUR_MS, "1h_to_8h"), (24 * HOUR_MS, "8h_to_24h"))
LONGEST_BAND: Final = "over_24h"
NO_BAND: Final = "none"


class Surveys:
    """What a ticket remembers of its surveys."""

    __slots__ = ("handed", "rounds", "seen")

    def __init__(self, edit_window: int) -> None:
        self.rounds = Rounds(edit_window, None)
        self.seen = 0  # rounds so far: their numbers
        self.handed = 0  # hand-overs so far: the newest counts

    def freeze(self) -> tuple[Any, ...]:
        """Plain values for the state topic."""
        return (self.seen, self.handed, self.rounds.freeze())

    @classmethod
    def thaw(cls, stored: Any, edit_window: int) -> Surveys:
        """Undo `freeze`."""
        self = cls(edit_window)
        self.seen, self.handed, rounds = stored
        self.rounds.thaw(rounds)
        return self


def survey_sent(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """The customer is asked."""
    survey_id, survey, respondent = event.data
    surveys = _surveys_of(ticket)
    sent = surveys.rounds.sent((survey, survey_id), at, surveys.seen + 1)
    if sent is None:
        return
    surveys.seen = max(surveys.seen, sent.number)
    sent.respondent = respondent
    if sent.first_at is None:
        sent.dims, sent.agent = ticket.dims, solver(ticket)
    since_solved = at - ticket.solved_at if ticket.solved_at else None
    _state(ticket, Fact("survey.sent", sent.number, at, ticket.dims, (survey, since_solved)), out)


def survey_responded(ticket: Ticket, event: Event, at: int, out: Out) -> None:
    """The customer has answered, for the first time or otherwise than before."""
    survey_id, survey, respondent = event.data[0], event.data[1], event.data[5]
    answer = read(event.data, ticket.policies.settings)
    if answer is None:
        return
    surveys = _surveys_of(ticket)
    known = surveys.rounds.answered((survey, survey_id), at, surveys.seen + 1)
    if known is None or not _take_back(ticket, known.stated, out):
        return
    surveys.seen = max(surveys.seen, known.number)
    dims = known.dims or ticket.dims
    agent = solver(ticket) if known.dims is None else known.agent
    respondent = respondent or known.respondent
    if survey == "nps" and respondent is not None:
        known.stated = None
        _hand(ticket, known, respondent, answer, at, dims, agent, out)
    else:
        _withdraw(ticket, known, at, out)
        known.handed = None
        content = (survey, answer.result, answer.score, *_details(ticket, answer), agent)
        known.stated = _state(ticket, Fact("survey.answered", known.number, at, dims, content), out)
    _judge(ticket, known, answer, at, dims, out)


def withdrawn(ticket: Ticket, at: int, out: Out) -> None:
    """The ticket is out of the population: its respondents do not count its answers."""
    if ticket.surveys is not None:
        for known in ticket.surveys.rounds.known.values():
            _withdraw(ticket, known, at, out)


def returned(ticket: Ticket, at: int, out: Out) -> None:
    """The ticket is back in the population."""
    if ticket.surveys is not None:
        for known in ticket.surveys.rounds.known.values():
            if known.handed is not None:
                _tell(ticket, known.handed, at, out)


# -- parts ------------------------------------------------------------------------------------------------------------------------------


def _surveys_of(ticket: Ticket) -> Surveys:
    if ticket.surveys is None:
        ticket.surveys = Surveys(ticket.policies.settings.survey_edit_window)
    return ticket.surveys


def _judge(ticket: Ticket, known: Round, answer: Answer, at: int, dims: Dims, out: Out) -> None:
    """What follows from how good the answer is."""
    if answer.survey == "fcr":
        survey_said(ticket, answer.result == "yes", out)
    was_negative = known.negative is not None
    if not _take_back(ticket, known.negative, out):
        return
    known.negative = None
    if answer.negative:
        known.negative = _state(ticket, Fact("survey.negative", known.number, at, dims, (answer.survey, answer.score, answer.reason)), out)
        if ticket.engaged:
            clocks.survey_low(ticket, at, out)
    elif was_negative and ticket.surveys is not None and not any(each.negative for each in ticket.surveys.rounds.known.values()):
        clocks.survey_recovered(ticket, at, out)


def _details(ticket: Ticket, answer: Answer) -> tuple[Any, ...]:
    return (_response_band(ticket), clocks.any_breached(ticket), answer.reason, answer.touchpoint)


def _response_band(ticket: Ticket) -> str:
    for fact in ticket.standing:
        if fact.kind == "ticket.first_responded":
            return next((band for limit, band in BANDS if fact.content[0] < limit), LONGEST_BAND)
    return NO_BAND


def _state(ticket: Ticket, fact: Fact, out: Out) -> Fact | None:
    """State an outcome; also of a ticket of which nothing else is known: it is from before the log. None where it counts for nothing."""
    if ticket.engaged:
        ticket._outcome(fact, out)
    elif not ticket.created_at:
        ticket.standing.append(fact)
        out.append((1, fact))
    else:
        return None
    return fact


def _take_back(ticket: Ticket, fact: Fact | None, out: Out) -> bool:
    """Whether the fact, if any, could be taken back: one that no longer stands is settled."""
    if fact is None:
        return True
    if fact not in ticket.standing:
        return False
    ticket.standing.remove(fact)
    if not ticket.flags:
        out.append((-1, fact))
    return True


def _hand(ticket: Ticket, known: Round, respondent: str, answer: Answer, at: int, dims: Dims, agent: str | None, out: Out) -> None:
    """The respondent counts the answer instead of the ticket."""
    if known.handed is not None and known.handed[0] != respondent:
        _withdraw(ticket, known, at, out)
    known.handed = (respondent, known.number, at, answer.score, dims, *_details(ticket, answer), agent)
    if ticket.in_population or not ticket.created_at:
        _tell(ticket, known.handed, at, out)


def _withdraw(ticket: Ticket, known: Round, at: int, out: Out) -> None:
    """The respondent forgets the answer."""
    if known.handed is not None:
        respondent, number, answered_at, *_rest = known.handed
        _tell(ticket, (respondent, number, answered_at, None, NO_DIMENSIONS, NO_BAND, None, None, None, None), at, out)


def _tell(ticket: Ticket, content: tuple[Any, ...], at: int, out: Out) -> None:
    assert ticket.surveys is not None
    ticket.surveys.handed += 1
    respondent, number, *rest = content
    out.append((1, Fact("person.answered", ticket.surveys.handed, at, NO_DIMENSIONS, (respondent, number, ticket.surveys.handed, *rest))))
