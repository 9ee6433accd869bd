"""What several commands share: options for configuration, broker and times, and how refusals reach the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click
import orjson
from rich.console import Console

from processor.codec.times import parse_time
from processor.config import Config, ConfigError, load
from processor.config.service import Kafka
from processor.config.zones import instant_of

Command = TypeVar("Command", bound=Callable[..., Any])

PROBLEMS, WRONG_USAGE = 1, 2  # exit codes: the input or the topics are not as they must be; the command or the configuration is not

PAPER_WIDTH = 170  # of tables that do not go to a terminal

stderr = Console(stderr=True, highlight=False, soft_wrap=True)


class NewFile(click.Path):
    """A file to write; - is standard output. That its folder is missing is told before any work is done."""

    def __init__(self) -> None:
        super().__init__(dir_okay=False, allow_dash=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The path as it was written."""
        folder = Path(value).parent
        if not folder.is_dir():
            self.fail(f"there is no folder {folder}", param, ctx)
        return super().convert(value, param, ctx)


def config_option(function: Command) -> Command:
    """--config PATH, given to the command as `config_path`."""
    option = click.option(
        "--config", "config_path", type=click.Path(path_type=Path), envvar="TICKET_KPIS_CONFIG", show_envvar=True,
        help="Configuration file; without it the built-in defaults.")
    return option(function)


def wait_option(function: Command) -> Command:
    """--wait SECONDS, given to the command as `wait_seconds`."""
    option = click.option(
        "--wait", "wait_seconds", type=click.FloatRange(min=0), default=30.0, show_default=True, metavar="SECONDS",
        help="How long to try when no broker answers.")
    return option(function)


def bootstrap_option(function: Command) -> Command:
    """--bootstrap HOST:PORT, given to the command as `bootstrap`."""
    option = click.option("--bootstrap", metavar="HOST:PORT", callback=_brokers, help="Broker to use in place of the configured ones.")
    return option(function)


def _brokers(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    try:
        Kafka.model_validate({} if text is None else {"bootstrap_servers": text.split(",")})
    except ValueError:  # pydantic's is one
        raise click.BadParameter("write host:port, several with commas in between") from None
    return text


def instant(_context: click.Context, _parameter: click.Parameter, text: str | None) -> int | None:
    """A callback for options that take a time: RFC 3339 -> milliseconds, or a usage error."""
    try:
        return None if text is None else parse_time(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def day_or_instant(context: click.Context, parameter: click.Parameter, text: str | None) -> date | int | None:
    """A callback for options that take a day, too: YYYY-MM-DD -> date. When that begins is a question to the configuration, `beginning`."""
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        return instant(context, parameter, text)


def beginning(moment: date | int | None, zone: str, *, days_later: int = 0) -> int | None:
    """Milliseconds of an instant, or of the midnight with which a day of that zone begins, or one so many days later."""
    if not isinstance(moment, date):
        return moment
    return instant_of(moment + timedelta(days=days_later), zone)


def load_config(path: Path | None, bootstrap: str | None = None) -> Config:
    """The configuration, or all its faults on standard error and exit code 2."""
    try:
        config = load(path)
    except ConfigError as error:
        for fault in error.faults:
            click.echo(f"{error.source}: {fault}", err=True)
        raise SystemExit(WRONG_USAGE) from None
    if bootstrap is None:
        return config
    kafka = config.kafka.model_copy(update={"bootstrap_servers": bootstrap.split(",")})
    return config.model_copy(update={"kafka": kafka})


def refuse(message: str) -> NoReturn:
    """Say why the command cannot be carried out, and leave with exit code 2."""
    click.echo(f"ticket-kpis: {message}", err=True)
    raise SystemExit(WRONG_USAGE)


@contextmanager
def refusing(*errors: type[Exception]) -> Iterator[None]:
    """Errors that a user can do something about become a message, not a traceback."""
    try:
        yield
    except errors as error:
        refuse(str(error))


def paper(*, to_stderr: bool = False, highlight: bool = False) -> Console:
    """Where tables are printed: as wide as the terminal, or as PAPER_WIDTH where there is none."""
    return Console(stderr=to_stderr, highlight=highlight, width=None if sys.stdout.isatty() else PAPER_WIDTH)


def print_json(document: Any) -> None:
    """A document for programs, on standard output."""
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def tell_retry(problem: str, pause_seconds: float) -> None:
    """A `Notify` for the terminal."""
    click.echo(f"{problem}; trying again in {pause_seconds:.3g} s", err=True)
