"""`ticket-kpis state export|import|rebuild|forget`: what is done with stored state while no worker runs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from aiokafka.errors import KafkaError
from kafka import KafkaAdminClient
from kafka.errors import KafkaError as AdminError
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from processor.cli.options import (
    PROBLEMS,
    bootstrap_option,
    config_option,
    load_config,
    refuse,
    refusing,
    stderr,
    tell_retry,
    wait_option,
)
from processor.cli.state_tables import erased_tables, exported_table, imported_table, rebuilt_table, show
from processor.codec.times import format_time
from processor.compile import compile_settings
from processor.config import Config
from processor.state_tools.broker import ToolError
from processor.state_tools.erasing import forget_everywhere, places
from processor.state_tools.exporting import export_state
from processor.state_tools.file import ExportError, read_export
from processor.state_tools.importing import import_state
from processor.state_tools.moving import MoveError
from processor.state_tools.rebuilding import old_partitions, rebuild
from processor.stream.connection import BrokerUnreachableError, admin_client
from processor.stream.topics import Spec, create_topics, require_stopped, specs, verify_topics
from processor.wall_clock import WallClock

Result = TypeVar("Result")
Bar = Callable[[int], None]

ERRORS = (BrokerUnreachableError, ToolError, MoveError, ExportError, KafkaError, AdminError, ValueError)


@click.group("state")
def command() -> None:
    """Export, import or rebuild what the workers have stored, and erase a person from it. Stop the workers first."""


@command.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@config_option
@bootstrap_option
@wait_option
@click.option("--live", is_flag=True, help="While workers run: each partition as of one of its last steps.")
def export(file: Path, config_path: Path | None, bootstrap: str | None, wait_seconds: float, *, live: bool) -> None:
    """Write the state of all partitions to FILE, with what they have not read of re-keyed records. Ends in .gz = compressed."""
    config = load_config(config_path, bootstrap)
    about = {"exported_at": format_time(WallClock().now())}
    with refusing(*ERRORS):
        if not live:
            _with_admin(config, wait_seconds, lambda admin: require_stopped(admin, config.application_id, otherwise="export with --live"))
        header = _run("reading the state", lambda begin, on: export_state(config, file, about, live=live, begin=begin, progress=on))
    show(exported_table(header))


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@config_option
@bootstrap_option
@wait_option
def import_(file: Path, config_path: Path | None, bootstrap: str | None, wait_seconds: float) -> None:
    """Write an exported state into the empty topics of another deployment, which may have any number of partitions.

    Deadlines up to the time of the partition that was furthest on pass now; the facts that they state go to the facts topic.
    """
    config = load_config(config_path, bootstrap)
    settings = compile_settings(config)
    with refusing(*ERRORS):
        _with_admin(config, wait_seconds, lambda admin: _require_ready(config, admin))
        exported = read_export(file)
        total = sum(each["records"] for each in exported.header["of"].values())

        async def work(begin: Bar, on: Bar) -> Any:
            begin(3 * total)  # read, dealt out, written
            return await import_state(config, settings, exported, progress=on)

        moved = _run("moving the state", work)
    show(imported_table(exported.header, moved))


@command.command("rebuild")
@click.option("--into", required=True, metavar="TOPIC", help="A state topic that does not exist yet; it is made.")
@config_option
@bootstrap_option
@wait_option
def rebuild_(into: str, config_path: Path | None, bootstrap: str | None, wait_seconds: float) -> None:
    """Compute the state anew from the whole events topic into another state topic, and compare it with the present one.

    Nothing else is written. Exit code 0: both show the same, and it is told how to switch; 1: they differ. The present state stays.
    """
    config = load_config(config_path, bootstrap)
    settings = compile_settings(config)
    with refusing(*ERRORS):
        _with_admin(config, wait_seconds, lambda admin: _create_state(config, admin, into))
        old = _run("reading the present state", lambda _, on: old_partitions(config, settings, on))
        found = _run("folding the log", lambda begin, on: rebuild(config, settings, into, old, begin=begin, progress=on))
    show(rebuilt_table(found))
    differences = [f"partition {each.number}: {difference}" for each in found for difference in each.differences]
    for told in differences[:20]:
        click.echo(told, err=True)
    if differences:
        kept = f"{config.topics.state} stays as it is, {into} holds what the log says"
        click.echo(f"{len(differences)} numbers differ: {kept}. Find out why before you switch.", err=True)
        click.echo("A state that was imported has a past which its own log lacks: such a one cannot be computed anew.", err=True)
        raise SystemExit(PROBLEMS)
    click.echo(f"All numbers are the same. To switch, put this into the configuration and start the workers:\n\ntopics:\n  state: {into}\n")


@command.command("forget")
@click.argument("id", type=str)
@config_option
@bootstrap_option
@wait_option
def forget(id: str, config_path: Path | None, bootstrap: str | None, wait_seconds: float) -> None:  # noqa: A002 (the argument's name)
    """Erase the ID of a person from the stored state, and tell where else it may lie, and until when.

    A person is an agent, a requester, a respondent or a visitor. No number changes, except that a forgotten agent is not at work any more.
    """
    config = load_config(config_path, bootstrap)
    settings = compile_settings(config)
    if not id:
        refuse("an empty ID stands for everybody who was erased already")
    with refusing(*ERRORS):
        _with_admin(config, wait_seconds, lambda admin: require_stopped(admin, config.application_id))
        done = _run("looking for it", lambda _, on: forget_everywhere(config, settings, id, progress=on))
        elsewhere = _with_admin(config, wait_seconds, lambda admin: places(config, admin, done.findings.entities))
    for table in erased_tables(done, elsewhere):
        show(table)


def _with_admin(config: Config, wait_seconds: float, ask: Callable[[KafkaAdminClient], Result]) -> Result:
    with admin_client(config.kafka, wait_seconds=wait_seconds, notify=tell_retry) as admin:
        return ask(admin)


def _require_ready(config: Config, admin: KafkaAdminClient) -> None:
    require_stopped(admin, config.application_id)
    problems = [problem for problem in verify_topics(admin, specs(config.topics)) if problem.refused]
    if problems:
        raise ToolError("; ".join(str(problem) for problem in problems))


def _create_state(config: Config, admin: KafkaAdminClient, into: str) -> None:
    """Make the topic that the new state goes into. Raises ToolError where there is one already."""
    require_stopped(admin, config.application_id)
    if into in admin.list_topics():
        raise ToolError(f"there is a topic {into} already: name one that does not exist")
    state = next(spec for spec in specs(config.topics) if spec.role == "state")
    create_topics(admin, [Spec("state", into, state.partitions, state.replication, state.config)])


@contextmanager
def _bar(what: str) -> Iterator[tuple[Bar, Bar]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=stderr, transient=True, disable=not stderr.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda total: bar.update(task, total=total), lambda done: bar.advance(task, done)


def _run(what: str, work: Callable[[Bar, Bar], Awaitable[Result]]) -> Result:
    """Do something with a progress bar; `work` gets what sets its total and what moves it on."""

    async def run() -> Result:
        with _bar(what) as (begin, on):
            return await work(begin, on)

    return asyncio.run(run())
