"""From the configuration to what the engine gets: calendars as UTC tables, policies with versions, midnights, and one fingerprint.

All zones and holidays are resolved here, once, against pinned data; the engine only bisects integers. A calendar is what its wall clock
says: an instant is open when its local date is no holiday and its local time lies in the hours of that weekday. So an opening that a
clock change skips happens at the change, and an hour that happens twice counts twice. A calendar that changes on a date is one table, too:
before that instant the old hours, from it on the new ones, so a duration over the change is the sum over the schedules in force.
"""

from __future__ import annotations

import hashlib
import json
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from datetime import date, timedelta
from itertools import islice
from typing import Any

from processor.config import Config, starts_at
from processor.config.calendars import WEEKDAYS, CalendarConfig
from processor.config.policies import OptionsConfig, PolicyConfig, TargetConfig, Targets
from processor.config.root import BEGINNING
from processor.config.zones import offset_periods
from processor.core.business_hours import Calendar
from processor.core.kpi_readings import Rules
from processor.core.rows import PER_AGENT
from processor.core.settings import DAY_MS, MINUTE_MS, Options, Policy, Settings, Target
from processor.core.working_days import WorkingDays

EPOCH = date(1970, 1, 1)
TABLE_START = (date(1990, 1, 1) - EPOCH).days * DAY_MS  # no event is older, or as new as TABLE_END
TABLE_END = (date(2050, 1, 1) - EPOCH).days * DAY_MS
MARGIN_MS = 2 * DAY_MS  # local days that reach into the table from beyond its ends
EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday
SCHEME = 1  # raised when the same settings begin to mean other numbers
Intervals = list[tuple[int, int]]


def compile_settings(config: Config) -> Settings:
    """Everything that decides a number, as plain values."""
    time = config.time
    settings = Settings(
        timer_delay=time.timer_delay.ms,
        allowed_lateness=time.allowed_lateness.ms,
        clock_skew=time.clock_skew.ms,
        tail_max=config.limits.tail_max,
        final_after=time.final_after.ms,
        reopen_horizon=time.reopen_horizon.ms,
        contact_expires_after=time.contact_expires_after.ms,
        max_stubs=config.limits.max_stubs,
        group_bys=_group_bys(config),
        calendars={name: compile_calendar(name, calendar) for name, calendar in config.calendars.items()},
        policies=compile_policies(config),
        short_abandon={channel: limit.ms for channel, limit in config.abandonment.short if limit is not None},
        midnights=compile_midnights(config.reporting_zone),
        survey_lateness=config.surveys.lateness.ms,
        survey_edit_window=config.surveys.edit_window.ms,
        nps_window=config.surveys.nps_window.ms,
        satisfied_from={
            (each.survey, _whole(each.scale[0]), _whole(each.scale[1])): _whole(each.score) for each in config.surveys.satisfied_from
        },
        ces_low_is_easy=config.surveys.ces_low_is_easy,
        benign_reopen_window=config.solving.benign_reopen_window.ms,
        auto_close_reasons=frozenset(config.solving.auto_close_reasons),
        auto_close_at_last_reply=config.solving.auto_close_at_last_reply,
        repeat_window=config.first_contact.repeat_window.ms,
        fcr_excluded_topics=frozenset(config.first_contact.excluded_topics),
        fcr_counts_unanswered=config.first_contact.counts_unanswered,
        silent_abandon_channels=frozenset(config.abandonment.silent_channels),
        service_level_counts_short=config.service_level.counts_short_abandonments,
        service_level_counts_flow_outs=config.service_level.counts_flow_outs,
        facts_detail_all=config.facts.detail == "all",
        fingerprint="",
    )
    return _with_fingerprint(settings, config)


def compile_rules(config: Config) -> Rules:
    """How KPIs are read from what was added up."""
    level = config.service_level
    return Rules(config.kpis.min_n, level.counts_short_abandonments, level.counts_flow_outs)


def _group_bys(config: Config) -> tuple[tuple[str, ...], ...]:
    """Those of the configuration, and by agent where that is asked for."""
    group_bys = tuple(tuple(group_by) for group_by in config.segments.group_bys)
    return (*group_bys, PER_AGENT) if config.kpis.per_agent else group_bys


def _whole(number: float) -> float:
    """4.0 as 4, so that the fingerprint does not depend on how it was written."""
    return int(number) if number == int(number) else number


