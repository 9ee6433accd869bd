"""What is compared with the same hour of other weeks. A quarter of an hour is a sample: a week has 672."""

from __future__ import annotations

from tests.deploy.stories import Fires, Story

# 12 an hour, from hour 170 on 48 for two hours; also once in the first week, when nobody knew better.
TICKETS = "0+3x39 120+12x7 207+3x631 2112+12x7 2199+3x60"
LEVELS = "12x39 48x7 12x631 48x7 12x60"

STORIES = (
    Story(
        "SupportArrivalSurge", "four times as many for two hours, in the second week; in the first one nothing is usual yet",
        {
            'support_tickets_created_total{channel="email",group="billing",priority="normal",partition="0"}': TICKETS,
            'support_tickets_created_total{channel="email",group="calm",priority="normal",partition="0"}': "0+3x679 2040+4x60",
            'support_arrivals_tickets{topic="login",partition="0"}': LEVELS,
            'support_arrivals_tickets{topic="invoice",partition="0"}': "2x679 14x60",
            'support_contacts_offered_total{channel="phone",queue="hotline",partition="0"}': TICKETS,
        },
        silent=("11h", "169h"),
        fires={
            "171h": (
                Fires("36", labels={"group": "billing"}), Fires("36", labels={"topic": "login"}), Fires("36", labels={"queue": "hotline"}),
            ),
        },
        resolved="176h",
    ),
    Story(
        "SupportSourceSilent", "forty an hour for a week, then none for three hours",
        {'support_processor_events_consumed_total{partition="0"}': "0+10x679 6790x11 6800+10x60"},
        silent=("1h", "169h", "170h"), fires={"171h": (Fires("20"),)}, resolved="174h",
    ),
    Story(
        "SupportSourceSilent", "in the first week nobody knows what is usual",
        {'support_processor_events_consumed_total{partition="0"}': "0x200"}, silent=("1h", "20h", "40h"),
    ),
)
