"""KPIs are read as they were written; what is none is refused, whatever the bytes. The example consumer tells them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from processor.client import KpiChange, KpiKey, decode_kpis
from processor.client.kpis import decode_key
from processor.core.settings import DIMENSIONS
from processor.schemas_path import schemas_path

FOLDER = schemas_path() / "examples/support.kpis.v1"
GOOD = sorted(FOLDER.iterdir())
BAD = sorted((schemas_path() / "invalid/support.kpis.v1").iterdir())
VALIDATOR = Draft202012Validator(json.loads((schemas_path() / "support.kpis.v1.schema.json").read_text()))
TOTAL: dict[str, Any] = json.loads((FOLDER / "total.json").read_text())
# Dates that do not exist, and names that are not those of `dimensions`.
BEYOND_A_SCHEMA = ("from", "until", "time", "by")
# What the schema closes and a reader must not, or a later release would break it.
LATER = {"unknown_kpi", "edge_not_on_the_ladder"}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_every_example_of_the_schema_is_read(path: Path) -> None:
    document = json.loads(path.read_text())
    read = decode_kpis(path.read_bytes())
    assert read.key == decode_key(document["partitionkey"].encode())
    assert read.dimensions == document["data"]["dimensions"]
    assert (read.epoch, read.sequence, read.complete) == tuple(document["data"][name] for name in ("epoch", "sequence", "complete"))
    assert read.at_ms == round(read.at.timestamp() * 1000)
    assert read.start < read.until <= read.at
    assert {name: kpi.n for name, kpi in read.kpis.items()} == {name: kpi["n"] for name, kpi in document["data"]["kpis"].items()}


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_what_the_schema_refuses_is_refused_by_name_unless_a_later_release_may_write_it(path: Path) -> None:
    name = path.stem.partition(".")[2].split("_is_")[0]
    if name in LATER:
        decode_kpis(path.read_bytes())
        return
    name = {"foreign_source": "source", "negative_n": "n", "value": "value"}.get(name, name)
    with pytest.raises(ValueError, match=f"no KPIs.*{name}"):
        decode_kpis(path.read_bytes())


@pytest.mark.parametrize("value", [b"", b"\xff", b"[]", b"null", b"{}", b'{"data": []}', b"[" * 5000])
def test_other_bytes_are_refused(value: bytes) -> None:
    with pytest.raises(ValueError, match="no KPIs"):
        decode_kpis(value)


def test_the_longest_may_be_above_every_edge() -> None:
    longest = decode_kpis((FOLDER / "few_observations.json").read_bytes()).kpis["first_response"].durations
    assert longest is not None
    assert longest.max == float("inf")
    assert longest.buckets == ((float("inf"), 1),)
    assert longest.p50 == 7_776_000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    (), ("data",), ("data", "kpis"), ("data", "kpis", "service_level"), ("data", "kpis", "first_response"),
    ("data", "kpis", "first_response", "histogram"), ("data", "dimensions"),
]  # fmt: skip


@given(st.sampled_from(PLACES), st.data())
@settings(max_examples=300)
def test_whatever_is_changed_it_is_read_or_refused_and_what_the_schema_allows_is_read(place: tuple[str, ...], data: st.DataObject) -> None:
    document = json.loads(json.dumps(TOTAL))
    part = document
    for name in place:
        part = part[name]
    name = data.draw(st.sampled_from(sorted(part) or ["channel"]))
    if data.draw(st.booleans()):
        part[name] = data.draw(JSON)
    else:
        part.pop(name, None)
    try:
        decode_kpis(json.dumps(document).encode())
    except ValueError as error:
        assert str(error).startswith("no KPIs")  # noqa: PT017 - only some of the documents are refused
        assert not VALIDATOR.is_valid(document) or name in (*BEYOND_A_SCHEMA, *DIMENSIONS)


def test_keys_of_records_without_a_value_are_read() -> None:
    assert decode_key(b'[["channel"],["phone"],"1h"]') == KpiKey(("channel",), ("phone",), "1h")
    for wrong in (None, b"", b"[]", b'[["floor"],["A-1"],"1h"]', b'[["channel"],[1],"1h"]', b'[[],[],"2h"]'):
        with pytest.raises(ValueError, match="no KPIs"):
            decode_key(wrong)


def test_the_example_consumer_tells_values_with_what_they_rest_on() -> None:
    spec = importlib.util.spec_from_file_location("latest_kpis", Path(__file__).resolve().parents[2] / "deploy/examples/latest_kpis.py")
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)

    def told(name: str) -> str:
        kpis = decode_kpis((FOLDER / f"{name}.json").read_bytes())
        line: str = example.told(KpiChange(kpis.key, kpis))
        return line

    assert told("total") == (
        "2026-11-21 09:14 UTC, 1h, everything: service_level 77.8% (n=27); abandonment 7.4% (n=27); "
        "first_response_sla_compliance 80.0% (n=10); first_response 654 s on average, half within 720 s (n=10)"
    )
    assert told("incomplete") == (
        "2026-11-21 09:14 UTC, 5m, channel phone WITHOUT PARTITIONS 2: service_level 100.0% (n=8); abandonment 0.0% (n=9); "
        "first_response_sla_compliance -; first_response -"
    )
    assert example.told(KpiChange(KpiKey(("queue",), ("hotline",), "1h"), None)) == "queue hotline: nothing any more"
