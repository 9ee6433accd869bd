"""The records of the topic of KPIs: a CloudEvent for each segment and window. Schema: support.kpis.v1.

The key is the JSON of [names, values, window]; a record without a value takes the segment's window away. Of two values of one key the one
with the greater (epoch, W, sequence) is right; nobody writes them in another order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import orjson

from processor.codec.facts import SOURCE
from processor.codec.kpis import kpis_document
from processor.codec.partials import Place
from processor.codec.times import format_time, parse_time
from processor.core.kpi_readings import DEFAULT_RULES
from processor.core.kpis import Rules, observed
from processor.core.schedule import scheduled_seconds
from processor.core.settings import MINUTE_MS
from processor.core.windows import WINDOWS, bounds_of
from processor.kpis.combine import Combined, Published

TYPE = "support.kpis.window"
MINUTE_SECONDS = 60

Encoded = tuple[bytes, bytes | None]


def encode_kpis(combined: Combined, epoch: int, midnights: Sequence[int], rules: Rules = DEFAULT_RULES) -> Iterator[Encoded]:
    """Keys and values; None takes away. All belong on the partition of the KPI stage that combined them, whatever their keys hash to."""
    ends = {window: bounds_of(window, combined.end // MINUTE_MS, midnights) for window in WINDOWS}
    bounds = {window: (format_time(start * MINUTE_MS), format_time(end * MINUTE_MS)) for window, (start, end) in ends.items()}
    seconds = {window: (end - start) * MINUTE_SECONDS for window, (start, end) in ends.items()}
    for place, merged in combined.segments.items():
        for window in WINDOWS:
            key = key_of(place, window)
            start, end = (minute * MINUTE_MS for minute in ends[window])
            scheduled = scheduled_seconds(rules.shifts, *place, start, end) if rules.shifts else 0.0
            found = observed(place[0], merged.windows.get(window, {}), merged.backlog, seconds[window], rules, scheduled)
            kpis = kpis_document(found, rules.min_n)
            yield key, orjson.dumps(_event(key, place, window, kpis, combined, epoch, bounds[window]))
    for place in combined.gone:
        for window in WINDOWS:
            yield key_of(place, window), None


def key_of(place: Place, window: str) -> bytes:
    """The key of a segment's window."""
    return orjson.dumps((*place, window))


def decode_key(key: bytes | None) -> tuple[Place, str]:
    """Undo `key_of`. Raises ValueError for what is no key of the topic of KPIs."""
    try:
        names, values, window = orjson.loads(key or b"")
        place = tuple(names), tuple(values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"no KPIs: the key is not [names, values, window] ({error})") from None
    if window not in WINDOWS or len(place[0]) != len(place[1]) or not all(isinstance(each, str) for part in place for each in part):
        raise ValueError(f"no KPIs: the key is not [names, values, window]: {key!r}")
    return place, window


def decode_published(key: bytes | None, value: bytes | None) -> Published | None:
    """What a record says of what is published; None where it takes away. Raises ValueError for what is none of ours."""
    place, window = decode_key(key)
    if value is None:
        return None
    try:
        document = orjson.loads(value)
        data = document["data"]
        return Published(place, window, int(data["epoch"]), parse_time(document["time"]), int(data["sequence"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"no KPIs: {error!r}") from None


def _event(
    key: bytes, place: Place, window: str, kpis: dict[str, Any], combined: Combined, epoch: int, bounds: tuple[str, str]
) -> dict[str, Any]:  # fmt: skip
    names, values = place
    subject = "/".join((*(f"{name}={value}" for name, value in zip(names, values, strict=True)), window))
    data = {
        "by": names,
        "dimensions": dict(zip(names, values, strict=True)),
        "window": window,
        "from": bounds[0],
        "until": bounds[1],
        "epoch": epoch,
        "sequence": combined.sequence,
        "complete": combined.complete,
        "missing_partitions": combined.missing,
        "kpis": kpis,
    }
    return {
        "specversion": "1.0",
        "id": f"{epoch}-{combined.end}-{combined.sequence}-{blake2b(key, digest_size=8).hexdigest()}",
        "source": SOURCE,
        "type": TYPE,
        "subject": subject,
        "time": format_time(combined.end),
        "partitionkey": key.decode(),
        "data": data,
    }
