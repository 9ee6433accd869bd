"""A report that waits for slower partitions gets what is handed over, and nothing else: it stays what it was when it was taken."""

from __future__ import annotations

from processor.core.engine import Engine
from processor.core.events import Event, rank_of
from processor.core.outputs import Rekeyed
from processor.core.settings import MINUTE_MS, MS, Settings
from tests.laws.says import Data, created, message

AT = 29_000_000 * MINUTE_MS
ANSWERED = "first_response:sum"


def said(at: int, key: str, kind: str, data: Data) -> Event:
    return Event(at, rank_of(kind), "", "a", f"{key}-{at}", kind, key, data)


def answered(at: int, wait: int, sign: int = 1, known: int = 0) -> Rekeyed:
    """The ticket's contact was accepted after that wait."""
    return Rekeyed(sign, "ticket.contact_answered", "T-1", 7, at, ("C-1", wait, None), known or at)


def taken(engine: Engine) -> dict[int, int | None]:
    """Of each report that waits: its minute, and the first response times in its hour, ms."""
    found = {(report.end - AT) // MINUTE_MS: report.windows.get((0, ()), {}).get("1h", {}) for report in engine.reports.waiting()}
    return {minute: sums.get(ANSWERED) for minute, sums in sorted(found.items())}


def test_what_came_after_a_report_was_taken_takes_nothing_out_of_it() -> None:
    engine = Engine(Settings(), partitions=2)
    engine.report_every(1, hold=True)
    engine.apply(said(AT, "T-1", "ticket.created", created()))
    engine.advance_by_log()
    engine.apply(said(AT + 5 * MINUTE_MS, "T-2", "ticket.created", created()))
    engine.advance_by_log()
    engine.apply(said(AT + 30 * MS, "T-1", *message("M-1", "agent")))  # late: the reports up to here do not have it
    engine.apply_rekeyed(answered(AT + 90 * MS, 10 * MS))
    assert taken(engine) == {0: None, 1: None, **dict.fromkeys((2, 3, 4), 90 * MS)}


def behind() -> Engine:
    """An engine that has come to the first minute only."""
    engine = Engine(Settings(), partitions=2)
    engine.report_every(1, hold=True)
    engine.apply(said(AT, "T-1", "ticket.created", created()))
    engine.advance_by_log()
    return engine


def go_on(engine: Engine) -> None:
    engine.apply(said(AT + 10 * MINUTE_MS, "T-2", "ticket.created", created()))
    engine.advance_by_log()


def late_by_minutes(engine: Engine) -> int:
    """An answer after 90 s that its own partition heard of so late that the reports of 2, 3 and 4 had been taken there."""
    return AT + 4 * MINUTE_MS + engine.settings.timer_delay


def test_a_report_does_not_have_what_a_faster_partition_has_learned_late() -> None:
    first, last = behind(), behind()
    first.apply_rekeyed(answered(AT + 90 * MS, 10 * MS, known=late_by_minutes(first)))
    go_on(first)
    go_on(last)
    last.apply_rekeyed(answered(AT + 90 * MS, 10 * MS, known=late_by_minutes(last)))
    assert taken(first) == taken(last) == {**dict.fromkeys(range(5), None), **dict.fromkeys(range(5, 10), 90 * MS)}


def test_a_report_has_what_a_faster_partition_has_taken_back_late() -> None:
    first, last = behind(), behind()
    for engine in (first, last):
        engine.apply_rekeyed(answered(AT + 90 * MS, 10 * MS))
    first.apply_rekeyed(answered(AT + 90 * MS, 10 * MS, -1, late_by_minutes(first)))
    go_on(first)
    go_on(last)
    last.apply_rekeyed(answered(AT + 90 * MS, 10 * MS, -1, late_by_minutes(last)))
    assert taken(first) == taken(last) == {0: None, 1: None, **dict.fromkeys((2, 3, 4), 90 * MS), **dict.fromkeys(range(5, 10), None)}
