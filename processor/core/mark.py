"""A mark of the rules: the same for two configurations, and two releases, under which state of the past says the same of the present."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from hashlib import blake2b
from typing import Any

from processor.core.business_hours import Calendar
from processor.core.settings import Settings

# To be raised when an entity contributes other levels than before, or wakes at other instants, in the same state.
FORM = 1

# What decides nothing about one entity's levels and deadlines: how numbers are grouped, kept and told.
_ASIDE = frozenset({"timer_delay", "tail_max", "max_stubs", "quiet_max", "group_bys", "midnights", "facts_detail_all"})


def mark_of(settings: Settings) -> str:
    """Short, since each record of a sleeping entity has it."""
    rules = [(each.name, _spelled(getattr(settings, each.name))) for each in fields(settings) if each.name not in _ASIDE]
    return blake2b(repr((FORM, rules)).encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def _spelled(value: Any) -> Any:
    """In one way, whatever the order of what has none."""
    if isinstance(value, Calendar):
        days = value.working_days
        table = [days.days, days.ends, days.starts, days.offsets] if days is not None else []
        return [value.name, value.opens, value.closes, value.changes, table]
    if is_dataclass(value):
        return [_spelled(getattr(value, each.name)) for each in fields(value)]
    if isinstance(value, dict):
        return sorted((repr(key), _spelled(content)) for key, content in value.items())
    if isinstance(value, frozenset):
        return sorted(map(repr, value))
    if isinstance(value, tuple | list):
        return [_spelled(each) for each in value]
    return value
