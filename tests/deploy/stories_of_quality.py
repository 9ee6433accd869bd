"""Guard pairs, scores, goals and the work of days: 24 hours against 7 days. All is well until minute 10 and from minute 100 on.

A sample is of five minutes: windows of a day change no more often than every quarter of an hour.
"""

from __future__ import annotations

from tests.deploy.stories import Fires, Story

TIMES = {"handle_time": "mean", "first_response": "p50", "first_resolution": "p50"}
SILENT, AT, OVER = ("5m", "35m"), "45m", "175m"


def kpi(name: str, day: str, week: str, observations: str = "50x50", group: str = "") -> dict[str, str]:
    """A KPI of 24 hours and of 7 days: two numbers of which the first becomes `day`, or whole rows of values."""
    place = f'by="group",group="{group}"' if group else 'by="total"'
    if name == "ces":
        family, stat = "support_window_ces", 'stat="mean",'
    elif name in TIMES:
        family, stat = f"support_window_{name}_seconds", f'stat="{TIMES[name]}",'
    else:
        family, stat = f"support_window_{name}_ratio", ""
    changing = day if "x" in day else f"{week}x1 {day}x17 {week}x30"
    return {
        f'{family}{{{stat}window="24h",{place}}}': changing,
        f'{family}{{{stat}window="7d",{place}}}': f"{week}x50",
        f'support_window_kpi_observations{{kpi="{name}",window="24h",{place}}}': observations,
    }


def pair(better: str, worse: str, group: str = "") -> dict[str, str]:
    """The labels of a guard pair."""
    return {"pair": f"{better}_{worse}", **({"group": group} if group else {})}


