"""What an open ticket costs in memory: how much the process grows by very many of them, timers, tails and levels included.

It runs in a process of its own (`python -m tests.bench.memory COUNT`), since memory that was used once is not given back.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from typing import Any

from processor.core.engine import Engine
from tests.bench.log import settings
from tests.bench.options import ROOT, Size
from tests.bench.processes import resident_bytes
from tests.bench.tickets import grow

TICKETS, TICKETS_TINY = 1_000_000, 2_000


def run(size: Size) -> dict[str, Any]:
    """Bytes per open ticket, of which one in five has a tail of five events."""
    count = TICKETS_TINY if size.tiny else TICKETS
    done = subprocess.run([sys.executable, "-m", __name__, str(count)], cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(count: int) -> dict[str, Any]:
    """Grow an engine in this process."""
    gc.disable()
    rules = settings()
    grow(Engine(rules), 500)
    gc.collect()
    engine = Engine(rules)
    before = resident_bytes()
    events = grow(engine, count)
    gc.collect()
    after = resident_bytes()
    tickets = engine.entities["ticket"]
    tails = sum(1 for ticket in tickets.values() if ticket.tail or ticket.stowed)
    if engine.view().open_tickets < count or tails < count // 5:
        raise RuntimeError(f"{engine.view().open_tickets} open tickets of {count}, {tails} with a tail")
    return {"tickets": count, "with_tail": tails, "events": events, "bytes_per_open_ticket": round((after - before) / count)}


if __name__ == "__main__":
    json.dump(measure(int(sys.argv[1])), sys.stdout)
