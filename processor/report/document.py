"""What a replayed log says, as a document of plain values: `--json` prints it, `rendering` makes tables of it.

All numbers are net. Quantiles come from the buckets of the histograms: the edge that at least that share of the observations did not
exceed, so the true quantile is at most that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from processor.codec.times import format_time
from processor.core.events import CONTACT, TICKET
from processor.core.kpi_counts import ENTERED_REASONS, LEFT_REASONS
from processor.core.kpi_readings import DEFAULT_RULES, Rules
from processor.core.kpi_statistics import at_most
from processor.core.outputs import View
from processor.core.postings import HISTOGRAMS
from processor.core.rows import Row
from processor.core.settings import MINUTE_MS
from processor.export.cells import SLA
from processor.export.labels import LabelSet
from processor.export.measures import consumed
from processor.export.snapshot import digest, metrics
from processor.export.window_tables import window_sums
from processor.report import groups, periods, survival
from processor.report.calendar import date_of
from processor.report.together import add_net, level_of

Document = dict[str, Any]
CLOCKS = ("first_response", "resolution", "queue_wait")  # those that are told without their policies
_ADDITIVE = ("_total", "_sum", "_count", "_tickets", "contacts_waiting")


def build(
    views: Sequence[View],
    group_bys: Sequence[LabelSet],
    days: Mapping[int, Row],
    last_day: Row,
    *,
    records: int,
    seconds: float,
    examples: Mapping[str, list[str]],
    rules: Rules = DEFAULT_RULES,
    more: Mapping[str, Any] | None = None,
) -> Document:
    """The whole report. `examples` are details of rejected records by reason; `seconds` is what the replay took.

    `last_day` are the sums of the 24 hours that end where the log ends: levels of now go with these, not with a window of full minutes.
    `more` is what the numbers alone do not tell; see `times`.
    """
    cells = _net_cells(views)
    tickets, contacts = _sum(cells, TICKET), _sum(cells, CONTACT)
    counts = _added(view.counts for view in views)
    rejected = _rejected(counts)
    return {
        "digest": digest(views),
        "ledger_count": sum(view.ledger_count for view in views),
        "records": records,
        "seconds": round(seconds, 3),
        "records_per_second": round(records / seconds) if seconds else None,
        "partitions": len(views),
        "last_event": _time(max((view.stream_time for view in views), default=0)),
        "timers_until": _time(min((view.timer_time for view in views), default=0)),
        "window_end": _time(min((view.window_end for view in views), default=0)),
        "events": _events(counts, rejected),
        "rejected": rejected,
        "rejected_examples": dict(examples),
        "kpis": _headlines(views, cells, tickets, contacts),
        "kpi_groups": groups.by_group(views, days, last_day, rules),
        "waiting_included": _waiting_included(views, cells, tickets, contacts),
        "customers": groups.customers(views, days),
        "channels": _ticket_rows(cells, "channel", 1),
        "groups": _ticket_rows(cells, "group", 2),
        "priorities": _ticket_rows(cells, "priority", 3),
        "queues": _contact_rows(cells),
        "days": [_day(day, row) for day, row in days.items()],
        "periods": periods.periods(views, days, rules),
        **(more or {}),
        "totals": _totals(views, group_bys),
    }


# -- parts ------------------------------------------------------------------------------------------------------------------------


def _events(counts: Row, rejected: Mapping[str, int]) -> Document:
    kinds = ("accepted", "duplicates", "late", "corrections", "control", "skipped")
    return {"consumed": consumed(counts), **{kind: counts.get(kind, 0) for kind in kinds}, "rejected": sum(rejected.values())}


def _rejected(counts: Mapping[str, int]) -> dict[str, int]:
    """How many by reason, the most frequent first."""
    reasons = {key.partition(":")[2]: count for key, count in counts.items() if key.startswith("rejected:")}
    return dict(sorted(reasons.items(), key=lambda item: -item[1]))


def _headlines(views: Sequence[View], cells: Mapping[LabelSet, Row], tickets: Row, contacts: Row) -> Document:
    return {
        "first_response": {
            **distribution(tickets, "first_response"),
            "business": distribution(tickets, "first_response_business"),
            **_oldest(views, "awaiting"),
        },
        "backlog": _backlog(views, tickets),
        "abandonment": _abandonment(views, contacts),
        "sla": _sla(cells),
        "first_resolution": distribution(tickets, "first_resolution"),
        "full_resolution": distribution(tickets, "full_resolution"),
    }


def _waiting_included(views: Sequence[View], cells: Mapping[LabelSet, Row], tickets: Row, contacts: Row) -> Document:
    """What the answered ones alone do not tell."""
    channels = {channel: row for (channel,), row in _by(cells, CONTACT, 1).items() if row.get("contacts_offered")}
    return {
        "first_response": survival.document(HISTOGRAMS["first_response"].counts(tickets), _ages(views, "awaiting")),
        "patience": _patience(views, contacts),
        "patience_by_channel": {channel: _patience((), row) for channel, row in channels.items()},
    }


def distribution(row: Row, name: str) -> Document:
    """Count, mean and quantiles of a histogram in a row or net cell. `..._at_most_seconds` is null above the last edge, or without any."""
    buckets = HISTOGRAMS[name].counts(row)
    n = sum(buckets)
    mean = round(row.get(HISTOGRAMS[name].sum, 0) / 1000 / n, 3) if n else None
    return {
        "n": n,
        "mean_seconds": mean,
        "median_at_most_seconds": at_most(0.5, buckets) if n else None,
        "p90_at_most_seconds": at_most(0.9, buckets) if n else None,
    }


def _net_cells(views: Iterable[View]) -> dict[LabelSet, Row]:
    net: dict[LabelSet, Row] = {}
    for view in views:
        for labels, cell in view.cells.items():
            add_net(net.setdefault(labels, {}), cell)
    return net


def _added(rows: Iterable[Row]) -> Row:
    total: Row = {}
    for row in rows:
        for key, amount in row.items():
            total[key] = total.get(key, 0) + amount
    return total


def _sum(cells: Mapping[LabelSet, Row], kind: str) -> Row:
    return _added(row for labels, row in cells.items() if labels[0] == kind)


def _by(cells: Mapping[LabelSet, Row], kind: str, *places: int) -> dict[LabelSet, Row]:
    """Cells of a kind, added up by the labels at these places of their keys."""
    found: dict[LabelSet, list[Row]] = {}
    for labels, row in cells.items():
        if labels[0] == kind and any(row.values()):
            found.setdefault(tuple(labels[place] for place in places), []).append(row)
    return {labels: _added(rows) for labels, rows in sorted(found.items())}


def _entered(row: Row) -> int:
    return sum(row.get(f"backlog_entered:{reason}", 0) for reason in ENTERED_REASONS)


def _left(row: Row) -> int:
    return sum(row.get(f"backlog_left:{reason}", 0) for reason in LEFT_REASONS)


def _oldest(views: Iterable[View], name: str) -> Document:
    """How many wait, and since when the longest."""
    minutes = [key[-1] for view in views for key in view.levels if key[0] == name]
    return {"waiting": level_of(views, name), "waiting_since": _time(min(minutes) * MINUTE_MS) if minutes else None}


def _ages(views: Iterable[View], name: str) -> list[int]:
    """What waits, by its age on the ladder."""
    return survival.censored_at(
        view.timer_time - key[-1] * MINUTE_MS for view in views for key, count in view.levels.items() if key[0] == name
        for _ in range(count)
    )  # fmt: skip


def _patience(views: Iterable[View], contacts: Row) -> Document:
    """How long customers wait before they give up; those who were answered, or wait now, would have waited longer."""
    censored = zip(HISTOGRAMS["speed_of_answer"].counts(contacts), _ages(views, "queued"), strict=True)
    return survival.document(HISTOGRAMS["time_to_abandon"].counts(contacts), [sum(pair) for pair in censored])


def _backlog(views: Sequence[View], tickets: Row) -> Document:
    oldest = [key[-1] for view in views for key in view.levels if key[0] == "created"]
    by_status = _added({key[1]: count} for view in views for key, count in view.levels.items() if key[0] == "backlog")
    return {
        "now": level_of(views, "backlog"),
        "by_status": by_status,
        "oldest_created": _time(min(oldest) * MINUTE_MS) if oldest else None,
        "entered": {reason: count for reason in ENTERED_REASONS if (count := tickets.get(f"backlog_entered:{reason}", 0))},
        "left": {reason: count for reason in LEFT_REASONS if (count := tickets.get(f"backlog_left:{reason}", 0))},
        **{name: tickets.get(f"tickets_{name}", 0) for name in ("created", "adopted", "solved", "reopened", "merged", "restored")},
        "discarded": sum(count for key, count in tickets.items() if key.startswith("tickets_discarded:")),
    }


def _contact_numbers(row: Row) -> Document:
    names = ("offered", "answered", "answered_in_target", "abandoned", "short_abandoned")
    numbers = {name: row.get(f"contacts_{name}", 0) for name in names}
    return {
        **numbers,
        "abandonment_ratio": _ratio(numbers["abandoned"], numbers["offered"] - numbers["short_abandoned"]),
        "speed_of_answer": distribution(row, "speed_of_answer"),
        "time_to_abandon": distribution(row, "time_to_abandon"),
    }


def _abandonment(views: Sequence[View], contacts: Row) -> Document:
    return {**_contact_numbers(contacts), **_oldest(views, "queued")}


def _ratio(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _sla(cells: Mapping[LabelSet, Row]) -> list[Document]:
    found = []
    for (clock, policy), row in _by(cells, SLA, 1, 2).items():
        numbers = {name: row.get(f"sla_{name}:{clock}", 0) for name in ("started", "measured", "breached", "induced", "cancelled")}
        compliance = _ratio(numbers["measured"] - numbers["breached"], numbers["measured"])
        found.append({"clock": clock, "policy": policy, **numbers, "compliance_ratio": compliance})
    return found


def _ticket_rows(cells: Mapping[LabelSet, Row], name: str, place: int) -> list[Document]:
    return [
        {
            name: value,
            **{key: row.get(f"tickets_{key}", 0) for key in ("created", "solved", "reopened")},
            "backlog": _entered(row) - _left(row),
            "first_response": distribution(row, "first_response"),
            "first_resolution": distribution(row, "first_resolution"),
        }
        for (value,), row in _by(cells, TICKET, place).items()
    ]


def _contact_rows(cells: Mapping[LabelSet, Row]) -> list[Document]:
    return [{"channel": channel, "queue": queue, **_contact_numbers(row)} for (channel, queue), row in _by(cells, CONTACT, 1, 2).items()]


def _day(day: int, row: Row) -> Document:
    counts, _ = window_sums(row)
    return {
        "day": date_of(day).isoformat(),
        **{name: counts.get(f"tickets_{name}", 0) for name in ("created", "solved", "reopened")},
        "net_flow": counts.get("backlog_entered", 0) - counts.get("backlog_left", 0),
        "first_responses": counts.get("first_response", 0),
        **{name: counts.get(f"contacts_{name}", 0) for name in ("offered", "answered", "abandoned")},
        "breached": sum(counts.get(f"{clock}_clocks_breached", 0) for clock in CLOCKS),
    }


def _totals(views: Sequence[View], group_bys: Sequence[LabelSet]) -> dict[str, float]:
    """Each net counter, and each histogram's count and sum, over all its labels."""
    found = metrics(views, group_bys)
    return {name: round(sum(values.values()), 3) for name, values in found.items() if name.endswith(_ADDITIVE)}


def _time(ms: int) -> str | None:
    return format_time(ms) if ms else None
