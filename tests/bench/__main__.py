"""`python -m tests.bench [--events N] [--only engine|worker|kpis] [--json PATH]`: a table to read, JSON to keep, floors and ceilings."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench import engine, kpis, worker

# What must be reached at least, on two cores shared with the broker.
FLOORS = {"engine_events_per_second": 50_000, "worker_events_per_second": 20_000}
# What may be reached at most.
CEILINGS = {"kpi_percent_of_a_core": 10}
PARTS = {"engine": engine.run, "worker": worker.run, "kpis": kpis.run}


def main() -> int:
    """Exit code 1 where a floor or a ceiling is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--events", type=int, default=400_000)
    parser.add_argument("--only", choices=sorted(PARTS))
    parser.add_argument("--json", type=Path, help="also write the figures to this file (- for standard output)")
    options = parser.parse_args()
    figures = {name: run(options.events) for name, run in PARTS.items() if options.only in (None, name)}
    figures["machine"] = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.machine()}
    missed = show(figures)
    if options.json is not None:
        text = json.dumps(figures, indent=2) + "\n"
        if str(options.json) == "-":
            sys.stdout.write(text)
        else:
            options.json.write_text(text)
    return 1 if missed else 0


def show(figures: dict[str, Any]) -> list[str]:
    """Print the table; returns the figures below their floor or above their ceiling."""
    table = Table("part", "figure", "value", "limit", box=None, pad_edge=False)
    table.columns[2].justify = table.columns[3].justify = "right"
    missed = []
    for part, values in figures.items():
        for name, value in values.items():
            floor, ceiling = FLOORS.get(name), CEILINGS.get(name)
            if (floor is not None and value < floor) or (ceiling is not None and value > ceiling):
                missed.append(name)
            shown = f"{value:,}" if isinstance(value, (int, float)) else str(value)
            limit = f"at least {floor:,}" if floor else f"at most {ceiling:,}" if ceiling else ""
            table.add_row(part, name, f"[red]{shown}[/]" if name in missed else shown, limit)
    Console(stderr=True, highlight=False).print(table)
    return missed


if __name__ == "__main__":
    sys.exit(main())
