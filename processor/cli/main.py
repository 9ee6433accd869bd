"""The command `ticket-kpis`: its subcommands, each imported when it is needed.

`--help` must be quick, and one command whose dependency is missing must not take the others along; so what a command does stands here in
one line, and its module is loaded when it runs.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import import_module

import click

from processor import __version__
from processor.flavour import flavour

COMMANDS = {
    "worker": "Read events from Kafka, keep the numbers, serve /metrics.",
    "topics": "Create the topics, or verify that they are as they must be.",
    "generate": "Invent a support team's events, with their true totals.",
    "send": "Send recorded events to Kafka.",
    "capture": "Write a topic to a file, record by record.",
    "replay": "Compute the KPIs of a recorded log, without Kafka.",
    "backtest": "Tell which alerts a recorded log would have raised.",
    "explain": "Tell why a ticket's clocks breached or not.",
    "rules": "Write the recording rules and alerts for Prometheus.",
    "alerts": "Receive Alertmanager's alerts, write them to a topic with evidence.",
    "metrics": "Print what every series at /metrics is.",
    "check": "Check a configuration; list all its faults.",
    "state": "Export, import or rebuild the stored state.",
    "forget": "Erase a person from the stored state.",
    "convert": "Turn recorded logs of other systems into events.",
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and loads them one by one."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        """In the order of the table, which is the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"processor.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; of one that there is not, which one may have been meant."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            if near := get_close_matches(args[0], COMMANDS, n=1):
                error.message += f" Did you mean {near[0]}?"
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(f"{__version__}, {flavour()}", prog_name="ticket-kpis")
def main() -> None:
    """Support ticket events in, trustworthy KPIs out.

    Exit codes: 0 fine; 1 the input has rejected events (with --strict), or something differs from what it must be; 2 wrong usage or
    configuration.
    """


if __name__ == "__main__":
    main()
