"""What answers to surveys mean, and which of several counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from processor.core.settings import Settings

LOW = ("dissatisfied", "detractor", "hard", "no")


@dataclass(frozen=True)
class Answer:
    """An answer as it counts: the score in thousandths."""

    survey: str
    result: str
    score: int
    reason: str | None
    touchpoint: str | None
    respondent: str | None


def answer_of(data: tuple[Any, ...], settings: Settings) -> Answer | None:
    """None: on a scale without length."""
    _, survey, score, low, high, respondent, reason, touchpoint = data
    if high <= low:
        return None
    shown = score
    if survey == "csat":
        threshold = settings.satisfied_from.get((survey, low, high), low + 0.75 * (high - low))
        result = "satisfied" if score >= threshold else "dissatisfied"
    elif survey == "nps":
        result = nps(score)
    elif survey == "ces":
        shown = 1 + 6 * ((high - score) if settings.ces_low_is_easy else (score - low)) / (high - low)
        result = "easy" if shown >= 5 else "hard" if shown <= 3 else "neutral"
    else:
        result = "yes" if score > (low + high) / 2 else "no"
    return Answer(survey, result, round(shown * 1000), reason, touchpoint, respondent)


def nps(score: float) -> str:
    return "promoter" if score >= 9 else "passive" if score >= 7 else "detractor"


@dataclass
class Round:
    """One survey put to somebody: when it was sent, and its answers. Entries are (instant, position in the log, what)."""

    began: int
    number: int
    sent: tuple[int, int, str | None] | None = None  # with to whom
    answers: list[tuple[int, int, Answer]] | None = None

    @property
    def first(self) -> int | None:
        return self.answers[0][0] if self.answers else None


def rounds_of(said: list[tuple[int, int, str, tuple[Any, ...]]], settings: Settings, again_after: int | None) -> list[Round]:
    """The rounds of one survey id: (instant, position, sent or responded, data) in order.

    Where it is sent again once answers have become final, another one begins; so it does long after the last, for `again_after`.
    """
    rounds: list[Round] = []
    for at, number, what, data in said:
        present = rounds[-1] if rounds else None
        settled = present is not None and present.first is not None and at - present.first > settings.survey_edit_window
        if what == "sent":
            over = present is not None and again_after is not None and at - present.began > again_after
            if present is None or over or settled:
                present = Round(at, number)
                rounds.append(present)
            if present.sent is None:
                present.sent = (at, number, data[2])
            continue
        answer = answer_of(data, settings)
        if answer is None:
            continue
        over = present is not None and again_after is not None and at - (present.first or present.began) > again_after
        if present is None or over:
            present, settled = Round(at, number), False
            rounds.append(present)
        if not settled:
            present.answers = [*(present.answers or []), (at, number, answer)]
    return rounds
