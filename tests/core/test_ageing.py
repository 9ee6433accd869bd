"""What an engine remembers is bounded by what is going on, not by what has gone on."""

from __future__ import annotations

from processor.core.ageing import HEAP_SLACK
from processor.core.engine import Engine
from processor.core.settings import DAY_MS, MS, Policy, Settings, Target
from tests.laws.says import created, message, status
from tests.laws.worlds import START, said

TARGET = DAY_MS
POLICY = Policy("default", 1, 0, {}, {"first_response": Target(TARGET), "resolution": Target(TARGET)}, {})
SHORT = Settings(
    policies=(POLICY,), allowed_lateness=10 * MS, timer_delay=MS, final_after=10 * MS, reopen_horizon=10 * MS, repeat_window=10 * MS,
    survey_lateness=10 * MS, survey_edit_window=10 * MS, max_stubs=5,
)  # fmt: skip


def test_deadlines_of_what_was_solved_are_forgotten_with_it_and_others_pass_in_time() -> None:
    """A target of a day, and tickets that are solved within a second: the entries of a day would be a million."""
    engine, longest = Engine(SHORT), 0
    engine.apply(said(0, "ticket.created", *created(), key="open"))
    for second in range(1, 2000):
        life = (("ticket.created", created()), message("M", "agent"), status("solved"))
        for third, (kind, data) in enumerate(life):
            engine.apply(said((second + third / 3) / 60, kind, *data, key=f"T-{second}"))
        engine.advance_by_log()
        engine.sweep()
        longest = max(longest, len(engine.timers), len(engine.sweeps))
    assert engine.view().entities < 100
    assert longest <= 100 + 50 + HEAP_SLACK < 1999
    engine.drain()
    engine.advance(START + TARGET)
    breaches = {(each.key, each.fact.at) for each in engine.drain().facts if each.fact.kind == "clock.breached"}
    assert breaches == {("open", START + TARGET)}
