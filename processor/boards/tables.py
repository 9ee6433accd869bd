"""The six boards. A number that leads to no action has no place here."""

from __future__ import annotations

from processor.boards.board import Board, Tile
from processor.boards.readings import Kpi, Level, Series

SOON, LATER = "15m", "1h"

QUEUE_NOW = Board(
    "queue-now", "Queue now", "agents", "Who waits, and is anybody there to answer?",
    (
        Tile("contacts_waiting", "Waiting in line", "How many callers and chatters wait?",
             "Contacts in a queue now. More than there are agents online: call for help from other groups.", "contacts",
             Level("contacts_waiting"), "down"),
        Tile("longest_wait", "Longest wait", "How long has the first in line waited?",
             "Since when the contact that waits longest is in a queue; 0 where nobody waits. Take that one next.", "seconds",
             Series("support_contacts_waiting_oldest_timestamp_seconds", form="since"), "down"),
        Tile("agents_online", "Agents online", "How many agents are at work?",
             "Agents who are online, available, busy or in wrap-up. 0 where no source reports what agents do.", "agents",
             Level("agents_online"), "up"),
        Tile("service_level", "Service level today", "Do we answer in time today?",
             "Contacts answered in target / (answered + abandoned), since midnight.", "ratio", Kpi("service_level", "today"), "up",
             "service_level"),
        Tile("abandonment", "Gave up today", "How many gave up today?",
             "Abandoned / offered contacts since midnight, short abandonments in neither. When it rises, people wait too long.", "ratio",
             Kpi("abandonment", "today"), "down", "abandonment"),
        Tile("awaiting", "Tickets without an answer", "How many tickets wait for their first answer?",
             "Unsolved tickets to which no human has replied yet.", "tickets", Level("awaiting"), "down"),
        Tile("speed_of_answer", "Answered within, 90 %", "How long do nine in ten callers wait at most?",
             "Within this time nine of ten answered contacts of the last hour were answered.", "seconds",
             Kpi("speed_of_answer", "1h", "p90"), "down", "speed_of_answer", wall=False),
        Tile("first_response_now", "First answer, last hour", "How long does a first answer take now?",
             "Mean time from creation to the first human reply, of the tickets answered within the last hour.", "seconds",
             Kpi("first_response", "1h", "mean"), "down", "first_response", wall=False),
        Tile("occupancy", "Agents busy, last hour", "Are agents at their limit?",
             "Time busy and in wrap-up / that and the time available. Above 0.85 for long, quality falls.", "ratio",
             Kpi("occupancy", "1h"), "down", "occupancy", wall=False),
    ),
)  # fmt: skip

SLA_RISK = Board(
    "sla-risk", "SLA risk", "supervisors", "Which promises are about to break?",
    (
        Tile("due_soon", f"Due in {SOON}", f"How many deadlines come within {SOON}?",
             "Running SLA clocks with a deadline within a quarter of an hour. Work on these first.", "clocks",
             Series("support_sla_clocks_due", (("horizon", SOON),)), "down"),
        Tile("due_later", f"Due in {LATER}", f"How many deadlines come within {LATER}?",
             "Running SLA clocks with a deadline within the hour, those within a quarter of an hour included.", "clocks",
             Series("support_sla_clocks_due", (("horizon", LATER),)), "down"),
        Tile("next_due", "Next deadline in", "When is the next deadline?",
             "Time until the next deadline of a running SLA clock.", "seconds",
             Series("support_sla_next_due_timestamp_seconds", form="until"), "up"),
        Tile("overdue", "Overdue", "How many promises are broken and still open?",
             "SLA clocks that run now and have passed their target. Each is a customer who still waits.", "clocks", Level("overdue"),
             "down", limit=0),
        Tile("first_response_compliance", "First answers in time", "Which share of first answers was in time today?",
             "first_response clocks that kept their target / those that were decided, since midnight.", "ratio",
             Kpi("first_response_sla_compliance", "today"), "up", "first_response_sla_compliance"),
        Tile("first_response_breached", "First answers late today", "How many first answers came too late today?",
             "first_response clocks that passed their target since midnight.", "clocks", Kpi("first_response_clocks_breached", "today"),
             "down"),
        Tile("compliance_per_ticket", "Solved without a breach", "Which share of solved tickets kept every promise today?",
             "Solved tickets of which no clock had breached / those that had a clock with a target, since midnight.", "ratio",
             Kpi("sla_compliance_per_ticket", "today"), "up", "sla_compliance_per_ticket", wall=False),
    ),
)  # fmt: skip

