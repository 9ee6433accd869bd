"""What if: one log under two configurations, side by side.

The first replay is the log as it was: each version of a policy and each change of a calendar from its own date on, as the workers counted.
The second has the newest version of each in force since the beginning, so that it says what a target or a calendar would have meant for the
past. Nothing of it reaches a worker's numbers: those are never changed behind anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from processor.compile import compile_newest, compile_rules
from processor.config import Config
from processor.core.business_hours import NEVER
from processor.core.settings import Settings
from processor.replay import Replay
from processor.report import comparison, document
from processor.versions import fingerprints


class WhatIf:
    """The replay as it was, given, and another one beside it that gets the same lines."""

    def __init__(
        self, as_it_was: Replay, supposed: Config, *, partitions: int | None = None, timers_until: Mapping[int, int] | int = NEVER
    ) -> None:
        self.as_it_was = as_it_was
        self.supposed = Replay(supposed, settings=compile_newest(supposed), partitions=partitions, timers_until=timers_until)

    @property
    def records(self) -> int:
        """Lines read."""
        return self.as_it_was.records

    def feed_lines(self, lines: list[bytes]) -> None:
        """The next lines, to both."""
        self.as_it_was.feed_lines(lines)
        self.supposed.feed_lines(lines)

    def finish(self, at: Mapping[int, int] | int | None = None) -> None:
        """Let the timers of both run up to `at`, as `Replay.finish` does."""
        self.as_it_was.finish(at)
        self.supposed.finish(at)

    def document(self, as_it_was: document.Document, seconds: float) -> document.Document:
        """What goes under `what_if` into the report for programs; `as_it_was` is the report of the first replay."""
        supposed = document.build(
            self.supposed.views(), self.supposed.settings.group_bys, self.supposed.days(), self.supposed.last_day(),
            records=self.supposed.records, seconds=seconds, examples={}, rules=compile_rules(self.supposed.config),
        )  # fmt: skip
        return {
            "settings": {"as_it_was": _settings(self.as_it_was.settings), "what_if": _settings(self.supposed.settings)},
            "comparison": comparison.compare(as_it_was, supposed),
            "policies": comparison.compare_policies(as_it_was, supposed),
            "report": supposed,
        }


def _settings(settings: Settings) -> dict[str, Any]:
    """Which settings these are, in hashes."""
    return {"fingerprint": settings.fingerprint, **fingerprints(settings)}
