"""The words of the scenario files: times, durations, settings and events, as a support manager would write them.

The files say what they mean; this module only turns their words into the engine's values. Times are UTC. The first day is Monday, 2 March
2026; `Tue 09:00` is the day after, `2026-03-29 09:00` any day.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from processor.calendar_tables import compile_calendar
from processor.config.calendars import CalendarConfig
from processor.core.business_hours import Calendar
from processor.core.events import CHANGED_FIELDS, DATA_FIELDS, SURVEY_SCALES, Event, rank_of
from processor.core.settings import DIMENSIONS, Options, Policy, Target

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
UNITS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
YES_NO = {"yes": True, "no": False}
OPTIONS = ("update_at_every_contact", "customer_ends_update", "first_response_restarts")

# Whom an id stands for, by its first letter.
ENTITIES = {"T": "ticket", "C": "contact", "P": "person", "A": "agent", "O": "organization", "K": "account"}

ID_FIELDS = {
    **{entity: f"{entity}_id" for entity in ("ticket", "contact", "agent", "organization")},
    "person": "visitor_id",
    "account": "partitionkey",
}

# What happened -> the kind of event and the fields that the words behind it fill, in order. `*` is the entity that it happened to.
VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "created": ("ticket.created", ()),
    "status": ("ticket.status_changed", ("status", "reason")),
    "priority": ("ticket.priority_changed", ("priority",)),
    "group": ("ticket.group_changed", ("group",)),
    "assigned": ("ticket.assignee_changed", ("assignee_id",)),
    "changed": ("ticket.fields_changed", ()),
    "escalated": ("ticket.escalated", ("kind",)),
    "merged": ("ticket.merged", ("merged_into",)),
    "unmerged": ("ticket.unmerged", ()),
    "spam": ("ticket.marked_as_spam", ()),
    "not-spam": ("ticket.unmarked_as_spam", ()),
    "deleted": ("ticket.deleted", ()),
    "restored": ("ticket.restored", ()),
    "bounced": ("message.bounced", ("message_id",)),
    "redacted": ("message.redacted", ("message_id",)),
    "hidden": ("message.visibility_changed", ("message_id",)),
    "shown": ("message.visibility_changed", ("message_id",)),
    "calls": ("contact.initiated", ()),
    "queued": ("contact.queued", ("queue",)),
    "offered": ("contact.offered", ("agent_id",)),
    "missed": ("contact.missed", ("agent_id",)),
    "accepted": ("contact.accepted", ("agent_id",)),
    "transferred": ("contact.transferred", ("queue",)),
    "abandoned": ("contact.abandoned", ()),
    "callback": ("contact.callback_requested", ()),
    "ended": ("contact.ended", ("outcome",)),
    "wrapped-up": ("contact.wrapped_up", ("wrap_up_seconds",)),
    "bot-starts": ("*.bot_started", ()),
    "bot-handed-off": ("*.bot_handed_off", ()),
    "bot-resolved": ("*.bot_resolved", ()),
    "logged": ("ticket.work_logged", ("seconds",)),
    "surveyed": ("*.survey_sent", ("survey", "survey_id")),
    "answers": ("*.survey_responded", ("survey", "score")),
    "views": ("person.article_viewed", ("article_id",)),
    "searches": ("person.searched", ()),
    "votes": ("person.article_voted", ("helpful",)),
    "is": ("agent.state_changed", ("state",)),
    "acquired": ("organization.acquired", ()),
    "churned": ("organization.churned", ()),
    "counted": ("organization.counted", ("count",)),
    "costs": ("account.cost_recorded", ("amount", "currency")),
}
AUTHORS = ("customer", "agent", "bot", "ai_agent", "system")
DEFAULTS: dict[str, dict[str, Any]] = {
    "ticket.created": {"channel": "email", "status": "new", "priority": "normal", "direction": "inbound"},
    "contact.initiated": {"channel": "phone"},
    "contact.queued": {"channel": "phone", "queue": "sales"},
    "contact.wrapped_up": {"wrap_up_seconds": 30},
    "ticket.merged": {"merged_into": "T-99"},
    "ticket.escalated": {"kind": "functional"},
    **{f"{who}.survey_{what}": {"survey_id": "S-1", "survey": "csat"} for who in ("ticket", "person") for what in ("sent", "responded")},
    "account.cost_recorded": {"currency": "EUR"},
}
NUMBERS = frozenset(
    {"wrap_up_seconds", "talk_seconds", "hold_seconds", "seconds", "score", "scale_min", "scale_max", "count", "amount", "capacity"}
)
FLAGS = frozenset({"helpful", "first_contact_resolved"})
_DAY = r"(?P<date>\d{4}-\d\d-\d\d) +|(?P<day>[A-Z][a-z]{2})(?:\+(?P<weeks>\d+)w)? +"
_TIME = re.compile(rf"(?:{_DAY})?(?P<clock>\d\d:\d\d(?::\d\d(?:\.\d{{3}})?)?)(?: +|$)")


class UnknownWordsError(ValueError):
    """A line of a scenario that the words here do not cover."""


def milliseconds(moment: datetime) -> int:
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))


def take_time(line: str) -> tuple[int, str]:
    """The time at the beginning of a line, in milliseconds, and the rest of the line. `Tue+2w` is the Tuesday two weeks later."""
    match = _TIME.match(line)
    if match is None:
        raise UnknownWordsError(f"{line!r} does not begin with a time")
    if match["date"]:
        day = datetime.fromisoformat(match["date"]).replace(tzinfo=UTC)
    else:
        day = MONDAY + timedelta(days=DAYS.index(match["day"] or "Mon"), weeks=int(match["weeks"] or 0))
    hours, minutes, *seconds = match["clock"].split(":")
    moment = day + timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds[0]) if seconds else 0)
    return milliseconds(moment), line[match.end() :]


def duration(text: str) -> int:
    """`1h30m`, `5s`, `250ms`, `2d` in milliseconds."""
    parts = re.findall(r"(\d+)(ms|[smhd])", text)
    if "".join(number + unit for number, unit in parts) != text or not parts:
        raise UnknownWordsError(f"{text!r} is no duration such as 1h30m")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def fields_of(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Plain words and name=value words."""
    plain = [word for word in words if "=" not in word]
    return plain, dict(word.split("=", 1) for word in words if "=" in word)


