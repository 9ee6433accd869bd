"""`ticket-kpis replay FILE|DIR|-`: the KPIs of a recorded log, by the worker's own engine, without Kafka."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import click
import orjson
from rich.table import Table

from processor.cli.options import PROBLEMS, NewFile, config_option, instant, load_config, paper, print_json, refuse, refusing
from processor.cli.reading import no_records, read_log
from processor.codec.times import format_time
from processor.compile import compile_rules, compile_settings
from processor.config import Config
from processor.core.business_hours import NEVER
from processor.core.engine import Engine
from processor.core.settings import Settings
from processor.core.told import recording
from processor.explain.words import when_in
from processor.export.collector import Exporter
from processor.export.family import Family
from processor.export.kpi_view import KpiView
from processor.export.openmetrics import HOURS_MAX, OpenMetricsError, known_families, write
from processor.export.snapshot import SnapshotError, check_format, compare, postponed, unread
from processor.replay import Refused, Replay, ReplayError, no_events
from processor.replay.breaches import Breaches
from processor.replay.following import Following
from processor.replay.kpis import ReplayedKpis, lines_into
from processor.replay.telling import told
from processor.report import comparison, document, rendering
from processor.wall_clock import WallClock
from processor.what_if import WhatIf

EXAMPLES_MAX = 3  # details of rejected records kept for the report, per reason
DIFFERENCES_MAX = 50  # listed; the others are counted
REFUSED = (ReplayError, SnapshotError, OpenMetricsError, FileNotFoundError, IsADirectoryError, PermissionError)  # told without a traceback


def _known_families(names: Sequence[str]) -> Sequence[Family]:
    """Those of these names, or all; a usage error before the log is read."""
    try:
        return known_families(names)
    except OpenMetricsError as error:
        raise click.BadParameter(str(error)) from None


_OUT = NewFile()


@click.command("replay")
@click.argument("log", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@config_option
@click.option("--partitions", type=click.IntRange(min=1, max=10_000),
              help="Partitions that events are dealt out to by the hash of their key (default 1); of a capture: how many its topic has.")
@click.option("--at", "at_ms", callback=instant, metavar="TIME",
              help="How far timers run (RFC 3339); without it to the time of the last event. Later events count all the same.")
@click.option("--exposition", metavar="PATH", type=_OUT, help="Write the Prometheus text that a worker would serve; - is standard output.")
@click.option("--facts", "facts_path", metavar="PATH", type=_OUT, help="Write the net facts, one a line; - is standard output.")
@click.option("--rejected", "rejected_path", metavar="PATH", type=_OUT, help="Write every rejected record with its reason, one a line.")
@click.option("--json", "as_json", is_flag=True, help="Print the report for programs.")
@click.option("--html", "html_path", metavar="PATH", type=_OUT,
              help="Write the report as one page with charts, for agents, supervisors and executives; - is standard output.")
@click.option("--snapshot", "snapshot_path", type=click.Path(exists=True, dir_okay=False, path_type=Path), metavar="FILE",
              help="Replay a capture up to where this /snapshot of a worker was taken, and compare every number with it.")
@click.option("--write-snapshot", "write_path", metavar="PATH", type=_OUT, help="Write all numbers as a worker's /snapshot shows them.")
@click.option("--kpis", "kpis_path", metavar="PATH", type=_OUT,
              help="Write what the topic of KPIs would hold, one record a line, for every kpis.backfill_minutes and the end; - is stdout.")
@click.option("--openmetrics", "openmetrics_path", metavar="PATH", type=_OUT,
              help="Write one sample per minute of event time and series, for `promtool tsdb create-blocks-from openmetrics`.")
@click.option("--openmetrics-hours", type=click.IntRange(min=1, max=HOURS_MAX), default=24, show_default=True,
              help="Of the last so many hours of the log. Sums of the time before are in the values.")
@click.option("--openmetrics-family", "families", multiple=True, metavar="NAME",
              callback=lambda _context, _option, names: _known_families(names), help="Only these families; may be given several times.")
@click.option("--what-if", "what_if_path", metavar="CONFIG", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Also replay with the newest version of each policy and calendar of CONFIG in force for the whole past, and compare. It "
              "may be the same file. Everything else that is written stays as it was.")
@click.option("--strict", is_flag=True, help="Exit with 1 if any record was rejected.")
def command(
    log: Path, config_path: Path | None, partitions: int | None, at_ms: int | None, exposition: str | None, facts_path: str | None,
    rejected_path: str | None, *, as_json: bool, html_path: str | None, snapshot_path: Path | None, write_path: str | None,
    kpis_path: str | None, openmetrics_path: str | None, openmetrics_hours: int, families: Sequence[Family], what_if_path: Path | None,
    strict: bool,
) -> None:  # fmt: skip
    """Compute the KPIs of LOG: a file of events or a capture (.gz too), a folder of such files in the order of their names, or - for stdin.

    Prints a report, unless something else goes to standard output. Exit codes: 0 fine; 1 rejected records (with --strict), or a difference
    from the snapshot; 2 wrong usage or configuration.
    """
    outputs = [path for path in (exposition, facts_path, rejected_path, html_path, write_path, kpis_path, openmetrics_path) if path == "-"]
    _check_outputs(len(outputs), as_json=as_json, compares=what_if_path is not None, snapshot=snapshot_path is not None)
    config = load_config(config_path)
    supposed = load_config(what_if_path) if what_if_path else None
    with refusing(*REFUSED), ExitStack() as stack:
        taken = _read_snapshot(snapshot_path) if snapshot_path else None
        refusals = Refusals(stack.enter_context(_opened(rejected_path)) if rejected_path else None)
        sink = stack.enter_context(_opened(kpis_path)) if kpis_path else None
        settings, asked = _settings(config, with_details=openmetrics_path is not None), exposition or kpis_path
        kpis = ReplayedKpis(config, settings, lambda: len(replay.engines), lines_into(sink)) if asked else None
        following = Following(config.reporting_zone) if html_path or not outputs else None
        breaches = Breaches() if html_path else None
        replay = Replay(
            config,
            partitions=partitions,
            until={int(number): of["applied"] for number, of in taken["partitions"].items()} if taken else None,
            timers_until=_timers(taken) if taken else NEVER if at_ms is None else at_ms,
            on_refused=refusals.note,
            keep_facts=facts_path is not None or openmetrics_path is not None,
            settings=settings,
            report_every_minutes=config.kpis.backfill_minutes if kpis else 0,
            on_report=kpis.report if kpis else None,
            following=following,
            engine=recording(breaches) if breaches else Engine,
        )
        what_if = WhatIf(replay, supposed, partitions=partitions, timers_until=NEVER if at_ms is None else at_ms) if supposed else None
        seconds = _read(what_if or replay, log, _timers(taken) if taken else at_ms)
        files = {"exposition": exposition, "snapshot": write_path, "facts": facts_path, "openmetrics": openmetrics_path}
        _write_all(replay, files, kpis, openmetrics_hours, families)
        made = _document(replay, seconds, refusals, following, breaches, what_if) if following else {}
        if html_path:
            _write(html_path, [_page(made, log, config)])
        if not outputs:
            _report(made, as_json=as_json)
        differs = taken is not None and _tell_differences(taken, replay.snapshot(), to_stderr=as_json or bool(outputs))
    if strict and replay.refused:
        click.echo(f"ticket-kpis: records were rejected: {replay.refused.total():,}", err=True)
    if differs or (strict and replay.refused):
        raise SystemExit(PROBLEMS)


def _read(replay: Replay | WhatIf, log: Path, timers: dict[int, int] | int | None) -> float:
    """The whole log; returns the seconds that it took. A file of something else is told from a log in which events were rejected."""
    seconds = read_log(replay, log)
    replay.finish(timers)
    read = replay.as_it_was if isinstance(replay, WhatIf) else replay
    if read.refused and not any(view.counts.get(kind) for view in read.views() for kind in ("accepted", "control", "skipped")):
        refuse(f"{log}: {no_events(read.refused)}")
    if not read.records:
        click.echo(f"ticket-kpis: {no_records(log)}", err=True)
    return seconds


def _check_outputs(to_stdout: int, *, as_json: bool, compares: bool, snapshot: bool) -> None:
    if to_stdout + as_json > 1:
        refuse("only one output can go to standard output: give the others a file")
    if compares and (snapshot or to_stdout):
        refuse("--what-if prints a comparison: leave --snapshot out, and give what else is written a file")


# -- the snapshot -----------------------------------------------------------------------------------------------------------------


def _read_snapshot(path: Path) -> dict[str, Any]:
    try:
        taken: dict[str, Any] = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise SnapshotError(f"{path} is no snapshot: {error}") from None
    check_format(taken)
    if any(of["applied"] is None for of in taken["partitions"].values()):
        raise SnapshotError(f"{path} has no offsets: it is not of a worker")
    return taken


def _timers(taken: dict[str, Any]) -> dict[int, int]:
    return {int(number): of["timer_time"] for number, of in taken["partitions"].items()}


def _tell_differences(taken: dict[str, Any], replayed: dict[str, Any], *, to_stderr: bool) -> bool:
    differences = compare(taken, replayed)
    console = paper(to_stderr=to_stderr, highlight=True)
    if not differences:
        console.print("[bold green]equal[/] to the snapshot: the digest, and every net number")
        return False
    table = Table("what", "labels", "snapshot", "replay", title=f"{len(differences):,} differences from the snapshot", title_justify="left")
    for each in differences[:DIFFERENCES_MAX]:
        table.add_row(each.where, each.labels, str(each.first), str(each.second))
    console.print(table)
    if len(differences) > DIFFERENCES_MAX:
        console.print(f"and {len(differences) - DIFFERENCES_MAX:,} more")
    if on_the_way := unread(taken):
        console.print(f"[bold red]different[/]: {on_the_way:,} records were on their way from one partition to another when the snapshot "
                      "was taken. Take it again when `rekeyed_unread` is 0 in all partitions.")  # fmt: skip
        return True
    if waited := postponed(taken):
        until = max(_timers(taken).values())
        console.print(f"[bold red]different[/]: {waited:,} tickets, contacts or agents had something due that waited for the rest of a "
                      "backfill. Take it again when `postponed` is 0 in all partitions. If the backfill is over, "
                      f"`send --advance-clock {format_time(until)}` says so: that far the worker's own timers had come.")  # fmt: skip
        return True
    console.print("[bold red]different[/]: is it the capture of the same topic, and the same configuration?")
    return True


# -- writing ----------------------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Refusals:
    """Rejected records: some details for the report, all of them for a file."""

    file: BinaryIO | None
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def note(self, refused: Refused) -> None:
        """Hear of one."""
        reason, detail = refused.rejected
        if len(self.examples[reason.value]) < EXAMPLES_MAX:
            self.examples[reason.value].append(f"{refused.place}: {detail}")
        if self.file is not None:
            value = None if refused.value is None else refused.value.rstrip(b"\r\n").decode(errors="backslashreplace")
            told = {"reason": reason, "detail": detail, "line": refused.line, "partition": refused.partition, "offset": refused.offset}
            self.file.write(orjson.dumps({**told, "value": value}, option=orjson.OPT_APPEND_NEWLINE))


def _settings(config: Config, *, with_details: bool) -> Settings:
    """Starts of clocks are details among the facts, and numbers among the metrics."""
    settings = compile_settings(config)
    return replace(settings, facts_detail_all=True) if with_details else settings


def _openmetrics(replay: Replay, hours: int, families: Sequence[Family]) -> Iterator[bytes]:
    """The text; what cannot be written is refused before there is a file."""
    until = min((view.timer_time for view in replay.views()), default=0)
    chunks = write(replay.net_facts(), replay.config, replay.settings, until=until, hours=hours, families=families)
    return chain([next(chunks)], chunks)


def _kpi_views(kpis: ReplayedKpis | None, replay: Replay) -> list[KpiView]:
    """What the gauges of all partitions together show in the end."""
    if kpis is None:
        return []
    for number, engine in replay.engines.items():
        kpis.take_levels(number, engine)
    return kpis.views()


def _opened(path: str) -> Any:
    return click.open_file(path, "wb")


def _write(path: str, chunks: Any) -> None:
    with click.open_file(path, "wb") as stream:
        stream.writelines(chunks)


def _write_all(
    replay: Replay, files: Mapping[str, str | None], kpis: ReplayedKpis | None, hours: int, families: Sequence[Family]
) -> None:  # fmt: skip
    """What programs read, by what it is."""
    if path := files["exposition"]:
        _write(path, [Exporter(replay.config).render(replay.views(), None, _kpi_views(kpis, replay))])
    if path := files["snapshot"]:
        _write(path, [orjson.dumps(replay.snapshot(), option=orjson.OPT_APPEND_NEWLINE)])
    if path := files["facts"]:
        _write(path, (fact + b"\n" for fact in replay.facts()))
    if path := files["openmetrics"]:
        _write(path, _openmetrics(replay, hours, families))


def _document(
    replay: Replay, seconds: float, refusals: Refusals, following: Following, breaches: Breaches | None, what_if: WhatIf | None
) -> dict[str, Any]:
    made = document.build(
        replay.views(), replay.settings.group_bys, replay.days(), replay.last_day(),
        records=replay.records, seconds=seconds, examples=refusals.examples, rules=compile_rules(replay.config),
        more=told(replay, following, breaches, when_in(replay.config.reporting_zone)),
    )  # fmt: skip
    if what_if:
        made["what_if"] = what_if.document(made, seconds)
    return made


def _page(made: dict[str, Any], log: Path, config: Config) -> bytes:
    from processor.report.page.render import About, render

    name = "standard input" if str(log) == "-" else log.resolve().name
    return render(made, About(name, WallClock().now(), config.reporting_zone, config.kpis.min_n)).encode()


def _report(made: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(made)
        return
    console = paper()
    rendering.render(made, console)
    if "what_if" in made:
        comparison.render(made["what_if"], console)
