"""From the configuration to what the engine gets: calendars as UTC tables, policies with versions, midnights, and one fingerprint.

What depends on zones, holidays and dates is resolved here, once; the engine gets integers.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from processor.calendar_tables import compile_calendar, compile_midnights
from processor.config import Config, starts_at
from processor.config.policies import OptionsConfig, PolicyConfig, Targets
from processor.config.promises import TargetConfig, WorkingDays
from processor.config.root import BEGINNING
from processor.config.values import Duration
from processor.core.dimensions import AGENT_GROUP_BY
from processor.core.kpi_readings import Rules
from processor.core.schedule import Shift
from processor.core.settings import Options, Policy, Settings, Target

SCHEME = 1  # raised when the same settings begin to mean other numbers


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
        quiet_max=config.limits.quiet_max,
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
    calendars = {each.calendar: compile_calendar(each.calendar, config.calendars[each.calendar]) for each in config.kpis.scheduled_agents}
    shifts = tuple(Shift(each.group, calendars[each.calendar], each.agents) for each in config.kpis.scheduled_agents)
    return Rules(config.kpis.min_n, level.counts_short_abandonments, level.counts_flow_outs, shifts)


def _group_bys(config: Config) -> tuple[tuple[str, ...], ...]:
    """Those of the configuration, and by agent where that is asked for."""
    group_bys = tuple(tuple(group_by) for group_by in config.segments.group_bys)
    return (*group_bys, AGENT_GROUP_BY) if config.kpis.per_agent else group_bys


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
    length, warn = target.target, target.warn
    sign = -1 if warn is not None and warn.before else 1
    offset = warn.length if warn is not None else None
    return Target(
        ms=length.ms if isinstance(length, Duration) else 0,
        calendar=None if target.hours == "calendar" else calendar,
        working_days=length.count if isinstance(length, WorkingDays) else 0,
        end_of_working_day=target.end_of_working_day,
        warning=sign * offset.ms if isinstance(offset, Duration) else None,
        warning_days=sign * offset.count if isinstance(offset, WorkingDays) else None,
    )


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
    plain = {name: value for name, value in values.items() if name not in ("calendars", "midnights", "quiet_max", "fingerprint")}
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
