"""Whether a configuration may go on with stored state: what decided numbers in the past may not change behind them.

The state carries a stamp of the settings it was made with. Another configuration may differ in what only concerns the future: new versions
of policies and changes of calendars that take effect after every stored clock, limits, group-bys. Anything else would make the fold take
back facts that were never stated; it needs the log to be computed anew.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import fields, replace
from hashlib import blake2b
from typing import Any

from processor.codec.times import format_time
from processor.core.business_hours import Calendar
from processor.core.settings import DAY_MS, FIRST_RESPONSE, RESOLUTION, Options, Policy, Settings, Target

# Settings that decided what is stored. Others (timer_delay, limits, group-bys, detail of facts, the reporting zone) only decide what comes.
RULES = (
    *("allowed_lateness", "clock_skew", "final_after", "reopen_horizon", "contact_expires_after", "short_abandon"),
    *("survey_lateness", "survey_edit_window", "nps_window", "satisfied_from", "ces_low_is_easy", "benign_reopen_window", "repeat_window"),
    *("fcr_excluded_topics", "fcr_counts_unanswered", "auto_close_reasons", "auto_close_at_last_reply", "silent_abandon_channels"),
)


def stamp(settings: Settings, until: int) -> dict[str, Any]:
    """What to store beside state whose clocks stand at `until` (milliseconds). Plain values; changes only with the day of `until`."""
    day = until // DAY_MS
    return {
        "rules": {name: _rule(settings, name) for name in RULES},
        "policies": {_name(policy): _hash_of_policy(policy) for policy in settings.policies},
        "order": list(dict.fromkeys(policy.id for policy in settings.policies)),
        "day": day,
        "calendars": {name: _stamp_of_calendar(calendar, day) for name, calendar in settings.calendars.items()},
    }


def objections(stored: dict[str, Any], settings: Settings, until: int) -> list[str]:
    """Why state with this stamp, whose clocks stand at `until`, cannot go on under `settings`; empty where it can."""
    found = [
        f"{name} was {known} and is {_rule(settings, name)}: stored numbers were decided with the former"
        for name, known in stored["rules"].items()  # an older state was decided by fewer
        if name in RULES and known != _rule(settings, name)
    ]
    present = {_name(policy): policy for policy in settings.policies}
    for name, digest in stored["policies"].items():
        if name not in present:
            found.append(f"policy {name} is gone: keep it, and add a version with a later effective_from")
        elif _hash_of_policy(present[name]) != digest:
            found.append(f"policy {name} was changed: leave it as it was, and add a version with a later effective_from")
    found += [
        f"policy {name} takes effect {_since(policy.effective_from)}, not after the stored clocks, which stand at {format_time(until)}"
        for name, policy in present.items()
        if name not in stored["policies"] and policy.effective_from <= until
    ]
    order = [name for name in dict.fromkeys(policy.id for policy in settings.policies) if name in stored["order"]]
    if order != [name for name in stored["order"] if name in order]:
        found.append("the order of the policies was changed: the first that matches applies, also to what is stored")
    for name, known in stored["calendars"].items():
        calendar = settings.calendars.get(name)  # one that no policy names may go; a policy's own stamp names its calendar
        if calendar is None:
            continue
        now = _stamp_of_calendar(calendar, stored["day"])
        then = known if isinstance(known, dict) else {"past": known, "day": now["day"], "changes": []}  # a hash alone: an older stamp
        if not _same_past(then, now, until):
            found.append(_calendar_objection(calendar, then, until))
    return found


def _rule(settings: Settings, name: str) -> Any:
    """A setting as it comes back from JSON."""
    value = getattr(settings, name)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, dict) and any(isinstance(key, tuple) for key in value):
        return sorted([*key, content] for key, content in value.items())
    return value


def fingerprints(settings: Settings) -> dict[str, dict[str, str]]:
    """A short hash of each version of each policy, and of each calendar's table: what to compare between two configurations."""
    return {
        "policies": {_name(policy): _hash_of_policy(policy) for policy in settings.policies},
        "calendars": {name: _hash((calendar.opens, calendar.closes)) for name, calendar in sorted(settings.calendars.items())},
    }


def _calendar_objection(calendar: Calendar, known: dict[str, Any], until: int) -> str:
    clocks = f"the stored clocks, which stand at {format_time(until)}"
    early = [at for at in calendar.changes if at <= until and at not in known["changes"]]
    if early:
        return f"calendar {calendar.name} changes {_since(early[0])}, not after {clocks}: let the change begin later"
    return f"calendar {calendar.name} was changed before {clocks}: leave what was as it was, and add a change with a later effective_from"


def _since(effective_from: int) -> str:
    return f"at {format_time(effective_from)}" if effective_from else "from the beginning"


def _name(policy: Policy) -> str:
    return f"{policy.id} version {policy.version}"


def _hash_of_policy(policy: Policy) -> str:
    match = sorted((name, sorted(values)) for name, values in policy.match.items())
    targets = sorted((clock, *_promise(target)) for clock, target in policy.targets.items())
    # What most policies lack says nothing, so that old hashes stay.
    measured = {FIRST_RESPONSE, RESOLUTION, *policy.targets}
    pauses = sorted((clock, sorted(statuses)) for clock, statuses in policy.pauses.items() if clock in measured)
    options = () if replace(policy.options, hidden={}) == Options() else (_plain(policy.options),)
    return _hash((policy.effective_from, match, targets, pauses, policy.calendar, *options))


def _plain(options: Options) -> list[Any]:
    """The options but for what is only shown or not."""
    return [(each.name, getattr(options, each.name)) for each in fields(options) if each.name != "hidden"]


def _promise(target: Target) -> tuple[Any, ...]:
    """What decides when a clock is late; a warning decides nothing."""
    days = (target.working_days, target.end_of_working_day) if target.working_days else ()
    return (target.ms, target.calendar or "", *days) if days else (target.ms, target.calendar)


def _stamp_of_calendar(calendar: Calendar, day: int) -> dict[str, Any]:
    """Its hours before that day (days since 1970, UTC) as a hash, those of the day itself, and when it has changed or will."""
    first, last = bisect_left(calendar.opens, day * DAY_MS), bisect_left(calendar.opens, (day + 1) * DAY_MS)
    hours = zip(calendar.opens[max(first - 1, 0) : last], calendar.closes[max(first - 1, 0) : last], strict=True)
    closes = calendar.closes[:first]
    if closes:
        closes[-1] = min(closes[-1], day * DAY_MS)
    return {
        "past": _hash((calendar.opens[:first], closes)),
        "day": [[opens, closes] for opens, closes in hours if closes > day * DAY_MS],
        "changes": list(calendar.changes),
    }


def _same_past(known: dict[str, Any], present: dict[str, Any], until: int) -> bool:
    """Whether two stamps of one day agree about everything before `until`, an instant of that day."""
    days = ([[opens, min(closes, until)] for opens, closes in stamped["day"] if opens < until] for stamped in (known, present))
    return bool(known["past"] == present["past"]) and next(days) == next(days)


def _hash(value: object) -> str:
    return blake2b(ascii(value).encode(), digest_size=8).hexdigest()
