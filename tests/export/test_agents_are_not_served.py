"""Numbers of single agents, where they are asked for, are in the topic of KPIs alone: what is scraped is kept for years and read by all."""

from __future__ import annotations

from processor.compile import compile_settings
from processor.config import loads
from processor.core.engine import Engine
from processor.core.facts import pseudonym
from processor.export.catalogue import FAMILIES
from processor.export.collector import Exporter
from processor.export.snapshot import metrics
from processor.replay.kpis import ReplayedKpis
from tests.scenarios.words import event_of, take_time

CONFIG = loads(b"kpis: {per_agent: true}\nfacts: {agents: true}\n", "agents")
STORY = """
09:00 A-1 is available group=support
09:00 T-1 created group=support assignee_id=A-1
09:10 T-1 agent by=A-1
09:20 T-1 customer
09:30 T-1 agent by=A-1
09:40 T-1 logged 300 agent_id=A-1
09:50 T-1 status solved
09:00 C-1 queued
09:01 C-1 offered A-1
09:01 C-1 accepted A-1
09:05 C-1 ended handled
09:06 C-1 wrapped-up
09:55 T-1 answers csat 1
10:10 A-1 is offline
"""
NAMES = ("A-1", pseudonym("A-1"))


def played() -> tuple[Engine, list[bytes], str]:
    """The engine after the story, the records of the topic of KPIs, and what is served."""
    settings = compile_settings(CONFIG)
    engine = Engine(settings)
    engine.report_every(1, hold=False)
    records: list[bytes] = []
    kpis = ReplayedKpis(CONFIG, settings, lambda: 1, lambda _key, value: records.append(value or b""))
    for number, line in enumerate(STORY.strip().splitlines()):
        at, rest = take_time(line)
        key, *words = rest.split()
        engine.apply(event_of(at, key, words, number))
    engine.advance(engine.stream_time, last=True)
    for report in engine.drain().reports:
        kpis.report(0, report)
    kpis.take_levels(0, engine)
    served = Exporter(CONFIG).render([engine.view()], None, kpis.views()).decode()
    return engine, records, served


def test_the_topic_has_them_and_metrics_do_not() -> None:
    engine, records, served = played()
    of_agents = [record for record in records if b'"agent":"' in record]
    assert len(of_agents) > 10
    assert all(NAMES[1].encode() in record and b"A-1" not in record for record in of_agents)  # by the pseudonym
    assert "support_tickets_solved_total" in served
    assert not [line for line in served.splitlines() if any(name in line for name in NAMES)]
    assert not [line for line in served.splitlines() if 'agent="' in line or 'by="agent"' in line]
    shown = metrics([engine.view()], engine.settings.group_bys)
    assert not [text for values in shown.values() for text in values if any(name in text for name in NAMES)]


def test_no_label_of_the_catalogue_names_a_person() -> None:
    assert not {label for family in FAMILIES for label in family.label_names} & {"agent", "agent_id", "assignee", "visitor", "respondent"}
