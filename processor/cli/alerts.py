"""`ticket-kpis alerts`: receives Alertmanager's notifications and writes them to the topic of alerts, with evidence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import click

from processor.cli.options import bootstrap_option, config_option, load_config, refuse
from processor.config.service import PORT_MAX
from processor.explain.evidence import LIMIT, LIMIT_MAX
from processor.paging.asking import Workers
from processor.paging.receiver import serve
from processor.paging.writing import AlertsTopic
from processor.stream.logs import speak_seldom

PORT = 9120


def _urls(_context: click.Context, _parameter: click.Parameter, urls: Sequence[str]) -> Sequence[str]:
    for url in urls:
        if not url.startswith(("http://", "https://")):
            raise click.BadParameter(f"write an address such as http://worker:9108, not {url!r}")
    return urls


@click.command("alerts")
@config_option
@bootstrap_option
@click.option("--worker", "workers", multiple=True, metavar="URL", callback=_urls,
              help="A worker to ask for evidence, such as http://worker:9108; once for each, or one name that stands for all.")
@click.option("--host", default="0.0.0.0", show_default=True, help="Address to listen on.")  # noqa: S104 - Alertmanager is elsewhere
@click.option("--port", type=click.IntRange(1, PORT_MAX), default=PORT, show_default=True, help="Port to listen on.")
@click.option("--evidence", "limit", type=click.IntRange(1, LIMIT_MAX), default=LIMIT, show_default=True,
              help="At most so many topics, groups, tickets and contacts of each alert.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True)
def command(
    config_path: Path | None, bootstrap: str | None, workers: Sequence[str], host: str, port: int, limit: int, log_level: str
) -> None:
    """Receive Alertmanager's notifications at POST /alerts, and write each alert that begins or is over to the topic of alerts.

    A notification is answered with 200 when Kafka has it; else with 503, and Alertmanager sends it again. The same news has the same id.
    /metrics, /readyz and /healthz tell how it fares. Waits for a broker as long as it takes.
    """
    config = load_config(config_path, bootstrap)
    logging.basicConfig(level=log_level.upper(), format="[%(asctime)s] [%(levelname)s] %(message)s")
    if log_level != "debug":
        for name in ("aiokafka", "kafka", "asyncio"):
            logging.getLogger(name).setLevel(logging.WARNING)
        speak_seldom("aiokafka", "kafka", "asyncio")
    topic = AlertsTopic(config.kafka, config.topics.alerts)
    click.echo(f"waits for alerts at http://{host}:{port}/alerts, for {topic.topic}", err=True)
    try:
        serve(topic, Workers(workers, limit), host, port)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        refuse(f"cannot listen at {host}:{port} ({reason}): give another --host or --port")
