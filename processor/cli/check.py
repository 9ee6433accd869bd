"""`ticket-kpis check`: whether a configuration can be used, and what was understood; all faults at once where it cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

import click
from rich.markup import escape
from rich.table import Table

from processor.alerting import alerts
from processor.cli.options import WRONG_USAGE, config_option, paper
from processor.compile import compile_settings
from processor.config import BUILT_IN, Config, ConfigError, Fault, load
from processor.config.calendars import WEEKDAYS, CalendarConfig
from processor.config.example import render_example
from processor.config.policies import PolicyConfig
from processor.config.zones import load_zone, tzdata_version
from processor.core.business_hours import NEVER, Calendar
from processor.core.settings import CLOCKS, DAY_MS, HOUR_MS, Policy, Settings, Target
from processor.export.catalogue import estimate_samples
from processor.export.documentation import kpi_page
from processor.wall_clock import WallClock


@click.command("check")
@config_option
@click.option("--example", is_flag=True, help="Print a commented file with every key and its default instead.")
@click.option("--kpis", is_flag=True, help="Print what each KPI is instead, as in schemas/kpis.md.")
def command(config_path: Path | None, example: bool, kpis: bool) -> None:
    """Check a configuration without running anything: what was understood, or every fault with its path (exit code 2)."""
    if example or kpis:
        click.echo(render_example() if example else kpi_page(), nl=example)
        return
    try:
        config = load(config_path)
        samples = _samples(config, str(config_path or BUILT_IN))
    except ConfigError as error:
        for fault in error.faults:
            click.echo(f"{error.source}: {fault}", err=True)
        count = len(error.faults)
        click.echo(f"{count} fault{'' if count == 1 else 's'}", err=True)
        raise SystemExit(WRONG_USAGE) from None
    _report(config, str(config_path or BUILT_IN), samples)


def _samples(config: Config, source: str) -> int:
    """How many samples a worker would serve. Too many are a fault."""
    samples = estimate_samples(config)
    if samples > config.limits.samples_max:
        message = (
            f"a worker that has every partition would serve {samples:,} samples, more than {config.limits.samples_max:,}: take group_bys "
            "out of segments.windows or values out of segments.known, or raise this limit where several workers share them"
        )
        raise ConfigError(source, [Fault("limits.samples_max", message)])
    return samples


def _report(config: Config, source: str, samples: int) -> None:
    settings = compile_settings(config)
    console = paper()
    console.print(f"[bold green]valid[/] {escape(source)}")
    console.print(f"fingerprint {settings.fingerprint} (zones: tzdata {tzdata_version()})")
    console.print(f"clock {config.worker.clock}, {config.topics.events} on {escape(', '.join(config.kafka.bootstrap_servers))}")
    console.print(f"a day begins at midnight in {config.reporting_zone}; segments: {escape(_segments(config))}")
    console.print(f"/metrics: about {samples:,} samples of at most {config.limits.samples_max:,}")
    console.print(f"surveys: {escape(_surveys(config))}")
    console.print(f"agents: KPIs of each {_yes(config.kpis.per_agent)}, named in facts {_yes(config.facts.agents)}")
    console.print(f"alerts: {escape(_alerts(config))}")
    now = WallClock().now()
    if config.calendars:
        console.print(_calendar_table(config, settings, now))
    console.print(_policy_table(config, settings, now))
    for start, what in sorted(_coming(config, settings, now)):
        console.print(f"[bold]later[/] {_local(start, config.reporting_zone)} ({config.reporting_zone}) {escape(what)}")
    for note in (*_warnings(settings), *_notes(config)):
        console.print(f"[yellow]note[/] {escape(str(note))}")


def _segments(config: Config) -> str:
    return ", ".join("(" + ", ".join(group_by) + ")" for group_by in config.segments.group_bys)


def _surveys(config: Config) -> str:
    surveys = config.surveys
    satisfied = ", ".join(f"{each.score:g} of {each.scale[0]:g} to {each.scale[1]:g}" for each in surveys.satisfied_from)
    effort = "1 = very little effort" if surveys.ces_low_is_easy else "1 = very hard"
    return (
        f"satisfied from {satisfied or 'three quarters of the scale'} on; effort {effort}; one recommendation a respondent in "
        f"{surveys.nps_window}; changed within {surveys.edit_window}, late by up to {surveys.lateness}"
    )


def _alerts(config: Config) -> str:
    names, calendar = len({alert.name for alert in alerts(config)}), config.alerts.calendar
    resting = "never rest" if calendar is None else f"rest while {calendar} is closed"
    return f"{names} kinds; those about KPIs {resting} (`ticket-kpis rules` writes them for Prometheus)"


def _yes(setting: bool) -> str:
    return "yes" if setting else "no"


def _calendar_table(config: Config, settings: Settings, now: int) -> Table:
    """A row for each version; what is counted in days and hours from now on stands at the one in force."""
    columns = ("calendar", "from", "in force", "zone", "hours", "closed", "open in 7 days", "next opening")
    table = Table(*columns, title="Calendars", title_justify="left")
    for name, calendar in config.calendars.items():
        compiled = settings.calendars[name]
        versions = calendar.versions()
        starts = [version.start or 0 for version in versions]
        for number, version in enumerate(versions):
            of, state = version.calendar, _in_force(starts[number], starts[number + 1 :], now)
            counted = f"{compiled.between(now, now + 7 * DAY_MS) / HOUR_MS:.4g} h", _next_opening(compiled, of.zone, now)
            began = _local(version.start, of.zone) if version.start is not None else "the beginning"
            cells = (name, began, state, of.zone, _hours(of), _closed(of), *(counted if state == "now" else ("", "")))
            table.add_row(*map(escape, cells))
    return table


def _in_force(start: int, later: Sequence[int], now: int) -> str:
    """Whether a version that begins at `start` and ends where the first of `later` begins holds now."""
    if start > now:
        days = (start - now) // DAY_MS
        return f"in {days} day{'' if days == 1 else 's'}" if days else "within a day"
    if later and later[0] <= now:
        return "no more"
    return "now"


def _local(instant: int, zone: str) -> str:
    return f"{datetime.fromtimestamp(instant / 1000, load_zone(zone)):%Y-%m-%d %H:%M}"


def _coming(config: Config, settings: Settings, now: int) -> Iterator[tuple[int, str]]:
    """What changes by itself: versions that are not in force yet."""
    for name, calendar in config.calendars.items():
        for version, change in zip(calendar.versions()[1:], calendar.changes, strict=True):
            if version.start is not None and version.start > now:
                changed = [key for key in type(change).model_fields if key in change.model_fields_set - {"effective_from"}]
                yield version.start, f"calendar {name}: other {', '.join(changed).replace('_', ' ')}"
    for policy in settings.policies:
        if policy.effective_from > now:
            yield policy.effective_from, f"policy {policy.id} version {policy.version} takes effect"


def _hours(calendar: CalendarConfig) -> str:
    """The week, days with equal hours together: "mon-thu 08:00-12:00 13:00-17:00"."""
    runs: list[tuple[str, str, str]] = []
    for day in WEEKDAYS:
        text = " ".join(map(str, getattr(calendar.hours, day)))
        if runs and runs[-1][2] == text:
            runs[-1] = runs[-1][0], day, text
        else:
            runs.append((day, day, text))
    return "\n".join(f"{first if first == last else f'{first}-{last}'} {text}" for first, last, text in runs if text)


def _closed(calendar: CalendarConfig) -> str:
    parts = []
    if calendar.country:
        parts.append(f"holidays of {calendar.country}" + (f"-{calendar.subdivision}" if calendar.subdivision else ""))
    if calendar.holidays:
        parts.append(f"{len(calendar.holidays)} dates up to {max(calendar.holidays)}")
    if calendar.holidays_every_year:
        parts.append("every year " + " ".join(calendar.holidays_every_year))
    return "\n".join(parts) or "no holidays"


def _next_opening(calendar: Calendar, zone: str, now: int) -> str:
    """When the calendar opens next, in its own local time."""
    start = calendar.next_open(now)
    if start == NEVER:
        return "never again"
    return "open now" if start == now else f"{datetime.fromtimestamp(start / 1000, load_zone(zone)):%a %Y-%m-%d %H:%M %Z}"


def _policy_table(config: Config, settings: Settings, now: int) -> Table:
    columns = ("policy", "from", "in force", "applies to", "clock", "target", "pauses in")
    table = Table(*columns, title="Policies, in the order in which they are tried", title_justify="left")
    for policy in settings.policies:
        start = _local(policy.effective_from, config.reporting_zone) if policy.effective_from else "the beginning"
        later = sorted(other.effective_from for other in settings.policies if other.id == policy.id and other.version > policy.version)
        clocks = [clock for clock in CLOCKS if clock in policy.targets]
        targets = "\n".join(_target(policy.targets[clock]) for clock in clocks) or "none"
        pauses = "\n".join(", ".join(sorted(policy.pauses.get(clock, ()))) or "-" for clock in clocks)
        state = _in_force(policy.effective_from, later, now)
        told = (f"{policy.id} v{policy.version}", start, state, _match(policy), "\n".join(clocks), targets, pauses)
        table.add_row(*map(escape, told))
    return table


def _match(policy: Policy) -> str:
    return "\n".join(f"{name}: {', '.join(sorted(values))}" for name, values in policy.match.items()) or "everything"


def _target(target: Target) -> str:
    if target.working_days:
        text = f"{_days(target.working_days)} ({target.calendar})" + (", until the day ends" if target.end_of_working_day else "")
    else:
        text = _span(target.ms) + (f" open hours ({target.calendar})" if target.calendar else "")
    warning = target.warning_days if target.warning_days is not None else target.warning
    if warning is None:
        return text
    length = _days(abs(warning)) if target.warning_days is not None else _span(abs(warning))
    return f"{text}; warns {length} {'after' if warning > 0 else 'before'}"


def _days(count: int) -> str:
    return f"{count} working day{'' if count == 1 else 's'}"


def _span(ms: int) -> str:
    parts = []
    for unit, size in (("h", HOUR_MS), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, ms = divmod(ms, size)
        parts += [f"{count}{unit}"] if count else []
    return " ".join(parts)


def _warnings(settings: Settings) -> Iterator[Fault]:
    """What warns of every clock."""
    for policy in settings.policies:
        for clock, target in policy.targets.items():
            if 0 < target.ms <= -(target.warning or 0) or 0 < target.working_days <= -(target.warning_days or 0):
                yield Fault(f"policy {policy.id} v{policy.version}, {clock}", "warns from the start on: that long before it is due")


def _notes(config: Config) -> Iterator[Fault]:
    """What is allowed but probably not meant."""
    used = {policy.calendar for policy in config.policies}
    for name in config.calendars:
        if name not in used:
            yield Fault(f"calendars.{name}", "no policy uses it")
    ids = [policy.id for policy in config.policies]
    for number, policy in enumerate(config.policies):
        for earlier, other in enumerate(config.policies[:number]):
            if ids.count(other.id) == 1 and other.effective_from is None and _covers(other, policy):
                yield Fault(
                    f"policies[{number}]", f"never applies: policies[{earlier}] ({other.id}) comes first and matches all that it matches"
                )
                break


def _covers(wide: PolicyConfig, narrow: PolicyConfig) -> bool:
    """Whether everything that the second matches is matched by the first."""
    inner = narrow.match.given()
    return all(name in inner and set(inner[name]) <= set(values) for name, values in wide.match.given().items())
