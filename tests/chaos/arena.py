"""Everything that faults are injected into in one round: broker, topics, workers, and the log on its way."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from processor.codec.times import format_time, parse_time
from processor.compile import compile_settings
from processor.config import Config
from processor.config.service import Kafka
from processor.core.settings import HOUR_MS, MINUTE_MS
from processor.stream.connection import admin_client
from processor.stream.topics import specs
from processor.synthetic.generate import generate
from tests.chaos.flow import Flow
from tests.chaos.plan import Plan
from tests.chaos.seats import Seat
from tests.kafka.broker import Broker
from tests.kafka.deployment import PATIENCE_SECONDS, Deployment, Sent
from tests.kafka.events import addressed, event

PAST = 1_767_225_600_000  # 2026-01-01T00:00:00Z: when logs are of that are read with `clock: log`
PAST_HOURS = 4
LIVE_MINUTES = 30  # that a log is long which is read with `clock: live`; all before the present, so that deadlines have passed
AHEAD_MS = 2 * HOUR_MS  # up to where clocks are moved in the end, beyond every wrong clock
REPORT_MINUTES = 10
SEGMENTS = {"group_bys": [[], ["channel"], ["priority"]], "windows": [[], ["channel"]]}
# Some clocks run round the clock, others by business time, with a pause inside the logs of the past.
_NIGHTS = {day: ["00:00-02:20", "02:50-23:30"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
RULES: dict[str, Any] = {
    "calendars": {"nights": {"zone": "Europe/Berlin", "hours": _NIGHTS, "country": "DE"}},
    "policies": [
        {"id": "phone", "match": {"channel": ["phone"]}, "targets": {"queue_wait": "20s", "first_response": "5m", "resolution": "1h"}},
        {"id": "urgent", "match": {"priority": ["urgent"]}, "targets": {"first_response": "9m", "next_response": "9m", "resolution": "1h"}},
        {
            "id": "standard",
            "calendar": "nights",
            "targets": {
                "first_response": "15m", "next_response": "20m", "queue_wait": "2m",
                "resolution": {"target": "1h", "hours": "business", "warn": "10m before"},
            },
        },
    ],
}  # fmt: skip
KPI_PARTITIONS = 3
SESSION_SECONDS = 2
WORKER = {
    "step_events_max": 100,
    "session_timeout_seconds": SESSION_SECONDS,
    "transaction_timeout_seconds": 5,
    "snapshot_ms": 200,
    "backfill_after_minutes": 24 * 60,
}


CLEANER_PAUSE_MS = 500
JAVA_OPTIONS = "-XX:TieredStopAtLevel=1"  # a broker that is started again and again has half the work that way


@contextmanager
def chaos_broker(directory: Path) -> Iterator[Broker]:
    """One that looks for what can be compacted all the time."""
    os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA_OPTIONS)
    with Broker(directory) as broker:
        with admin_client(Kafka(bootstrap_servers=[broker.bootstrap]), wait_seconds=PATIENCE_SECONDS) as admin:
            admin.alter_configs([ConfigResource(ConfigResourceType.BROKER, "1", {"log.cleaner.backoff.ms": str(CLEANER_PAUSE_MS)})])
        yield broker


class Arena:
    """One deployment. A context manager: it ends with nothing running and its topics gone."""

    def __init__(self, broker: Broker, plan: Plan, name: str, directory: Path) -> None:
        self.broker, self.plan = broker, plan
        time_of_day = {"timer_delay": "1s", "clock_skew": "3h"}
        kpis = {"backfill_minutes": REPORT_MINUTES}
        worker = WORKER | {"clock": "live" if plan.live else "log"}
        self.deployment = Deployment(
            broker.bootstrap, name, directory,
            partitions=plan.partitions, worker=worker, kpis=kpis, time=time_of_day, segments=SEGMENTS, **RULES,
        )  # fmt: skip
        self.deployment.document["topics"]["kpi_partitions"] = KPI_PARTITIONS
        self.deployment.reload()
        self.seats = [Seat(self.deployment, number, named=plan.named) for number in range(plan.workers)]
        self.log, self.end = log_of(self.deployment.config, plan)
        self.flow = Flow(broker.bootstrap, self.deployment.config.topics.events, self.log, plan.seed)

    @property
    def config(self) -> Config:
        """What the workers run with."""
        return self.deployment.config

    def last(self) -> list[Sent]:
        """Behind the log: all clocks move to its end."""
        advanced = event("control.clock_advanced", self.end, at=format_time(self.end))
        return [(number, None, advanced) for number in range(self.plan.partitions)]

    def follow_the_log(self) -> None:
        """From the next start on workers do."""
        self.deployment.document["worker"]["clock"] = "log"
        self.deployment.reload()

    @contextmanager
    def admin(self) -> Iterator[KafkaAdminClient]:
        """Who may alter topics and offsets."""
        with admin_client(self.config.kafka, wait_seconds=PATIENCE_SECONDS) as admin:
            yield admin

    def alter(self, roles: tuple[str, ...], **settings: Any) -> None:
        """Topics of these roles get settings, with _ for the points in their names; None takes back what was altered."""
        named = {name.replace("_", "."): value for name, value in settings.items()}
        written = {spec.role: spec.config for spec in specs(self.config.topics)}
        with self.admin() as admin:
            for role in roles:
                values = {name: written[role].get(name) if value is None else str(value) for name, value in named.items()}
                kept = {name: value for name, value in values.items() if value is not None}
                admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, getattr(self.config.topics, role), kept)])

    def __enter__(self) -> Self:
        self.deployment.create_topics()
        return self

    def __exit__(self, *_: object) -> None:
        for seat in self.seats:
            seat.close()
        with self.admin() as admin:
            admin.delete_topics([spec.name for spec in specs(self.config.topics)])
            admin.delete_groups([self.config.application_id, f"{self.config.application_id}-kpis"])


def log_of(config: Config, plan: Plan) -> tuple[list[Sent], int]:
    """A generated log with duplicates, late and broken records, and the instant to which clocks are moved behind it."""
    duration = LIVE_MINUTES * MINUTE_MS if plan.live else PAST_HOURS * HOUR_MS
    now = int(time.time() * 1000)
    start = now // MINUTE_MS * MINUTE_MS - duration - 2 * MINUTE_MS if plan.live else PAST
    made = generate(compile_settings(config), events=plan.events, seed=plan.seed, start=start, duration=duration, faults=True)
    end = now + AHEAD_MS if plan.live else parse_time(made.truth["clock_advanced_at"])
    end += -end % MINUTE_MS  # KPIs are those of full minutes
    return [addressed(line, plan.partitions) for line in made.lines], end
