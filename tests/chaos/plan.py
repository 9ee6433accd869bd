"""What is done to the workers in a round: drawn by need, so that what was injected least comes first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from processor.stream.failpoints import POINTS

ACTIONS = ("KILL", "STOP", "RAISE")
# What is injected beside failpoints, and how often for one of the others at most: what restarts a broker takes long.
FAULTS = (
    "worker killed",
    "worker terminated",
    "worker stopped beyond its session",
    "rebalance storm",
    "broker killed in mid-transaction",
    "broker restarted in mid-transaction",
    "broker out",
    "broker slow",
    "adapter silent",
    "offsets rewound",
    "offsets deleted",
    "compaction forced",
    "state refuses writes",
    "events twice",
    "events late",
    "clock jumps",
    "clock wrong at the start",
)
LIVE = ("adapter silent", "clock jumps", "clock wrong at the start", "clock.after_now", "clock.after_end")  # these need a live clock
SLOW = ("broker killed in mid-transaction", "broker restarted in mid-transaction", "broker out")  # at most one of them a round
OUT_SECONDS = 6.5  # beyond the time-outs of requests and transactions
LONG_OUT_SECONDS = 60.0
LONG_OUT_EVERY = 10  # of the times that the broker is out, where there is time
FAILPOINTS_PER_ROUND = 3
FAULTS_PER_ROUND = 2
NAMED_SHARE = 0.3
ABRUPT_SHARE = 0.5

Need = Mapping[str, int]  # name -> how often it was injected already


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault, or one failpoint with what happens there at which passage. `seat` is the worker that it is for.

    `abrupt`: whoever sits there is killed before one that meets the failpoint at its start takes the place, else asked to end.
    """

    name: str
    seat: int
    action: str = ""
    count: int = 1
    seconds: float = 0.0
    abrupt: bool = False

    @property
    def label(self) -> str:
        """How it is counted in detail."""
        return f"{self.name} {self.action}".strip()


@dataclass(frozen=True, slots=True)
class Plan:
    """One round. `named` workers keep their names over restarts, for which the group waits."""

    seed: int
    workers: int
    partitions: int
    live: bool
    named: bool
    events: int
    injections: tuple[Injection, ...]

    def document(self) -> dict[str, Any]:
        """For the results."""
        return asdict(self)


def plan_of(document: Mapping[str, Any]) -> Plan:
    """The other way round."""
    return Plan(**{"named": False, **document, "injections": tuple(Injection(**each) for each in document["injections"])})


def names() -> tuple[str, ...]:
    """All that can be injected."""
    return (*FAULTS, *POINTS)


def draw(seed: int, injected: Need, *, only: str = "", long: bool = False) -> Plan:
    """The plan for a seed, where so much was injected before."""
    random = Random(seed)
    workers = random.choice((2, 3))
    chosen = [only] * 4 if only else _chosen(random, injected)
    live = any(name in LIVE for name in chosen)
    injections = [_injection(random, name, number % workers, injected, long=long) for number, name in enumerate(chosen)]
    partitions = max(workers, random.choice((2, 3)))
    return Plan(seed, workers, partitions, live, random.random() < NAMED_SHARE, random.randrange(400, 650), tuple(injections))


def _chosen(random: Random, injected: Need) -> list[str]:
    """Those with the fewest injections, of each sort, in any order."""
    faults = _neediest(random, FAULTS, injected)
    chosen = faults[:FAULTS_PER_ROUND]
    while sum(name in SLOW for name in chosen) > 1:
        late = next(name for name in reversed(chosen) if name in SLOW)
        chosen[chosen.index(late)] = next(name for name in faults if name not in SLOW and name not in chosen)
    chosen += _neediest(random, POINTS, injected)[:FAILPOINTS_PER_ROUND]
    random.shuffle(chosen)
    return chosen


def _neediest(random: Random, all_names: tuple[str, ...], injected: Need) -> list[str]:
    return sorted(random.sample(all_names, len(all_names)), key=lambda name: injected.get(name, 0))


def _injection(random: Random, name: str, seat: int, injected: Need, *, long: bool) -> Injection:
    if name in POINTS:
        action = min(ACTIONS, key=lambda each: (injected.get(f"{name} {each}", 0) * (1 if each == "KILL" else 2), random.random()))
        if starts(name):
            return Injection(name, seat, action, abrupt=random.random() < ABRUPT_SHARE)
        return Injection(name, seat, action, random.randrange(1, 4) if name.startswith("step.") else 1)
    if name == "broker out":
        minute = long and injected.get(name, 0) % LONG_OUT_EVERY == LONG_OUT_EVERY - 1
        return Injection(name, seat, seconds=LONG_OUT_SECONDS if minute else OUT_SECONDS)
    return Injection(name, seat, seconds=round(random.uniform(1.0, 3.0), 1))


def starts(point: str) -> bool:
    """Whether a failpoint is passed when a worker gets partitions, rather than all the time."""
    return point.startswith("takeover.") or point in ("kpis.after_fence", "kpis.after_read")
