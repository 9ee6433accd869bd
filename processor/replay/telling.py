"""What a replay has to tell beyond its sums, for the report: what was listened to, KPIs over time, where they stand, and who waits."""

from __future__ import annotations

from typing import Any

from processor.compile import compile_rules
from processor.explain.words import When
from processor.replay.alive import alive
from processor.replay.breaches import Breaches
from processor.replay.driver import Replay
from processor.replay.following import Following
from processor.replay.segments import history
from processor.replay.waiting import waiting_now
from processor.report.goals import by_of, goals, recent
from processor.report.history import minutes_of
from processor.report.over_time import over_time
from processor.report.page.pictures import HEADLINES, PICTURED

Document = dict[str, Any]


def told(replay: Replay, following: Following, breaches: Breaches | None = None, when: When = str) -> Document:
    """Parts of the report's document. Breaches are told where they were listened for; `when` writes an instant in their sentences."""
    config = replay.config
    engines, views, days, rules = replay.shown(), replay.views(), replay.days(), compile_rules(config)
    living, targets = alive(engines), config.kpis.targets
    last = max((view.stream_time for view in views), default=0)
    now = max((max(view.stream_time, view.timer_time) for view in views), default=0)
    minutes = minutes_of(following.first_at or last, last)
    passed = history(engines, views, minutes, {by_of(target) for target in targets}, rules)
    names = [*PICTURED, *(target.kpi for target in targets if not target.dimensions)]
    found = {
        **following.document(engines, views, days, rules, living),
        "over_time": over_time(passed, names),
        "recent": recent(passed, dict.fromkeys((*HEADLINES, *names))),
        "goals": goals(passed, targets),
        "waiting_now": waiting_now(living, views, now),
    }
    if breaches is not None:
        found["breaches"] = breaches.document(engines, living, when)
    return found
