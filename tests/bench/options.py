"""How large a run is: what every part is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PEER = ROOT.parent / "shared" / "bench" / "KafkaStreamsPeer.java"


@dataclass(frozen=True, slots=True)
class Size:
    """`events` of the log, how often each competitor runs, how long what is paced lasts.

    `rate` is what a worker can do, in events a second, of which paced parts use the half; 0: it is measured first. `peer` is
    the source of the other side, if it is there.
    """

    events: int = 1_000_000
    rounds: int = 5
    minutes: float = 1.0
    rate: float = 0.0
    peer: Path | None = field(default_factory=lambda: PEER if PEER.exists() else None)

    @property
    def tiny(self) -> bool:
        """Too few events for any figure to mean something: a test of the benchmark itself."""
        return self.events < 50_000