STORIES = (
    Story(
        "SupportBacklogDrainTooLong", "four days of work, and it never drains; what soon drains is fine, so is nothing at all",
        {
            'support_window_backlog_work_off_seconds{window="24h",by="total"}': "200000x5 345600x17 200000x30",
            'support_window_backlog_drain_seconds{window="24h",by="total"}': "Inf+0x60",
            'support_window_backlog_work_off_seconds{window="24h",by="group",group="fine"}': "345600x60",
            'support_window_backlog_drain_seconds{window="24h",by="group",group="fine"}': "400000x60",
            'support_window_backlog_work_off_seconds{window="24h",by="group",group="unknown"}': "NaN+0x60",
            'support_window_backlog_drain_seconds{window="24h",by="group",group="unknown"}': "NaN+0x60",
        },
        silent=("89m",), fires={"95m": (Fires("4d 0h 0m 0s"),)}, resolved="190m",
    ),
    Story(
        "SupportQualitySacrificed", "contacts take three quarters of the time; satisfaction, first contact resolution and effort suffer",
        {
            **kpi("handle_time", "300", "400"), **kpi("csat", "0.8", "0.9"), **kpi("fcr_provisional", "0.6", "0.7"),
            **kpi("ces", "5", "5.5"),
        },
        SILENT,
        {
            AT: (
                Fires("0.8", labels=pair("handle_time", "csat")), Fires("0.6", labels=pair("handle_time", "fcr_provisional")),
                Fires("5", labels=pair("handle_time", "ces")),
            ),
        },
        OVER,
    ),
    Story(
        "SupportQualitySacrificed", "faster, customers as satisfied as before; few answered about effort, of the rest nothing is known",
        {
            **kpi("handle_time", "300", "400"), **kpi("csat", "0.87", "0.9"), **kpi("ces", "2", "5.5", "19x50"),
            **kpi("fcr_provisional", "NaN+0x50", "0.7"),
        },
        ("45m", "60m", "90m"),
    ),
    Story(
        "SupportFcrCsatDivergence", "satisfaction rises while first contact resolution and effort get worse",
        {**kpi("csat", "0.9", "0.8"), **kpi("fcr_provisional", "0.5", "0.7"), **kpi("ces", "5", "5.5")},
        SILENT, {AT: (Fires("0.5", labels=pair("csat", "fcr_provisional")), Fires("5", labels=pair("csat", "ces")))}, OVER,
    ),
    Story(
        "SupportSolvedTooSoon", "solved in half the time; more come back, more ask again, and the backlog shrinks by that",
        {
            **kpi("first_resolution", "3600", "7200"), **kpi("reopen", "0.2", "0.1"), **kpi("repeat_contact", "0.3", "0.2"),
            'support_window_backlog_growth_ratio{window="24h",by="total"}': "0x1 -0.2x17 0x30",
            **kpi("first_resolution", "3600", "7200", group="billing"), **kpi("reopen", "0.1", "0.1", group="billing"),
        },
        SILENT,
        {
            AT: (
                Fires("0.2", labels=pair("first_resolution", "reopen")), Fires("0.3", labels=pair("first_resolution", "repeat_contact")),
                Fires("0.2", labels=pair("backlog_growth", "reopen")),
            ),
        },
        OVER,
    ),
    Story(
        "SupportAutoReplyMasking", "first responses twice as fast in billing, where automatic ones have doubled",
        {**kpi("first_response", "900", "1800", group="billing"), **kpi("automated_first_reply", "0.6", "0.3", group="billing"),
         **kpi("first_response", "900", "1800"), **kpi("automated_first_reply", "0.32", "0.3")},
        SILENT, {AT: (Fires("0.6", labels=pair("first_response", "automated_first_reply", "billing")),)}, OVER,
    ),
    Story(
        "SupportClockParking", "half of the clocks stand still instead of one in ten, and more are kept",
        {
            'support_sla_clocks_paused{clock="resolution",policy="p",priority="high",partition="0"}': "10x1 50x17 10x30",
            'support_sla_clocks_running{clock="resolution",policy="p",priority="high",partition="0"}': "90x1 50x17 90x30",
            'support_window_sla_compliance_ratio{clock="resolution",window="24h",by="total"}': "0.8x1 0.95x17 0.8x30",
            'support_window_sla_compliance_ratio{clock="resolution",window="7d",by="total"}': "0.8x50",
            'support_window_kpi_observations{kpi="resolution_sla_compliance",window="24h",by="total"}': "40x50",
            'support_sla_clocks_paused{clock="first_response",policy="p",priority="high",partition="0"}': "0x50",
            'support_sla_clocks_running{clock="first_response",policy="p",priority="high",partition="0"}': "0x50",
        },
        SILENT, {AT: (Fires("50%", labels={"clock": "resolution"}),)}, OVER,
    ),
    Story(
        "SupportReopenRateHigh", "15 % of what billing solves comes back, in all it is 8 %",
        {**kpi("reopen", "0.15", "0.05", group="billing"), **kpi("reopen", "0.08", "0.05"), **kpi("reopen", "0.5", "0.05", "3x50", "few")},
        SILENT, {AT: (Fires("15%", labels={"group": "billing"}),)}, OVER,
    ),
    Story(
        "SupportEscalationSpike", "a fifth is escalated, otherwise a twentieth; one group always escalates as much",
        {**kpi("escalation", "0.2", "0.05"), **kpi("escalation", "0.2", "0.15", group="second_line")},
        SILENT, {AT: (Fires("20%"),)}, OVER,
    ),
    Story(
        "SupportCsatDrop", "satisfaction falls from 90 to 75 %; one dissatisfied answer alone is no drop",
        {**kpi("csat", "0.75", "0.9"), **kpi("csat", "0", "1", "1x50", "billing")},
        SILENT, {AT: (Fires("75%"),)}, OVER,
    ),
    Story(
        "SupportSurveyScoresLow", "five low scores within half an hour; four elsewhere",
        {
            'support_surveys_negative_total{group="billing",survey="csat",partition="0"}': "0x1 1+1x4 5x100",
            'support_surveys_negative_total{group="technical",survey="csat",partition="0"}': "0x1 1+1x3 4x100",
        },
        ("5m", "25m"), {"35m": (Fires("5", labels={"group": "billing", "survey": "csat"}),)}, "290m",
    ),
    Story(
        "SupportGoalOffTrack", "a goal is reached to 80 %, another to 95",
        {
            'support_kpi_goal_progress_ratio{goal="csat_at_least",kpi="csat",window="7d",by="total"}': "1x1 0.8x17 1x30",
            'support_kpi_goal_progress_ratio{goal="nps_at_least",kpi="nps",window="7d",by="total"}': "0.95x50",
            'support_kpi_goal_progress_ratio{goal="nps_at_least",kpi="nps",window="5m",by="total"}': "0x50",
        },
        ("5m", "65m"), {"75m": (Fires("80%", labels={"goal": "csat_at_least", "kpi": "csat", "by": "total"}),)}, "175m",
    ),
)
