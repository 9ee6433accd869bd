"""What Alertmanager's webhook says (version 4 of its payload), read strictly: news of single alerts, or what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from processor.codec.times import EARLIEST_MS, LATEST_MS, format_time, parse_time

VERSION = "4"
FIRING, RESOLVED = "firing", "resolved"
FINGERPRINT_CHARS_MAX = 64


class PayloadError(Exception):
    """It is no notification of Alertmanager; the message says where it differs. `reason` is one word for the metrics."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class News:
    """One alert that fires or is over. Times in milliseconds; `ends_at` None: it still fires."""

    status: str
    fingerprint: str
    starts_at: int
    ends_at: int | None
    labels: dict[str, str]
    annotations: dict[str, str]
    generator_url: str
    receiver: str
    group_key: str

    @property
    def id(self) -> str:
        """The same for the same news, however often and by whomever it is told."""
        said = f"{self.fingerprint}|{format_time(self.starts_at)}|{self.status}"
        return blake2b(said.encode(), digest_size=16).hexdigest()


def read(body: bytes) -> list[News]:
    """All alerts of a notification, or PayloadError: then none of them is taken."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise PayloadError("malformed_json", f"not JSON: {error.msg}") from None
    if not isinstance(document, dict):
        raise PayloadError("malformed_json", "not a JSON object")
    if document.get("version") != VERSION:
        found = repr(document.get("version"))[:40]
        raise PayloadError("wrong_version", f'version is {found}, must be "{VERSION}": is this a webhook of Alertmanager?')
    alerts = document.get("alerts")
    if not isinstance(alerts, list):
        raise PayloadError("wrong_field", "alerts: not a list")
    receiver, group_key = _text(document, "receiver", "receiver"), _text(document, "groupKey", "groupKey")
    return [_alert(alert, f"alerts[{number}]", receiver, group_key) for number, alert in enumerate(alerts)]


def truncated(body: bytes) -> int:
    """How many alerts Alertmanager left out: its configuration limits them (max_alerts)."""
    count = orjson.loads(body).get("truncatedAlerts", 0)
    return count if isinstance(count, int) else 0


def _alert(alert: Any, path: str, receiver: str, group_key: str) -> News:
    if not isinstance(alert, dict):
        raise PayloadError("wrong_field", f"{path}: not an object")
    status = alert.get("status")
    if status not in (FIRING, RESOLVED):
        raise PayloadError("wrong_field", f"{path}.status: {status!r:.40}, must be {FIRING} or {RESOLVED}")
    fingerprint = _text(alert, "fingerprint", f"{path}.fingerprint")
    if not 1 <= len(fingerprint) <= FINGERPRINT_CHARS_MAX:
        raise PayloadError("wrong_field", f"{path}.fingerprint: empty or longer than {FINGERPRINT_CHARS_MAX} characters")
    labels = _texts(alert, "labels", path)
    if not labels.get("alertname"):
        raise PayloadError("wrong_field", f"{path}.labels.alertname: missing")
    starts_at = _time(alert, "startsAt", path)
    if starts_at is None:
        raise PayloadError("wrong_field", f"{path}.startsAt: not a time between 1990 and 2049")
    return News(
        status, fingerprint, starts_at, _time(alert, "endsAt", path) if status == RESOLVED else None, labels,
        _texts(alert, "annotations", path), str(alert.get("generatorURL") or ""), receiver, group_key,
    )  # fmt: skip


def _text(document: dict[str, Any], name: str, path: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise PayloadError("wrong_field", f"{path}: {'missing' if value is None else 'not a text'}")
    return value


def _texts(alert: dict[str, Any], name: str, path: str) -> dict[str, str]:
    values = alert.get(name)
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise PayloadError("wrong_field", f"{path}.{name}: not an object of texts")
    return values


def _time(alert: dict[str, Any], name: str, path: str) -> int | None:
    """None where it is not set, which is written as the year 1."""
    try:
        at = parse_time(_text(alert, name, f"{path}.{name}"))
    except ValueError as error:
        raise PayloadError("wrong_field", f"{path}.{name}: {error}") from None
    return at if EARLIEST_MS <= at < LATEST_MS else None
