"""The explanation for people: lines of text, made of the document alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from processor.config.zones import load_zone
from processor.explain import sentences
from processor.explain.sentences import duration

When = Callable[[str | None], str]
Document = Mapping[str, Any]

_CHANGES = {
    "resumed": "goes on",
    "reopened": "goes on after a reopen",
    "suspended": "cancelled for now: the ticket is {reason}",
    "restored": "counts again: the ticket is no longer {reason}",
    "start_moved": "begins at {start} now, not at {start_before}",
    "breach_taken_back": "the breach is taken back: the ticket was solved earlier than that",
}


def when_in(zone_name: str) -> When:
    """How an instant is written: in the zone in which the reports are."""
    zone = load_zone(zone_name)

    def when(text: str | None) -> str:
        if text is None:
            return "never"
        moment = datetime.fromisoformat(text).astimezone(zone)
        fraction = f".{moment.microsecond // 1000:03d}" if moment.microsecond else ""
        return f"{moment:%a %Y-%m-%d %H:%M:%S}{fraction}"

    return when


def lines(document: Document, when: When) -> Iterator[str]:
    """All of it. `when` writes an instant."""
    yield from _head(document, when)
    for clock in document["clocks"]:
        yield ""
        yield from _clock(clock, when)
    if not document["clocks"]:
        yield ""
        counted = document["now"]["counted"]
        yield "No clock of this ticket has a target in the policies that applied." if counted else "No clock runs while it is not counted."
    yield from _rest(document, when)


def clock_lines(document: Document, when: When) -> Iterator[str]:
    """The clocks alone."""
    for number, clock in enumerate(document["clocks"]):
        if number:
            yield ""
        yield from _clock(clock, when)


def _head(document: Document, when: When) -> Iterator[str]:
    now = document["now"]
    yield f"{document['ticket']}: {now['status']}, as of {when(document['as_of'])}"
    dimensions = ", ".join(f"{name} {value}" for name, value in now["dimensions"].items() if value != "none")
    begun = "created" if now["creation_seen"] else _first_heard(document)
    yield f"  {begun} {when(now['created_at'])}; {dimensions}"
    if not now["counted"]:
        yield f"  not counted: {', '.join(now['not_counted_because'])}"
    if now["waits_since"]:
        yield f"  the customer waits for an answer since {when(now['waits_since'])}"
    if document["kept_since"]:
        yield f"  events until {when(document['kept_since'])} are no longer kept: what they came to is told, not how"
    if document["later_events"]:
        yield f"  {document['later_events']} later events are left out"


def _first_heard(document: Document) -> str:
    """Where a ticket begins whose first event was another one than its creation."""
    if any(event["type"] == "support.ticket.created" for event in document["events"]):
        return "created (there were events about it before)"
    return "first heard of (its creation is not in the log)"


def _clock(clock: Document, when: When) -> Iterator[str]:
    yield f"{clock['clock']} {clock['instance']}: {sentences.CLOCK_VERDICTS[clock['verdict']]}{_uncounted(clock)}"
    yield f"  {_terms(clock['policy'], clock['target'], when)}"
    for segment in clock["segments"]:
        yield f"  {_segment(segment, when)}"
    target = f" of {duration(clock['target']['seconds'])}" if clock["target"] else ""
    yield f"  counted {duration(clock['active_seconds'])}{target}"
    if clock["due_at"] and not (clock["breached"] and clock["breached"]["induced"]):
        known = f", known since {when(clock['due_known_since'])}" if clock["due_known_since"] else ""
        yield f"  due {when(clock['due_at'])}{known}"
    elif clock["state"] == "paused" and not clock["breached"]:
        yield "  due at no time while it stands still"
    for change in clock["changes"]:
        yield from (f"  {line}" for line in _change(change, when))
    yield from _end(clock, when)


def _uncounted(clock: Document) -> str:
    if clock["suspended"]:
        return f" (not counted: the ticket is {clock['suspended']})"
    return "" if clock["counted"] else " (not counted any more)"


def _terms(policy: Document | None, target: Document | None, when: When) -> str:
    if policy is None:
        return "no policy applies"
    since = f"in force since {when(policy['in_force_since'])}" if policy["in_force_since"] else "in force from the beginning"
    name = f"policy {policy['id']}, version {policy['version']}, {since}"
    if target is None:
        return f"{name}; no target"
    hours = f"in the open hours of {target['calendar']}" if target["calendar"] else "around the clock"
    if target.get("working_days"):
        end = ", until the end of the day" if target["end_of_working_day"] else ""
        return f"{name}; target {target['working_days']} working days of {target['calendar'] or 'the calendar'}{end}"
    return f"{name}; target {duration(target['seconds'])} {hours}"


def _segment(segment: Document, when: When) -> str:
    ran, known = segment["state"] == "running", segment["counted_seconds"]
    to = when(segment["to"]) if segment["to"] else "now"
    counted = "stood still" if not ran else f"ran, {duration(known)} counted" if known is not None else "ran"
    began = f", after {cause(segment['began_by'])}" if segment["began_by"] else ""
    return f"{when(segment['from'])} to {to}: {counted}{began}"


def _change(change: Document, when: When) -> Iterator[str]:
    """Those that the stretches do not show."""
    if change["what"] == "policy_changed":
        terms, before = (_terms(change[f"policy{which}"], change[f"target{which}"], when) for which in ("", "_before"))
        yield f"{when(change['at'])}: another policy applies, because of {cause(change['because'])}: {terms}; what had counted stays"
        yield f"{' ' * len(when(change['at']))}  before that {before}"
    elif change["what"] in ("suspended", "restored", "start_moved", "breach_taken_back"):
        texts = {name: when(value) if name.startswith("start") else value for name, value in change.items()}
        yield f"{when(change['at'])}: {_CHANGES[change['what']].format(**texts)}, because of {cause(change['because'])}"


def _end(clock: Document, when: When) -> Iterator[str]:
    breached, ended = clock["breached"], clock["ended"]
    terms = _terms_then(clock, when)
    if breached and breached["induced"]:
        yield f"  breached {when(breached['at'])}, induced: {cause(breached['because'])} alone made it late{terms}"
    elif breached:
        yield f"  breached {when(breached['at'])}: until then nothing had ended it{terms}"
    if ended:
        reason = f" ({ended['reason'].replace('_', ' ')})" if ended["reason"] else ""
        yield f"  {clock['state']} {when(ended['at'])}{reason} by {cause(ended['because'])}"


def _terms_then(clock: Document, when: When) -> str:
    """By which policy it breached, where another one applies now."""
    breached = clock["breached"]
    if not breached or "policy" not in breached or (breached["policy"], breached["target"]) == (clock["policy"], clock["target"]):
        return ""
    return f"; measured by {_terms(breached['policy'], breached['target'], when)}"


def _rest(document: Document, when: When) -> Iterator[str]:
    outcomes = [each for each in document["outcomes"] if each["kind"] not in sentences.UNTOLD]
    if outcomes:
        yield ""
        yield "What else was concluded"
    for each in outcomes:
        because = f"  [{cause(each['because'])}]" if each["because"] else ""
        taken_back = "" if each["stands"] else f"  TAKEN BACK by {cause(each['taken_back_by'])}"
        yield f"  {when(each['at'])}  {sentences.outcome(each['kind'], each['says'])}{because}{taken_back}"
    yield ""
    yield from _first_contact(document["first_contact"], when)
    if document["corrections"]:
        yield ""
        yield "Stated once, and taken back because of an event that came late"
    for each in document["corrections"]:
        clock = f" {each['says']['clock']}" if "clock" in each["says"] else ""
        yield f"  {when(each['at'])}  {each['kind']}{clock}, taken back when this came: {cause(each['taken_back_by'])}"
    if document["rejected"]:
        yield ""
        yield "Events about it that do not count"
    for each in document["rejected"]:
        yield f"  {each['where']}: {each['reason']}, {each['detail']}"


def _first_contact(verdict: Document, when: When) -> Iterator[str]:
    until = ""
    if verdict["settled_at"]:
        until = f" (settled {when(verdict['settled_at'])})"
    elif verdict["settles_at"]:
        until = f" (provisional until {when(verdict['settles_at'])})"
    yield f"Resolved at the first contact: {sentences.VERDICTS[verdict['verdict']]}{until}"
    for each in verdict["reasons"]:
        because = "; ".join(cause(evidence) for evidence in each["because"])
        yield f"  {sentences.reason(each)}" + (f"  [{because}]" if because else "")
    if verdict["topic_eligible"] is False:
        yield "  its topic cannot be solved at first contact: not in fcr, only in fcr_gross"
    if verdict["marked_by_agent"] is not None:
        yield f"  the agent marked it as {'' if verdict['marked_by_agent'] else 'not '}resolved at the first contact"


def cause(event: Document | None) -> str:
    """What is behind something, in one line."""
    if event is None:
        return "the time that passed"
    if event["type"] == "stored":
        return "events that are no longer kept"
    if "handed_by" in event:
        return f"{_HANDED.get(event['type'], event['type'])} {event['handed_by']}"
    says = event["says"]
    words = [str(says[name]) for name in _TELLING if says.get(name) not in (None, False, True)]
    detail = f" {', '.join(words)}" if words else ""
    return f"{event['type'].removeprefix('support.')}{detail} (id {event['id']}, {event['source']})"


_TELLING = ("status", "reason", "priority", "group", "merged_into", "author_type", "visibility", "kind", "survey", "policy_id", "tier")
_HANDED = {
    "ticket.wait_handed": "the wait handed over by",
    "ticket.wait_withdrawn": "the wait taken back by",
    "ticket.contact_answered": "the answer in",
    "ticket.contacted_again": "the customer coming back with",
}
