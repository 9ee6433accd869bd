"""News of an alert as a record of `support.alerts.v1`: a CloudEvent, its key the fingerprint."""

from __future__ import annotations

from typing import Any

import orjson

from processor.codec.times import format_time
from processor.explain.evidence import SEGMENT_LABELS
from processor.paging.payload import FIRING, News

SOURCE = "/ticket-kpis/alerts"
ABOUT_TICKETS = "kpi"  # alert_kind of alerts of which workers can tell more


def segment_of(news: News) -> dict[str, str]:
    """The labels by which tickets and contacts can be chosen."""
    return {name: news.labels[name] for name in SEGMENT_LABELS if news.labels.get(name)}


def wants_evidence(news: News) -> bool:
    """Whether there is something to ask the workers for: while it fires, and only where it is about tickets."""
    return news.status == FIRING and news.labels.get("alert_kind") == ABOUT_TICKETS


def record_of(news: News, evidence: dict[str, Any] | None) -> tuple[bytes, bytes]:
    """Key and value."""
    labels = news.labels
    segment = ",".join(f"{name}={value}" for name, value in segment_of(news).items())
    began, ended = format_time(news.starts_at), None if news.ends_at is None else format_time(news.ends_at)
    document = {
        "specversion": "1.0",
        "id": news.id,
        "source": SOURCE,
        "type": f"support.alert.{news.status}",
        "subject": f"{labels['alertname']}/{segment}" if segment else labels["alertname"],
        "time": ended or began,
        "partitionkey": news.fingerprint,
        "data": {
            "alert": labels["alertname"],
            "status": news.status,
            "severity": labels.get("severity", ""),
            "kind": labels.get("alert_kind", ""),
            "family": labels.get("alert_family", ""),
            "fingerprint": news.fingerprint,
            "starts_at": began,
            "ends_at": ended,
            "labels": labels,
            "annotations": news.annotations,
            "generator_url": news.generator_url,
            "receiver": news.receiver,
            "group_key": news.group_key,
            "evidence": evidence,
        },
    }
    return news.fingerprint.encode("utf-8", "replace"), orjson.dumps(document)
