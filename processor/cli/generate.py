"""`ticket-kpis generate`: a synthetic stream of events, and the totals that it must lead to."""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import BinaryIO, cast

import click
from rich.columns import Columns
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from processor.cli.options import config_option, instant, load_config, refuse, stderr
from processor.codec.envelope import format_time
from processor.compile import compile_settings
from processor.config.values import parse_duration
from processor.core.settings import DAY_MS, HOUR_MS, MS, Settings
from processor.synthetic.feed import USUAL, Arrivals
from processor.synthetic.generate import Synthetic, generate
from processor.wall_clock import WallClock

DEFAULT_EVENTS = 100_000
BARS_MAX = 48  # hours of the chart
BAR_WIDTH = 50
REST_MS = 2 * HOUR_MS  # between the end of the log and midnight: deadlines run an hour on, and nothing may lie in the future


@click.command("generate")
@config_option
@click.option("--events", type=click.IntRange(min=100), help=f"How many records, or a few more.  [default: {DEFAULT_EVENTS:,}]")
@click.option(
    "--rate", type=click.FloatRange(min=0, min_open=True), metavar="EVENTS", help="Events a second on average, in place of --events."
)
@click.option("--duration", default="24h", show_default=True, help="How long a time they cover, such as 90m, 24h or 7d.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, options and configuration give the same log.")
@click.option(
    "--start",
    "start_ms",
    callback=instant,
    metavar="TIME",
    help="When it begins, RFC 3339.  [default: so that it ended two hours before today, UTC]",
)
@click.option("--output", "-o", default="-", help="Where the events go, one JSON object a line (.gz compresses); - is standard output.")
@click.option(
    "--truth", "truth_path", type=click.Path(dir_okay=False, path_type=Path), help="Where the totals known by construction go (JSON)."
)
@click.option(
    "--out-of-order", type=click.FloatRange(0, 1), metavar="SHARE",
    help="This share of events arrives after younger ones, up to the configured timer_delay late; all others in the order of their times.  "
    "[default: everything within 0.4 s, 0.03 up to ten minutes late]",
)
@click.option(
    "--long-delayed", type=click.FloatRange(0, 1), metavar="SHARE", default=0.0,
    help="With --out-of-order: this share of events, part of those, arrives later than timer_delay, by up to ten minutes.",
)
@click.option("--faults", is_flag=True, help="Add records that no decoder accepts.")
def command(
    config_path: Path | None,
    events: int | None,
    rate: float | None,
    duration: str,
    seed: int,
    start_ms: int | None,
    output: str,
    truth_path: Path | None,
    out_of_order: float | None,
    long_delayed: float,
    faults: bool,
) -> None:
    """Invent the days of a support team, as events.

    There is a surge, there are breaches and abandoned calls, reopened, merged, deleted and restored tickets, bots, surveys, shifts, visits
    to the help pages, customers and costs, and events that arrive out of order, twice or too late. Targets and calendars are those of the
    configuration, so that --truth knows what is a breach.
    """
    settings = compile_settings(load_config(config_path))
    duration_ms = _duration_ms(duration)
    start = _default_start(duration_ms) if start_ms is None else start_ms
    if events is not None and rate is not None:
        refuse("give --events or --rate, not both")
    wanted = events or (max(100, int(rate * duration_ms / MS)) if rate else DEFAULT_EVENTS)
    arrivals = _arrivals(settings, out_of_order, long_delayed)
    begun = time.monotonic()
    made = _generate(settings, wanted, seed, start, duration_ms, faults, arrivals)
    try:
        _write(output, made.lines)
        if truth_path is not None:
            truth_path.write_text(json.dumps(made.truth, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        refuse(f"{error.filename or output}: {error.strerror}")
    _report(made, time.monotonic() - begun)


def _arrivals(settings: Settings, out_of_order: float | None, long_delayed: float) -> Arrivals:
    if long_delayed > (out_of_order or 0):
        refuse("--long-delayed is a part of --out-of-order, so it cannot be more")
    return USUAL if out_of_order is None else Arrivals(out_of_order, long_delayed, settings.timer_delay, transit_ms=0)


def _generate(
    settings: Settings, events: int, seed: int, start: int, duration: int, faults: bool, arrivals: Arrivals
) -> Synthetic:  # fmt: skip
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True) as progress:
        task = progress.add_task("inventing events", total=events)
        return generate(
            settings,
            events=events,
            seed=seed,
            start=start,
            duration=duration,
            faults=faults,
            arrivals=arrivals,
            advance=lambda done: progress.update(task, completed=done),
        )


def _duration_ms(text: str) -> int:
    try:
        milliseconds = cast("int", parse_duration(text).ms)
    except (ValueError, AttributeError) as error:
        refuse(f"--duration {text}: {error}")
    if not HOUR_MS <= milliseconds <= 400 * DAY_MS:
        refuse(f"--duration {text}: must be between 1h and 400d")
    return milliseconds


def _default_start(duration: int) -> int:
    today = WallClock().now() // DAY_MS * DAY_MS
    return today - REST_MS - duration


def _write(output: str, lines: list[bytes]) -> None:
    def write(stream: BinaryIO) -> None:
        stream.writelines(line + b"\n" for line in lines)

    if output == "-":
        write(sys.stdout.buffer)
        sys.stdout.buffer.flush()
    elif output.endswith(".gz"):
        # No name and no time inside, so that the same log has the same bytes.
        with Path(output).open("wb") as raw, gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as stream:
            write(cast("BinaryIO", stream))
    else:
        with Path(output).open("wb") as plain:
            write(plain)


def _report(made: Synthetic, seconds: float) -> None:
    truth, families = made.truth, Counter(made.truth["families"])
    stderr.print(f"{truth['records']:,} records in {seconds:.1f} s")
    columns = {
        "tickets": _ticket_lines(families),
        "contacts": _contact_lines(families),
        "and": _other_lines(families),
        "records": _record_lines(families, made.kinds),
    }
    stderr.print(Columns([_table(title, lines) for title, lines in columns.items()]))
    _chart(made.hours)
    until = truth["clock_advanced_at"]
    stderr.print(f"from {truth['start']} to {truth['end']}; the truth speaks of the instant {until}:")
    stderr.print(f"replay --at {until}, or send --advance-clock {until}")


def _table(title: str, lines: list[tuple[str, str]]) -> Table:
    table = Table(show_edge=False)
    table.add_column(title, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    for line in lines:
        table.add_row(*line)
    return table


def _ticket_lines(families: Counter[str]) -> list[tuple[str, str]]:
    names = ("created", "solved", "reopened", "merged", "adopted", "restored")
    lines = [(name, f"{families[f'support_tickets_{name}_total']:,}") for name in names]
    lines.append(("backlog at the end", f"{families['support_backlog_tickets']:,}"))
    lines.append(("first responses late", _breaches(families, "first_response")))
    return [*lines, ("resolutions late", _breaches(families, "resolution"))]


def _contact_lines(families: Counter[str]) -> list[tuple[str, str]]:
    names = {"offered": "offered", "answered": "answered", "abandoned": "abandoned", "short_abandoned": "left at once"}
    lines = [(shown, f"{families[f'support_contacts_{name}_total']:,}") for name, shown in names.items()]
    return [*lines, ("waits too long", _breaches(families, "queue_wait"))]


def _other_lines(families: Counter[str]) -> list[tuple[str, str]]:
    surveys = sum(count for name, count in families.items() if name.startswith("support_surveys_sent_total"))
    seconds = sum(amount for name, amount in families.items() if name.startswith("support_agent_state_seconds_total"))
    satisfied, answers = (families[f"support_csat_{what}_total"] for what in ("satisfied", "responses"))
    return [
        ("came back", f"{families['support_tickets_repeat_contacted_total']:,}"),
        ("solved by bots", f"{families['support_tickets_bot_contained_total']:,}"),
        ("surveys sent", f"{surveys:,}"),
        ("satisfied", f"{satisfied:,} of {answers:,}"),
        ("articles read", f"{families['support_kb_views_total']:,}"),
        ("agents' hours", f"{seconds / 3600:,.0f}"),
    ]


def _breaches(families: Counter[str], clock: str) -> str:
    labels = f'{{clock="{clock}"}}'
    breached, measured = (families[f"support_sla_clocks_{what}_total{labels}"] for what in ("breached", "measured"))
    return f"{breached:,} of {measured:,}"


def _record_lines(families: Counter[str], kinds: Counter[str]) -> list[tuple[str, str]]:
    most = kinds.most_common(5)
    others = sum(kinds.values()) - sum(count for _, count in most)
    invalid = sum(count for name, count in families.items() if name.startswith("support_processor_events_invalid_total"))
    late = families["support_processor_events_late_total"]
    lines = [*most, (f"{len(kinds) - len(most)} other types", others), ("repeated", families["support_processor_events_duplicate_total"])]
    return [(name, f"{count:,}") for name, count in [*lines, ("too late", late), ("invalid", invalid - late)]]


def _chart(hours: Counter[int]) -> None:
    if not hours:
        return
    first, last = min(hours), max(hours)
    width = -(-(last - first + 1) // BARS_MAX)  # hours of a bar, so that a month fits on a screen
    bars = [(hour, sum(hours[hour + step] for step in range(width))) for hour in range(first, last + 1, width)]
    most = max(count for _, count in bars)
    for hour, count in bars:
        bar = "█" * round(count / most * BAR_WIDTH)
        stderr.print(f"{format_time(hour * HOUR_MS)[5:16].replace('T', ' ')} {bar} {count:,}", markup=False)
