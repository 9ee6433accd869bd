"""What all partitions of a worker share."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer

from processor.config import Config
from processor.core.settings import Settings
from processor.export.telemetry import Recorder
from processor.stream.failpoints import Failpoints
from processor.wall_clock import WallClock


@dataclass(frozen=True, slots=True)
class Environment:
    """One for each worker."""

    config: Config
    settings: Settings
    connection: dict[str, Any]
    consumer: AIOKafkaConsumer
    clock: WallClock
    recorder: Recorder
    failpoints: Failpoints
    from_log_start: bool
    folding: asyncio.Lock = field(default_factory=asyncio.Lock)  # one partition folds at a time; the others commit meanwhile
