"""Families that follow from the tables of the core: a counter for each count, and a gauge for each KPI of all partitions together.

Their names are those of the tables, so that what a fact adds to, what is served and what is documented cannot part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from processor.core.distinct import VISITORS
from processor.core.events import CONTACT, ORGANIZATION, PERSON, TICKET
from processor.core.kpis import COMPLIANCE, COST_PER_TICKET, COUNTED, DEFINITIONS, PLAIN, STATS, Definition, Kind
from processor.core.postings_of_others import PRODUCTIVE_STATES
from processor.core.settings import DIMENSIONS
from processor.core.windows import WINDOWS
from processor.export.family import PREFIX, Family, Source, counter, histogram, numbers, together

# Those that `catalogue` declares with labels of their own; in windows they are told apart by segment, the others stand in the total.
BASIC_COUNTS = (
    *("tickets_created", "tickets_adopted", "tickets_solved", "tickets_reopened", "tickets_merged", "tickets_discarded"),
    *("tickets_restored", "backlog_entered", "backlog_left", "contacts_offered", "contacts_answered", "contacts_answered_in_target"),
    *("contacts_abandoned", "contacts_short_abandoned"),
)
BASIC_TIMES = ("first_response", "first_response_business", "first_resolution", "full_resolution", "speed_of_answer", "time_to_abandon")
SUMMED = ("touch_time", "talk_time", "hold_time", "wrap_up_time", *(f"agent_time_{state}" for state in PRODUCTIVE_STATES))
DISTINCT_KPIS = ("kb_users", "agents_active")  # counts of a window that no counter can give
DISTINCT = VISITORS  # a person lives on one partition, so these add up; agents do not

_TURN_EDGES = (0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 10.0, 15.0, 20.0, 30.0)
_SCORE_EDGES = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0)
_BY_GROUP, _BY_CHANNEL, _BY_QUEUE = ("group",), ("channel",), ("channel", "queue")
# As histograms, each of which is some fifty series for a channel; other times have their windows only.
_HISTOGRAMS = {"next_response": "next_response", "requester_wait": "requester_wait", "agent_work": "agent_work", "handle_time": "handle"}
# Counts that are only for the topic of KPIs.
_NOT_SERVED = frozenset(
    {"csat_responses_by_wait", "csat_satisfied_by_wait", "csat_responses_by_sla", "csat_satisfied_by_sla"}
)
_SERVED_AS: dict[str, tuple[Source, tuple[str, ...]]] = {
    TICKET: ("tickets_by_group", _BY_GROUP),
    CONTACT: ("contact", _BY_QUEUE),
    PERSON: ("person", ()),
    ORGANIZATION: ("organization", ()),
}
_TIMED_AS: tuple[Source, tuple[str, ...]] = ("tickets_by_channel", _BY_CHANNEL)


def counters() -> Iterator[Family]:
    """A counter with its twin for each count that `catalogue` does not declare. What may fall below 0 is no counter."""
    for name, each in COUNTED.items():
        if name not in BASIC_COUNTS and name not in _NOT_SERVED and not each.signed:
            source, labels = _SERVED_AS[each.entity]
            yield from counter(source, name, labels, each.text, unit=each.unit, by=each.by, values=each.values)


def sums() -> Iterator[Family]:
    """Histograms of what takes time, and totals of time and money."""
    for name, shown in _HISTOGRAMS.items():
        source, labels = _SERVED_AS[CONTACT] if name == "handle_time" else _TIMED_AS
        for family in histogram(source, name, labels, DEFINITIONS[name].text):
            yield replace(family, name=family.name.replace(name, shown), help=family.help.replace(f"{name}_s", f"{shown}_s"))
    for name, key, unit, edges in (("human_turns", "interactions", "turns", _TURN_EDGES), ("ces_score", "ces", "score", _SCORE_EDGES)):
        yield from numbers("tickets_by_channel", name, key, _BY_CHANNEL, DEFINITIONS[key].text, unit, edges)
    yield from counter("tickets_by_group", "touch_seconds", _BY_GROUP, "Logged work on tickets.", key="touch_time:sum", unit="seconds",
                       scale=1000)
    for part, text in (("talk", "Talking"), ("hold", "Holding the line"), ("wrap_up", "After-contact work")):
        yield from counter("contact", f"{part}_seconds", _BY_QUEUE, f"{text} of handled contacts.", key=f"{part}_time:sum", unit="seconds",
                           scale=1000)
    yield from counter("agent", "agent_state_seconds", ("group",), "Time of agents in states in which they work, by quarters of an hour.",
                       key="agent_time", by="state", values=PRODUCTIVE_STATES, unit="seconds", scale=1000)
    yield from counter("account", "operating_cost", (), "What support cost. Not to be summed over currency.", key="cost", by="currency",
                       unit="those of the currency", scale=1000)


def gauged(definition: Definition) -> bool:
    """Whether the KPI has a gauge of all partitions together: what is no plain count, and what no counter can give."""
    return definition.gauged and (definition.kind not in PLAIN or definition.name in DISTINCT_KPIS)


def family_of(definition: Definition) -> str:
    """The family that serves it."""
    if definition.name.startswith(COST_PER_TICKET):
        return f"{PREFIX}window_cost_per_ticket"
    if definition.clock:
        return f"{PREFIX}window_{COMPLIANCE}_ratio"
    suffix = {"seconds": "_seconds", "ratio": "_ratio"}.get(definition.unit, "")
    return f"{PREFIX}window_{definition.name}{suffix}"


def gauges() -> Iterator[Family]:
    """What the KPI stage serves."""
    of_segment = ("by", *DIMENSIONS)
    tabular = (
        "All partitions together, net, in event time, ending at support_kpi_end_timestamp_seconds. Absent where nothing was observed; "
        "support_window_kpi_observations says how many. Tabular: do not sum or average over any label."
    )
    for definition in DEFINITIONS.values():
        if not gauged(definition) or definition.clock:
            continue
        name = family_of(definition).removeprefix(PREFIX)
        told = f"{definition.text} {definition.rule}."
        labels: tuple[str, ...] = ("window", *of_segment)
        if definition.kind in (Kind.DURATION, Kind.NUMBER):
            edge = " (max is the upper edge of its bucket)" if definition.kind is Kind.DURATION else ""
            told, labels = f"{told} By stat: {', '.join(STATS)}{edge}.", ("stat", *labels)
        yield together(name, f"{told} {tabular}", definition.unit, labels)
    told = f"SLA clocks that kept their target / those that were decided. {tabular}"
    yield together(f"window_{COMPLIANCE}_ratio", told, "ratio", ("clock", "window", *of_segment))
    told = f"Costs / solved tickets, by currency. {tabular}"
    yield together("window_cost_per_ticket", told, "that of the currency", ("currency", "window", *of_segment))
    yield together("window_kpi_observations", "What a window KPI rests on: its denominator, of all partitions together. Low numbers say "
                   "little. Tabular: do not sum over kpi, window or by.", "observations", ("kpi", "window", *of_segment))
    yield together("kpi_min_observations", "What rests on fewer observations says little: kpis.min_n of the configuration.",
                   "observations", ())
    yield together("window_complete", "1 where every partition has reported the minute shown, 0 where some are missing from the numbers.",
                   "flag", ("kpi_partition",))
    yield together("kpi_end_timestamp_seconds", "The full minute up to which the window KPIs of this part of the segments reach.",
                   "seconds since 1970", ("kpi_partition",))
    yield together("kpi_level", "How many there are now, of all partitions together: tickets in the backlog and awaiting their first "
                   "response, contacts_waiting in a queue, agents_online, of the total also clocks overdue. Tabular: do not sum over level "
                   "or by.", "tickets, contacts, agents or clocks", ("level", *of_segment))
    yield together("kpi_target", "What a KPI ought to be, from kpis.targets of the configuration. Tabular: do not sum.", "that of the KPI",
                   ("kpi", "stat", "direction", *of_segment))
    yield together("kpi_goal_progress_ratio", "How far a target of kpis.targets is reached, 1 = kept. Value / target of "
                   "at_least, target / value of at_most, from 0 to 2. Absent with fewer than kpis.min_n observations. Do not sum.",
                   "ratio", ("goal", "kpi", "window", *of_segment), values=WINDOWS, stability="experimental")