def event_of(at: int, key: str, words: list[str], number: int) -> Event:
    """The event that a line tells of. `id=`, `seq=` and `from=` (the source) may be given; ids are otherwise e1, e2, ... by line."""
    plain, fields = fields_of(words)
    event_id, sequence, source = fields.pop("id", f"e{number}"), fields.pop("seq", ""), fields.pop("from", "desk")
    verb, *rest = plain
    if verb in AUTHORS:
        kind, data = "message.added", _message(verb, rest, number, fields.pop("by", None))
    elif verb in VERBS:
        kind, names = VERBS[verb]
        kind = kind.replace("*", ENTITIES[key[0]])
        values: dict[str, Any] = {**DEFAULTS.get(kind, {}), **dict(zip(names, rest, strict=False)), **fields}
        if kind.endswith("survey_responded"):
            low, high = SURVEY_SCALES[values["survey"]]
            values = {"scale_min": low, "scale_max": high, **values}
        if verb in ("hidden", "shown"):
            values["visibility"] = "internal" if verb == "hidden" else "public"
        if verb == "changed":
            values = {"changes": tuple((name, fields[name] or None) for name in CHANGED_FIELDS if name in fields)}
        unknown = set(values) - set(DATA_FIELDS[kind])
        if unknown:
            raise UnknownWordsError(f"{kind} has no {', '.join(sorted(unknown))}")
        data = tuple(_value(name, values.get(name)) for name in DATA_FIELDS[kind])
    else:
        raise UnknownWordsError(f"{verb!r} is nothing that happens to anybody")
    return Event(at, rank_of(kind, sequence), sequence, source, event_id, kind, key, data)


