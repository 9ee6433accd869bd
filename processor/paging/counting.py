"""How the receiver of alerts itself fares, for its own /metrics: few numbers, which start at 0 with the process."""

from __future__ import annotations

from collections import Counter

from processor.export.collector import CONTENT_TYPE, go_float

__all__ = ["CONTENT_TYPE", "FAMILIES", "Counts"]

REASONS = ("malformed_json", "wrong_version", "wrong_field", "too_large")
STATUSES = ("firing", "resolved")

# name -> (type, help, label, its values)
FAMILIES: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "notifications_total": ("counter", "Notifications of Alertmanager. Unit: notifications.", "", ()),
    "notifications_failed_total": (
        "counter", "Of these, those that Kafka did not acknowledge: answered with 503, so that they are sent again. Unit: notifications.",
        "", (),
    ),
    "notifications_refused_total": (
        "counter", "Of these, those that nobody can use: answered with 400 or 413. Unit: notifications.", "reason", REASONS,
    ),
    "alerts_written_total": ("counter", "Alerts written to the topic and acknowledged. Unit: alerts.", "status", STATUSES),
    "alerts_repeated_total": ("counter", "Alerts that were written before, and are not written again. Unit: alerts.", "", ()),
    "alerts_truncated_total": ("counter", "Alerts that Alertmanager left out: see max_alerts there. Unit: alerts.", "", ()),
    "evidence_incomplete_total": ("counter", "Alerts written without all the evidence that was asked for. Unit: alerts.", "", ()),
    "last_written_timestamp_seconds": ("gauge", "When an alert was written last; 0: none yet. Unit: timestamp.", "", ()),
    "kafka_up": ("gauge", "Whether the topic can be written to, as far as is known. Unit: flag.", "", ()),
}  # fmt: skip
PREFIX = "support_paging_"


class Counts:
    """The numbers, by family and value of its label."""

    def __init__(self) -> None:
        self._values: Counter[tuple[str, str]] = Counter()

    def add(self, family: str, value: str = "", count: int = 1) -> None:
        """Count."""
        self._values[family, value] += count

    def put(self, family: str, number: int) -> None:
        """Let a gauge have this value."""
        self._values[family, ""] = number

    def render(self) -> bytes:
        """The text for Prometheus."""
        lines = []
        for name, (kind, told, label, values) in FAMILIES.items():
            lines += [f"# HELP {PREFIX}{name} {told}", f"# TYPE {PREFIX}{name} {kind}"]
            for value in values or ("",):
                labels = f'{{{label}="{value}"}}' if label else ""
                lines.append(f"{PREFIX}{name}{labels} {go_float(self._values[name, value])}")
        return "".join(f"{line}\n" for line in lines).encode()