def compile_newest(config: Config) -> Settings:
    """As if the newest version of each policy and of each calendar had always been in force; policies keep the numbers of their versions.

    For questions about the past, never for a worker.
    """
    newest: dict[str, Policy] = {}
    for policy in compile_policies(config):  # the newest of each id comes first
        newest.setdefault(policy.id, policy)
    calendars = {name: calendar.versions()[-1].calendar for name, calendar in config.calendars.items()}
    settings = compile_settings(config.model_copy(update={"calendars": calendars}))
    always = tuple(replace(policy, effective_from=BEGINNING) for policy in newest.values())
    return _with_fingerprint(replace(settings, policies=always), config)


def compile_calendar(name: str, calendar: CalendarConfig) -> Calendar:
    """The open intervals of a calendar between 1990 and 2050, all its versions in one table."""
    merged: Intervals = []
    versions = calendar.versions()
    starts = [TABLE_START if version.start is None else _within_table(version.start) for version in versions]
    for version, start, end in zip(versions, starts, [*starts[1:], TABLE_END], strict=True):
        for opens, closes in _open_intervals(version.calendar, start, end):
            if merged and merged[-1][1] == opens:
                merged[-1] = merged[-1][0], closes
            else:
                merged.append((opens, closes))
    changes = [start for version, start in zip(versions, starts, strict=True) if version.start is not None]
    days = _working_days([version.calendar for version in versions], starts)
    return Calendar(name, [start for start, _ in merged], [end for _, end in merged], changes, days)


