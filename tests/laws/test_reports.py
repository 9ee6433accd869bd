"""What partitions report at full minutes adds up to the same, however many they are, and is what the net facts say.

The report of W holds what the records before the first one of W + `timer_delay` lead to. A record that comes after that one, and speaks of
an instant before it, may be inside for some numbers of partitions and not for others; the law speaks of the minutes without such records.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.codec.rekeyed import decode_rekeyed, encode_rekeyed
from processor.core import hindsight, timeline
from processor.core.events import DATA_FIELDS, Event, rank_of
from processor.core.facts import Fact
from processor.core.outputs import Rekeyed, Report
from processor.core.settings import HOUR_MS, MINUTE_MS, MS
from processor.core.upstream import all_at
from tests.flavours import pure_only
from tests.laws.driving import Manner, Network, Partition, drive, drive_all
from tests.laws.says import CREATIONS, created, message, status
from tests.laws.test_identities import DETAILED, LENGTHS, Segment, added, clean, posted
from tests.laws.worlds import SETTINGS, SHORT_STEPS, START, Line, events_of, handing_world, lines, said

DELAY = SETTINGS.timer_delay
UNTIL = 20 * MINUTE_MS  # after the last event
FEWER = settings(max_examples=20 + int(os.environ.get("LAWS_EXAMPLES", "0")) // 4)

TOTAL: Segment = (DETAILED.group_bys.index(()), ())
CREATION = said(0, CREATIONS[0][0], *CREATIONS[0][1])
NAMES_OTHERS = frozenset({"ticket_id", "requester_id", "follow_up_of", "respondent_id"})

Sums = tuple[dict[str, dict[Segment, dict[str, int]]], dict[Segment, int]]


def total(reports: Iterable[Report]) -> Sums:
    """Reports of one minute, added up."""
    windows: dict[str, dict[Segment, Counter[str]]] = {}
    backlog: Counter[Segment] = Counter()
    for report in reports:
        backlog.update(report.backlog)
        for segment, by_window in report.windows.items():
            for name, row in by_window.items():
                windows.setdefault(name, {}).setdefault(segment, Counter()).update(row)
    return {name: kept for name, sums in windows.items() if (kept := clean(sums))}, {key: count for key, count in backlog.items() if count}


def with_counts(sums: dict[Segment, dict[str, int]], customers: dict[str, int]) -> dict[Segment, dict[str, int]]:
    """Visitors as a number, and in the total how many customers there are."""
    result = {}
    for segment, row in sums.items():
        visitors = sum(amount > 0 for key, amount in row.items() if key.startswith("kb_visitors:"))
        kept = {key: amount for key, amount in row.items() if not key.startswith("kb_visitors:")}
        result[segment] = kept | {"kb_visitors": visitors} if visitors else kept
    if customers:
        result[TOTAL] = result.get(TOTAL, {}) | customers
    return result


def customers_of(partition: Partition, end: int) -> dict[str, int]:
    """Those known one by one, and those that somebody counted."""
    facts = [partition.stated[name] for name in partition.facts if name[0] == "organization"]
    last: dict[tuple[str, bool], Fact] = {}
    for fact, key in sorted((stated.fact, stated.key) for stated in facts if stated.fact.at < end // MINUTE_MS * MINUTE_MS):
        last[key, fact.kind == "organization.counted"] = fact
    sums: Counter[str] = Counter()
    for (_, counted), fact in sorted(last.items()):
        sums["customers_total" if counted else "customers"] += fact.content[0] if counted else fact.kind == "organization.acquired"
    return {name: number for name, number in sums.items() if number}


def told_by_facts(partition: Partition, end: int) -> Sums:
    """The same from what each net fact adds to which segment in which minute."""
    facts, customers = posted(partition), customers_of(partition, end)
    last = end // MINUTE_MS
    windows = {}
    for name in ("5m", "1h", "today", "24h", "7d"):
        stop = last // 15 * 15 if name in ("24h", "7d") else last
        midnight = max(each // MINUTE_MS for each in SETTINGS.midnights if each <= end)
        if sums := with_counts(added(facts, midnight if name == "today" else stop - LENGTHS[name], stop), customers):
            windows[name] = sums
    backlog: Counter[Segment] = Counter()
    for minute, segment, key, amount in facts:
        if minute < last and key.startswith("backlog_"):
            backlog[segment] += amount if key.startswith("backlog_entered") else -amount
    return windows, {segment: count for segment, count in backlog.items() if count}


def by_minute(partitions: list[Partition]) -> dict[int, Sums]:
    """The sums of the minutes that all partitions have reported, or lie before the beginning of those that have not."""
    reports = [{report.end: report for report in partition.reports} for partition in partitions]
    since = [partition.engine.reports.since for partition in partitions]
    ends = {
        end for found in reports for end in found
        if all(end in other or end <= begins for other, begins in zip(reports, since, strict=True))
    }  # fmt: skip
    return {end: total(found[end] for found in reports if end in found) for end in ends}


def inside(log: list[tuple[int, Event]], place: list[int], end: int) -> set[int]:
    """The records that are inside the report of a minute, given the partition of each."""
    passed: set[int] = set()
    found = set()
    for number, (_, event) in enumerate(log):
        if event.occurred_at >= end + DELAY:
            passed.add(place[number])
        if place[number] not in passed:
            found.add(number)
    return found


def late_by(events: list[Event], most: int, seed: int) -> list[tuple[int, Event]]:
    """The events as they come, each at most so late."""
    random = Random(seed)
    return sorted(((event.occurred_at + random.choice((0, 0, most // 2, most)), event) for event in events), key=lambda each: each[0])


def check(events: list[Event], most: int, seed: int, met: Counter[str]) -> None:
    log = late_by(events, most, seed)
    until = events[-1].occurred_at + UNTIL
    manner = Manner(seed, ahead=False, restarts=False)  # after a restart reports are taken again, with what is known by then
    driven = {count: drive_all(DETAILED, log, until, manner, count, 1) for count in (1, 2, 4)}
    found = {count: by_minute(partitions) for count, partitions in driven.items()}
    places = {
        count: [partitions[0].network.place(event.key) for _, event in log] for count, partitions in driven.items() if partitions[0].network
    }
    alone = [0] * len(log)
    ends = sorted(found[1])
    for end in Random(seed).sample(ends, min(len(ends), 6)):
        records = inside(log, alone, end)
        told = told_by_facts(drive(DETAILED, [log[number][1] for number in sorted(records)], end, Manner()), end)
        assert found[1][end] == told, end
        met["minutes"] += 1
        for count in (2, 4):
            if end in found[count] and inside(log, places[count], end) == records:
                met[f"minutes of {count}"] += 1
                assert found[count][end] == told, (count, end)
            elif end in found[count]:
                met["others"] += 1
    assert most or not met["others"]
    met["segments"] += sum(len(windows.get("1h", ())) for windows, _ in found[1].values())
    met["backlog"] += sum(len(backlog) for _, backlog in found[1].values())
    for partitions in driven.values():
        for partition in partitions:
            assert all(report.since == partition.engine.reports.since > 0 for report in partition.reports)
            assert not [event for _, event in log if event.occurred_at < partition.engine.reports.since and partition.has(event)]


def without_hand_overs(events: list[Event]) -> list[Event]:
    """For contacts and merges see below: what comes from elsewhere may look back."""
    result = []
    for event in events:
        if event.kind not in ("ticket.merged", "ticket.unmerged"):
            fields = zip(DATA_FIELDS[event.kind], event.data, strict=True)
            data = tuple(None if name in NAMES_OTHERS else value for name, value in fields)
            if event.kind == "ticket.fields_changed":
                data = (tuple(change for change in event.data[0] if change[0] not in NAMES_OTHERS),)
            result.append(event._replace(data=data))
    return result


def test_reports_of_a_log_in_order_add_up_to_what_the_facts_say() -> None:
    met: Counter[str] = Counter()

    @FEWER
    @given(st.integers(0, 10**6), lines(SHORT_STEPS, 30), st.integers(0, 999))
    def law(world: int, drawn: list[Line], seed: int) -> None:
        events = events_of(drawn, SHORT_STEPS) if seed % 4 == 0 else handing_world(world, SHORT_STEPS, 40)
        check(without_hand_overs(events) or [CREATION], 0, seed, met)

    law()
    assert all(met[name] for name in ("minutes", "minutes of 2", "minutes of 4", "segments", "backlog")), met


def test_reports_of_a_log_whose_disorder_is_within_the_delay_add_up_to_what_the_facts_say() -> None:
    met: Counter[str] = Counter()

    @FEWER
    @given(st.integers(0, 10**6), st.integers(0, 999))
    def law(world: int, seed: int) -> None:
        check(without_hand_overs(handing_world(world, SHORT_STEPS, 40)) or [CREATION], DELAY, seed, met)

    law()
    assert all(met[name] for name in ("minutes", "minutes of 2", "minutes of 4", "segments", "backlog")), met


MEETING = (
    message("M1", "customer"), message("M2", "agent", "internal"),
    ("ticket.priority_changed", ("high",)), ("ticket.priority_changed", ("normal",)), ("ticket.group_changed", ("g1",)),
    *(status(to) for to in ("pending", "on_hold", "open")),
)  # fmt: skip


LOOKING_BACK = (
    ("ticket.priority_changed", ("urgent",)),  # another policy may measure a clock that began before
    message("M3", "agent"), ("message.bounced", ("M3",)),
    status("solved"), status("open"),
    ("ticket.marked_as_spam", ()), ("ticket.unmarked_as_spam", ()), ("ticket.unmarked_as_spam", ()),
)  # fmt: skip


# Nobody knows who asks: a ticket that is merged away or spam takes back what it told its requester, and that looks back, see below.
STRANGERS = (("ticket.created", created()), ("ticket.created", created(priority="urgent", group="g1", language="de")))
# These come back about a topic and are solved without a word, so that there is no first contact to assess anew.
ASKED = tuple(created("chat", priority="low", requester_id=who, topic=topic) for who in ("P1", "P2") for topic in ("billing", "delivery"))


def meeting_world(seed: int, *, calm: bool) -> list[Event]:
    """Tickets are merged into each other and in the end into two that stay, contacts answer these; requesters come back about a topic.

    Where it is calm, nothing looks back: no spam, no reopening. The tickets that are merged away have no targets, so that they miss none,
    which a merge would take back. What looks back by way of another partition is in the next report, not in those that are held.
    """
    random = Random(seed)
    at = START
    events: list[Event] = []
    targets = ("T1", "T2")

    def say(key: str, kind: str, data: tuple[object, ...]) -> None:
        events.append(Event(at, rank_of(kind), "", "a", f"e{len(events)}", kind, key, data))

    for key in targets:
        say(key, *STRANGERS[0])
    sources = [f"S{number}" for number in range(9)]
    begun: list[str] = []
    asked: list[str] = []
    calls = [f"C{number}" for number in range(4)]
    for _ in range(random.randrange(15, 45)):
        at += random.choice((0, 1, 2000, 20 * MS, 20 * MS, MINUTE_MS, MINUTE_MS, 2 * MINUTE_MS))
        draw = random.random()
        if draw < 0.3 and sources:
            begun.append(sources.pop())
            quiet = ("ticket.created", created("chat", priority="low", topic=None))
            say(begun[-1], *(quiet if calm else random.choice(STRANGERS)))
        elif draw < 0.6 and begun:
            say(begun.pop(random.randrange(len(begun))), "ticket.merged", (random.choice((*targets, *begun)),))
        elif draw < 0.65:
            asked.append(f"R{len(asked)}")
            say(asked[-1], "ticket.created", random.choice(ASKED))
        elif draw < 0.7 and asked:
            say(asked[-1], *status("solved"))
        elif draw < 0.8 and calls and at > START:
            call = calls.pop()
            say(call, "contact.queued", ("phone", "q1", *random.choice((("billing", None, "P1"), (None, random.choice(targets), None)))))
            at += random.choice((0, 2000, 20 * MS, MINUTE_MS))
            say(call, *random.choice((("contact.accepted", ("A1",)), ("contact.abandoned", (None,)))))
        else:
            say(random.choice(targets), *random.choice(MEETING if calm else (*MEETING, *LOOKING_BACK)))
    return events


def test_held_reports_hold_what_partitions_hand_to_each_other_and_a_restart_changes_nothing() -> None:
    met: Counter[str] = Counter()

    @FEWER
    @given(st.integers(0, 10**6), st.integers(0, 999), st.sampled_from((2, 3)))
    def law(world: int, seed: int, count: int) -> None:
        calm = seed % 2 == 0
        events = meeting_world(world, calm=calm)
        until = events[-1].occurred_at + UNTIL
        manner = Manner(seed, ahead=False, restarts=calm)  # after a restart reports are taken again, with what is known by then
        partitions = drive_all(DETAILED, [(event.occurred_at, event) for event in events], until, manner, count, 1)
        found = by_minute(partitions)
        for partition in partitions:
            last: dict[int, Report] = {}
            for report in partition.reports:
                met["again"] += report.end in last
                assert last.setdefault(report.end, report) == report
            assert partition.network is not None
            met["across"] += sum(partition.network.place(handed.target) != partition.number for handed in partition.given)
            for kind in ("ticket.contact_answered", "ticket.contacted_again", "person.contacted"):
                met[kind] += partition.handed[kind, 1]
            met["chains"] += sum(handed.kind == "ticket.wait_handed" and handed.data[-1] > 1 for handed in partition.given)
        for end in Random(seed).sample(sorted(found), min(len(found), 8)):
            known = [event for event in events if event.occurred_at < end + DELAY]
            assert found[end] == told_by_facts(drive(DETAILED, known, end, Manner()), end), end
            met["minutes"] += 1

    law()
    assert all(met[name] for name in ("minutes", "again", "across", "chains", "ticket.contact_answered", "ticket.contacted_again")), met


def alone(*events: Event) -> Partition:
    partition = Partition(DETAILED, report_every_minutes=1)
    for event in events:
        partition.apply(event)
    partition.step()
    return partition


def solved(partition: Partition, minute: int) -> int | None:
    """How many had been solved in the hour before, as the last report of that minute tells."""
    total_of = {report.end: report.windows.get((0, ()), {}).get("1h", {}) for report in partition.reports}
    row = total_of.get(START + minute * MINUTE_MS)
    return None if row is None else row.get("tickets_solved", 0)


def test_what_comes_late_is_in_the_next_report_and_after_a_pause_not_every_minute_is_made_up_for() -> None:
    partition = alone(
        CREATION, said(3, "message.added", "M1", "agent", "public", False, None), said(1, "ticket.status_changed", "solved", None, None),
        said(4, "ticket.assignee_changed", "A1"), said(5, "ticket.assignee_changed", "A1"),
        said(4 * 60 + 7.5, "ticket.assignee_changed", "A1"),
    )  # fmt: skip
    assert [solved(partition, minute) for minute in (1, 2, 3, 4, 60)] == [0, 0, 1, 1, 1]
    assert partition.reports[0].since == START - DELAY
    ends = [(report.end - START) // MINUTE_MS for report in partition.reports]
    assert ends == [*range(5), *range(15, 4 * 60 + 1, 15), 4 * 60 + 7]


def test_what_was_taken_and_not_sent_is_taken_again_after_a_restart() -> None:
    partition = Partition(DETAILED, network=Network(2), report_every_minutes=1, hold=True)
    for minute in range(4):
        partition.apply(said(minute + 0.5, "ticket.assignee_changed", "A1"))
    partition.step()
    assert partition.reports == []
    partition.restart()
    for number in (0, 1):
        partition.engine.hear(number, all_at(START + 2 * MINUTE_MS, START + 2 * MINUTE_MS))
    partition.step()
    assert [report.end for report in partition.reports] == [START + minute * MINUTE_MS for minute in (1, 2)]
    partition.restart()
    partition.step()
    assert [report.end for report in partition.reports][2:] == [START + 2 * MINUTE_MS]


def test_what_was_held_for_longer_than_minutes_are_kept_is_left_out_after_a_restart_and_the_last_minute_is_not() -> None:
    """What lies so far back cannot be taken right any more. The last full minute is reported whatever the cadence, also then."""
    partition = Partition(DETAILED, network=Network(2), report_every_minutes=60, hold=True)
    for number in range(60 * 4):
        at, key = START + number * 15 * MINUTE_MS + MINUTE_MS, f"T{number}"
        partition.apply(CREATION._replace(occurred_at=at, id=key, key=key))
        if number % 3 == 2:
            partition.apply(Event(at + 1, 2, "", "a", f"{key}s", "ticket.status_changed", f"T{number - 2}", ("solved", None, None)))
        partition.engine.sweep()
    until = START + 60 * HOUR_MS + 37 * MINUTE_MS
    partition.apply(Event(until, 2, "", "a", "clock", "control.clock_advanced", "", (until,)))
    partition.engine.sweep()
    partition.step()
    taken = {report.end: report for report in partition.engine.reports.waiting()}
    partition.restart()
    again = {report.end: report for report in partition.engine.reports.waiting()}
    assert all(taken[end] == report for end, report in again.items())
    assert max(again) == max(taken) == until
    assert 20 < len(again) < len(taken)


@pure_only
def test_what_is_handed_over_is_worked_out_once_for_all_reports_between_which_nothing_happened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds may be held."""
    partition = Partition(DETAILED, network=Network(2), report_every_minutes=1, hold=True)
    partition.apply(CREATION)
    partition.apply(said(20, "ticket.priority_changed", "high"))
    for minute in range(100):
        partition.apply(said(minute, "ticket.assignee_changed", "A1", key="T2"))
    folds = 0

    def counted(*arguments: Any) -> Any:
        nonlocal folds
        folds += 1
        return original(*arguments)

    original = timeline.fold
    monkeypatch.setattr(hindsight, "fold", counted)
    partition.engine.apply_rekeyed(Rekeyed(1, "ticket.wait_handed", "T1", 1, START + MINUTE_MS, ("T0", START - MINUTE_MS, 1)))
    assert len(partition.engine.reports.waiting()) > 80
    assert 2 <= folds < 20


