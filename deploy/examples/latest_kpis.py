"""Print the latest KPIs of one window as they change: `.venv/bin/python deploy/examples/latest_kpis.py localhost:9092 [WINDOW] [TOPIC]`.

First comes the present state of every segment, then a line whenever a minute is given out or corrected. Windows: 5m, 1h, today, 24h, 7d.
"""

import asyncio
import contextlib
import sys

from processor.client import Kpi, KpiChange, KpiReader

SHOWN = ("service_level", "abandonment", "first_response_sla_compliance", "first_response")


def value_told(name: str, kpi: Kpi | None) -> str:
    """One KPI with what it rests on: a share of three observations is no share. A segment has those of which something was observed."""
    if kpi is None or kpi.value is None:
        return f"{name} -"
    if kpi.durations is not None:
        return f"{name} {kpi.value:.0f} s on average, half within {kpi.durations.p50:.0f} s (n={kpi.n})"
    return f"{name} {kpi.value:.1%} (n={kpi.n})"


def told(change: KpiChange) -> str:
    """One line for a segment's window."""
    segment = ", ".join(f"{name} {value}" for name, value in zip(change.key.by, change.key.values, strict=True)) or "everything"
    if change.kpis is None:
        return f"{segment}: nothing any more"
    missing = "" if change.kpis.complete else f" WITHOUT PARTITIONS {', '.join(map(str, change.kpis.missing_partitions))}"
    values = "; ".join(value_told(name, change.kpis.kpis.get(name)) for name in SHOWN)
    return f"{change.kpis.at:%Y-%m-%d %H:%M} UTC, {change.key.window}, {segment}{missing}: {values}"


async def main(bootstrap: str, window: str = "1h", topic: str = "support.kpis.v1") -> None:
    """Follow the topic until interrupted."""
    def warn(partition: int) -> None:
        print(f"partition {partition} is read from its beginning again: this program was away for too long", file=sys.stderr, flush=True)

    print(f"reading the present state of {topic}; with many segments that takes a while", file=sys.stderr, flush=True)
    async with KpiReader(bootstrap, topic, wait_seconds=60, told_over=warn) as reader:
        async for changes in reader:
            for change in changes:
                if change.key.window == window:
                    print(told(change), flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
