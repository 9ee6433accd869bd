"""KPIs that follow from a row in a way of their own: rates of the backlog and of agents, customers, and what needs a rule.

What is read in one of the common ways stands in `kpi_table`.
"""

from __future__ import annotations

from processor.core.distinct import AGENTS, VISITORS
from processor.core.kpi_readings import Reading, Window, ratio
from processor.core.kpi_statistics import Measure
from processor.core.postings_of_others import CUSTOMERS, CUSTOMERS_COUNTED, OCCUPIED_STATES, PRODUCTIVE_STATES

HOUR_SECONDS = 3600
_QUARTER_SECONDS = 900


def compliance(clock: str) -> Reading:
    """Clocks that kept their target / those that were decided."""
    measured, breached = f"sla_measured:{clock}", f"sla_breached:{clock}"
    return ratio(lambda window: (window[measured] - window[breached], window[measured]))


def nps(window: Window) -> tuple[int, int, int]:
    """Promoters, detractors, all."""
    row = window.row
    return row.get("nps_responses:promoter", 0), row.get("nps_responses:detractor", 0), window["nps_responses"]


def ces_index(window: Window) -> tuple[int, int, int]:
    """Those of 6 and 7, those of 1 to 3, all."""
    return window["ces_very_easy"], window.row.get("ces_responses:hard", 0), window["ces_responses"]


def abandonment(window: Window) -> tuple[int, int]:
    """Short abandonments are in neither."""
    return window["contacts_abandoned"], window["contacts_offered"] - window["contacts_short_abandoned"]


def service_level(window: Window) -> tuple[int, int]:
    """What else than answered and abandoned ones is in the denominator is configured."""
    decided = window["contacts_answered"] + window["contacts_abandoned"]
    if window.rules.service_level_counts_short:
        decided += window["contacts_short_abandoned"]
    if window.rules.service_level_counts_flow_outs:
        decided += window["contacts_flowed_out"]
    return window["contacts_answered_in_target"], decided


def kb_efficiency(window: Window) -> tuple[int, int]:
    """People who helped themselves / those and the tickets."""
    users = window.people(VISITORS)
    return users, users + window["tickets_created"]


def retention(window: Window) -> tuple[int, int]:
    """Of those who were customers when the window began, how many still are: (at the end - new) / at the start.

    Where somebody counts them all, the last count before is the start. Counts come seldom: who left since then, events tell, and only
    where none do the next count tells it.
    """
    at_end, change = _customers(window)
    at_start, new, lost = at_end - change, window["customers_acquired"], window["customers_churned"]
    if CUSTOMERS_COUNTED not in window.row:
        return at_end - new, at_start
    return at_start - (lost or (at_start + new - at_end if change else 0)), at_start


def churn(window: Window) -> tuple[int, int]:
    """The others."""
    stayed, at_start = retention(window)
    return at_start - stayed, at_start


def net_flow(window: Window) -> Measure:
    """What came in minus what went out."""
    entered, left = window["backlog_entered"], window["backlog_left"]
    return Measure(entered - left, max(entered + left, 0))


def backlog(window: Window) -> Measure:
    """At the end of the window."""
    return Measure(window.backlog, max(window.backlog, 0))


def customers(window: Window) -> Measure:
    """At the end of the window."""
    number, _ = _customers(window)
    return Measure(number, max(number, 0))


def _customers(window: Window) -> tuple[int, int]:
    """At the end, which is put into the row where it is reported, and how many more than at the beginning.

    Where somebody counts them all, that count holds.
    """
    if CUSTOMERS_COUNTED in window.row:
        return window.row[CUSTOMERS_COUNTED], window["customers_counted"]
    return window.row.get(CUSTOMERS, 0), window["customers_acquired"] - window["customers_churned"]


def backlog_growth(window: Window) -> Measure:
    """Net flow / backlog at the start, which is that at the end minus the net flow."""
    net = window["backlog_entered"] - window["backlog_left"]
    at_start = max(window.backlog - net, 0)
    return Measure(net / at_start if at_start else None, at_start, net, at_start)


def work_off(window: Window) -> Measure:
    """Backlog / what goes out in a second."""
    left = max(window["backlog_left"], 0)
    rate = left / window.seconds if window.seconds else 0.0
    return Measure(window.backlog / rate if rate else None, left if rate else 0, window.backlog, rate)


def drain(window: Window) -> Measure:
    """Backlog / (what goes out - what comes in, in a second); without end where no more goes out than comes in."""
    entered, left = window["backlog_entered"], window["backlog_left"]
    n = max(entered + left, 0)
    if not n or not window.seconds:
        return Measure(None, 0, window.backlog, 0.0)
    rate = (left - entered) / window.seconds
    value = 0.0 if window.backlog <= 0 else window.backlog / rate if rate > 0 else float("inf")
    return Measure(value, n, window.backlog, rate)


def people(family: str) -> Reading:
    """How many different ones."""

    def read(window: Window) -> Measure:
        number = window.people(family)
        return Measure(number, number)

    return read


def tickets_per_agent(window: Window) -> Measure:
    """Tickets that agents solved / agents who were active."""
    solved, agents = window["tickets_solved_by_agents"], window.people(AGENTS)
    return Measure(solved / agents if agents else None, agents, solved, agents)


def tickets_per_hour(window: Window) -> Measure:
    """Tickets that agents solved / hours that agents were at work; where nobody reports these, hours by plan."""
    solved, hours = window["tickets_solved_by_agents"], window.time(PRODUCTIVE_STATES) / HOUR_SECONDS
    estimated = not window["agent_time"] and window.scheduled > 0
    if estimated:
        hours = window.scheduled / HOUR_SECONDS
    return Measure(solved / hours if hours > 0 else None, max(solved, 0) if hours > 0 else 0, solved, hours, estimated=estimated)


def agents_online(window: Window) -> float:
    """How many agents were at work on average."""
    return window.time(PRODUCTIVE_STATES) / window.seconds if window.seconds else 0.0


def open_tickets_per_agent_online(window: Window) -> Measure:
    """Backlog at the end / agents at work, on average over the window."""
    agents = agents_online(window)
    return Measure(window.backlog / agents if agents > 0 else None, max(window.backlog, 0) if agents > 0 else 0, window.backlog, agents)


def occupancy(window: Window) -> Measure:
    """Time with customers and after them / that and the time in which agents were available. `n` counts quarters of an hour."""
    occupied = window.time(OCCUPIED_STATES)
    seconds = occupied + window.time(("available",))
    n = -(-int(seconds) // _QUARTER_SECONDS) if seconds > 0 else 0
    return Measure(occupied / seconds if n else None, n, occupied, seconds)