def test_what_was_known_later_is_in_no_report_of_before_however_long_that_is_held() -> None:
    """A repeat contact of the second minute, whose event came late: the log had come to the fourth minute where it lives."""
    for known, first in ((0, 2), (START + MINUTE_MS, 2), (START + 3 * MINUTE_MS + DELAY - 1, 3), (START + 3 * MINUTE_MS + DELAY, 4)):
        partition = Partition(DETAILED, network=Network(2), report_every_minutes=1, hold=True)
        partition.apply(CREATION)
        partition.apply(said(0.5, "ticket.status_changed", "solved", None, None))
        partition.apply(said(6, "ticket.assignee_changed", "A1"))
        handed = Rekeyed(1, "ticket.contacted_again", "T1", 1, START + MINUTE_MS, ("T0", "T7"), known)
        key, value = encode_rekeyed(handed, 1, "tests")
        decoded = decode_rekeyed(value, key)[1]
        assert isinstance(decoded, Rekeyed)
        assert (decoded, decoded.known) == (handed, known or handed.at)
        partition.engine.apply_rekeyed(decoded)
        rows = {report.end: report.windows.get(TOTAL, {}).get("1h", {}) for report in partition.engine.reports.waiting()}
        ends = [(end - START) // MINUTE_MS for end, row in rows.items() if row.get("tickets_repeat_contacted")]
        assert ends == list(range(first, 6)), known


def test_what_follows_from_a_late_hand_over_was_not_known_earlier_either() -> None:
    partition = Partition(DETAILED, network=Network(2), report_every_minutes=1, hold=True)
    partition.apply(said(6, "ticket.assignee_changed", "A1"))
    late = START + 5 * MINUTE_MS
    for number, source in enumerate(("T1", "T2")):
        data = (source, "billing", START + number)
        partition.engine.apply_rekeyed(Rekeyed(1, "person.contacted", "P1", number, START + number, data, late + number))
    step = partition.engine.drain()
    assert [(handed.kind, handed.target, handed.at, handed.known) for handed in step.rekeyed if handed.kind != "person.contacted"] == [
        ("ticket.contacted_again", "T1", START + 1, late + 1)
    ]
    partition.apply(said(1, "ticket.created", *CREATION.data))  # late: the log had come to the sixth minute
    assert {handed.known for handed in partition.engine.drain().rekeyed} == {START + 6 * MINUTE_MS}
