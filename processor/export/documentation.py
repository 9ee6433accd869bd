"""The page that lists every KPI: written from the tables of the core and of the catalogue, so that it cannot fall behind."""

from __future__ import annotations

from collections.abc import Iterator

from processor.core.kpis import COST_PER_TICKET, DEFINITIONS, GROUPS, PER_AGENT, Definition, Kind
from processor.core.settings import DIMENSIONS
from processor.core.windows import WINDOWS
from processor.export.catalogue import FAMILIES
from processor.export.kpi_families import family_of, gauged

_WINDOWS = ", ".join(WINDOWS)
HEAD = f"""# Every KPI

Written by `ticket-kpis check --kpis > schemas/kpis.md`; a test fails where it is behind the code.

Each KPI stands in the topic `support.kpis.v1` under its name, for each segment that it can be told apart by and each window
({_WINDOWS}); ratios, rates and times have a gauge, too. The counters are of each partition, with a `_retracted` twin where late events
can take something back. `support_window_observations` has every count of the total as a window, that of segments for the basic ones.

**Kinds.** *ratio*: numerator / denominator, with its Wilson interval at 95 % (`low`, `high`). *rate*: the same where one of them is
time, money or a level. *balance*: 100 x (for - against) / all. *duration*: the mean in seconds, quantiles and the histogram. *number*:
the mean of whole numbers, quantiles and how often each occurred. *level*: how many at the end. Everything but counts and levels says
with `low_n` that it rests on fewer than `kpis.min_n` observations.

**What is common to all.** Instants are those of the events. A KPI belongs to the window in which what ended it happened: the reply, the
solve, the deadline, the answer. Numbers are net: what a late event, a discard or a reopening takes back is out. Tickets count that are
inbound and neither spam, deleted nor merged away; only `tickets_created`, and what is divided by it, has all that were created. Rates of
the backlog and of agents are in calendar time. An agent of whom nothing was heard for 24 h counts as offline from then on; `n` of
occupancy counts quarters of an hour.

**What others call them.** ASA `speed_of_answer`. Average response time `reply`, from the second one on `next_response`. CSAT `csat`, NPS
`nps`, CES `ces`. FCR `fcr` where nothing came back (`fcr_provisional` does not wait for the repeat window), `fcr_survey` as customers say,
`fcr_marked` as agents do. FRT `first_response`. Full resolution, MTTR `full_resolution`. Self-service rate, efficiency of the knowledge
base `kb_efficiency`. SLA compliance `first_response_sla_compliance` and its like for each clock, `sla_compliance_per_ticket` for all.

**Where definitions differ elsewhere.** First response: the mean of the tickets that were answered; those that still wait are counted beside
it, and are in the report's median. Automatic replies, bots and notes are no response. Handle time is talk, hold and wrap-up, without the
wait. Volume is what came in, backlog what is unsolved. First contact resolution is of eligible solved tickets, by events and by survey
under two names. Abandonment is of what was offered; who left the menu or was cut off counts as `contacts_dropped`. Recommendation is asked
from 0 to 10; from 1 to 10 the cuts are the same.

**How exact.** Counts, means, ratios and rates are. Quantiles of durations are interpolated in the histogram's bucket in which they lie, and
`max` is the upper edge of the longest one's bucket: with few observations a quantile may be above or below all of them.

Different people (agents who were active, visitors) are counted exactly up to 10,000 keys a row, and above that estimated with a
standard error of 4.6 %. Numbers told apart by agent are in the topic only where `kpis.per_agent` asks for them, under the dimension
`agent`, a pseudonym.

Retention and churn of the windows compare their two ends; those of calendar months and quarters stand in the report of `ticket-kpis
replay`, from the days of which rows are kept.
"""


def kpi_page() -> str:
    """The page, as Markdown."""
    parts = [HEAD]
    for group in GROUPS:
        rows = list(_rows(group))
        parts.append(f"\n## {group}\n\n| KPI | definition | kind, unit | facts | counters | gauge | by |\n|---|---|---|---|---|---|---|\n")
        parts += rows
    return "".join(parts)


def _rows(group: str) -> Iterator[str]:
    of_clocks: dict[str, list[Definition]] = {}
    for definition in DEFINITIONS.values():
        if definition.group == group and not definition.clock:
            yield _row(definition.name, definition.text, definition)
        elif definition.group == group:
            of_clocks.setdefault(definition.name.replace(definition.clock, "CLOCK", 1), []).append(definition)
    for name, each in of_clocks.items():
        clocks = ", ".join(definition.clock for definition in each)
        yield _row(name, f"{each[0].text.replace(each[0].clock, 'CLOCK', 1)} CLOCK: {clocks}.", each[0])
    if group == "Cost":
        columns = ("rate, the currency", "`account.cost_recorded`, `ticket.solved`", "`support_operating_cost_total`",
                   "`support_window_cost_per_ticket`", "group")  # fmt: skip
        yield f"| `{COST_PER_TICKET}eur`, `..._usd`, ... | Costs in that currency / solved tickets. | {' | '.join(columns)} |\n"


def _row(name: str, text: str, definition: Definition) -> str:
    counters = sorted({family for key in definition.keys for family in _families(key)})
    shown = [*(f"`{family}`" for family in counters)] or ["-"]
    gauge = f"`{family_of(definition)}`" if gauged(definition) else "-"
    facts = ", ".join(f"`{fact}`" for fact in definition.facts)
    unit = definition.unit if definition.kind is Kind.RATIO else f"{definition.kind}, {definition.unit}"
    return f"| `{name}` | {text} | {unit} | {facts} | {', '.join(shown)} | {gauge} | {_by(definition)} |\n"


def _families(key: str) -> Iterator[str]:
    """The counters and histograms that serve a family of a row."""
    head = key.partition(":")[0]
    for family in FAMILIES:
        counted = family.kind in ("counter", "histogram") and family.source not in ("process", "counts")
        if counted and not family.retracted and family.key.partition(":")[0] == head:
            yield family.name


def _by(definition: Definition) -> str:
    names = [name for name in DIMENSIONS if name in definition.dimensions]
    if not names:
        return "total"
    shown = "all of tickets" if len(names) == len(DIMENSIONS) - 1 else ", ".join(names)
    return f"{shown}, agent" if PER_AGENT in definition.dimensions else shown
