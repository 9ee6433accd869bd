"""A notification is read as Alertmanager writes it; whatever differs is refused with its path, and nothing ever raises anything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from processor.codec.times import format_time
from processor.paging.counting import REASONS
from processor.paging.payload import PayloadError, read, truncated
from processor.paging.record import record_of, segment_of, wants_evidence
from processor.schemas_path import schemas_path
from tests.paging.notifications import LABELS, NEVER, alert, notification

VALIDATOR = Draft202012Validator(json.loads((schemas_path() / "support.alerts.v1.schema.json").read_text()))
EXAMPLES = sorted((schemas_path() / "examples/support.alerts.v1").iterdir())


def test_an_alert_that_fires_and_its_end_are_two_pieces_of_news_of_one_fingerprint() -> None:
    firing, resolved = read(notification(alert(), alert(status="resolved", endsAt="2026-11-22T15:00:00.5Z")))
    assert (firing.ends_at, resolved.ends_at) == (None, resolved.starts_at + 1_617_000 - 623 + 1000)
    assert firing.fingerprint == resolved.fingerprint
    assert firing.id != resolved.id


def test_the_same_news_has_the_same_id_whatever_else_has_changed() -> None:
    (first,) = read(notification(alert()))
    (again,) = read(notification(alert(annotations={"description": "now 43"}, endsAt="2026-11-22T20:00:00Z"), receiver="other"))
    (later,) = read(notification(alert(startsAt="2026-11-22T14:34:00Z")))
    assert first.id == again.id != later.id


@pytest.mark.parametrize("labels", [LABELS, {"alertname": "Foreign"}, LABELS | {"alert_kind": "processor"}])
@pytest.mark.parametrize("status", ["firing", "resolved"])
def test_a_record_is_as_the_schema_says(labels: dict[str, str], status: str) -> None:
    (news,) = read(notification(alert(status=status, labels=labels, endsAt="2026-11-22T15:00:00Z")))
    key, value = record_of(news, None)
    document = json.loads(value)
    assert [fault.message for fault in VALIDATOR.iter_errors(document)] == []
    assert key.decode() == document["partitionkey"] == news.fingerprint
    assert wants_evidence(news) == (status == "firing" and labels.get("alert_kind") == "kpi")
    assert document["subject"] == "/".join([labels["alertname"], *(["group=billing"] if "group" in labels else [])])


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: str(path.stem))
def test_the_examples_have_the_fields_that_are_written(path: Any) -> None:
    example = json.loads(path.read_text())
    data = example["data"]
    given_labels = {name: data[name] for name in ("labels", "annotations", "fingerprint", "status")}
    body = notification(alert(**given_labels, startsAt=data["starts_at"], endsAt=data["ends_at"] or NEVER))
    (news,) = read(body)
    written = json.loads(record_of(news, data["evidence"])[1])
    assert written.keys() == example.keys()
    assert written["data"].keys() == data.keys()
    assert (written["id"], written["subject"], written["time"]) == (example["id"], example["subject"], example["time"])
    assert format_time(news.starts_at) == data["starts_at"]


@pytest.mark.parametrize(
    ("body", "reason", "told"),
    [
        (b"", "malformed_json", "not JSON"),
        (b"[]", "malformed_json", "not a JSON object"),
        (b'{"a": ' * 50_000, "malformed_json", "not JSON"),
        (b"{}", "wrong_version", "version is None"),
        (notification(alert(), version="3"), "wrong_version", "version is '3'"),
        (notification(alert(), version=4), "wrong_version", "version is 4"),
        (notification(alerts=None), "wrong_field", "alerts: not a list"),
        (notification(groupKey=7), "wrong_field", "groupKey: not a text"),
        (notification(alert(), "x"), "wrong_field", "alerts[1]: not an object"),
        (notification(alert(status="pending")), "wrong_field", "alerts[0].status: 'pending'"),
        (notification(alert(fingerprint="")), "wrong_field", "alerts[0].fingerprint"),
        (notification(alert(fingerprint="x" * 65)), "wrong_field", "alerts[0].fingerprint"),
        (notification(alert(labels={})), "wrong_field", "alerts[0].labels.alertname: missing"),
        (notification(alert(labels=LABELS | {"group": 7})), "wrong_field", "alerts[0].labels: not an object of texts"),
        (notification(alert(annotations=None)), "wrong_field", "alerts[0].annotations"),
        (notification(alert(startsAt="yesterday")), "wrong_field", "alerts[0].startsAt: not an RFC 3339 time"),
        (notification(alert(startsAt=NEVER)), "wrong_field", "alerts[0].startsAt: not a time between"),
        (notification(alert(startsAt=None)), "wrong_field", "alerts[0].startsAt: missing"),
    ],
)
def test_what_is_no_notification_is_refused_with_its_path(body: bytes, reason: str, told: str) -> None:
    with pytest.raises(PayloadError) as refusal:
        read(body)
    assert refusal.value.reason == reason
    assert reason in REASONS
    assert told in str(refusal.value)


VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=2))


@given(st.dictionaries(st.sampled_from([*alert(), "labels"]), VALUES | st.dictionaries(st.text(max_size=3), VALUES, max_size=2)))
def test_whatever_an_alert_holds_it_is_read_or_refused(changes: dict[str, Any]) -> None:
    try:
        (news,) = read(notification(alert(**changes)))
    except PayloadError:
        return
    assert VALIDATOR.is_valid(json.loads(record_of(news, None)[1]))
    assert set(segment_of(news)) <= set(news.labels)


def test_what_alertmanager_left_out_is_known() -> None:
    assert truncated(notification(truncatedAlerts=7)) == 7
    assert truncated(notification(truncatedAlerts=None)) == 0
