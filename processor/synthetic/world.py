"""The organisation: when people write and call, about what, how fast they are answered. All times in milliseconds.

Everything is drawn from one seeded generator, so the same seed, number of events, start and settings give the same log.
"""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate
from math import log
from random import Random

from processor.core.settings import DAY_MS, HOUR_MS, MINUTE_MS, MS

# Share of a day's arrivals by hour of the day (UTC): quiet nights, a peak in the morning and a smaller one after lunch.
HOURLY = (1, 1, 1, 1, 1, 2, 4, 8, 13, 16, 17, 15, 12, 13, 15, 14, 13, 11, 8, 6, 5, 4, 3, 2)
WEEKEND = 0.35
SLOT_MS = 5 * MINUTE_MS

# Once a day something breaks: many write at once, about one topic, and wait longer.
SURGE_FROM_MS = 14 * HOUR_MS
SURGE_MS = 90 * MINUTE_MS
SURGE_FACTOR = 2.5
SURGE_SLOWER = 3.0

CHANNELS = (("email", 42), ("web", 28), ("chat", 13), ("messaging", 11), ("phone", 6))
CONTACT_CHANNELS = (("phone", 70), ("chat", 30))
PRIORITIES = (("low", 18), ("normal", 52), ("high", 22), ("urgent", 8))
TIERS = (("standard", 70), ("premium", 22), ("enterprise", 8))  # what the customer bought
TOPICS = (("invoice", 20), ("refund", 9), ("login", 18), ("outage", 6), ("bug", 22), ("setup", 16), ("integration", 9))
GROUP_OF = {
    "invoice": "billing",
    "refund": "billing",
    "login": "technical",
    "outage": "technical",
    "bug": "technical",
    "setup": "onboarding",
    "integration": "onboarding",
}
GROUPS = ("billing", "technical", "onboarding")
LANGUAGES = (("de", 52), ("en", 36), ("fr", 12))
PRODUCTS = (("app", 46), ("platform", 34), ("connector", 20))
QUEUE_OF = {"phone": "hotline", "chat": "chat"}
SECOND_LINE = "second_line"  # where contacts are transferred to
AGENTS = {group: tuple(f"A-{group[0].upper()}{number:02d}" for number in range(1, 13)) for group in GROUPS}

# Median time to a first reply.
REPLY_MEDIAN = {"email": 150 * MINUTE_MS, "web": 120 * MINUTE_MS, "chat": 45 * MS, "messaging": 70 * MS, "phone": 9 * MS}
PRIORITY_PACE = {"low": 1.5, "normal": 1.0, "high": 0.6, "urgent": 0.3}
SOURCE_OF = {"email": "/helpdesk/mail", "web": "/helpdesk/web", "chat": "/livechat", "messaging": "/livechat", "phone": "/telephony"}
SURVEYS_SOURCE, PORTAL_SOURCE, WORKFORCE_SOURCE, BILLING_SOURCE = "/surveys", "/help", "/workforce", "/billing"


class Choice:
    """A weighted choice, prepared once."""

    __slots__ = ("_cumulative", "_total", "_values")

    def __init__(self, weighted: tuple[tuple[str, int], ...]) -> None:
        self._values = tuple(value for value, _ in weighted)
        self._cumulative = tuple(accumulate(weight for _, weight in weighted))
        self._total = self._cumulative[-1]

    def pick(self, random: Random) -> str:
        """One of the values."""
        return self._values[bisect(self._cumulative, random.random() * self._total)]


class World:
    """When things happen between `start` and `end`, to which of so many people, and how long they take."""

    def __init__(self, random: Random, start: int, end: int, people: int = 20_000) -> None:
        self.random = random
        self.people = people
        self.start = start
        self.end = end
        self._slots = list(accumulate(_weight(slot) for slot in range(start, end, SLOT_MS)))
        self.channel = Choice(CHANNELS)
        self.contact_channel = Choice(CONTACT_CHANNELS)
        self.priority = Choice(PRIORITIES)
        self.tier = Choice(TIERS)
        self.topic = Choice(TOPICS)
        self.language = Choice(LANGUAGES)
        self.product = Choice(PRODUCTS)

    def arrival(self) -> int:
        """An instant at which somebody writes or calls."""
        slot = bisect(self._slots, self.random.random() * self._slots[-1])
        return min(self.start + slot * SLOT_MS + int(self.random.random() * SLOT_MS), self.end - 1)

    def soon_after(self, at: int, median_ms: int) -> int | None:
        """An instant some time after `at`; None where the log ends before it."""
        at += self.around(median_ms)
        return at if at < self.end else None

    def person(self) -> str:
        """Somebody who writes, calls, looks something up, or is asked."""
        return f"U-{int(self.random.random() * self.people):05d}"

    def chance(self, probability: float) -> bool:
        """True so often."""
        return self.random.random() < probability

    def around(self, median_ms: float, spread: float = 0.8) -> int:
        """A duration: mostly about the median, sometimes far longer, at least a millisecond."""
        return max(1, int(self.random.lognormvariate(log(median_ms), spread)))

    def first_reply(self, at: int, channel: str, priority: str) -> int:
        """How long a customer waits for a human."""
        median = REPLY_MEDIAN[channel] * PRIORITY_PACE[priority]
        if in_surge(at):
            median *= SURGE_SLOWER
        return self.around(median, 1.0)


def topic_of(world: World, at: int) -> str:
    """About what somebody writes or calls then."""
    return "outage" if in_surge(at) and world.chance(0.7) else world.topic.pick(world.random)


def in_surge(at: int) -> bool:
    """Whether the day's surge is on."""
    return SURGE_FROM_MS <= at % DAY_MS < SURGE_FROM_MS + SURGE_MS


def _weight(slot: int) -> float:
    weight = float(HOURLY[slot % DAY_MS // HOUR_MS])
    if (slot // DAY_MS + 3) % 7 >= 5:  # 1970-01-01 was a Thursday
        weight *= WEEKEND
    return weight * SURGE_FACTOR if in_surge(slot) else weight
