"""A small log about everything, as lines: two agents, five tickets, calls, surveys, readers, customers and costs on one morning."""

from __future__ import annotations

from typing import Any

from processor.codec.envelope import cloud_event, encode
from processor.compile import compile_rules
from processor.config import Config, loads
from processor.core.settings import HOUR_MS, MINUTE_MS
from processor.replay import Replay
from processor.report import document

START = 1_795_248_000_000  # 2026-11-21T08:00:00Z
CONFIG = loads(b"kpis: {per_agent: true, min_n: 3}\nfirst_contact: {repeat_window: 1h}\n", "story")


def line(number: int, kind: str, minute: float, key: str, **data: Any) -> bytes:
    event = cloud_event(kind=kind, id=f"e{number:04}", source="/test", occurred_at_ms=START + round(minute * MINUTE_MS), data=data)
    return encode(event | {"subject": key, "partitionkey": key})


def told() -> list[tuple[str, float, str, dict[str, Any]]]:
    """(type, minute, key, data)."""
    found: list[tuple[str, float, str, dict[str, Any]]] = []

    def say(kind: str, minute: float, key: str, **data: Any) -> None:
        found.append((kind, minute, key, data))

    for agent in ("A-1", "A-2"):
        say("agent.state_changed", 0, agent, agent_id=agent, state="available", group="billing")
        say("agent.state_changed", 30, agent, agent_id=agent, state="busy", group="billing")
        say("agent.state_changed", 60, agent, agent_id=agent, state="offline", group="billing")
    for number in range(1, 6):
        key = f"T-{number}"
        say("ticket.created", number, key, ticket_id=key, channel="email", priority="normal", group="billing", requester_id=f"P-{number}",
            topic="invoice", direction="inbound", status="new", assignee_id="A-1")
    for number in range(1, 4):
        key, agent = f"T-{number}", "A-1" if number < 3 else "A-2"
        say("message.added", number + 10, key, ticket_id=key, message_id=f"M-{number}", author={"type": "agent", "id": agent},
            visibility="public", automated=False)
        say("ticket.assignee_changed", number + 10, key, ticket_id=key, assignee_id=agent)
        say("ticket.status_changed", number + 20, key, ticket_id=key, status="solved")
        say("survey.sent", number + 25, key, survey_id=f"S-{number}", survey="csat", ticket_id=key, respondent_id=f"P-{number}")
        say("survey.responded", number + 28, key, survey_id=f"S-{number}", survey="csat", ticket_id=key, respondent_id=f"P-{number}",
            score=5 if number < 3 else 1, scale_min=1, scale_max=5)
    for number in range(1, 4):
        key = f"C-{number}"
        say("contact.queued", 30 + number, key, contact_id=key, channel="phone", queue="hotline", topic="invoice")
        if number < 3:
            say("contact.accepted", 30.5 + number, key, contact_id=key, agent_id="A-2")
            say("contact.ended", 35 + number, key, contact_id=key, talk_seconds=240, hold_seconds=30, outcome="handled")
            say("contact.wrapped_up", 36 + number, key, contact_id=key, wrap_up_seconds=60)
        else:
            say("contact.abandoned", 35, key, contact_id=key)
    for number in range(1, 3):
        say("kb.article_viewed", 40 + number, f"V-{number}", visitor_id=f"V-{number}", session_id=f"K-{number}", article_id="a")
    for number in range(1, 5):
        say("customer.acquired", 1 + number, f"O-{number}", organization_id=f"O-{number}")
    say("customer.churned", 50, "O-4", organization_id="O-4")
    say("cost.recorded", 55, "ops", amount=90, currency="EUR")
    return found


def replayed(partitions: int = 1, config: Config = CONFIG, *, without: str = "", **options: Any) -> Replay:
    """The story, perhaps `without` one type of events."""
    replay = Replay(config, partitions=partitions, **options)
    ordered = sorted((each for each in told() if each[0] != without), key=lambda each: each[1])
    replay.feed_lines([line(number, kind, minute, key, **data) for number, (kind, minute, key, data) in enumerate(ordered)])
    replay.finish(START + 2 * HOUR_MS)
    assert not replay.refused, replay.refused
    return replay


def report_of(replay: Replay, config: Config = CONFIG, **more: Any) -> dict[str, Any]:
    """As `ticket-kpis replay --json` builds it."""
    return document.build(
        replay.views(), replay.settings.group_bys, replay.days(), replay.last_day(), records=replay.records, seconds=1.0, examples={},
        rules=compile_rules(config), **more,
    )  # fmt: skip


def kpis_of(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The KPIs of a report by their names."""
    return {each["kpi"]: each for group in found["kpi_groups"] for each in group["kpis"]}
