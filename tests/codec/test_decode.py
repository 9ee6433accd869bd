"""What the decoder makes of valid events, and how it names what is wrong with the others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processor.codec import fields
from processor.codec.decode import MAX_BYTES, decode
from processor.codec.kinds import KINDS, TYPES
from processor.core.events import DATA_FIELDS, RANK_CREATED, RANK_DISCARD, RANK_MESSAGE, RANK_NORMAL, Event, Reason, Rejected
from processor.schemas_path import schemas_path

EVENT_SCHEMAS = (
    *("support.ticket.v1", "support.message.v1", "support.contact.v1", "support.bot.v1", "support.survey.v1", "support.work.v1"),
    *("support.agent.v1", "support.kb.v1", "support.customer.v1", "support.cost.v1", "support.control.v1"),
)
EXAMPLES = [path for name in EVENT_SCHEMAS for path in sorted((schemas_path() / "examples" / name).glob("*.json"))]
INVALID = [path for name in EVENT_SCHEMAS for path in sorted((schemas_path() / "invalid" / name).glob("*.json"))]

NINE_MS = 1_795_252_443_120  # 2026-11-21T09:14:03.120Z


def event(kind: str, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "E-1",
        "source": "/test",
        "type": f"support.{kind}",
        "time": "2026-11-21T09:14:03.120Z",
        "data": data,
    }


def decoded(document: Any, **options: Any) -> Event:
    result = decode(json.dumps(document).encode(), **options)
    assert isinstance(result, Event), result
    return result


def refused(document: Any, **options: Any) -> Rejected:
    result = decode(json.dumps(document).encode(), **options)
    assert isinstance(result, Rejected), result
    return result


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_example_is_accepted(path: Path) -> None:
    result = decode(path.read_bytes())
    assert isinstance(result, Event)
    assert len(result.data) == len(DATA_FIELDS[result.kind])


@pytest.mark.parametrize("path", INVALID, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_invalid_example_is_refused_for_the_reason_in_its_name(path: Path) -> None:
    result = decode(path.read_bytes())
    assert isinstance(result, Rejected)
    assert result.reason == path.name.partition(".")[0]


def test_the_decoder_knows_exactly_the_kinds_of_the_engine() -> None:
    assert {each.name for kind in KINDS.values() for each in (kind.subjects or (kind,))} == set(TYPES) == set(DATA_FIELDS)


def test_an_event_carries_its_envelope() -> None:
    document = event("ticket.priority_changed", ticket_id="T-1", priority="high") | {"sequence": "007"}
    assert decoded(document) == Event(NINE_MS, RANK_NORMAL, "007", "/test", "E-1", "ticket.priority_changed", "T-1", ("high",))


def test_creation_comes_first_and_what_discards_a_ticket_last() -> None:
    assert decoded(event("ticket.created", ticket_id="T-1", channel="web")).rank == RANK_CREATED
    assert decoded(event("ticket.deleted", ticket_id="T-1")).rank == RANK_DISCARD
    message = event("message.added", ticket_id="T-1", message_id="M", author={"type": "agent"})
    assert decoded(message).rank == RANK_MESSAGE
    assert decoded(message | {"sequence": "1"}).rank == RANK_NORMAL


OPTIONAL = (
    *("status", "priority", "direction", "group", "tier", "topic", "policy_id", "assignee_id"),
    *("requester_id", "follow_up_of", "language", "product", "complexity"),
)


@pytest.mark.parametrize("empty", [{}, dict.fromkeys(OPTIONAL)])
def test_absent_and_null_fields_of_a_creation_have_the_same_defaults(empty: dict[str, None]) -> None:
    data = decoded(event("ticket.created", ticket_id="T-1", channel="web", **empty)).data
    assert data == ("web", "new", "normal", "inbound", *(None,) * 10)


def test_all_fields_of_a_creation_arrive_in_order() -> None:
    fields_in_order = {
        "channel": "chat",
        "status": "open",
        "priority": "low",
        "direction": "outbound",
        "group": "g",
        "tier": "t",
        "topic": "x",
        "policy_id": "p",
        "assignee_id": "a",
        "requester_id": "r",
        "follow_up_of": "f",
        "language": "de",
        "product": "shop",
        "complexity": "hard",
    }
    assert decoded(event("ticket.created", ticket_id="T-1", **fields_in_order)).data == tuple(fields_in_order.values())


def test_the_empty_string_counts_as_absent_where_absence_is_allowed() -> None:
    assert decoded(event("ticket.group_changed", ticket_id="T-1", group="")).data == (None,)


def test_only_the_changed_fields_that_folds_use_are_kept() -> None:
    document = event("ticket.fields_changed", ticket_id="T-1", policy_id=None, topic="billing", language="de", tags=["a"])
    assert decoded(document).data == ((("topic", "billing"), ("policy_id", None), ("language", "de")),)


def test_a_message_is_public_and_written_by_hand_unless_it_says_otherwise() -> None:
    document = event("message.added", ticket_id="T-1", message_id="M-1", author={"type": "agent"})
    assert decoded(document).data == ("M-1", "agent", "public", False, None)
    document["data"] |= {"visibility": "internal", "automated": True, "author": {"type": "customer", "id": "P-1"}}
    assert decoded(document).data == ("M-1", "customer", "internal", True, "P-1")


@pytest.mark.parametrize("said", [None, True, False])
def test_whether_a_solve_was_at_first_contact_may_be_left_open(said: bool | None) -> None:
    document = event("ticket.status_changed", ticket_id="T-1", status="solved", first_contact_resolved=said)
    assert decoded(document).data == ("solved", None, said)


ABOUT = [
    ("bot.started", {"ticket_id": "T-1"}, "ticket.bot_started", "T-1"),
    ("bot.handed_off", {"contact_id": "C-1"}, "contact.bot_handed_off", "C-1"),
    ("bot.resolved", {"contact_id": "C-1", "ticket_id": "T-1"}, "ticket.bot_resolved", "T-1"),
    ("bot.resolved", {"contact_id": "C-1", "ticket_id": ""}, "contact.bot_resolved", "C-1"),
    ("survey.sent", {"ticket_id": "T-1", "respondent_id": "P-1", "survey_id": "S", "survey": "csat"}, "ticket.survey_sent", "T-1"),
    ("survey.sent", {"ticket_id": None, "respondent_id": "P-1", "survey_id": "S", "survey": "nps"}, "person.survey_sent", "P-1"),
    ("survey.responded", {"respondent_id": "P-1", "survey_id": "S", "survey": "nps", "score": 9}, "person.survey_responded", "P-1"),
    ("work.logged", {"ticket_id": "T-1", "seconds": 60}, "ticket.work_logged", "T-1"),
    ("kb.searched", {"visitor_id": "P-1"}, "person.searched", "P-1"),
    ("customer.count_snapshot", {"organization_id": "O-1", "count": 7}, "organization.counted", "O-1"),
]


@pytest.mark.parametrize(("kind", "data", "name", "key"), ABOUT)
def test_some_types_are_called_after_whom_they_are_about(kind: str, data: dict[str, Any], name: str, key: str) -> None:
    result = decoded(event(kind, **data))
    assert (result.kind, result.key) == (name, key)


def test_of_two_that_an_event_names_the_partition_key_says_which_it_is_about() -> None:
    document = event("bot.started", ticket_id="T-1", contact_id="C-1")
    assert decoded(document | {"partitionkey": "C-1"}).kind == "contact.bot_started"
    assert decoded(document | {"partitionkey": "T-1"}).kind == "ticket.bot_started"
    assert refused(document | {"partitionkey": "C-2"}).reason is Reason.KEY_MISMATCH


def test_nobody_named_is_a_missing_field() -> None:
    result = refused(event("survey.sent", survey_id="S", survey="csat"))
    assert result == Rejected(Reason.MISSING_FIELD, "data.ticket_id or data.respondent_id: required")
    assert refused(event("cost.recorded", amount=1, currency="EUR")) == Rejected(Reason.MISSING_FIELD, "partitionkey: required")


def test_a_ticket_is_merged_into_another_one() -> None:
    """Into itself it would leave the backlog, and its breaches would count no more."""
    merged = event("ticket.merged", ticket_id="T-1", merged_into="T-1")
    assert refused(merged) == Rejected(Reason.INVALID_VALUE, "data.merged_into: the ticket itself; a ticket is merged into another one")


def test_a_cost_belongs_to_the_partition_key_and_is_exact() -> None:
    result = decoded(event("cost.recorded", amount=1250.55, currency="EUR", group="emea") | {"partitionkey": "acme"})
    assert (result.kind, result.key, result.data) == ("account.cost_recorded", "acme", (1_250_550, "EUR", "emea"))


def answer(survey: str, score: object, **more: Any) -> dict[str, Any]:
    return event("survey.responded", ticket_id="T-1", survey_id="S", survey=survey, score=score, **more)


@pytest.mark.parametrize(("survey", "scale"), [("csat", (1, 5)), ("nps", (0, 10)), ("ces", (1, 7)), ("fcr", (0, 1))])
def test_a_score_has_the_usual_scale_of_its_survey_unless_it_says_otherwise(survey: str, scale: tuple[int, int]) -> None:
    low, high = scale
    for score in scale:
        assert decoded(answer(survey, score)).data == ("S", survey, score, low, high, None, None, None)
    for outside in (low - 1, high + 1, low - 0.001, high + 0.001):
        assert refused(answer(survey, outside)) == Rejected(Reason.INVALID_VALUE, f"data.score: outside of its scale, {low} to {high}")
    assert decoded(answer("csat", 7, scale_max=10)).data[2:5] == (7, 1, 10)


@pytest.mark.parametrize(
    ("survey", "scale"), [("csat", (5, 1)), ("csat", (3, 3)), ("csat", (5, None)), ("nps", (1, 5)), ("nps", (0, 100)), ("nps", (None, 9))]
)
def test_a_scale_that_says_nothing_is_refused(survey: str, scale: tuple[int | None, int | None]) -> None:
    result = refused(answer(survey, 3, scale_min=scale[0], scale_max=scale[1]))
    assert (result.reason, result.detail.partition(":")[0]) == (Reason.INVALID_VALUE, "data.scale_max")


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "-Infinity"])
def test_numbers_that_are_none_are_refused(number: str) -> None:
    text = json.dumps(event("work.logged", ticket_id="T-1", seconds=77)).replace("77", number)
    assert isinstance(decode(text.encode()), Rejected)


def test_durations_keep_their_fractions() -> None:
    assert decoded(event("contact.ended", contact_id="C-1", talk_seconds=1.5)).data == (1.5, None, None)


def test_control_events_have_no_entity() -> None:
    advanced = decoded(event("control.clock_advanced", at="2026-11-21T10:14:03.120+01:00"))
    assert (advanced.key, advanced.data) == ("", (NINE_MS,))
    assert decoded(event("source.heartbeat", source="/zendesk") | {"partitionkey": "0"}).data == ("/zendesk",)


@pytest.mark.parametrize("prefix", ["com.example", "com.example."])
def test_the_configured_prefix_is_stripped_and_may_be_left_out(prefix: str) -> None:
    document = event("ticket.deleted", ticket_id="T-1")
    plain = decoded(document, prefix=prefix)
    document["type"] = "com.example.support.ticket.deleted"
    assert decoded(document, prefix=prefix) == plain
    assert refused(document).reason is Reason.UNKNOWN_TYPE
    assert refused(document, prefix="org.example").reason is Reason.UNKNOWN_TYPE


def test_values_of_few_kinds_are_shared_between_events() -> None:
    document = event("ticket.created", ticket_id="T-1", channel="web", group="first line", assignee_id="A-1")
    first, second = decoded(document), decoded(document)
    assert all(one is other for one, other in zip(first.data, second.data, strict=True))
    assert first.source is second.source


def test_what_is_shared_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "_LABELS_MAX", 100)
    for number in range(300):
        assert fields.label(f"noise {number}", "data.group") == f"noise {number}"
        assert len(fields._labels) <= 100
    assert fields.label(None, "data.group") is None


BROKEN_BYTES = {
    "nothing": (b"", Reason.MALFORMED_JSON),
    "blank": (b" ", Reason.MALFORMED_JSON),
    "one_nul": (b"\0", Reason.MALFORMED_JSON),
    "a_nul_at_the_end": (b"{}\0", Reason.MALFORMED_JSON),
    "cut_off": (b'{"specversion": "1.0", "id"', Reason.MALFORMED_JSON),
    "two_documents": (b"{}{}", Reason.MALFORMED_JSON),
    "nan": (b'{"data": NaN}', Reason.MALFORMED_JSON),
    "infinity": (b'{"data": -Infinity}', Reason.MALFORMED_JSON),
    "a_number_beyond_floats": (b'{"data": 1e999}', Reason.MALFORMED_JSON),
    "an_integer_of_5000_digits": (b'{"data": ' + b"9" * 5000 + b"}", Reason.MALFORMED_JSON),
    "half_a_surrogate_pair": (b'{"id": "\\ud800"}', Reason.MALFORMED_JSON),
    "a_raw_line_break": (b'{"id": "a\nb"}', Reason.MALFORMED_JSON),
    "deep_lists": (b"[" * 100_000, Reason.MALFORMED_JSON),
    "deep_objects": (b'{"a":' * 100_000, Reason.MALFORMED_JSON),
    "utf8_with_bom": (b"\xef\xbb\xbf{}", Reason.INVALID_ENCODING),
    "utf16": ("{}".encode("utf-16"), Reason.INVALID_ENCODING),
    "utf16_le_without_bom": ('{"a": 1}'.encode("utf-16-le"), Reason.INVALID_ENCODING),
    "utf16_be_without_bom": ('{"a": 1}'.encode("utf-16-be"), Reason.INVALID_ENCODING),
    "utf32": ("{}".encode("utf-32"), Reason.INVALID_ENCODING),
    "latin1": ('{"id": "Zoë"}'.encode("latin-1"), Reason.INVALID_ENCODING),
    "surrogates_in_utf8": (b'{"id": "\xed\xa0\x80"}', Reason.INVALID_ENCODING),
    "compressed": (b"\x1f\x8b\x08\x00\x00\x00\x00\x00", Reason.INVALID_ENCODING),
    "null": (b"null", Reason.NOT_AN_OBJECT),
    "a_list": (b"[{}]", Reason.NOT_AN_OBJECT),
    "a_string": (b'"{}"', Reason.NOT_AN_OBJECT),
    "a_huge_number": (b"1" + b"0" * 300, Reason.NOT_AN_OBJECT),
    "an_empty_object": (b"{}", Reason.MISSING_FIELD),
}


@pytest.mark.parametrize("name", BROKEN_BYTES)
def test_bytes_that_hold_no_event_are_refused_with_the_reason(name: str) -> None:
    value, reason = BROKEN_BYTES[name]
    result = decode(value)
    assert isinstance(result, Rejected)
    assert result.reason is reason


def test_a_tombstone_is_refused() -> None:
    result = decode(None)
    assert isinstance(result, Rejected)
    assert result.reason is Reason.TOMBSTONE


def test_the_size_limit_is_met_exactly() -> None:
    value = json.dumps(event("ticket.deleted", ticket_id="T-1")).encode()
    assert isinstance(decode(value.ljust(MAX_BYTES)), Event)
    too_large = decode(value.ljust(MAX_BYTES + 1))
    assert isinstance(too_large, Rejected)
    assert too_large.reason is Reason.PAYLOAD_TOO_LARGE
    assert isinstance(decode(value, max_bytes=len(value) - 1), Rejected)


def test_deep_nesting_in_an_ignored_field_does_no_harm() -> None:
    document = json.dumps(event("ticket.deleted", ticket_id="T-1"))
    assert isinstance(decode((document[:-1] + ', "x": ' + "[" * 900 + "]" * 900 + "}").encode()), Event)


@pytest.mark.parametrize(
    ("change", "reason", "path"),
    [
        ({"time": "2026-02-30T00:00:00Z"}, Reason.INVALID_TIME, "time"),
        ({"time": "0000-01-01T00:00:00Z"}, Reason.INVALID_TIME, "time"),
        ({"time": "1989-12-31T23:59:59.999Z"}, Reason.TIME_OUT_OF_RANGE, "time"),
        ({"time": "2050-01-01T00:00:00Z"}, Reason.TIME_OUT_OF_RANGE, "time"),
        ({"partitionkey": "T-2"}, Reason.KEY_MISMATCH, "partitionkey"),
        ({"data": None}, Reason.WRONG_TYPE, "data"),
        ({"type": "support.ticket.exploded"}, Reason.UNKNOWN_TYPE, "type"),
        ({"type": ["support.ticket.deleted"]}, Reason.WRONG_TYPE, "type"),
        ({"specversion": {}}, Reason.WRONG_TYPE, "specversion"),
        ({"source": {}}, Reason.WRONG_TYPE, "source"),
        ({"source": "s" * 257}, Reason.INVALID_VALUE, "source"),
        ({"sequence": "s" * 257}, Reason.INVALID_VALUE, "sequence"),
        ({"data": {"ticket_id": "t" * 257}}, Reason.INVALID_VALUE, "data.ticket_id"),
        ({"data": {}}, Reason.MISSING_FIELD, "data.ticket_id"),
    ],
)
def test_a_refusal_names_the_field(change: dict[str, Any], reason: Reason, path: str) -> None:
    result = refused(event("ticket.deleted", ticket_id="T-1") | change)
    assert (result.reason, result.detail.partition(":")[0]) == (reason, path)


def test_the_range_of_times_is_met_exactly() -> None:
    for time in ("1990-01-01T00:00:00Z", "2049-12-31T23:59:59.999Z"):
        decoded(event("ticket.deleted", ticket_id="T-1") | {"time": time})


def places(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if path:
        yield path
    if isinstance(node, dict):
        for name, value in node.items():
            yield from places(value, (*path, name))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_refusal_never_repeats_what_may_speak_of_a_person(path: Path) -> None:
    marker = "jane.doe@example.org"
    original = json.loads(path.read_text())
    for place in places(original):
        for bad in (marker, marker * 50, [marker], {marker: marker}):
            document = json.loads(path.read_text())
            target = document
            for name in place[:-1]:
                target = target[name]
            target[place[-1]] = bad
            result = decode(json.dumps(document).encode())
            if isinstance(result, Rejected) and marker in result.detail:
                assert "is not one of" in result.detail or "documented type" in result.detail
                assert result.detail.count(marker) <= 2
                assert len(result.detail) < 200
