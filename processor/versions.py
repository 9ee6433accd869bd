"""Whether a configuration may go on with stored state: what decided numbers in the past may not change behind them.

The state carries a stamp of the settings it was made with. Another configuration may differ in what only concerns the future: new versions
of policies that take effect after every stored clock, other hours or holidays from then on, limits, group-bys. Anything else would make the
fold take back facts that were never stated; it needs the log to be computed anew.
"""

from __future__ import annotations

from bisect import bisect_left
from hashlib import blake2b
from typing import Any

from processor.codec.times import format_time
from processor.core.settings import DAY_MS, Policy, Settings

# Settings that decided what is stored. Others (timer_delay, limits, group-bys, detail of facts, the reporting zone) only decide what comes.
RULES = ("allowed_lateness", "clock_skew", "final_after", "reopen_horizon", "contact_expires_after", "short_abandon")


def stamp(settings: Settings, until: int) -> dict[str, Any]:
    """What to store beside state whose clocks stand at `until` (milliseconds). Plain values; changes only with the day of `until`."""
    day = until // DAY_MS
    return {
        "rules": {name: getattr(settings, name) for name in RULES},
        "policies": {_name(policy): _hash_of_policy(policy) for policy in settings.policies},
        "order": list(dict.fromkeys(policy.id for policy in settings.policies)),
        "day": day,
        "calendars": {name: _hash_of_past(settings, name, day) for name in settings.calendars},
    }


def objections(stored: dict[str, Any], settings: Settings, until: int) -> list[str]:
    """Why state with this stamp, whose clocks stand at `until`, cannot go on under `settings`; empty where it can."""
    found = [
        f"{name} was {stored['rules'][name]} and is {getattr(settings, name)}: stored numbers were decided with the former"
        for name in RULES
        if stored["rules"].get(name) != getattr(settings, name)
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
    found += [
        f"calendar {name} was changed in the past: hours and holidays may only change from now on"
        for name, digest in stored["calendars"].items()
        if name in settings.calendars and _hash_of_past(settings, name, stored["day"]) != digest
    ]
    return found


def _since(effective_from: int) -> str:
    return f"at {format_time(effective_from)}" if effective_from else "from the beginning"


def _name(policy: Policy) -> str:
    return f"{policy.id} version {policy.version}"


def _hash_of_policy(policy: Policy) -> str:
    match = sorted((name, sorted(values)) for name, values in policy.match.items())
    targets = sorted((clock, target.ms, target.calendar) for clock, target in policy.targets.items())
    pauses = sorted((clock, sorted(statuses)) for clock, statuses in policy.pauses.items())
    return _hash((policy.effective_from, match, targets, pauses, policy.calendar))


def _hash_of_past(settings: Settings, name: str, day: int) -> str:
    """The hours of a calendar before that day (days since 1970, UTC)."""
    calendar = settings.calendars[name]
    end = bisect_left(calendar.opens, day * DAY_MS)
    closes = calendar.closes[:end]
    if closes:
        closes[-1] = min(closes[-1], day * DAY_MS)
    return _hash((calendar.opens[:end], closes))


def _hash(value: object) -> str:
    return blake2b(ascii(value).encode(), digest_size=8).hexdigest()
