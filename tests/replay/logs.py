"""Small logs for tests: some told event by event, some generated with their truth."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import orjson

from processor.codec.envelope import cloud_event, encode
from processor.codec.murmur2 import partition_of
from processor.codec.times import parse_time
from processor.compile import compile_settings
from processor.config import Config, loads
from processor.core.settings import HOUR_MS, MINUTE_MS
from processor.synthetic.generate import Synthetic, generate

START = parse_time("2026-03-02T08:00:00Z")

SMALL_CONFIG = loads(
    b"""
segments:
  known: {channel: [email, phone], priority: [normal, urgent], group: [billing], queue: [hotline]}
  group_bys: [[], [channel], [group], [queue]]
  windows: [[], [group], [queue]]
calendars:
  office: {zone: UTC, hours: {mon: "08:00-18:00", tue: "08:00-18:00"}}
policies:
  - {id: calls, match: {channel: phone}, targets: {queue_wait: 20s}}
  - {id: standard, calendar: office, targets: {first_response: 30m, resolution: 8h}}
""",
    "small",
)


def event(minute: float, kind: str, **data: Any) -> bytes:
    """One event `minute` minutes after START; its id follows from what it says."""
    at = START + round(minute * MINUTE_MS)
    number = f"{kind}-{minute:g}-{'-'.join(map(str, data.values()))}"
    return encode(cloud_event(kind=kind, id=number, source="/test", occurred_at_ms=at, data=data))


def told() -> list[bytes]:
    """A morning in which each thing happens at least once: see the names."""
    return [
        event(0, "ticket.created", ticket_id="T-answered", channel="email", priority="normal", group="billing"),
        event(1, "ticket.created", ticket_id="T-late", channel="email", priority="urgent", group="billing"),
        event(2, "ticket.created", ticket_id="T-spam", channel="email"),
        event(3, "ticket.marked_as_spam", ticket_id="T-spam"),
        event(5, "contact.queued", contact_id="C-answered", channel="phone", queue="hotline"),
        event(5.2, "contact.queued", contact_id="C-gone", channel="phone", queue="hotline"),
        event(5.25, "contact.accepted", contact_id="C-answered", agent_id="A-1"),
        event(6, "contact.abandoned", contact_id="C-gone"),
        event(6, "contact.queued", contact_id="C-short", channel="phone", queue="hotline"),
        event(6.05, "contact.abandoned", contact_id="C-short"),
        event(12, "message.added", ticket_id="T-answered", message_id="M-1", author={"type": "agent"}),
        event(40, "ticket.status_changed", ticket_id="T-answered", status="solved"),
        event(45, "ticket.status_changed", ticket_id="T-adopted", status="open"),
        event(50, "message.added", ticket_id="T-late", message_id="M-2", author={"type": "agent"}),
        event(20, "ticket.group_changed", ticket_id="T-late", group="technical"),  # out of order
        event(55, "ticket.status_changed", ticket_id="T-answered", status="open"),
        event(58, "contact.queued", contact_id="C-waiting", channel="phone", queue="hotline"),
        event(60, "ticket.created", ticket_id="T-new", channel="email", priority="normal", group="billing"),
    ]


@cache
def generated(config: Config | None = None) -> Synthetic:
    """Some thousand events with duplicates, events out of order and late ones, and their truth."""
    settings = compile_settings(config or Config())
    return generate(settings, events=4000, seed=7, start=START, duration=36 * HOUR_MS)


def capture(lines: Iterable[bytes], partitions: int, *, timestamp_ms: int = START + 1000 * HOUR_MS) -> list[bytes]:
    """The log as `capture` would write it after `send`: records with keys, partitions and offsets."""
    offsets = dict.fromkeys(range(partitions), 0)
    captured: list[bytes] = []
    for line in lines:
        document = orjson.loads(line)
        key = document.get("partitionkey")
        partition = partition_of(key.encode(), partitions) if key else 0
        place: dict[str, Any] = {"partition": partition, "offset": offsets[partition], "timestamp": timestamp_ms}
        offsets[partition] += 1
        captured.append(orjson.dumps({**place, "key": key, "headers": [], "value": line.decode()}))
    return captured
