"""What is written is what the schema says, and what the reader of consumers and a new owner understand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from processor.client import decode_kpis
from processor.codec.kpis import EDGES
from processor.codec.partials import Place
from processor.core.histogram import EDGES_SECONDS
from processor.core.kpis import DEFINITIONS, PER_AGENT, PLAIN, Kind, definition_of, observed
from processor.core.postings import HISTOGRAMS
from processor.core.rows import Row, add_row
from processor.core.settings import CLOCKS, DIMENSIONS, HOUR_MS, MINUTE_MS
from processor.core.windows import WINDOWS, bounds_of
from processor.export.kpi_view import Merged
from processor.kpis.combine import Combined, Published
from processor.kpis.encode import decode_published, encode_kpis, key_of
from processor.schemas_path import schemas_path
from tests.kpis.partials import MAIL, TOTAL, W

SCHEMA: dict[str, Any] = json.loads((schemas_path() / "support.kpis.v1.schema.json").read_text())
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
MIDNIGHT = W - 10 * HOUR_MS
QUEUE: Place = (("queue",), ('the "hot" line/1',))
KEYS = [
    "tickets_created", "tickets_solved", "tickets_reopened", "tickets_discarded:spam", "backlog_entered:created", "backlog_left:solved",
    "contacts_offered", "contacts_answered", "contacts_abandoned", "contacts_short_abandoned", "csat_responses", "csat_satisfied",
    "nps_responses:promoter", "nps_responses:detractor", "ces:b:5", "ces:b:6", "ces:sum", "interactions:b:0", "interactions:b:50",
    "interactions:sum", "agent_time:busy", "agent_time:available", "tickets_solved_by_agents", "agents:00000000000000ab", "kb_visitors",
    "cost:EUR", "customers", "customers_acquired", "customers_churned", "contacts_handled", "talk_time:sum",
]  # fmt: skip
OBSERVED = st.lists(st.tuples(st.sampled_from(sorted(HISTOGRAMS)), st.integers(0, 10**10)), max_size=8)
DECIDED = st.lists(st.tuples(st.sampled_from(CLOCKS), st.booleans()), max_size=6)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    row: Row = draw(st.dictionaries(st.sampled_from(KEYS), st.integers(1, 1000)))
    for name, duration in draw(OBSERVED):
        add_row(row, {HISTOGRAMS[name].bucket(duration): 1, HISTOGRAMS[name].sum: duration}, 1)
    for clock, breached in draw(DECIDED):
        add_row(row, {f"sla_measured:{clock}": 1} | ({f"sla_breached:{clock}": 1} if breached else {}), 1)
    return row


def written(combined: Combined, epoch: int = 3) -> dict[bytes, bytes | None]:
    return dict(encode_kpis(combined, epoch, (MIDNIGHT,)))


def document(place: Place, window: str, row: Row, backlog: int = 0, missing: tuple[int, ...] = ()) -> tuple[dict[str, Any], bytes]:
    value = written(Combined(W, 2, not missing, missing, {place: Merged({window: row}, backlog)}, ()))[key_of(place, window)]
    assert value is not None
    return json.loads(value), value


@given(st.sampled_from([TOTAL, MAIL, QUEUE]), st.sampled_from(WINDOWS), rows(), st.integers(0, 10), st.sampled_from([(), (1, 3)]))
@settings(max_examples=150)
def test_every_record_is_as_the_schema_says_and_is_read_as_it_was_meant(
    place: Place, window: str, row: Row, backlog: int, missing: tuple[int, ...]
) -> None:
    found, value = document(place, window, row, backlog, missing)
    assert [fault.message for fault in VALIDATOR.iter_errors(found)] == []
    read = decode_kpis(value)
    assert (read.key.by, read.key.values, read.key.window) == (*place, window)
    assert (read.at_ms, read.order, read.complete, read.missing_partitions) == (W, (3, W, 2), not missing, missing)
    start, end = bounds_of(window, W // MINUTE_MS, (MIDNIGHT,))
    meant = observed(place[0], row, backlog, (end - start) * 60)
    assert set(read.kpis) == set(meant)
    for name, kpi in read.kpis.items():
        definition = definition_of(name)
        assert definition is not None
        kind = definition.kind
        assert kpi.n == meant[name].n
        if kind not in PLAIN:
            assert (kpi.numerator, kpi.denominator) == pytest.approx((meant[name].numerator, meant[name].denominator), abs=1e-6)
        assert kpi.low_n == (kind not in PLAIN and kpi.n < 30)
        assert (kpi.low is not None) == (kpi.high is not None) == (meant[name].interval is not None)
        assert (kpi.numbers is not None) == (kind is Kind.NUMBER)
        if kpi.low is not None and kpi.high is not None:
            assert kpi.value is not None
            assert 0 <= kpi.low <= kpi.value + 1e-6
            assert kpi.value - 1e-6 <= kpi.high <= 1
        expected = meant[name].value
        assert kpi.value == (expected if expected is None else pytest.approx(expected, abs=1e-6))
        timed = meant[name].timed
        assert (kpi.durations is not None) == (timed is not None) == (kind is Kind.DURATION)
        if kpi.durations is not None and timed is not None:
            edges = (*map(float, EDGES_SECONDS), float("inf"))
            assert kpi.durations.buckets == tuple((edge, count) for edge, count in zip(edges, timed.counts, strict=True) if count)
            stats = meant[name].stats()
            assert kpi.durations.max == stats.get("max")
            assert kpi.durations.p90 == (pytest.approx(stats["p90"], abs=1e-6) if stats else None)


def test_windows_say_where_they_begin_and_end() -> None:
    bounds = {}
    for window in WINDOWS:
        data = document(TOTAL, window, {})[0]["data"]
        bounds[window] = (data["from"].removesuffix(":00.000Z"), data["until"].removesuffix(":00.000Z"))
    assert bounds == {
        "5m": ("2026-11-21T09:09", "2026-11-21T09:14"),
        "1h": ("2026-11-21T08:14", "2026-11-21T09:14"),
        "today": ("2026-11-20T23:14", "2026-11-21T09:14"),
        "24h": ("2026-11-20T09:00", "2026-11-21T09:00"),  # in steps of a quarter of an hour
        "7d": ("2026-11-14T09:00", "2026-11-21T09:00"),
    }


def test_every_segment_has_a_record_for_each_window_and_what_went_is_taken_away() -> None:
    records = written(Combined(W, 0, True, (), {TOTAL: Merged({}, 0), MAIL: Merged({"5m": {"tickets_created": 1}}, 1)}, (QUEUE,)))
    assert [(json.loads(key), value is None) for key, value in records.items()] == [
        ([*map(list, place), window], place == QUEUE) for place in (TOTAL, MAIL, QUEUE) for window in WINDOWS
    ]
    assert len({json.loads(value)["id"] for value in records.values() if value is not None}) == 10


def test_a_new_owner_reads_back_what_was_published() -> None:
    records = written(Combined(W, 4, True, (), {QUEUE: Merged({}, 0)}, (MAIL,)), epoch=9)
    found = [decode_published(key, value) for key, value in records.items()]
    assert found == [*(Published(QUEUE, window, 9, W, 4) for window in WINDOWS), *[None] * len(WINDOWS)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (None, b"{}"), (b"", b"{}"), (b"x", b"{}"), (b"[]", b"{}"), (b'[["channel"],[],"1h"]', b"{}"), (b'[[],[],"2h"]', b"{}"),
        (b'[[1],["a"],"1h"]', b"{}"), (b"5", b"{}"), (b'[[],[],"1h"]', b""), (b'[[],[],"1h"]', b"[]"), (b'[[],[],"1h"]', b"{}"),
        (b'[[],[],"1h"]', b'{"data": {"epoch": 1, "sequence": 0}, "time": "now"}'), (b'[[],[],"1h"]', b'{"data": null}'),
    ],
)  # fmt: skip
def test_what_is_none_of_ours_is_refused(key: bytes | None, value: bytes) -> None:
    with pytest.raises(ValueError, match="no KPIs"):
        decode_published(key, value)


def test_the_schema_speaks_of_the_same_kpis_dimensions_windows_and_edges() -> None:
    data = SCHEMA["properties"]["data"]["properties"]
    assert data["kpis"]["properties"] == {
        name: {"description": each.text, "$ref": f"#/$defs/{each.kind}"} for name, each in DEFINITIONS.items()
    }
    assert tuple(data["by"]["items"]["enum"]) == tuple(data["dimensions"]["properties"]) == (*DIMENSIONS, PER_AGENT)
    assert tuple(data["window"]["enum"]) == WINDOWS
    duration = SCHEMA["$defs"]["duration"]["properties"]
    assert tuple(duration["histogram"]["properties"]["buckets"]["propertyNames"]["enum"]) == EDGES


def test_the_schema_is_closed() -> None:
    def check(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object":
                assert "additionalProperties" in node
                assert node.get("additionalProperties") is not True
            for inner in node.values():
                check(inner)

    check(SCHEMA)