def record_of(at: int, key: str, words: list[str], number: int) -> bytes:
    """The record of an event: its type, and what its data say, as JSON where it is any."""
    (kind,), fields = fields_of(words)
    moment = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).isoformat().replace("+00:00", "Z")
    data = {ID_FIELDS[ENTITIES[key[0]]]: key, **{name: _json(text) for name, text in fields.items()}}
    document = {"specversion": "1.0", "id": f"e{number}", "source": "desk", "type": f"support.{kind}", "time": moment, "data": data}
    return json.dumps(document).encode()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _value(name: str, value: Any) -> Any:
    if value in (None, "nobody", "none"):
        return None
    if name == "amount":
        return round(float(value) * 1000)  # as the decoder gives it, in thousandths
    if name in NUMBERS:
        return int(value) if str(value).isdigit() else float(value)
    return YES_NO[value] if name in FLAGS else value


def _message(author: str, words: list[str], number: int, by: str | None) -> tuple[Any, ...]:
    names = [word for word in words if word not in ("internal", "automated")]
    return (names[0] if names else f"M{number}", author, "internal" if "internal" in words else "public", "automated" in words, by)


@cache
def berlin() -> Calendar:
    """Monday to Friday, 9 to 17 by the clocks of Berlin, with 1 May closed: the calendar that every scenario has."""
    zone = ZoneInfo("Europe/Berlin")
    opens, closes = [], []
    for number in range(365):
        day = datetime(2026, 1, 1, tzinfo=zone) + timedelta(days=number)
        if day.weekday() < 5 and (day.month, day.day) != (5, 1):
            opens.append(milliseconds(day.replace(hour=9)))
            closes.append(milliseconds(day.replace(hour=17)))
    return Calendar("berlin", opens, closes)


@cache
def calendar_of(name: str, versions: tuple[tuple[str, ...], ...]) -> Calendar:
    """`calendar desk Europe/Berlin Mon-Fri 09:00-17:00 from=2026-03-04`: a line for each version, the first without `from`."""
    written: list[dict[str, Any]] = []
    for words in versions:
        (zone, days, *hours), fields = fields_of(list(words))
        first, last = (DAYS.index(day) for day in days.split("-"))
        week = {day.lower(): hours for day in DAYS[first : last + 1]}
        written.append({"zone": zone, "hours": week, **({"effective_from": fields["from"]} if fields else {})})
    return compile_calendar(name, CalendarConfig.model_validate({**written[0], "changes": written[1:]}))


def policy_of(words: list[str]) -> Policy:
    """`policy gold v=2 from=2026-03-03 tier=gold first_response=30m resolution=8h@berlin pause.resolution=pending,on_hold`.

    Options are `OPTION=yes` and `hide.CLOCK=STATUSES`. Working days are `2wd`, or `2wd-end` until the day ends; warnings `warn.CLOCK=-1h`
    or `warn.CLOCK=+2wd`.
    """
    (name,), fields = fields_of(words)
    begins = fields.pop("from", None)
    version = int(fields.pop("v", "1"))
    calendar = fields.pop("calendar", None)
    match = {each: frozenset(fields.pop(each).split(",")) for each in (*DIMENSIONS, "policy_id") if each in fields}
    pauses = {each.removeprefix("pause."): frozenset(fields.pop(each).split(",")) for each in list(fields) if each.startswith("pause.")}
    hidden = {each.removeprefix("hide."): frozenset(fields.pop(each).split(",")) for each in list(fields) if each.startswith("hide.")}
    options = Options(**{each: YES_NO[fields.pop(each)] for each in OPTIONS if each in fields}, hidden=hidden)
    warnings = {each.removeprefix("warn."): fields.pop(each) for each in list(fields) if each.startswith("warn.")}
    targets = {clock: _target(text, warnings.get(clock)) for clock, text in fields.items()}
    starts = milliseconds(datetime.fromisoformat(begins).replace(tzinfo=UTC)) if begins else 0
    return Policy(name, version, starts, match, targets, pauses, calendar, options)


def _target(text: str, warning: str | None) -> Target:
    length, _, hours = text.partition("@")
    days, in_days, end = length.partition("wd")
    sign, offset = (-1 if (warning or "").startswith("-") else 1), (warning or "")[1:]
    return Target(
        0 if in_days else duration(length),
        hours or None,
        working_days=int(days) if in_days else 0,
        end_of_working_day=end == "-end",
        warning=sign * duration(offset) if warning and not offset.endswith("wd") else None,
        warning_days=sign * int(offset.removesuffix("wd")) if offset.endswith("wd") else None,
    )