BACKLOG_FLOW = Board(
    "backlog-flow", "Backlog flow", "supervisors", "Do we solve as much as comes in?",
    (
        Tile("backlog", "Unsolved", "How many tickets are unsolved?", "Tickets in the backlog now.", "tickets", Level("backlog"), "down"),
        Tile("net_flow", "Growth, 24 h", "Does the backlog grow?",
             "What entered minus what left the backlog within 24 hours. Above 0 it grows: that, not its size, is the warning.", "tickets",
             Kpi("backlog_net_flow", "24h"), "down", limit=0),
        Tile("created", "Came in, 24 h", "How many tickets came in?", "Tickets created within 24 hours.", "tickets",
             Kpi("tickets_created", "24h")),
        Tile("solved", "Solved, 24 h", "How many tickets were solved?", "Tickets solved within 24 hours.", "tickets",
             Kpi("tickets_solved", "24h"), "up"),
        Tile("work_off", "Work in hand", "How long would the backlog last if nothing came in?",
             "Backlog / tickets that leave it per second, at the pace of the last 24 hours.", "seconds", Kpi("backlog_work_off", "24h"),
             "down", "backlog_work_off"),
        Tile("oldest", "Oldest ticket", "How old is the oldest unsolved ticket?",
             "Since the creation of the oldest unsolved ticket; 0 where there is none.", "seconds",
             Series("support_backlog_oldest_created_timestamp_seconds", form="since"), "down"),
        Tile("drain", "Empty in", "When is the backlog gone?",
             "Backlog / (left - entered) per second at the pace of 24 hours; infinite while it grows.", "seconds",
             Kpi("backlog_drain", "24h"), "down", "backlog_drain", wall=False),
        Tile("growth", "Growth rate, 24 h", "How fast does the backlog grow?",
             "Net flow of 24 hours / backlog at their beginning.", "ratio", Kpi("backlog_growth", "24h"), "down", "backlog_growth",
             wall=False),
    ),
)  # fmt: skip

QUALITY = Board(
    "quality", "Quality", "supervisors", "Is it good, or only quick?",
    (
        Tile("csat", "Satisfied, 7 d", "Are customers satisfied?", "Satisfied answers / answers to satisfaction surveys of seven days.",
             "ratio", Kpi("csat", "7d"), "up", "csat"),
        Tile("fcr", "Solved at first contact", "Do we solve it the first time?",
             "Tickets resolved at the first contact as far as is known / eligible solved tickets, of seven days.", "ratio",
             Kpi("fcr_provisional", "7d"), "up", "fcr_provisional"),
        Tile("reopen", "Reopened, 7 d", "How much comes back?",
             "Reopened / solved tickets of seven days. When solving gets quicker and this rises, tickets are closed too early.", "ratio",
             Kpi("reopen", "7d"), "down", "reopen"),
        Tile("ces", "Found it easy, 7 d", "Was it easy for customers?", "Answers of 5 to 7 / answers to how easy it was, of seven days.",
             "ratio", Kpi("ces_easy", "7d"), "up", "ces_easy"),
        Tile("escalation", "Escalated, 7 d", "How much do we hand upwards?",
             "Tickets escalated at least once / solved tickets of seven days.", "ratio", Kpi("escalation", "7d"), "down", "escalation"),
        Tile("automated", "First answer by a machine", "How often does a machine answer first?",
             "Tickets whose first outgoing message was automated / those with any, of seven days. A quick first response means little "
             "where this is high.", "ratio", Kpi("automated_first_reply", "7d"), "down", "automated_first_reply"),
        Tile("fcr_final", "Solved at first contact, final", "Do we solve it the first time, when nobody came back?",
             "Tickets resolved at the first contact / eligible solved tickets, once the repeat window has passed.", "ratio",
             Kpi("fcr", "7d"), "up", "fcr", wall=False),
        Tile("handle_time", "Handle time, 7 d", "How long do we talk?",
             "Mean talk, hold and wrap-up of handled contacts. Falling together with satisfaction: quality is being sacrificed.", "seconds",
             Kpi("handle_time", "7d", "mean"), wall=False),
        Tile("interactions", "Turns per ticket, 7 d", "How often must customers write?",
             "Mean human turns until the solution that stands.", "turns", Kpi("interactions", "7d", "mean"), "down", "interactions",
             wall=False),
    ),
)  # fmt: skip

