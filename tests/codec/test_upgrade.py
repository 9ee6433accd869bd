"""A state of an older version is read by this release: the numbers it had, and the numbers it comes to with the rest of the log."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
import pytest

from processor.codec.state import STATE_VERSION, decode_marker, decode_record, encode_marker, encode_record
from processor.codec.upgrade import UPGRADED_FROM
from processor.compile import compile_settings
from processor.config import Config
from processor.core.engine import Engine
from processor.core.facts import LEDGER_MODULUS
from processor.core.settings import MINUTE_MS, Settings
from processor.core.upgrading import catch_up
from processor.export.snapshot import snapshot
from processor.state_tools.file import StoredPartition
from processor.state_tools.moving import move
from processor.versions import stamp
from tests.codec.stored import Stored, go_on, stored

OLDER = (1, 2)
LEDGER_METRICS = frozenset({"support_processor_ledger_facts"})


def settings_of(state: Stored) -> Settings:
    """Those of the stored state, without a rule that came later and says otherwise."""
    return replace(compile_settings(Config.model_validate(state.config)), silent_abandon_channels=frozenset())


def restored(state: Stored) -> dict[int, Engine]:
    """Engines that stand where the stored state stood."""
    settings = settings_of(state)
    engines = {}
    for number, marker in state.markers.items():
        engine = engines[number] = Engine(settings, number, len(state.markers))
        records = [decode_record(key, value) for key, value in state.records[number].items()]
        for _ in engine.restore(decode_marker(marker), records):
            pass
    return engines


def caught_up(state: Stored, engines: dict[int, Engine]) -> dict[int, Engine]:
    """As a worker that takes them over."""
    for number, engine in engines.items():
        for _ in catch_up(engine, decode_marker(state.markers[number])[UPGRADED_FROM]):
            pass
    return engines


def assert_shows(engines: dict[int, Engine], wanted: dict[str, Any]) -> None:
    """Every number that the release of that time showed; what came later is not asked for."""
    taken = snapshot([engine.view() for engine in engines.values()], None, engines[0].settings.group_bys)
    assert len(wanted["snapshot"]["metrics"]) > 40
    for family, values in wanted["snapshot"]["metrics"].items():
        if family not in LEDGER_METRICS:
            found = taken["metrics"].get(family, {})
            assert {labels: found.get(labels) for labels in values} == values, family


def assert_stands_where(engines: dict[int, Engine], wanted: dict[str, Any]) -> None:
    """The same ledger, the same clocks."""
    taken, shown = snapshot([engine.view() for engine in engines.values()], None, engines[0].settings.group_bys), wanted["snapshot"]
    assert (taken["digest"], taken["ledger_count"], taken["window_end"]) == (shown["digest"], shown["ledger_count"], shown["window_end"])
    for number, partition in shown["partitions"].items():
        found = taken["partitions"][number]
        assert {name: found[name] for name in partition if name != "applied"} == {k: v for k, v in partition.items() if k != "applied"}
    for engine, counts in zip(engines.values(), wanted["counts"], strict=True):
        assert {name: engine.counts[name] for name in counts} == counts


@pytest.mark.parametrize("version", OLDER)
def test_an_older_state_shows_its_numbers_and_goes_on(version: int) -> None:
    state = stored(version)
    engines = restored(state)
    assert_stands_where(engines, state.at_restore)
    assert_shows(engines, state.at_restore)
    caught_up(state, engines)
    assert_shows(engines, state.at_restore)  # what it states in addition is new: what was counted is not counted again
    go_on(engines, state.log, state.until)
    assert state.at_end["snapshot"]["digest"] != state.at_restore["snapshot"]["digest"]
    assert_shows(engines, state.at_end)


def test_what_is_taken_back_after_an_upgrade_was_stated_before() -> None:
    state = stored(2)
    engines = restored(state)
    told = go_on(caught_up(state, engines), state.log, state.until)
    ledger = Counter({int(number, 16): 1 for number in state.ledger})
    for stated in told:
        ledger[stated.number] += stated.sign
    assert not [stated.fact for stated in told if ledger[stated.number] < 0]
    assert (
        sum(engine.digest for engine in engines.values()) % LEDGER_MODULUS
        == sum(number * count for number, count in ledger.items()) % LEDGER_MODULUS
    )
    assert any(stated.sign < 0 and f"{stated.number:032x}" in state.ledger for stated in told)


def test_nothing_that_is_counted_now_falls_below_zero_by_what_was_not_counted_before() -> None:
    state = stored(2)
    engines = restored(state)
    go_on(caught_up(state, engines), state.log, state.until)
    for engine in engines.values():
        for cell in engine.view().cells.values():
            assert not [name for name, amount in cell.items() if name.endswith("-") and amount > cell.get(name[:-1], 0)]


def test_a_marker_is_of_an_older_version_until_the_next_one_is_written() -> None:
    state = stored(2)
    assert decode_marker(state.markers[0])[UPGRADED_FROM] == 2
    erased = encode_marker(decode_marker(state.markers[0]))  # by a tool, which states nothing
    assert decode_marker(erased)[UPGRADED_FROM] == 2
    written = encode_marker(restored(state)[0].marker())
    assert UPGRADED_FROM not in decode_marker(written)


def test_an_older_state_that_is_moved_catches_up_then() -> None:
    state = stored(2)
    settings = settings_of(state)
    parts = []
    for number, marker in state.markers.items():
        stood = orjson.loads(marker)
        stood["settings"] = stamp(settings, stood["stream_time"])
        parts.append(StoredPartition(number, stood, state.records[number]))
    moved = move(settings, parts, 3)
    ledger = Counter({int(number, 16): 1 for number in state.ledger})
    for each in moved.partitions:
        assert UPGRADED_FROM not in each.marker
        for stated in each.facts:
            ledger[stated.number] += stated.sign
    assert not moved.differences()
    assert min(ledger.values()) >= 0
    assert sum(ledger.values()) > len(state.ledger)
    assert (
        sum(int(each.marker["digest"], 16) for each in moved.partitions) % LEDGER_MODULUS
        == sum(number * count for number, count in ledger.items()) % LEDGER_MODULUS
    )


@pytest.mark.parametrize("version", OLDER)
def test_records_of_all_versions_may_lie_side_by_side(version: int) -> None:
    """What has not changed since an upgrade is not written anew, though the marker is."""
    state = stored(version)
    old = restored(state)
    for number, engine in old.items():
        kept = state.records[number]
        for key, value in [decode_record(key, value) for key, value in kept.items()][::2]:
            name, today = encode_record(key, value)
            assert today is not None
            kept[name] = today
        state.markers[number] = encode_marker(decode_marker(state.markers[number]) | engine.marker())
    assert_stands_where(restored(state), state.at_restore)
    assert_shows(restored(state), state.at_restore)


def test_a_state_from_before_there_were_reports_is_not_taken_for_one_that_had_nothing() -> None:
    """Else a minute of which others wait for its report would pass for complete without it."""
    for engine in restored(stored(1)).values():
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


@pytest.mark.parametrize("version", OLDER)
def test_the_states_that_are_kept_have_something_to_upgrade(version: int) -> None:
    state = stored(version)
    forms = [key[:3] for records in state.records.values() for key in records]
    assert all(forms.count(form) for form in (b"h|t", b"h|c", b"e|t", b"e|c", b"r|m", b"r|q", b"r|d", b"c|["))
    assert all(orjson.loads(marker)["state_version"] == version for marker in state.markers.values())


@pytest.mark.parametrize("version", [0, STATE_VERSION + 1, None, "2"])
def test_a_state_of_an_unknown_version_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match=f"state version {version} is unknown to this release, which reads 1 to {STATE_VERSION}"):
        decode_marker(orjson.dumps(orjson.loads(stored(1).markers[0]) | {"state_version": version}))


def test_rows_between_other_edges_are_refused() -> None:
    with pytest.raises(ValueError, match="ladder version 99 is unknown"):
        decode_marker(orjson.dumps(orjson.loads(stored(1).markers[0]) | {"ladder_version": 99}))
