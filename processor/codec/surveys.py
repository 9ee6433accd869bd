"""What the events of surveys must carry. A score without a scale has the usual one of its survey; one outside of its scale is refused."""

from __future__ import annotations

from typing import Any

from processor.codec.fields import Number, Refusal, choice, choices, identifier, label, number, optional_number, optional_text
from processor.core.events import SURVEY_SCALES, SURVEYS, Reason

Data = dict[str, Any]

SCORE_MAX = 1000  # no scale goes further, up or down
NPS_SCALES = ((0, 10), (1, 10))  # who promotes and who warns is defined on these alone

_SURVEY = choices(SURVEYS)


def survey_sent(data: Data) -> tuple[Any, ...]:
    """`support.survey.sent`."""
    return (
        identifier(data["survey_id"], "data.survey_id"),
        choice(data["survey"], _SURVEY, "data.survey"),
        optional_text(data.get("respondent_id"), "data.respondent_id"),
    )


def survey_responded(data: Data) -> tuple[Any, ...]:
    """`support.survey.responded`."""
    get = data.get
    survey_id = identifier(data["survey_id"], "data.survey_id")
    survey = choice(data["survey"], _SURVEY, "data.survey")
    low, high = _scale(survey, get)
    score = number(data["score"], "data.score", -SCORE_MAX, SCORE_MAX)
    if not low <= score <= high:
        raise Refusal(Reason.INVALID_VALUE, f"data.score: outside of its scale, {low} to {high}")
    return (
        *(survey_id, survey, score, low, high),
        optional_text(get("respondent_id"), "data.respondent_id"),
        label(get("reason"), "data.reason"),
        label(get("touchpoint"), "data.touchpoint"),
    )


def _scale(survey: str, get: Any) -> tuple[Number, Number]:
    usual_low, usual_high = SURVEY_SCALES[survey]
    low = optional_number(get("scale_min"), "data.scale_min", -SCORE_MAX, SCORE_MAX)
    high = optional_number(get("scale_max"), "data.scale_max", -SCORE_MAX, SCORE_MAX)
    low, high = usual_low if low is None else low, usual_high if high is None else high
    if low >= high:
        raise Refusal(Reason.INVALID_VALUE, "data.scale_max: not above data.scale_min")
    if survey == "nps" and (low, high) not in NPS_SCALES:
        raise Refusal(Reason.INVALID_VALUE, "data.scale_max: nps is asked on a scale of 0 to 10 or 1 to 10")
    return low, high