GOALS = Board(
    "goals", "Goals", "executives", "Do we keep what we promise?",
    (
        Tile("service_level", "Service level, 7 d", "Do we answer calls and chats in time?",
             "Contacts answered in target / (answered + abandoned) of seven days.", "ratio", Kpi("service_level", "7d"), "up",
             "service_level"),
        Tile("first_response", "First answer, 7 d", "How long does a first answer take?",
             "Mean time from creation to the first human reply, of seven days.", "seconds", Kpi("first_response", "7d", "mean"), "down",
             "first_response"),
        Tile("csat", "Satisfied, 7 d", "Are customers satisfied?", "Satisfied answers / answers to satisfaction surveys of seven days.",
             "ratio", Kpi("csat", "7d"), "up", "csat"),
        Tile("nps", "Recommendation, 7 d", "Would customers recommend us?",
             "100 x (promoters - detractors) / answers of seven days, from -100 to 100.", "points", Kpi("nps", "7d"), "up", "nps"),
        Tile("first_response_compliance", "First answers in time, 7 d", "Do first answers keep their policies?",
             "first_response clocks that kept the target of their policy / those that were decided, of seven days.", "ratio",
             Kpi("first_response_sla_compliance", "7d"), "up", "first_response_sla_compliance"),
        Tile("resolution_compliance", "Solved in time, 7 d", "Do solutions keep their policies?",
             "resolution clocks that kept the target of their policy / those that were decided, of seven days.", "ratio",
             Kpi("resolution_sla_compliance", "7d"), "up", "resolution_sla_compliance"),
    ),
    playlist=False,
)  # fmt: skip

PROCESSOR_HEALTH = Board(
    "processor-health", "Processor health", "operators", "Can the numbers be trusted?",
    (
        Tile("age", "Age of the numbers", "How old are the numbers?",
             "Time since the minute up to which every partition was added up. A minute or two is usual.", "seconds",
             Series("support_kpi_end_timestamp_seconds", form="since"), "down", limit=180),
        Tile("lag_seconds", "Behind the log", "How far is the processor behind?",
             "How long ago the record applied last was appended, of the partition furthest behind; 0 where nothing is unread.", "seconds",
             Series("support_processor_lag_seconds", merge="max"), "down", limit=60),
        Tile("lag_records", "Unread records", "How much is unread?",
             "Records of the events topic that are known to follow what is applied.", "records",
             Series("support_processor_lag_records", merge="sum"), "down"),
        Tile("running", "Partitions running", "Is every partition being processed?",
             "1 while all owned partitions run; 0 while one of them starts, fails or was refused. /readyz says which.", "flag",
             Series("support_processor_partition_running", merge="min"), "up", limit=1),
        Tile("complete", "All have reported", "Are the numbers of every partition in?",
             "1 where every partition has reported the minute shown, 0 where some are missing from the numbers.", "flag",
             Series("support_window_complete", merge="min"), "up", limit=1),
        Tile("identity", "Books off by", "Do the books balance?",
             "Backlog against what entered minus what left. Anything but 0 is a fault of the processor: please report it.", "tickets",
             Series("support_backlog_identity_error_tickets", merge="max", form="size"), "down", limit=0),
    ),
    playlist=False, dated=False,
)  # fmt: skip

BOARDS: tuple[Board, ...] = (QUEUE_NOW, SLA_RISK, BACKLOG_FLOW, QUALITY, GOALS, PROCESSOR_HEALTH)
BY_NAME = {board.name: board for board in BOARDS}