def _working_days(versions: Sequence[CalendarConfig], starts: Sequence[int]) -> WorkingDays:
    """The dates with hours, and when each last closes. The date within which a version comes into force is one of the version before."""
    closings: dict[int, int] = {}
    periods: list[tuple[int, int]] = []
    for calendar, begin, end in zip(versions, starts, [*starts[1:], TABLE_END], strict=True):
        clipped = [period for period in offset_periods(calendar.zone, TABLE_START, TABLE_END) if period.start < end and period.end > begin]
        if not clipped:
            continue
        periods += ((max(period.start, begin), period.offset) for period in clipped)
        hours = [getattr(calendar.hours, day) for day in WEEKDAYS]
        days = range(-(-(begin + clipped[0].offset) // DAY_MS), -(-(end + clipped[-1].offset) // DAY_MS))
        closed = _closed_days(calendar, days)
        for day in days:
            today = hours[(day + EPOCH_WEEKDAY) % 7]
            if today and day not in closed:
                closings.setdefault(day, day * DAY_MS + today[-1].closes * MINUTE_MS)
    ordered = sorted(closings.items())
    return WorkingDays(
        [day for day, _ in ordered], [closing for _, closing in ordered], [start for start, _ in periods], [offset for _, offset in periods]
    )


def _within_table(instant: int) -> int:
    return min(max(instant, TABLE_START), TABLE_END)


def _open_intervals(calendar: CalendarConfig, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The open intervals of one version in [begin, end), UTC; two of them may touch."""
    local = _local_intervals(calendar, begin, end)
    for period in offset_periods(calendar.zone, TABLE_START, TABLE_END):
        # Within the period local = UTC + offset: what of the local hours lies in its local span is open, moved by the offset.
        for opens, closes in _clipped(local, max(period.start, begin) + period.offset, min(period.end, end) + period.offset):
            yield opens - period.offset, closes - period.offset


def _local_intervals(calendar: CalendarConfig, begin: int, end: int) -> Intervals:
    """Opening hours on the local time line, as if no clock ever changed, in milliseconds since local 1970; touching ones are joined."""
    hours = [[(each.opens * MINUTE_MS, each.closes * MINUTE_MS) for each in getattr(calendar.hours, day)] for day in WEEKDAYS]
    days = range((begin - MARGIN_MS) // DAY_MS, (end + MARGIN_MS) // DAY_MS)
    closed = _closed_days(calendar, days)
    intervals: Intervals = []
    for day in days:
        if day in closed:
            continue
        midnight = day * DAY_MS
        for opens, closes in hours[(day + EPOCH_WEEKDAY) % 7]:
            if intervals and intervals[-1][1] == midnight + opens:
                intervals[-1] = intervals[-1][0], midnight + closes
            else:
                intervals.append((midnight + opens, midnight + closes))
    return intervals


def _clipped(intervals: Intervals, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The parts of the intervals in [start, end)."""
    first = bisect_right(intervals, start, key=lambda interval: interval[1])
    for opens, closes in islice(intervals, first, None):
        if opens >= end:
            return
        yield max(opens, start), min(closes, end)


def _closed_days(calendar: CalendarConfig, within: range) -> set[int]:
    """Holidays as days since 1970-01-01, all of those that lie in that range and perhaps others."""
    first, last = (EPOCH + timedelta(days=day) for day in (within.start, within.stop))
    years = range(first.year, last.year + 1)
    days = set(calendar.holidays)
    for month_day in calendar.holidays_every_year:
        month, day = map(int, month_day.split("-"))
        days.update(date(year, month, day) for year in years if (month, day) != (2, 29) or year % 4 == 0)
    if calendar.country is not None:
        from holidays import country_holidays

        days.update(country_holidays(calendar.country, subdiv=calendar.subdivision, years=years))
    return {(day - EPOCH).days for day in days}


def compile_midnights(zone: str) -> tuple[int, ...]:
    """The first instant of each local date, from the one in which the table begins."""
    midnights: list[int] = []
    newest = TABLE_START // DAY_MS - 3
    for period in offset_periods(zone, TABLE_START - MARGIN_MS, TABLE_END + MARGIN_MS):
        start, end = period.start + period.offset, period.end + period.offset
        if start // DAY_MS > newest:  # the change of the clocks skipped midnight, or the first period begins
            newest = start // DAY_MS
            midnights.append(period.start)
        first = max(newest, start // DAY_MS) + 1  # an hour set back over midnight does not begin the day again
        for day in range(first, (end - 1) // DAY_MS + 1):
            midnights.append(day * DAY_MS - period.offset)
            newest = day
    return tuple(midnights[1:])  # the first one is where the probing began, not a midnight


def compile_policies(config: Config) -> tuple[Policy, ...]:
    """The policies in the order of the file; versions of one id stand together, at the place of the first, newest first.

    So the first policy of the list that is in force is the newest version in force.
    """
    versions: dict[str, list[PolicyConfig]] = {}
    for policy in config.policies:
        versions.setdefault(policy.id, []).append(policy)
    compiled: list[Policy] = []
    for entries in versions.values():
        ordered = sorted(entries, key=lambda entry: starts_at(entry, config.reporting_zone))
        numbered = [_policy(entry, number, config.reporting_zone) for number, entry in enumerate(ordered, start=1)]
        compiled += reversed(numbered)
    return tuple(compiled)


def _policy(policy: PolicyConfig, version: int, reporting_zone: str) -> Policy:
    targets = {clock: getattr(policy.targets, clock) for clock in Targets.model_fields}
    return Policy(
        id=policy.id,
        version=version,
        effective_from=starts_at(policy, reporting_zone),
        match={name: frozenset(values) for name, values in policy.match.given().items()},
        targets={clock: _target(target, policy.calendar) for clock, target in targets.items() if target is not None},
        pauses={clock: frozenset(statuses) for clock, statuses in policy.pauses},
        calendar=policy.calendar,
        options=_options(policy.options),
    )


def _options(options: OptionsConfig) -> Options:
    return Options(
        update_at_every_contact=options.update_starts == "every_contact",
        customer_ends_update=options.customer_ends_update,
        first_response_restarts=options.first_response_starts == "last_handoff_or_reopen",
        hidden={clock: frozenset(statuses) for clock, statuses in options.hide_due if statuses},
    )


def _target(target: TargetConfig, calendar: str | None) -> Target:
    return Target(ms=target.target.ms, calendar=None if target.hours == "calendar" else calendar)


def admission_rules(config: Config) -> dict[str, Any]:
    """What of the rest decides which records count."""
    worker = config.worker
    return {
        "partitioner": worker.partitioner,
        "max_event_bytes": worker.max_event_bytes,
        "event_type_prefix": worker.event_type_prefix,
        "unknown_types": worker.unknown_types,
    }


def _with_fingerprint(settings: Settings, config: Config) -> Settings:
    """The settings with the hash over all of them, tables included, so that two hosts with other zone data cannot pass for equal."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    tables = hashlib.sha256()
    for name, calendar in sorted(settings.calendars.items()):
        tables.update(f"{name}\n{len(calendar.opens)}\n".encode())
        tables.update(_packed(calendar.opens) + _packed(calendar.closes))
        if (days := calendar.working_days) is not None:
            tables.update(b"".join(_packed(column) for column in (days.days, days.ends, days.starts, days.offsets)))
    tables.update(_packed(settings.midnights))
    plain = {name: value for name, value in values.items() if name not in ("calendars", "midnights", "fingerprint")}
    plain["satisfied_from"] = sorted([*scale, score] for scale, score in settings.satisfied_from.items())
    text = json.dumps([SCHEME, plain, admission_rules(config), tables.hexdigest()], sort_keys=True, default=_plain)
    return Settings(**{**values, "fingerprint": hashlib.sha256(text.encode()).hexdigest()[:32]})


def _packed(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}q", *numbers)


def _plain(value: object) -> object:
    """Sets and records of the settings for JSON."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Policy | Target | Options):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    raise TypeError(f"{type(value).__name__} has no place in a fingerprint")
