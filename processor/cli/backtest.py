"""`ticket-kpis backtest LOG`: which alerts would have fired over a recorded log, when, for how long, and how early."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from processor.alerting import rule_files
from processor.backtest.evaluating import Advance, steps
from processor.backtest.prometheus import PrometheusError
from processor.backtest.rules import Rules, RulesError, read_rules
from processor.backtest.run import BacktestError, Range, backtest
from processor.cli.backtest_tables import render
from processor.cli.options import PROBLEMS, NewFile, beginning, config_option, day_or_instant, load_config, paper, refusing
from processor.cli.reading import read_log
from processor.config import Config
from processor.replay import Refused, ReplayError

REFUSED = (BacktestError, PrometheusError, ReplayError, RulesError, OSError)  # told without a traceback


@click.command("backtest")
@click.argument("log", type=click.Path(exists=True, allow_dash=True, path_type=Path))
@config_option
@click.option("--rules", "rules_path", metavar="PATH", type=click.Path(exists=True, path_type=Path),
              help="A file of rules, or a folder of such, in place of those that the configuration makes (`ticket-kpis rules`).")
@click.option("--since", callback=day_or_instant, metavar="TIME",
              help="Tell from here on: RFC 3339, or a day (YYYY-MM-DD) of the reporting zone. What came before counts, and three weeks of "
                   "it are what rules and states look back on.")
@click.option("--until", callback=day_or_instant, metavar="TIME", help="Evaluate up to here, or up to the end of a day.")
@click.option("--partitions", type=click.IntRange(min=1, max=10_000), help="As of replay.")
@click.option("--json", "json_path", metavar="FILE", type=NewFile(),
              help="Write everything that was found for programs; - is standard output, then nothing else goes there.")
@click.option("--prometheus", "folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Where promtool and prometheus are. Without it: on the PATH, or where deploy/setup.sh unpacks them.")
@click.option("--all", "everything", is_flag=True, help="List warnings one by one, too, not only pages.")
@click.option("--strict", is_flag=True, help="Exit with 1 if any record was rejected.")
def command(
    log: Path, config_path: Path | None, rules_path: Path | None, since: date | int | None, until: date | int | None,
    partitions: int | None, json_path: str | None, folder: Path | None, *, everything: bool, strict: bool,
) -> None:  # fmt: skip
    """Replay LOG (as `replay` reads it) and evaluate the alerts over it, once a minute of its time, in a Prometheus of this command's own.

    Prints each time that an alert fired, with the first breach after it, and which days were paged. Alerts about the processor itself are
    left out: a log does not tell how it fared. Exit codes: 0 fine, whatever fired; 1 rejected records (with --strict); 2 wrong usage or
    configuration.
    """
    config = load_config(config_path)
    with refusing(*REFUSED):
        rules = read_rules(_files(rules_path, config))
        refused: list[Refused] = []
        with _bar(rules) as advance:
            zone = config.reporting_zone
            within = Range(beginning(since, zone), beginning(until, zone, days_later=1))
            found = backtest(config, rules, lambda replay: read_log(replay, log), within=within, partitions=partitions, folder=folder,
                             advance=advance, on_refused=refused.append)  # fmt: skip
        if json_path:
            with click.open_file(json_path, "wb") as stream:
                stream.write(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    if json_path != "-":
        render(found, config.reporting_zone, paper(), everything=everything)
    if strict and refused:
        click.echo(f"ticket-kpis: records were rejected: {len(refused):,}", err=True)
        raise SystemExit(PROBLEMS)


def _files(path: Path | None, config: Config) -> Mapping[str, str]:
    if path is None:
        return rule_files(config)
    files = sorted(file for pattern in ("*.yml", "*.yaml") for file in path.glob(pattern)) if path.is_dir() else [path]
    if not files:
        raise RulesError(f"{path} has no files of rules (*.yml)")
    return {file.name: file.read_text(encoding="utf-8") for file in files}


@contextmanager
def _bar(rules: Rules) -> Iterator[Advance]:
    """A bar over the rules, on standard error; the one over the log comes before it."""
    console = Console(stderr=True)
    columns = (TextColumn("evaluating"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = progress.add_task("", total=steps(rules), start=False)

    def advance(what: str) -> None:
        progress.start()
        progress.start_task(task)
        progress.update(task, advance=1, description=what)

    try:
        yield advance
    finally:
        progress.stop()
