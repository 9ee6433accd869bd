"""`ticket-kpis rules`: the recording rules and alerts for Prometheus, with the thresholds of a configuration."""

from __future__ import annotations

from pathlib import Path

import click

from processor.alerting import rule_files
from processor.cli.options import config_option, load_config, refusing


@click.command("rules")
@config_option
@click.option("--output", type=click.Path(file_okay=False, path_type=Path), metavar="DIRECTORY",
              help="Write series.yml and alerts.yml there; else both are printed.")  # fmt: skip
@click.option("--time-scale", type=click.FloatRange(min=1), default=1.0, show_default=True, metavar="FACTOR",
              help="Make every range, wait and interval so many times shorter, for trying out.")  # fmt: skip
def command(config_path: Path | None, output: Path | None, time_scale: float) -> None:
    """Write the rules for Prometheus: recorded series and alerts, with the thresholds of the section `alerts`."""
    files = rule_files(load_config(config_path), time_scale=time_scale)
    if output is None:
        click.echo("---\n".join(files.values()), nl=False)
        return
    with refusing(OSError):
        output.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (output / name).write_text(text, encoding="utf-8")
    click.echo(f"{' and '.join(files)} in {output}", err=True)
