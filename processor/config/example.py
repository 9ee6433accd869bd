"""The commented example file, written from the models: every key, its default and its description, so that it cannot fall behind."""

from __future__ import annotations

import textwrap
from typing import Any

import yaml

from processor.config.root import Config
from processor.config.values import Section

WIDTH = 110
HEAD = """\
# Configuration of ticket-kpis: every key with its default. All of it is optional, an empty file is valid.
# Check a file with `ticket-kpis check --config FILE`; it lists all faults at once.
# Durations need units: 20s, 2m, 24h, 3d, 1h30m.
"""
# Written in place of the values of these keys: their defaults are empty, or say little about what can be written.
SAMPLES = {
    "calendars": """\
# office:
#   zone: Europe/Berlin
#   hours:
#     mon: ["08:00-12:00", "13:00-17:00"]
#     tue: ["08:00-12:00", "13:00-17:00"]
#     wed: "08:00-17:00"
#     thu: "08:00-17:00"
#     fri: "08:00-15:00"
#     sat: []                        # closed, as is every day that is not named
#     sun: "22:00-24:00"             # 24:00 is the next midnight
#   holidays: ["2026-12-23"]
#   holidays_every_year: ["12-24", "12-31"]
#   country: DE                      # its public holidays are closed too ...
#   subdivision: BY                  # ... and those of the state
#   changes:                         # what is not named stays as it was; hours are of a whole week
#     - effective_from: 2027-01-01   # midnight of the calendar's zone
#       hours: {mon: "08:00-16:00", tue: "08:00-16:00", wed: "08:00-16:00", thu: "08:00-16:00"}
#     - effective_from: 2027-09-01
#       zone: Europe/Lisbon
#       country: PT                  # without a subdivision, unless it is named
""",
    "policies": """\
# - id: gold
#   effective_from: 2026-01-01       # version 1 of gold
#   match: {tier: [gold, platinum], priority: urgent}
#   calendar: office
#   targets:
#     first_response: 30m            # in business hours, since the policy names a calendar
#     resolution: {target: 8h, hours: business, warn: 1h before}
#     group_ownership: {target: 2 working days, end_of_working_day: true, warn: 1 working day before}
#   pauses: {resolution: [pending, on_hold]}
#   options: {hide_due: {resolution: [on_hold]}}
# - id: gold
#   effective_from: "2026-07-01T00:00:00+02:00"
#   match: {tier: [gold, platinum]}
#   targets:
#     first_response: {target: 15m, hours: calendar}
#     next_response: 1h
#     periodic_update: 24h
#   options: {customer_ends_update: true, hide_due: {next_response: [on_hold]}}
# - id: hotline                      # contacts match by channel, topic and queue
#   match: {queue: hotline}
#   targets: {queue_wait: 20s}
""",
}


def render_example() -> str:
    """The text of the example file."""
    config = Config()
    lines = [HEAD]
    for name, value in config.model_dump(mode="json", exclude_none=False).items():
        lines.append(_entry(Config, getattr(config, name), name, value, ""))
    return "\n".join(lines)


def _entry(model: type[Section], at: Any, name: str, value: Any, indent: str) -> str:
    """One key with its description; sections by their keys, everything else on a line."""
    lines = [f"{indent}# {line}" for line in textwrap.wrap(model.model_fields[name].description or "", WIDTH - len(indent))]
    if isinstance(at, Section):
        lines.append(f"{indent}{name}:")
        lines += [_entry(type(at), getattr(at, key), key, inner, indent + "  ") for key, inner in value.items()]
    elif isinstance(at, list) and at and isinstance(at[0], Section):
        lines += [f"{indent}{name}:", *(f"{indent}  - {_flow(_without_defaults(entry))}" for entry in at)]
    else:
        lines.append(f"{indent}{name}: {_flow(value)}")
    lines += [f"{indent}  {line}" for line in SAMPLES.get(name, "").splitlines()]
    return "\n".join(lines) + ("\n" if not indent else "")


def _without_defaults(entry: Section) -> Any:
    """A policy or a target as short as people write it."""
    shown: dict[str, Any] = entry.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    if "targets" in shown:
        shown["targets"] = {clock: target["target"] for clock, target in shown["targets"].items()}
    return shown


def _flow(value: Any) -> str:
    """A value on one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False, allow_unicode=True)
    return text.removesuffix("\n").removesuffix("\n...")
