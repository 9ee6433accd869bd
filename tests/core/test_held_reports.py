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


def answered(at: int, wait: int) -> Rekeyed:
    """The ticket's contact was accepted after that wait."""
    return Rekeyed(1, "ticket.contact_answered", "T-1", 7, at, ("C-1", wait, None), at)


def test_what_came_after_a_report_was_taken_takes_nothing_out_of_it() -> None:
    engine = Engine(Settings(), partitions=2)
    engine.report_every(1, hold=True)
    engine.apply(said(AT, "T-1", "ticket.created", created()))
    engine.advance_by_log()
    engine.apply(said(AT + 5 * MINUTE_MS, "T-2", "ticket.created", created()))
    engine.advance_by_log()
    engine.apply(said(AT + 30 * MS, "T-1", *message("M-1", "agent")))  # late: the reports up to here do not have it
    engine.apply_rekeyed(answered(AT + 90 * MS, 10 * MS))
    held = {(report.end - AT) // MINUTE_MS: report.windows.get((0, ()), {}).get("1h", {}) for report in engine.reports.taken}
    assert sorted(held) == [0, 1, 2, 3, 4]
    assert [held[minute].get(ANSWERED) for minute in sorted(held)] == [None, None, *[90 * MS] * 3]
