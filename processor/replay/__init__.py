"""The engine on a recorded log: what a worker does with Kafka, here with files or with the lines of a test, and nothing else in between."""

from processor.replay.driver import STEP_RECORDS, Replay, ReplayError
from processor.replay.refused import Refused, no_events

__all__ = ["STEP_RECORDS", "Refused", "Replay", "ReplayError", "no_events"]
