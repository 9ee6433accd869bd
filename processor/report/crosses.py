"""Shares by what else is known of the ticket, and how long customers wait in which queue before they give up, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from processor.core.events import CONTACT
from processor.core.kpi_counts import RESPONSE_BANDS
from processor.core.kpi_readings import DEFAULT_RULES, Rules
from processor.core.kpi_statistics import wilson
from processor.core.outputs import View
from processor.core.postings import HISTOGRAMS
from processor.core.rows import Row
from processor.core.settings import NONE
from processor.report import survival
from processor.report.together import add_net

Document = dict[str, Any]
Counts = Mapping[str, Sequence[int]]  # value -> part, whole
Queue = tuple[str, str]  # channel, queue
QUEUES_MAX = 100  # queues of which patience is told, those with the most contacts


class Cross(NamedTuple):
    """A KPI that is a share, by something that no configured segment needs to tell."""

    kpi: str
    by: str


CSAT_BY_FIRST_RESPONSE = Cross("csat", "first_response")
CSAT_BY_CLOCKS = Cross("csat", "clocks")
CSAT_BY_CHANNEL = Cross("csat", "channel")
FCR_BY_LANGUAGE = Cross("fcr", "language")
REPEAT_BY_TOPIC = Cross("repeat_contact", "topic")
CROSSES = (CSAT_BY_FIRST_RESPONSE, CSAT_BY_CLOCKS, CSAT_BY_CHANNEL, FCR_BY_LANGUAGE, REPEAT_BY_TOPIC)
KEPT, BREACHED = "kept", "breached"
_IN_ORDER = {CSAT_BY_FIRST_RESPONSE: RESPONSE_BANDS, CSAT_BY_CLOCKS: (KEPT, BREACHED)}


def crosses(counts: Mapping[Cross, Counts], rules: Rules = DEFAULT_RULES) -> list[Document]:
    """Each cross of which some value is known; bands in their order, all else by how much there was of it."""
    found = []
    for cross in CROSSES:
        values = list(_values(cross, counts.get(cross, {}), rules))
        if values and (cross in _IN_ORDER or any(each["value"] != NONE for each in values)):
            found.append({"kpi": cross.kpi, "by": cross.by, "values": values})
    return found


def _values(cross: Cross, counts: Counts, rules: Rules) -> Iterator[Document]:
    order = _IN_ORDER.get(cross, ())
    for value in [*order, *sorted(counts.keys() - set(order), key=lambda value: (-counts[value][1], value))]:
        part, n = counts.get(value, (0, 0))
        if n <= 0:
            continue
        told: Document = {"value": value, "ratio": round(part / n, 4), "n": n, "low_n": n < rules.min_n}
        # More can come back than were solved: their solutions may be older than the log.
        if 0 <= part <= n:
            told["low"], told["high"] = (round(bound, 4) for bound in wilson(part, n))
        yield told


def patience(views: Sequence[View], waiting: Mapping[Queue, Sequence[int]]) -> list[Document]:
    """Kaplan-Meier of giving up, of each channel (queue null) and each of its queues. `waiting`: milliseconds of those who wait now."""
    rows: dict[tuple[str, str | None], Row] = {}
    for view in views:
        for (kind, *labels), cell in view.cells.items():
            if kind == CONTACT:
                channel, queue = labels
                for place in ((channel, None), (channel, queue)):
                    add_net(rows.setdefault(place, {}), cell)
    ages: dict[tuple[str, str | None], list[int]] = {}
    for (channel, queue), found in waiting.items():
        for place in ((channel, None), (channel, queue)):
            ages.setdefault(place, []).extend(found)
    documents = [_patience(*place, rows.get(place, {}), ages.get(place, ())) for place in rows.keys() | ages.keys()]
    # Who was accepted without a queue never waited.
    documents = [each for each in documents if each["n"] or (each["censored"] and each["queue"] != NONE)]
    kept = sorted(documents, key=lambda each: -each["n"] - each["censored"])[:QUEUES_MAX]
    return sorted(kept, key=lambda each: (each["channel"], each["queue"] is not None, each["queue"]))


def _patience(channel: str, queue: str | None, row: Row, ages: Sequence[int]) -> Document:
    answered = HISTOGRAMS["speed_of_answer"].counts(row)
    censored = [sum(pair) for pair in zip(answered, survival.censored_at(ages), strict=True)]
    return {"channel": channel, "queue": queue, **survival.document(HISTOGRAMS["time_to_abandon"].counts(row), censored)}
