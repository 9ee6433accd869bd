"""A state of an older version is read by this release: the numbers it had, and the numbers it comes to with the rest of the log."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from processor.codec.state import STATE_VERSION, decode_marker, decode_record, encode_marker, encode_record
from processor.compile import compile_settings
from processor.config import Config
from processor.core.engine import Engine
from processor.core.settings import MINUTE_MS
from processor.export.snapshot import snapshot
from tests.codec.stored import Stored, go_on, stored


def restored(state: Stored) -> dict[int, Engine]:
    """Engines that stand where the stored state stood."""
    settings = compile_settings(Config.model_validate(state.config))
    engines = {}
    for number, marker in state.markers.items():
        engine = engines[number] = Engine(settings, number)
        records = [decode_record(key, value) for key, value in state.records[number].items()]
        for _ in engine.restore(decode_marker(marker), records):
            pass
    return engines


def assert_shows(engines: dict[int, Engine], wanted: dict[str, Any]) -> None:
    """Every number that the release of that time showed; families that came later are not asked for."""
    views = [engine.view() for engine in engines.values()]
    taken = snapshot(views, None, engines[0].settings.group_bys)
    shown = wanted["snapshot"]
    assert (taken["digest"], taken["ledger_count"], taken["window_end"]) == (shown["digest"], shown["ledger_count"], shown["window_end"])
    for number, partition in shown["partitions"].items():
        found = taken["partitions"][number]
        assert {name: found[name] for name in partition if name != "applied"} == {k: v for k, v in partition.items() if k != "applied"}
    assert len(shown["metrics"]) > 40
    for family, values in shown["metrics"].items():
        assert taken["metrics"].get(family) == values, family
    for engine, counts in zip(engines.values(), wanted["counts"], strict=True):
        assert {name: engine.counts[name] for name in counts} == counts


def test_a_state_of_version_1_shows_its_numbers_and_goes_on() -> None:
    state = stored()
    engines = restored(state)
    assert_shows(engines, state.at_restore)
    go_on(engines, state.log, state.until)
    assert state.at_end["snapshot"]["digest"] != state.at_restore["snapshot"]["digest"]
    assert_shows(engines, state.at_end)


def test_records_of_all_versions_may_lie_side_by_side() -> None:
    """What has not changed since an upgrade is not written anew, though the marker is."""
    state = stored()
    old = restored(state)
    for number, engine in old.items():
        kept = state.records[number]
        for key, value in [decode_record(key, value) for key, value in kept.items()][::2]:
            name, today = encode_record(key, value)
            assert today is not None
            kept[name] = today
        state.markers[number] = encode_marker(decode_marker(state.markers[number]) | engine.marker())
    assert_shows(restored(state), state.at_restore)


def test_a_state_from_before_there_were_reports_is_not_taken_for_one_that_had_nothing() -> None:
    """Else a minute of which others wait for its report would pass for complete without it."""
    for engine in restored(stored()).values():
        stood = engine.timer_time
        engine.report_every(1, hold=False)
        engine.reports_again()
        engine.advance(stood + 10 * MINUTE_MS)
        reports = engine.drain().reports
        assert reports[0].end == stood // MINUTE_MS * MINUTE_MS
        assert len(reports) == 11
        assert all(report.since <= 1 for report in reports)


def test_a_marker_that_does_not_say_which_reports_wait_is_read() -> None:
    assert decode_marker(encode_marker({"timer_time": 9, "reported": [1, 5]}))["reported"] == [1, 5, 5]


def test_the_state_that_is_kept_has_something_to_upgrade() -> None:
    state = stored()
    forms = [key[:3] for records in state.records.values() for key in records]
    assert all(forms.count(form) for form in (b"h|t", b"h|c", b"e|t", b"e|c", b"r|m", b"r|q", b"r|d", b"c|["))
    assert all(orjson.loads(marker)["state_version"] == 1 for marker in state.markers.values())


@pytest.mark.parametrize("version", [0, STATE_VERSION + 1, None, "2"])
def test_a_state_of_an_unknown_version_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match=f"state version {version} is unknown to this release, which reads 1 to {STATE_VERSION}"):
        decode_marker(orjson.dumps(orjson.loads(stored().markers[0]) | {"state_version": version}))


def test_rows_between_other_edges_are_refused() -> None:
    with pytest.raises(ValueError, match="ladder version 99 is unknown"):
        decode_marker(orjson.dumps(orjson.loads(stored().markers[0]) | {"ladder_version": 99}))
