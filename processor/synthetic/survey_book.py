"""The books of surveys: which answers count, and as what. The latest within the edit window; of a person's recommendations, too.

A book is of one ticket, or of what one person was asked apart from tickets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from processor.core.settings import Settings
from processor.synthetic.books import Totals, labelled

Recommendation = tuple[int, int]  # when, and the score


@dataclass(slots=True)
class Answered:
    """What was answered to one survey."""

    first_at: int
    at: int
    respondent: str | None
    score: int
    low: int
    high: int

    @property
    def is_yes(self) -> bool:
        """Of a question with two answers: on the upper half of the scale."""
        return self.score * 2 > self.low + self.high


class SurveyBook:
    """Surveys that were sent and answered, one of each kind."""

    __slots__ = ("answers", "asked", "settings")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.asked: dict[str, int] = {}
        self.answers: dict[str, Answered] = {}

    def ask(self, survey: str) -> None:
        """Sent."""
        self.asked[survey] = self.asked.get(survey, 0) + 1

    def hear(self, at: int, survey: str, respondent: str | None, score: int, low: int, high: int) -> bool:
        """Answered; whether that still counts."""
        known = self.answers.get(survey)
        if known is not None and at - known.first_at > self.settings.survey_edit_window:
            return False
        self.answers[survey] = Answered(known.first_at if known else at, at, respondent, score, low, high)
        return True

    @property
    def says_no(self) -> bool:
        """Whether the customer says that the concern was not resolved."""
        return not self.answers["fcr"].is_yes

    @property
    def recommends(self) -> tuple[str, Recommendation] | None:
        """By whom and how it is recommended, if somebody known said so."""
        answer = self.answers.get("nps")
        return (answer.respondent, (answer.at, answer.score)) if answer is not None and answer.respondent is not None else None

    def close(self, totals: Totals) -> None:
        """Add everything but the recommendations of known people."""
        for survey, times in self.asked.items():
            totals[labelled("support_surveys_sent_total", survey=survey)] += times
        for survey, answer in self.answers.items():
            low = _ADD[survey](totals, answer, self.settings)
            if low:
                totals[labelled("support_surveys_negative_total", survey=survey)] += 1


def _add_csat(totals: Totals, answer: Answered, settings: Settings) -> bool:
    limit = settings.satisfied_from.get(("csat", answer.low, answer.high), answer.low + 0.75 * (answer.high - answer.low))
    satisfied = answer.score >= limit
    totals["support_csat_responses_total"] += 1
    totals["support_csat_satisfied_total"] += satisfied
    return not satisfied


def _add_ces(totals: Totals, answer: Answered, settings: Settings) -> bool:
    up = answer.high - answer.score if settings.ces_low_is_easy else answer.score - answer.low
    score = round(1000 + 6000 * up / (answer.high - answer.low))
    result = "easy" if score >= 5000 else "hard" if score <= 3000 else "neutral"
    totals[labelled("support_ces_responses_total", category=result)] += 1
    totals["support_ces_very_easy_total"] += score >= 6000
    totals["support_ces_score_count"] += 1
    totals["support_ces_score_sum"] += score
    return result == "hard"


def _add_fcr(totals: Totals, answer: Answered, _settings: Settings) -> bool:
    totals[labelled("support_fcr_responses_total", answer="yes" if answer.is_yes else "no")] += 1
    return not answer.is_yes


def _add_nps(totals: Totals, answer: Answered, _settings: Settings) -> bool:
    if answer.respondent is None:
        add_recommendations(totals, [(answer.at, answer.score)], 0)
    return answer.score < 7


_ADD = {"csat": _add_csat, "ces": _add_ces, "fcr": _add_fcr, "nps": _add_nps}


def add_recommendations(totals: Totals, given: list[Recommendation], window: int) -> None:
    """What one person said. Another word within the window takes the place of the one before."""
    given.sort()
    last = [given[-1], *(known for known, following in pairwise(given) if following[0] - known[0] > window)]
    for _, score in last:
        category = "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"
        totals[labelled("support_nps_responses_total", category=category)] += 1
