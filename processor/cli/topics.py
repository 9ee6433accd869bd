"""`ticket-kpis topics create|verify|reset-state`: the topics as schemas/topics specifies them."""

from __future__ import annotations

from pathlib import Path

import click
from kafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from processor.cli.options import PROBLEMS, bootstrap_option, config_option, load_config, refuse, refusing, tell_retry, wait_option
from processor.config import Config
from processor.stream.connection import BrokerUnreachableError, admin_client
from processor.stream.topics import STATE_ROLES, Problem, Spec, create_topics, reset_state, specs, verify_topics

PIPED_WIDTH = 140  # columns where there is no terminal to ask


@click.group("topics")
def command() -> None:
    """Create the topics in Kafka, or compare them with their specifications."""


@command.command()
@config_option
@bootstrap_option
@wait_option
def create(config_path: Path | None, bootstrap: str | None, wait_seconds: float) -> None:
    """Create the topics that are missing, then verify all of them."""
    _run(load_config(config_path, bootstrap), wait_seconds, create_first=True)


@command.command()
@config_option
@bootstrap_option
@wait_option
def verify(config_path: Path | None, bootstrap: str | None, wait_seconds: float) -> None:
    """Compare the topics with their specifications; exit code 1 when they differ."""
    _run(load_config(config_path, bootstrap), wait_seconds, create_first=False)


@command.command("reset-state")
@config_option
@bootstrap_option
@wait_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(config_path: Path | None, bootstrap: str | None, wait_seconds: float, *, yes: bool) -> None:
    """Throw the state away, so that the next worker computes everything anew from the beginning of the log.

    Stop every worker first. The facts topic keeps what was stated; the same facts are stated again, with the same ids.
    """
    config = load_config(config_path, bootstrap)
    internal = ", ".join(getattr(config.topics, role) for role in STATE_ROLES)
    if not yes:
        click.confirm(f"Delete everything in {internal}, and the offsets of group {config.application_id}?", abort=True, err=True)
    with refusing(BrokerUnreachableError, ValueError), admin_client(config.kafka, wait_seconds=wait_seconds, notify=tell_retry) as admin:
        try:
            reset_state(admin, specs(config.topics), config.application_id)
        except KafkaError as error:
            refuse(f"the broker refused: {error or type(error).__name__}")
    click.echo(f"{internal} are empty; the next worker begins at the beginning of {config.topics.events}", err=True)


def _run(config: Config, wait_seconds: float, *, create_first: bool) -> None:
    """Both commands: the table to standard output, problems to standard error."""
    with refusing(BrokerUnreachableError, ValueError):
        wanted = specs(config.topics)
        with admin_client(config.kafka, wait_seconds=wait_seconds, notify=tell_retry) as admin:
            try:
                done = create_topics(admin, wanted) if create_first else {}
                problems = verify_topics(admin, wanted)
            except KafkaError as error:
                refuse(f"the broker refused: {error or type(error).__name__}")
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PIPED_WIDTH
    console.print(_table(wanted, {name: str(state) for name, state in done.items()}, problems))
    for problem in problems:
        click.echo(str(problem), err=True)
    if any(problem.refused for problem in problems):
        raise SystemExit(PROBLEMS)


def _table(wanted: list[Spec], done: dict[str, str], problems: list[Problem]) -> Table:
    table = Table("topic", "is", "partitions", "copies", "settings", box=None, pad_edge=False, show_edge=False)
    table.columns[-1].overflow = "fold"
    faulty = {problem.topic: "missing" if problem.found == "missing" else "differs" for problem in problems}
    for spec in wanted:
        state = f"[red]{faulty[spec.name]}[/]" if spec.name in faulty else f"[green]{done.get(spec.name, 'as specified')}[/]"
        settings = "\n".join(f"{key}={value}" for key, value in sorted(spec.config.items()))
        table.add_row(spec.name, state, str(spec.partitions), str(spec.replication), settings)
    return table
