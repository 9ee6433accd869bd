"""Answers to surveys: what a score means, and which of several answers counts.

A *round* is one survey put to one ticket or person: sent, perhaps sent again as a reminder, answered, perhaps answered otherwise soon
after. The latest answer of a round counts; from `edit_window` after the first one on it stays. Tickets have one round of each survey, and
another one where it is sent again after that; persons have another one, too, when they answer again long after.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from processor.core.facts import Fact, thaw_fact
from processor.core.settings import Settings

SURVEYS_MAX: Final = 64  # rounds that one ticket or person has at a time
ANSWERS_MAX: Final = 16  # answers of one round that are looked at; later ones change nothing

CES_LOW: Final = 1  # from here to here every effort score is brought
CES_HIGH: Final = 7
EASY_FROM: Final = 5000  # in thousandths, as the following
HARD_UNTIL: Final = 3000
PROMOTER_FROM: Final = 9000
PASSIVE_FROM: Final = 7000
SATISFIED_SHARE: Final = 0.75  # of the way up a scale for which no threshold is set

NEGATIVE: Final = frozenset({"dissatisfied", "detractor", "hard", "no"})


class Answer(NamedTuple):
    """An answer as it is counted: `score` in thousandths."""

    survey: str
    result: str
    score: int
    reason: str | None
    touchpoint: str | None

    @property
    def negative(self) -> bool:
        """Whether somebody should ask what went wrong."""
        return self.result in NEGATIVE


def read(data: tuple[Any, ...], settings: Settings) -> Answer | None:
    """What the data of a survey_responded event mean; None on a scale without any length."""
    _survey_id, survey, score, low, high, _respondent, reason, touchpoint = data
    if high <= low:
        return None
    shown = round(score * 1000)
    if survey == "csat":
        limit = settings.satisfied_from.get((survey, low, high))
        satisfied = score - low >= SATISFIED_SHARE * (high - low) if limit is None else score >= limit
        result = "satisfied" if satisfied else "dissatisfied"
    elif survey == "nps":
        result = nps_result(shown)
    elif survey == "ces":
        share = (high - score if settings.ces_low_is_easy else score - low) / (high - low)
        shown = round(1000 * (CES_LOW + share * (CES_HIGH - CES_LOW)))
        result = "easy" if shown >= EASY_FROM else "hard" if shown <= HARD_UNTIL else "neutral"
    else:
        result = "yes" if 2 * score > low + high else "no"
    return Answer(survey, result, shown, reason, touchpoint)


def nps_result(score: int) -> str:
    """Promoter, passive or detractor by the score in thousandths, on 0 to 10 or 1 to 10."""
    return "promoter" if score >= PROMOTER_FROM else "passive" if score >= PASSIVE_FROM else "detractor"


class Round:
    """One survey that is put to a ticket or person. `number` is the instance of all its facts."""

    __slots__ = ("agent", "answers", "dims", "first_at", "handed", "negative", "number", "respondent", "sent", "started", "stated")

    def __init__(self, number: int, started: int) -> None:
        self.number = number
        self.started = started
        self.sent = False
        self.respondent: str | None = None  # to whom it was sent
        self.dims: tuple[str, ...] | None = None  # when it was sent, unless it was answered before
        self.agent: str | None = None  # who had solved the ticket then
        self.first_at: int | None = None  # the first answer
        self.answers = 0
        self.stated: Fact | None = None  # survey.answered
        self.negative: Fact | None = None  # survey.negative
        self.handed: tuple[Any, ...] | None = None  # an answer that its respondent counts instead: content of person.answered

    def freeze(self) -> tuple[Any, ...]:
        """Plain values."""
        return (self.number, self.started, self.sent, self.respondent, self.dims, self.first_at, self.answers, self.stated, self.negative,
                self.handed, self.agent)  # fmt: skip

    @classmethod
    def thaw(cls, stored: Any) -> Round:
        """Undo `freeze`."""
        number, started, sent, respondent, dims, first_at, answers, stated, negative, handed, agent = stored
        self = cls(number, started)
        self.sent, self.respondent, self.first_at, self.answers = sent, respondent, first_at, answers
        self.dims, self.agent = tuple(dims) if dims else None, agent
        self.stated = thaw_fact(stated) if stated else None
        self.negative = thaw_fact(negative) if negative else None
        self.handed = tuple(tuple(value) if isinstance(value, list) else value for value in handed) if handed else None
        return self


class Rounds:
    """The rounds of one ticket or person, by survey and survey id.

    `again_after`: so long after it began, a round is over and another may begin; None: only where the survey is sent again.
    """

    __slots__ = ("again_after", "edit_window", "known")

    def __init__(self, edit_window: int, again_after: int | None) -> None:
        self.edit_window = edit_window
        self.again_after = again_after
        self.known: dict[tuple[str, str], Round] = {}

    def sent(self, key: tuple[str, str], at: int, number: int) -> Round | None:
        """The round that begins, or whose sending was not known; None: a reminder. `number` is for a new one."""
        known = self.known.get(key)
        if known is not None and not self._is_over(at, known.started) and not self._is_settled(known, at):
            if known.sent:
                return None
        else:
            known = self._begin(key, at, number)
        if known is not None:
            known.sent = True
        return known

    def answered(self, key: tuple[str, str], at: int, number: int) -> Round | None:
        """The round in which an answer of this instant counts; None if it changes nothing any more."""
        known = self.known.get(key)
        if known is None or self._is_over(at, known.started if known.first_at is None else known.first_at):
            known = self._begin(key, at, number)
            if known is None:
                return None
        if self._is_settled(known, at) or known.answers >= ANSWERS_MAX:
            return None
        known.answers += 1
        if known.first_at is None:
            known.first_at = at
        return known

    def _is_over(self, at: int, since: int) -> bool:
        return self.again_after is not None and at - since > self.again_after

    def _is_settled(self, known: Round, at: int) -> bool:
        return known.first_at is not None and at - known.first_at > self.edit_window

    def _begin(self, key: tuple[str, str], at: int, number: int) -> Round | None:
        self.known.pop(key, None)
        if len(self.known) >= SURVEYS_MAX:
            if self.again_after is None:
                return None
            del self.known[next(iter(self.known))]  # the one that began first
        self.known[key] = Round(number, at)
        return self.known[key]

    def freeze(self) -> tuple[Any, ...]:
        """Plain values."""
        return tuple((*key, known.freeze()) for key, known in self.known.items())

    def thaw(self, stored: Any) -> None:
        """Undo `freeze`."""
        self.known = {(survey, survey_id): Round.thaw(known) for survey, survey_id, known in stored}
