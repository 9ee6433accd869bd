"""Notifications as Alertmanager sends them."""

from __future__ import annotations

import json
from typing import Any

LABELS = {
    "alertname": "SupportBacklogGrowing", "severity": "critical", "alert_kind": "kpi", "alert_family": "backlog",
    "job": "ticket-kpis", "group": "billing",
}  # fmt: skip
STARTED = "2026-11-22T14:33:03.123456789Z"
NEVER = "0001-01-01T00:00:00Z"


def alert(**changes: Any) -> dict[str, Any]:
    """One alert that fires."""
    return {
        "status": "firing", "labels": LABELS, "annotations": {"summary": "More tickets come in than are solved."},
        "startsAt": STARTED, "endsAt": NEVER, "generatorURL": "http://prometheus:9090/graph?g0.expr=x", "fingerprint": "9b1d8c3f0e7a5462",
    } | changes  # fmt: skip


def notification(*alerts: Any, **changes: Any) -> bytes:
    """The body of a request."""
    document = {
        "version": "4", "groupKey": "{}/{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "topic", "groupLabels": {},
        "commonLabels": LABELS, "commonAnnotations": {}, "externalURL": "http://alertmanager:9093", "alerts": list(alerts),
    }  # fmt: skip
    return json.dumps(document | changes).encode()
