"""What must be reached and what is aimed at: one table. All on two cores shared with the broker, ratios of one run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Limit:
    """A figure may not be worse than `floor`; `goal` is what it should be. `most`: smaller is better."""

    floor: float
    goal: float | None = None
    most: bool = False

    def missed(self, value: float) -> bool:
        """Whether a value is worse than the floor."""
        return value > self.floor if self.most else value < self.floor

    def __str__(self) -> str:
        return f"at {'most' if self.most else 'least'} {self.floor:,}" + (f" (goal {self.goal:,})" if self.goal is not None else "")


LIMITS = {
    "worker_to_kafka_streams": Limit(0.6, 1.0),
    "worker_to_usual_faust": Limit(15, 30),
    "engine_events_per_second": Limit(70_000, 100_000),
    "bytes_per_open_ticket": Limit(2000, 1000, most=True),
    "recovery_seconds_of_a_million": Limit(25, 10, most=True),
    "recovery_rebalances": Limit(1, most=True),  # with a session of 6 s: nothing keeps heartbeats for so long
    "nameless_pause_of_kept_partitions_ms_median": Limit(1000, 300, most=True),
    "named_others_taken_over": Limit(0, most=True),
    "breach_p99_seconds": Limit(1, 0.3, most=True),
    "metric_p99_seconds": Limit(1, 0.5, most=True),
    "scrape_p99_seconds": Limit(0.2, most=True),
    "bytes_written_per_input_byte": Limit(6, 3, most=True),
    "cost_of_many_open_to_few": Limit(1.5, 1.2, most=True),
    "cost_of_many_segments_to_few": Limit(1.5, 1.2, most=True),
    "memory_slope_mb_per_minute": Limit(1, 0, most=True),
    "kpi_percent_of_a_core": Limit(10, 5, most=True),
}


def show(figures: dict[str, Any], *, tiny: bool = False) -> list[str]:
    """Print the table; returns the figures that miss their floor. Those of a tiny run are compared with nothing."""
    table = Table("part", "figure", "value", "limit", box=None, pad_edge=False)
    table.columns[2].justify = table.columns[3].justify = "right"
    missed = []
    for part, values in figures.items():
        for name, value in values.items():
            limit = None if tiny else LIMITS.get(name)
            if limit is not None and limit.missed(value):
                missed.append(name)
            shown = f"{value:,}" if isinstance(value, (int, float)) else str(value)
            table.add_row(part, name, f"[red]{shown}[/]" if name in missed else shown, str(limit or ""))
    Console(stderr=True, highlight=False, width=160).print(table)
    return missed
