"""The reduced job as Faust is usually written: one agent, two tables. A program: `python -m tests.bench.usual_faust worker`.

A table holds what is known of each ticket, another counts by channel, priority, minute and type. Tables in memory, changelogs in Kafka,
at least once: Faust's defaults. Where the events are and how many stands in the environment. It says how many seconds lay between the
first and the last, and ends.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import faust

ADDRESS, TOPIC, PARTITIONS, EVENTS, NAME, FOLDER = (
    f"USUAL_FAUST_{what}" for what in ("ADDRESS", "TOPIC", "PARTITIONS", "EVENTS", "NAME", "FOLDER")
)


def application() -> faust.App:
    """The app with its agent."""
    partitions, expected = int(os.environ[PARTITIONS]), int(os.environ[EVENTS])
    app = faust.App(
        os.environ[NAME],
        broker=f"kafka://{os.environ[ADDRESS]}",
        datadir=os.environ[FOLDER],
        store="memory://",
        value_serializer="json",
        topic_partitions=partitions,
        topic_replication_factor=1,
        web_enabled=False,
    )
    tickets = app.Table("tickets", default=dict, partitions=partitions)
    counts = app.Table("counts", default=int, partitions=partitions)

    @app.agent(app.topic(os.environ[TOPIC]))  # type: ignore[untyped-decorator]
    async def job(stream: Any) -> None:
        seen, began = 0, 0.0
        async for event in stream:
            began = began or time.monotonic()
            data, kind, at = event["data"], event["type"], event["time"]
            known = tickets[data["ticket_id"]] or {"channel": data.get("channel"), "priority": data.get("priority")}
            tickets[data["ticket_id"]] = {**known, kind: at, "status": data.get("status", known.get("status"))}
            counts[f"{known['channel']}|{known['priority']}|{at[:16]}|{kind}"] += 1
            seen += 1
            if seen == expected:
                sys.__stdout__.write(f"{time.monotonic() - began}\n")  # type: ignore[union-attr]
                sys.__stdout__.flush()  # type: ignore[union-attr]
                os._exit(0)

    return app


if __name__ == "__main__":
    application().main()
