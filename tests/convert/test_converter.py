"""Tiny logs, one feature each: what the rows say, and the events they become."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from processor.convert.converter import Converter, Result
from processor.convert.mapping import MappingError, parse_mapping
from processor.convert.order import examine
from processor.convert.table import Table
from processor.core.settings import DAY_MS
from tests.convert.test_mapping import minimal

STATUS = {
    "type": "support.ticket.status_changed",
    "at": "at",
    "when": [{"first": False}, {"value": "status", "changed": True}],
    "data": {"status": {"value": "status"}},
}
CREATED = {
    "type": "support.ticket.created",
    "at": "at",
    "when": [{"first": True}],
    "data": {"channel": "email", "status": {"value": "status"}},
}
STATES = {"Open": "open", "Done": "solved", "Filed": "closed"}
TICKETS = minimal(events=[CREATED, STATUS], values={"status": {"column": "state", "map": STATES}})

CALLS = minimal(
    times={
        "columns": ["rang", "queued", "left"],
        "format": "%H:%M:%S",
        "date": "day",
        "date_format": "%d.%m.%Y",
        "null_tokens": ["0:00:00"],
    },
    events=[
        {"type": "support.contact.initiated", "at": "rang", "data": {"channel": "phone"}},
        {"type": "support.contact.queued", "at": "queued", "when": [{"column": "queued", "is_null": False}], "data": {"channel": "phone"}},
        {"type": "support.contact.accepted", "at": ["left", "rang"]},
    ],
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def convert(log: Path, content: str | bytes, raw: dict[str, Any], *, keep_order: bool = False) -> Result:
    log.write_bytes(content if isinstance(content, bytes) else content.encode())
    mapping = parse_mapping(raw)
    return Converter(mapping).convert(Table(log, mapping.input, mapping.columns()).rows(), keep_order=keep_order)


def told(result: Result) -> list[tuple[str, str, str]]:
    """(time, kind, entity) of each event."""
    return [(json.loads(event.value)["time"][:19], event.kind, event.key) for event in result.events]


def test_the_first_row_creates_and_only_changes_become_events(log: Path) -> None:
    rows = "id,at,state\nA,2026-01-05T10:00:00Z,Open\nA,2026-01-05T10:01:00Z,Open\nA,2026-01-05T10:02:00Z,Done\n"
    result = convert(log, rows, TICKETS)
    assert told(result) == [("2026-01-05T10:00:00", "ticket.created", "A"), ("2026-01-05T10:02:00", "ticket.status_changed", "A")]
    assert (result.rows, result.without_events, result.entities) == (3, 1, 1)
    assert json.loads(result.events[1].value)["data"] == {"ticket_id": "A", "status": "solved"}


def test_first_and_changed_speak_of_time_not_of_the_place_in_the_file(log: Path) -> None:
    rows = "id,at,state\nA,2026-01-05T10:02:00Z,Done\nB,2026-01-05T09:00:00Z,Open\nA,2026-01-05T10:00:00Z,Open\n"
    kinds = [(kind, key) for _, kind, key in told(convert(log, rows, TICKETS))]
    assert kinds == [("ticket.created", "B"), ("ticket.created", "A"), ("ticket.status_changed", "A")]


def test_rows_of_one_instant_keep_the_order_of_the_file_by_their_sequence(log: Path) -> None:
    rows = "id,at,state\n" + "".join(f"A,2026-01-05T10:00:00Z,{state}\n" for state in ("Open", "Done", "Open", "Filed"))
    events = [json.loads(event.value) for event in convert(log, rows, TICKETS).events]
    assert [event["data"]["status"] for event in events] == ["open", "solved", "open", "closed"]
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(sequences)
    assert sequences[2] == "000000000003.01"


def test_a_file_with_the_newest_row_first_counts_from_its_end(log: Path) -> None:
    rows = "id,at,state\nA,2026-01-05T10:00:00Z,Filed\nA,2026-01-05T10:00:00Z,Done\nA,2026-01-05T10:00:00Z,Open\n"
    raw = {**TICKETS, "input": {"newest_first": True}}
    events = [json.loads(event.value) for event in convert(log, rows, raw).events]
    assert [event["data"]["status"] for event in events] == ["open", "solved", "closed"]
    kept = convert(log, rows, raw, keep_order=True)
    assert [json.loads(event.value)["data"]["status"] for event in kept.events] == ["closed", "solved", "open"]


def test_converting_again_gives_the_same_bytes(log: Path) -> None:
    rows = "id,at,state\nA,2026-01-05T10:00:00Z,Open\nA,2026-01-05T10:01:00Z,Done\n"
    assert convert(log, rows, TICKETS).events == convert(log, rows, TICKETS).events


def test_a_dot_in_the_name_of_a_field_leads_into_an_object(log: Path) -> None:
    author = {"column": "by", "map": {"Agent": "agent", "Macro": "bot"}}
    data = {"message_id": {"column": "comment"}, "author.type": author, "author.id": {"column": "who"}}
    raw = minimal(events=[{"type": "support.message.added", "at": "at", "data": data}])
    rows = "id,at,comment,by,who\nA,2026-01-05T10:00:00Z,c1,Agent,Ann\nA,2026-01-05T10:01:00Z,c2,Macro,\n"
    events = [json.loads(event.value)["data"] for event in convert(log, rows, raw).events]
    assert events == [
        {"ticket_id": "A", "message_id": "c1", "author": {"type": "agent", "id": "Ann"}},
        {"ticket_id": "A", "message_id": "c2", "author": {"type": "bot"}},
    ]


def test_several_columns_make_one_key(log: Path) -> None:
    raw = {**TICKETS, "key": {"columns": ["line", "id"], "separator": "/", "prefix": "call-"}}
    result = convert(log, "line,id,at,state\nL1,7,2026-01-05T10:00:00Z,Open\nL2,7,2026-01-05T10:00:00Z,Open\n", raw)
    assert [key for _, _, key in told(result)] == ["call-L1/7", "call-L2/7"]


def test_one_row_may_be_several_events_and_null_times_are_none(log: Path) -> None:
    result = convert(log, "id,day,rang,queued,left\n1,05.01.2026,9:00:00,9:00:10,9:00:40\n2,05.01.2026,9:05:00,0:00:00,0:00:00\n", CALLS)
    assert told(result) == [
        ("2026-01-05T09:00:00", "contact.initiated", "1"),
        ("2026-01-05T09:00:10", "contact.queued", "1"),
        ("2026-01-05T09:00:40", "contact.accepted", "1"),
        ("2026-01-05T09:05:00", "contact.initiated", "2"),
        ("2026-01-05T09:05:00", "contact.accepted", "2"),
    ]


@pytest.mark.parametrize(("take", "time"), [("first", "09:00:30"), ("latest", "09:00:30"), ("earliest", "09:00:29")])
def test_an_event_may_happen_at_the_first_the_latest_or_the_earliest_of_several_times(log: Path, take: str, time: str) -> None:
    raw = {**CALLS, "events": [{"type": "support.contact.accepted", "at": ["queued", "left"], "take": take}]}
    result = convert(log, "id,day,rang,queued,left\n1,05.01.2026,9:00:00,9:00:30,9:00:29\n2,05.01.2026,8:00:00,0:00:00,8:00:01\n", raw)
    assert [moment[11:] for moment, _, _ in told(result)] == ["08:00:01", time]


@pytest.mark.parametrize(
    ("row", "times"),
    [
        ("23:59:50,23:59:58,0:00:20", ["05T23:59:50", "05T23:59:58", "06T00:00:20"]),  # wraps at midnight
        ("9:00:10,9:00:30,9:00:29", ["05T09:00:10", "05T09:00:29", "05T09:00:30"]),  # two clocks disagree: no day is added
        ("23:59:50,0:00:01,23:59:59", ["05T23:59:50", "05T23:59:59", "06T00:00:01"]),  # they disagree across midnight
    ],
)
def test_times_of_day_wrap_at_midnight_but_not_for_clocks_that_disagree(log: Path, row: str, times: list[str]) -> None:
    result = convert(log, f"id,day,rang,queued,left\n1,05.01.2026,{row}\n", CALLS)
    assert [time[8:] for time, _, _ in told(result)] == times


def test_local_times_are_read_in_their_zone_with_summer_time(log: Path) -> None:
    raw = {**TICKETS, "times": {"columns": "at", "format": "%d.%m.%Y %H:%M", "zone": "Europe/Berlin"}}
    rows = "id,at,state\nA,05.01.2026 10:00,Open\nB,05.07.2026 10:00,Open\n"
    assert [time for time, _, _ in told(convert(log, rows, raw))] == ["2026-01-05T09:00:00", "2026-07-05T08:00:00"]


@pytest.mark.parametrize(("choice", "expected"), [("earlier", "2026-10-25T00:30:00"), ("later", "2026-10-25T01:30:00")])
def test_a_time_that_occurs_twice_is_read_as_the_mapping_says_and_counted(log: Path, choice: str, expected: str) -> None:
    raw = {**TICKETS, "times": {"columns": "at", "zone": "Europe/Berlin", "ambiguous": choice}}
    result = convert(log, "id,at,state\nA,2026-10-25T02:30:00,Open\n", raw)
    assert (told(result)[0][0], result.ambiguous, result.nonexistent) == (expected, 1, 0)


def test_a_time_that_never_occurred_moves_forward_by_the_gap_and_is_counted(log: Path) -> None:
    raw = {**TICKETS, "times": {"columns": "at", "zone": "Europe/Berlin"}}
    result = convert(log, "id,at,state\nA,2026-03-29T02:30:00,Open\n", raw)
    assert (told(result)[0][0], result.ambiguous, result.nonexistent) == ("2026-03-29T01:30:00", 0, 1)  # 03:30 summer time


@pytest.mark.parametrize(
    ("layout", "text"), [("epoch_seconds", "1767607200"), ("epoch_ms", "1767607200000"), ("iso", "2026-01-05T11:00:00+01:00")]
)
def test_formats_of_time(log: Path, layout: str, text: str) -> None:
    raw = {**TICKETS, "times": {"columns": "at", "format": layout}}
    assert told(convert(log, f"id,at,state\nA,{text},Open\n", raw))[0][0] == "2026-01-05T10:00:00"


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("\ufeffid,at,state\nÄ,2026-01-05T10:00:00Z,Open\n".encode(), {}),
        ("id;at;state\r\n\r\nÄ;2026-01-05T10:00:00Z;Open\r\n".encode("cp1252"), {"delimiter": ";", "encoding": "cp1252"}),
        ("id\tat\tstate\nÄ\t2026-01-05T10:00:00Z\tOpen\n".encode("utf-16"), {"delimiter": "\t", "encoding": "utf-16"}),
        (gzip.compress("id,at,state\nÄ,2026-01-05T10:00:00Z,Open\n".encode()), {}),
        ("Ä,2026-01-05T10:00:00Z,Open".encode(), {"columns": ["id", "at", "state"]}),
        ('id,at,state\n"Ä",2026-01-05T10:00:00Z,"Open"\n'.encode(), {}),
    ],
    ids=["byte order mark", "semicolon, cp1252, blank line", "tab, utf-16", "gzip", "no header", "quotes"],
)
def test_however_the_file_is_written(log: Path, content: bytes, options: dict[str, Any]) -> None:
    result = convert(log, content, {**TICKETS, "input": options})
    assert told(result) == [("2026-01-05T10:00:00", "ticket.created", "Ä")]
    assert not result.dropped


def test_bad_rows_are_counted_with_their_lines_and_stop_nothing(log: Path) -> None:
    content = (
        b"id,at,state\n"
        b"A,2026-01-05T10:00:00Z,Open\n"
        b"B,2026-01-05T10:00:00Z\n"
        b"C,yesterday,Open\n"
        b"D,2026-01-05T10:00:00Z,Asleep\n"
        b",2026-01-05T10:00:00Z,Open\n"
        b"E,,Open\n"
        b"\xff,2026-01-05T10:00:00Z,Open\n"
        b"F,1066-10-14T10:00:00Z,Open\n"
        b"A,2026-01-05T11:00:00Z,Done\n"
    )
    result = convert(log, content, TICKETS)
    assert [(drop.line, drop.reason.value) for drop in result.dropped] == [
        (3, "wrong_column_count"),
        (4, "bad_time"),
        (5, "unmapped_value"),
        (6, "missing_key"),
        (7, "missing_time"),
        (8, "bad_encoding"),
        (9, "bad_time"),
    ]
    assert [kind for _, kind, _ in told(result)] == ["ticket.created", "ticket.status_changed"]
    assert result.rows == 9


def test_a_dropped_row_is_nobodys_previous_row(log: Path) -> None:
    rows = "id,at,state\nA,2026-01-05T10:00:00Z,Asleep\nA,2026-01-05T11:00:00Z,Done\n"
    assert [kind for _, kind, _ in told(convert(log, rows, TICKETS))] == ["ticket.created"]


def test_an_event_that_no_decoder_would_accept_drops_its_row(log: Path) -> None:
    raw = {**TICKETS, "values": {"status": {"column": "state"}}}
    result = convert(log, "id,at,state\nA,2026-01-05T10:00:00Z,Open\nB,2026-01-05T10:00:00Z,open\n", raw)
    assert [(drop.line, drop.reason.value) for drop in result.dropped] == [(2, "invalid_event")]
    assert len(result.events) == 1


def test_a_damaged_gzip_file_gives_what_is_before_the_damage(log: Path) -> None:
    rows = "id,at,state\n" + "".join(f"T{number},2026-01-05T10:00:00Z,Open\n" for number in range(5000))
    result = convert(log, gzip.compress(rows.encode())[:-2000], TICKETS)
    assert [drop.reason.value for drop in result.dropped][-1] == "file_ends_early"
    assert result.events


def test_rows_are_left_out_on_purpose_without_being_faults(log: Path) -> None:
    raw = {**TICKETS, "keep": [{"column": "state", "not_in": ["Test"]}, {"column": "id", "is_null": False}]}
    result = convert(log, "id,at,state\nA,2026-01-05T10:00:00Z,Open\nB,2026-01-05T10:00:00Z,Test\n,x,Open\n", raw)
    assert (result.left_out, len(result.dropped), len(result.events)) == (2, 0, 1)


def test_values_types_defaults_and_nulls(log: Path) -> None:
    event = {
        "type": "support.contact.ended",
        "at": "at",
        "data": {
            "talk_seconds": {"column": "talk", "type": "integer"},
            "hold_seconds": {"column": "hold", "type": "number", "null_tokens": ["-"]},
            "outcome": {"column": ["how", "why"], "separator": ":", "map": {"ok:done": "handled"}, "default": "dropped"},
        },
    }
    raw = minimal(events=[event])
    header, rows = "id,at,talk,hold,how,why\n", ["A,2026-01-05T10:00:00Z,61,2.5,ok,done\n", "B,2026-01-05T10:00:00Z,,-,no,\n"]
    result = convert(log, header + "".join(rows) + "C,2026-01-05T10:00:00Z,long,-,ok,done\n", raw)
    assert [json.loads(event.value)["data"] for event in result.events] == [
        {"contact_id": "A", "talk_seconds": 61, "hold_seconds": 2.5, "outcome": "handled"},
        {"contact_id": "B", "outcome": "dropped"},
    ]
    assert [drop.reason.value for drop in result.dropped] == ["bad_number"]


def test_a_null_may_be_meant(log: Path) -> None:
    event = {"type": "support.ticket.assignee_changed", "at": "at", "data": {"assignee_id": {"column": "who", "nullable": True}}}
    result = convert(log, "id,at,who\nA,2026-01-05T10:00:00Z,\n", minimal(events=[event]))
    assert json.loads(result.events[0].value)["data"] == {"ticket_id": "A", "assignee_id": None}


def test_missing_columns_are_named_all_at_once(log: Path) -> None:
    with pytest.raises(MappingError) as caught:
        convert(log, "id,when,mood\n", TICKETS)
    assert len(caught.value.faults) == 2
    assert "'at'" in caught.value.faults[0]
    assert "id, when, mood" in caught.value.faults[0]


def test_what_replay_would_call_late_is_known_beforehand(log: Path) -> None:
    rows = "id,at,state\nA,2026-01-05T10:00:00Z,Open\nB,2026-01-03T10:00:00Z,Open\nC,2026-01-05T09:00:00Z,Open\n"
    kept = examine(convert(log, rows, TICKETS, keep_order=True).events, allowed_lateness_ms=DAY_MS, clock_skew_ms=5000)
    assert (kept.late, kept.out_of_order, kept.latest_by_ms) == (1, 2, 2 * DAY_MS)
    in_order = examine(convert(log, rows, TICKETS).events, allowed_lateness_ms=DAY_MS, clock_skew_ms=5000)
    assert (in_order.late, in_order.out_of_order) == (0, 0)


def test_tickets_that_would_be_adopted_are_counted(log: Path) -> None:
    late_creation = {**CREATED, "at": "later", "when": [{"first": True}]}
    reply = {"type": "support.ticket.status_changed", "at": "at", "data": {"status": {"value": "status"}}}
    raw = {**TICKETS, "times": {"columns": ["at", "later"]}, "events": [late_creation, reply]}
    result = convert(log, "id,at,later,state\nA,2026-01-05T10:00:00Z,2026-01-05T10:01:00Z,Open\n", raw)
    order = examine(result.events, allowed_lateness_ms=DAY_MS, clock_skew_ms=5000)
    assert (order.before_creation, order.never_created) == (1, 0)
    none = examine(result.events[:1], allowed_lateness_ms=DAY_MS, clock_skew_ms=5000)
    assert none.never_created == 1
