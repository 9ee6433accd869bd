"""An exported state comes back as it was; what is damaged, foreign or newer is refused before anything is done with it."""

from __future__ import annotations

import gzip
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from processor.codec.state import STATE_VERSION, encode_record
from processor.core.events import Event
from processor.core.sleep import Sleeping
from processor.state_tools.file import ExportError, ExportWriter, StoredPartition, read_export
from tests.laws.worlds import SETTINGS, START
from tests.state_tools.joined import Partitions

CREATED = ("email", "new", "normal", "inbound", 'a"|b', None, "bílling", *(None,) * 7)
ABOUT = {"application_id": "tests", "partitions": 2, "events_topic": "events", "rekeyed_topic": "rekeyed", "live": False}


def lived() -> list[StoredPartition]:
    """Two partitions; the wait of a merged ticket is on its way between them."""
    partitions = Partitions(SETTINGS, 2)
    for number in range(12):
        partitions.apply(Event(START + number, 0, "", "a", f"c{number}", "ticket.created", f"T|{number}", CREATED))
    for number in range(6):
        merged = Event(START + 60_000 + number, 3, "", "a", f"m{number}", "ticket.merged", f"T|{number}", (f"T|{number + 6}",))
        partitions.apply(merged)
    for number in partitions.engines:
        partitions.step(number)
    stored = partitions.stored()
    stored[0].records[b"h|t|asleep"] = encode_record(("h", "ticket", "asleep"), Sleeping(b"\x00\n\xff", "", 1, 2, 3, b"[1]"))[1] or b""
    assert sum(len(each.pending) for each in stored) >= 6
    return stored


def written(path: Path, stored: list[StoredPartition]) -> dict[str, Any]:
    with ExportWriter(path, ABOUT) as writer:
        for partition in stored:
            writer.add(partition)
        for partition in stored:
            writer.add_pending(partition.number, partition.pending)
        return writer.finish()


@pytest.mark.parametrize("name", ["state.jsonl", "state.jsonl.gz"])
def test_what_is_written_comes_back(tmp_path: Path, name: str) -> None:
    stored, path = lived(), tmp_path / name
    header = written(path, stored)
    exported = read_export(path)
    assert exported.header == header
    assert exported.partitions == stored
    assert [each.name for each in tmp_path.iterdir()] == [name]
    assert path.read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")
    first = path.read_bytes()
    written(path, stored)
    assert path.read_bytes() == first


def test_the_header_says_what_it_must_add_up_to(tmp_path: Path) -> None:
    stored = lived()
    header = written(tmp_path / "state.jsonl", stored)
    assert header["digest"] == f"{sum(int(each.marker['digest'], 16) for each in stored) % (1 << 128):032x}"
    assert header["ledger_count"] == sum(each.marker["ledger_count"] for each in stored) > 0
    assert header["state_version"] == STATE_VERSION
    assert header["of"]["1"]["records"] == len(stored[1].records)


def changed(path: Path, **changes: Any) -> None:
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([orjson.dumps(orjson.loads(first) | changes) + b"\n", *rest]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "other"}, "not an exported state; `ticket-kpis state export FILE` writes one"),
        ({"format_version": 2}, "format version 2 is unknown to this release, which reads up to 1. Import it with"),
        ({"state_version": STATE_VERSION + 1}, f"state version {STATE_VERSION + 1} is unknown to this release"),
        ({"digest": f"{7:032x}"}, "does not hold what its header says"),
        ({"partitions": 3}, "does not hold what its header says"),
        ({"of": 1}, "is damaged or was cut off"),
    ],
)
def test_another_header_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path = tmp_path / "state.jsonl"
    written(path, lived())
    changed(path, **changes)
    with pytest.raises(ExportError) as refused:
        read_export(path)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["state.jsonl", "state.jsonl.gz"])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    written(path, lived())
    whole = path.read_bytes()
    for kept in (0, 10, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:kept])
        with pytest.raises(ExportError):
            read_export(path)
    for byte in range(0, len(whole), 50):  # and one that was damaged, wherever that is seen
        path.write_bytes(whole[:byte] + b"\xff" + whole[byte + 1 :])
        with suppress(ExportError):
            read_export(path)
    lines = (gzip.decompress(whole) if name.endswith(".gz") else whole).splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))  # a whole line less
    with pytest.raises(ExportError, match="does not hold what its header says"):
        read_export(path)


def test_an_export_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "state.jsonl"

    def fail() -> None:
        with ExportWriter(path, ABOUT) as writer:
            writer.add(lived()[0])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="No such file"):
        read_export(tmp_path / "nothing")
