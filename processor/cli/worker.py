"""`ticket-kpis worker`: reads events from Kafka, keeps the numbers, serves /metrics."""

from __future__ import annotations

import gc
import logging
import socket
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import uvloop

from processor import __version__
from processor.cli.options import bootstrap_option, config_option, load_config, refuse, refusing, tell_retry
from processor.cli.waiting import answering
from processor.config import Config
from processor.config.service import PORT_MAX, SERVER, WORKER_ROLES
from processor.flavour import flavour
from processor.side_by_side import FIRST_PAUSE_SECONDS, end_with_parent, run
from processor.stream.app import create_app
from processor.stream.connection import BrokerUnreachableError, Notify, admin_client
from processor.stream.host import Host
from processor.stream.logs import speak_seldom
from processor.stream.topics import Problem, specs, strangers, verify_topics
from processor.wall.serving import serve_wall

FOREVER_SECONDS = float("inf")
PROCESSES_MAX = 64
EVERYWHERE, LOOPBACK = ("0.0.0.0", "::"), "127.0.0.1"  # noqa: S104 - compared with, not listened on


def _addresses(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    if any(not SERVER.fullmatch(value) for value in values):
        raise click.BadParameter("write host:port")
    return values


@click.command("worker")
@config_option
@bootstrap_option
@click.option("--from-log-start", is_flag=True, help="Start without state although the log does not begin at offset 0.")
@click.option(
    "--instance",
    envvar="TICKET_KPIS_INSTANCE",
    metavar="NAME",
    help="A name that this worker keeps over restarts and no other has: if it is back within its session, its partitions wait for it.",
)
@click.option("--port", type=click.IntRange(0, PORT_MAX), help="Port to listen on, in place of http.port.")
@click.option(
    "--processes", type=click.IntRange(1, PROCESSES_MAX), default=1, show_default=True,
    help="So many workers side by side, one for a core; they listen on the ports from http.port on.",
)
@click.option(
    "--peer", "peers", multiple=True, metavar="HOST:PORT", callback=_addresses,
    help="Another worker, whom /wall asks for its part; adds to http.peers. May be given several times.",
)
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True)
def command(
    config_path: Path | None, bootstrap: str | None, port: int | None, processes: int, peers: tuple[str, ...], **options: Any
) -> None:  # fmt: skip
    """Read events, keep the numbers, serve /metrics, /healthz, /readyz and /snapshot.

    Waits for a broker as long as it takes. Start as many workers as you like, up to the number of partitions: they share them.
    """
    config = load_config(config_path, bootstrap)
    first = config.http.port if port is None else port
    if first and first + processes > PORT_MAX + 1:
        refuse(f"there are no {processes} ports from {first} on: change http.port or --processes")
    for number in range(processes if first else 1):
        _check_address(config.http.host, first + number)
    if processes > 1:
        # Without a name, one that came back sooner would keep all workers waiting until the group has given up who died.
        pause = FIRST_PAUSE_SECONDS if options["instance"] else config.worker.session_timeout_seconds
        here = LOOPBACK if config.http.host in EVERYWHERE else config.http.host
        all_peers = (*peers, *(f"{here}:{first + number}" for number in range(processes if first else 0)))
        commands = [_call(config_path, bootstrap, first, number, all_peers, **options) for number in range(processes)]
        sys.exit(run(commands, _tell, pause_seconds=pause))
    end_with_parent()
    http = config.http.model_copy(update={"port": first, "peers": [*config.http.peers, *peers]})
    work(config.model_copy(update={"http": http}), **options)


def _call(
    config_path: Path | None, bootstrap: str | None, port: int, number: int, peers: Sequence[str], *,
    from_log_start: bool, instance: str | None, log_level: str,
) -> list[str]:  # fmt: skip
    """The command of one worker of several. Each has a port and, where they have names, a name of its own."""
    given = {
        "--config": config_path, "--bootstrap": bootstrap, "--port": port + number if port else 0, "--log-level": log_level,
        "--instance": f"{instance}-{number}" if instance else None,
    }  # fmt: skip
    options = [text for name, value in given.items() if value is not None for text in (name, str(value))]
    flags = ["--from-log-start"] if from_log_start else []
    known = [text for peer in peers for text in ("--peer", peer)]
    return [sys.executable, "-m", "processor.cli.main", "worker", *options, *flags, *known]


def _tell(text: str) -> None:
    click.echo(f"ticket-kpis: {text}", err=True)


def work(config: Config, *, from_log_start: bool, instance: str | None, log_level: str) -> None:
    """Be a worker until the end."""
    if log_level != "debug":
        for name in ("aiokafka", "kafka", "faust", "mode"):  # they speak up only when something is wrong
            logging.getLogger(name).setLevel(logging.WARNING)
        logging.getLogger("aiokafka.consumer.group_coordinator").addFilter(_is_news)
        speak_seldom("aiokafka", "kafka", "asyncio")
    with refusing(BrokerUnreachableError, ValueError), answering(config.http.host, config.http.port) as say:

        def notify(problem: str, pause_seconds: float) -> None:
            say(problem)
            tell_retry(problem, pause_seconds)

        problems, strange = _look_at_the_broker(config, notify)
    for problem in problems:
        click.echo(str(problem), err=True)
    if any(problem.refused for problem in problems):
        refuse("the topics are not as they must be; `ticket-kpis topics create` makes those that are missing")
    if strange:
        told = f"a worker that reads {', '.join(sorted(strange))} is in the group {config.application_id}: two applications have one id"
        refuse(f"{told}, and would take each other's partitions away. Change application_id, or stop the other one's workers")
    session = config.worker.session_timeout_seconds
    click.echo(f"ticket-kpis {__version__}, {flavour()}", err=True)
    click.echo(f"joining group {config.application_id}: at once, or within {session} s where another worker was killed just now", err=True)
    # Millions of long-lived objects and hardly a cycle among them: look for cycles rarely.
    gc.set_threshold(100_000, 50, 100)
    uvloop.install()
    app = create_app(config, from_log_start=from_log_start, instance=instance or None, more_pages=partial(serve_wall, config))
    worker = Host(app, quiet=True, loglevel=log_level, redirect_stdouts=False)
    worker.spinner = None  # from level warning on it would write its control codes, into files too
    worker.execute_from_commandline()


def _is_news(record: logging.LogRecord) -> bool:
    """On a new cluster the first request for a group's coordinator makes the topic for it, fails, and is repeated: nothing to tell."""
    return "GroupCoordinatorNotAvailableError" not in record.getMessage()


def _check_address(host: str, port: int) -> None:
    """Refuse before anything is started for nothing."""
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET).close()
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        refuse(f"cannot serve /metrics at {host}:{port} ({reason}): change http.host or http.port, or give another --port")


def _look_at_the_broker(config: Config, notify: Notify = tell_retry) -> tuple[list[Problem], set[str]]:
    """What is wrong with the topics, and what members of our group read that we do not."""
    with admin_client(config.kafka, wait_seconds=FOREVER_SECONDS, notify=notify) as admin:
        inputs = {config.topics.events, config.topics.rekeyed}
        wanted = [spec for spec in specs(config.topics) if spec.role in WORKER_ROLES]
        return verify_topics(admin, wanted), strangers(admin, config.application_id, inputs)

