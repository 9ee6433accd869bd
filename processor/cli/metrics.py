"""`ticket-kpis metrics`: what every series is that a worker serves."""

from __future__ import annotations

import click

from processor.export.metrics_page import metrics_page


@click.command("metrics")
def command() -> None:
    """Print what every series at /metrics is: type, unit, definition, labels with their values, net or gross, stability."""
    click.echo(metrics_page(), nl=False)
