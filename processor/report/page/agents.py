"""For agents: who waits now and what is due, the longest and the slowest tickets, and the breaches with their explanations."""

from __future__ import annotations

from typing import Any

from processor.export.catalogue import HORIZONS_MS
from processor.report.numbers import duration
from processor.report.page.texts import Times

Document = dict[str, Any]


def context(document: Document, times: Times) -> Document:
    """What the template shows."""
    waiting, breaches = document["waiting_now"], document["breaches"]
    return {
        "tickets": [_ticket(each) for each in waiting["tickets"]],
        "tickets_left_out": waiting["tickets_left_out"],
        "contacts": [{**each, "since": duration(each["seconds"])} for each in waiting["contacts"]],
        "contacts_left_out": waiting["contacts_left_out"],
        "horizons": list(HORIZONS_MS),
        "clocks": [{**each, "title": each["clock"].replace("_", " ")} for each in waiting["clocks"]],
        "open": [_ticket(each) for each in document["longest"]["open"]],
        "open_left_out": max(document["kpis"]["backlog"]["now"] - len(document["longest"]["open"]), 0),
        "solved": [_ticket(each) for each in document["longest"]["solved"]],
        "breaches": [_breach(each, times) for each in breaches["shown"]],
        "breaches_total": breaches["total"],
        "breaches_open": breaches["still_open"],
        "breaches_left_out": breaches["left_out"],
        "by_clock": {clock.replace("_", " "): count for clock, count in breaches["by_clock"].items()},
    }


def _ticket(each: Document) -> Document:
    return {**each, "since": duration(each["seconds"])}


def _breach(each: Document, times: Times) -> Document:
    head, *lines = each["lines"]
    where = each["queue"] if each["entity"] == "contact" else each["group"]
    late = duration(each["late_seconds"]) if each["late_seconds"] is not None else ""
    return {**each, "head": head, "lines": lines, "where": where, "title": each["clock"].replace("_", " "),
            "at": times.instant(each["breached_at"]), "late": late}  # fmt: skip
