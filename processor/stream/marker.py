"""The marker of a partition: what makes its records one state, written in every transaction."""

from __future__ import annotations

from typing import Any

from processor.codec.state import encode_marker
from processor.config import Config
from processor.core.engine import Engine
from processor.core.settings import DAY_MS, Settings
from processor.stream.inputs import Appended
from processor.versions import stamp


class MarkerWriter:
    """Writes the markers of one partition; what they say of the settings is made anew once a day of the state's clocks."""

    def __init__(self, config: Config, settings: Settings, partitions: int) -> None:
        self._fixed = {"application_id": config.application_id, "partitions": partitions, "fingerprint": settings.fingerprint}
        self._settings = settings
        self._stamp: dict[str, Any] | None = None

    def write(
        self, engine: Engine, *, applied: dict[str, int], epoch: int, newest_appended_at: int, appended_at: int, rekeyed_record: Appended
    ) -> bytes:
        """The marker's value.

        `applied` is the last folded offset of each input topic, `appended_at` when that event was appended (ms; 0 = not known),
        `newest_appended_at` the same of the newest event, `rekeyed_record` the last applied record of the re-keyed topic.
        """
        moving = {"applied": applied, "epoch": epoch, "newest_appended_at": newest_appended_at, "appended_at": appended_at}
        return self.write_of(engine.marker(), engine.partition, **moving, rekeyed_record=rekeyed_record)

    def write_of(self, stood: dict[str, Any], partition: int, **moving: Any) -> bytes:
        """The same for an engine that is not at hand any more; `stood` is its part of the marker, `moving` as in `write`."""
        until = max(stood["stream_time"], stood["timer_time"])
        if self._stamp is None or self._stamp["day"] != until // DAY_MS:
            self._stamp = stamp(self._settings, until)
        return encode_marker({**self._fixed, "partition": partition, **moving, "settings": self._stamp, **stood})
