"""Cases about numbers over a window of tickets: each ticket is lived through by the engine, and its facts are added up.

The windows of the format go by the age of a ticket, so a number belongs to the window in which its ticket was created: in the middle of
the day or month of that age. The values of a case have no unit, and are told to the engine as seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from processor.core.engine import Engine
from processor.core.events import DATA_FIELDS, Event, rank_of
from processor.core.facts import CONTENT_FIELDS
from processor.core.settings import Settings
from tests.sla_cases.cases import Case, NotUnderstoodError

TODAY = datetime(2026, 7, 15, tzinfo=UTC)
RATINGS = range(1, 6)
_MEASURES = {"first_response": "ticket.first_responded", "resolution": "ticket.solved"}
_VALUE_OF = {"avg_first_response_time": "first_response", "avg_resolution_time": "resolution"}


@dataclass(slots=True)
class Measured:
    """What the facts say about one ticket."""

    created_at: datetime
    first_response: float | None = None
    resolution: float | None = None
    rating: float | None = None


def window_aggregate(case: Case) -> dict[str, Any]:
    """The windows that the case expects, each with the numbers that it asks for."""
    metric = case.given.get("metric", "")
    if metric not in ("created_count", "csat", "avg_first_response_time", "avg_resolution_time", "avg_first_response_and_resolution"):
        raise NotUnderstoodError(f"metric {metric!r}")
    tickets = measured(case)
    return {"windows": [_window(metric, tickets, wanted) for wanted in case.expected["windows"]]}


def measured(case: Case) -> list[Measured]:
    """All tickets of the case, as the engine measured them."""
    listed = case.given.get("events") or []
    engine = Engine(Settings())
    events = [each for number, given in enumerate(listed) for each in _events_of(case, number, given)]
    for event in sorted(events):
        rejected = engine.apply(event)
        assert rejected is None, rejected
    found: dict[str, Measured] = {}
    for stated in engine.drain().facts:
        fact, key = stated.fact, stated.key
        content = dict(zip(CONTENT_FIELDS[fact.kind], fact.content, strict=True))
        if fact.kind == "ticket.created":
            found[key] = Measured(datetime.fromtimestamp(fact.at / 1000, UTC))
        elif fact.kind == "ticket.first_responded":
            found[key].first_response = content["duration"] / 1000
        elif fact.kind == "ticket.solved":
            found[key].resolution = content["since_created"] / 1000
        elif fact.kind == "survey.answered":
            found[key].rating = content["score"] / 1000
    return list(found.values())


def _events_of(case: Case, number: int, given: dict[str, Any]) -> Iterable[Event]:
    """A ticket's life: created, perhaps answered, perhaps solved, perhaps rated."""
    created = _created_at(given)
    key = f"T-{number}"

    def event(seconds: float, kind: str, **values: Any) -> Event:
        values = {"message_id": "m", "author_type": "agent", "visibility": "public", "automated": False} | values
        at = round((created + timedelta(seconds=seconds)).timestamp() * 1000)
        return Event(at, rank_of(kind, "1"), "1", "case", f"{key} {kind}", kind, key, tuple(values.get(name) for name in DATA_FIELDS[kind]))

    yield event(0, "ticket.created", channel="email", status="open", priority="normal", direction="inbound")
    of_value = _VALUE_OF.get(case.given.get("metric", ""))
    response, resolution = (given.get("value") if of_value == name else given.get(name) for name in ("first_response", "resolution"))
    if response is not None:
        yield event(response, "message.added")
    if resolution is not None:
        yield event(resolution, "ticket.status_changed", status="solved")
    if given.get("rating") is not None:
        rating = {"survey_id": "s", "survey": "csat", "score": given["rating"], "scale_min": 1, "scale_max": 5}
        yield event(max(response or 0, resolution or 0), "ticket.survey_responded", **rating)


def _created_at(given: dict[str, Any]) -> datetime:
    if given.get("age_months") is not None:
        return _months_ago(given["age_months"])
    return TODAY + timedelta(hours=12) - timedelta(days=given.get("age_days") or 0)


def _months_ago(months: int) -> datetime:
    year, month = divmod(TODAY.year * 12 + TODAY.month - 1 - months, 12)
    return TODAY.replace(year=year, month=month + 1)


def _beginning(wanted: dict[str, Any], times: int = 1) -> datetime | None:
    """Where a window begins; None: nowhere."""
    if wanted.get("days") is not None:
        return TODAY - timedelta(days=wanted["days"] * times - 1)
    if wanted.get("months") is not None:
        return _months_ago(wanted["months"] * times - 1).replace(day=1)
    return None


def _window(metric: str, tickets: list[Measured], wanted: dict[str, Any]) -> dict[str, Any]:
    begin = _beginning(wanted)
    inside = [each for each in tickets if begin is None or each.created_at >= begin]
    found: dict[str, Any] = {name: wanted[name] for name in ("days", "months") if name in wanted}
    if metric == "created_count":
        return found | {"value": len(inside), "daily_points": wanted.get("days")}
    if metric == "csat":
        return found | _csat([each.rating for each in inside if each.rating is not None])
    means = {name: _mean([getattr(each, name) for each in inside]) for name in _MEASURES}
    if metric == "avg_first_response_and_resolution":
        return found | _both(means, wanted)
    name = _VALUE_OF[metric]
    earlier_begin = _beginning(wanted, 2)
    earlier = [each for each in tickets if begin is not None and earlier_begin is not None and earlier_begin <= each.created_at < begin]
    value, previous = means[name], _mean([getattr(each, name) for each in earlier])
    change = (value - previous) / previous * 100 if value is not None and previous else None
    return found | {"value": value, "previous_value": previous, "percent_change": change}


def _both(means: dict[str, float | None], wanted: dict[str, Any]) -> dict[str, Any]:
    """The two means under the names that the case has for them."""
    return {key: mean for key in wanted for name, mean in means.items() if name in key}


def _csat(ratings: list[float]) -> dict[str, Any]:
    histogram = {str(rating): sum(each == rating for each in ratings) for rating in RATINGS}
    return {"count": len(ratings), "average": _mean(ratings), "histogram": histogram}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
