"""RFC 3339 in and out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from processor.codec import times
from processor.codec.times import format_time, parse_time

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NINE_MS = 1_795_252_443_120


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("2026-11-21T09:14:03.120Z", NINE_MS),
        ("2026-11-21t09:14:03.120z", NINE_MS),
        ("2026-11-21T09:14:03.12Z", NINE_MS),
        ("2026-11-21T09:14:03.120999999Z", NINE_MS),
        ("2026-11-21T09:14:03Z", NINE_MS - 120),
        ("2026-11-21T14:44:03.120+05:30", NINE_MS),
        ("2026-11-20T21:14:03.120-12:00", NINE_MS),
        ("2026-11-21T09:14:03.120-00:00", NINE_MS),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("1969-12-31T23:59:59.999Z", -1),
        ("2016-12-31T23:59:60.500Z", 1_483_228_800_500),
        ("2017-01-01T00:59:60.500+01:00", 1_483_228_800_500),
    ],
)
def test_known_times(text: str, ms: int) -> None:
    assert parse_time(text) == ms
    assert parse_time(text) == ms  # again, out of the cache


@pytest.mark.parametrize(
    "text",
    [
        *("", "now", "1795252443120", "2026-11-21", "2026-11-21T09:14Z", "2026-11-21T09:14:03", "2026-11-21 09:14:03Z"),
        *("2026-11-21T09:14:03.Z", "2026-11-21T09:14:03,120Z", "2026-11-21T09:14:03.1234567890Z", "2026-11-21T09:14:03Z\n"),
        *(" 2026-11-21T09:14:03Z", "2026-11-21T09:14:03+0100", "2026-11-21T09:14:03+01", "2026-11-21T09:14:03+24:00"),
        *("2026-11-21T09:14:03 01:00", "2026-11-21T09:14:03ZZ", "12026-11-21T09:14:03Z"),
        *("2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "0000-01-01T00:00:00Z"),
        *("2026-11-21T24:00:00Z", "2026-11-21T09:60:00Z", "2026-11-21T09:14:61Z", "2026-11-21T09:14:60Z", "2016-12-31T23:59:60+01:00"),
        *("20261121T091403Z", "2026-W47-6T09:14:03Z", "+2026-11-21T09:14:03Z", "２０２６-11-21T09:14:03Z", "2026-11-21T09:14:0٣Z"),
    ],
)
def test_what_is_no_time_is_refused_without_repeating_it(text: str) -> None:
    for known in ("2026-11-21T09:14:03.120Z", "2026-11-21T09:14:03+01:00", "2016-12-31T23:59:59Z"):
        parse_time(known)  # the parts that the caches now hold must not make a time of what is none
    with pytest.raises(ValueError, match=r"RFC 3339|offset|no such date|leap second") as refusal:
        parse_time(text)
    assert not text or text not in str(refusal.value).replace("2026-11-21T09:14:03.120Z", "")


PRECISIONS = st.sampled_from(("seconds", "milliseconds", "microseconds"))
FIRST, LAST = datetime(1, 1, 3), datetime(9999, 12, 29)  # noqa: DTZ001  (the test gives them an offset)


@given(st.datetimes(FIRST, LAST), st.integers(-1439, 1439), PRECISIONS)
def test_parsing_agrees_with_datetime(local: datetime, offset_minutes: int, timespec: str) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=offset_minutes)))
    text = moment.isoformat(timespec=timespec)
    assert parse_time(text) == (datetime.fromisoformat(text) - EPOCH) // timedelta(milliseconds=1)


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_formatting_and_parsing_are_inverse(ms: int) -> None:
    text = format_time(ms)
    assert len(text) == len("2026-11-21T09:14:03.120Z")
    assert parse_time(text) == ms


@given(st.text("0123456789-:.TtZz+ ", max_size=30))
def test_text_that_looks_like_a_time_is_parsed_or_refused(text: str) -> None:
    try:
        parse_time(text)
    except ValueError:
        return
    datetime.fromisoformat(text.upper().replace(":60", ":59"))


def test_the_caches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "_CACHE_MAX", 50)
    for minute in range(1000):
        text = format_time(NINE_MS + minute * 60_001)
        assert parse_time(text) == NINE_MS + minute * 60_001
    assert len(times._minutes) <= 50
    assert len(times._tails) <= 50


def test_microseconds_do_not_fill_the_cache() -> None:
    parse_time("2026-11-21T09:14:03.120456Z")
    assert ".120456Z" not in times._tails
