"""The catalogue: everything that is counted is served, nothing is served twice, and names and texts keep to the rules."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from processor.config import Config
from processor.core.events import ESCALATION_KINDS, SURVEYS
from processor.core.facts import CONTENT_FIELDS, Fact
from processor.core.kpi_counts import DISCARD_REASONS, ENTERED_REASONS, FLOWED_OUT_REASONS, LEFT_REASONS, MISSED_REASONS
from processor.core.outputs import View
from processor.core.posting import HISTOGRAMS, NUMBERS
from processor.core.postings import POSTINGS
from processor.core.postings_of_others import PRODUCTIVE_STATES
from processor.core.settings import CLOCKS, NO_DIMENSIONS
from processor.export.catalogue import BY_NAME, FAMILIES, WINDOW_KPIS, WINDOW_SECONDS, estimate_samples
from processor.export.collector import Exporter
from processor.export.telemetry import Telemetry
from processor.export.window_tables import window_sums
from processor.replay import Replay
from tests.replay.logs import SMALL_CONFIG, generated, told

FLAGS = {"in_time", "induced", "in_target", "short", "silent", "first", "first_of_kind", "resolved", "topic_eligible", "first_of_session",
         "breached", "reopened"}  # fmt: skip
# What stands in the topic of KPIs only: many, seldom asked for, or no counter since it may fall. Costs are served in whatever currency.
TOPIC_ONLY = ("csat_responses_by_", "csat_satisfied_by_", "handoff_response:", "first_assignment:", "survey_delay:", "customers_counted",
              "cost:")
PHONE = ("phone", *NO_DIMENSIONS[1:])
# The levels that are kept by minute, and the derived families that read them.
MINUTE_LEVELS = {"created", "awaiting", "queued", "due", "warning"}


def served_keys() -> set[str]:
    """Keys of cells that some family reads."""
    keys: set[str] = set()
    for family in FAMILIES:
        if family.kind == "histogram" and family.source != "process":
            spread = NUMBERS[family.key] if family.edges else HISTOGRAMS[family.key]
            keys |= {*spread.buckets, spread.sum}
        elif family.kind == "counter" and family.source not in ("counts", "process"):
            values = ("EUR",) if family.key == "cost" else family.values
            keys |= {f"{family.key}:{value}" for value in values} if family.by else {family.key}
    return keys


def possible_facts() -> Iterator[Fact]:
    """Facts of every kind with every value that decides where they are counted."""
    first_of = {
        "ticket.discarded": DISCARD_REASONS, "backlog.entered": ENTERED_REASONS, "backlog.left": LEFT_REASONS,
        "ticket.escalated": ESCALATION_KINDS, "contact.flowed_out": FLOWED_OUT_REASONS, "contact.missed": MISSED_REASONS,
        "agent.time": PRODUCTIVE_STATES, "account.cost_recorded": ("EUR",),
    }  # fmt: skip
    results = {"csat": ("satisfied", "dissatisfied"), "nps": ("promoter", "detractor"), "ces": ("easy", "hard"), "fcr": ("yes", "no")}
    for kind in POSTINGS:
        fields = CONTENT_FIELDS[kind]
        firsts = CLOCKS if fields[:1] == ("clock",) else SURVEYS if fields[:1] == ("survey",) else first_of.get(kind, (1000, True))
        for first in firsts:
            for flag in (True, False):
                content = [first, *(flag if name in FLAGS else 1000 for name in fields[1:])]
                if kind == "survey.answered":
                    for result in results[str(first)]:
                        yield Fact(kind, 1, 0, PHONE, (first, result, 6000, "under_1h", flag, None, None))
                else:
                    yield Fact(kind, 1, 0, PHONE, tuple(content))


def views() -> list[View]:
    replay = Replay(Config(), partitions=2)
    replay.feed_lines([*generated().lines, *told()])
    replay.finish()
    return replay.views()


def test_whatever_a_fact_posts_is_served() -> None:
    posted = {key for fact in possible_facts() for key, _ in POSTINGS[fact.kind](fact)}
    assert posted
    assert {key for key in posted - served_keys() if not key.startswith(TOPIC_ONLY)} == set()


def test_whatever_a_real_log_leaves_in_cells_levels_and_counts_is_served() -> None:
    others = {"unanswered", "customers", "customers_total"}  # for reports
    levels = {family.key for family in FAMILIES if family.source == "level"} | MINUTE_LEVELS | others
    counts = {family.key for family in FAMILIES if family.source == "counts"} | {"accepted"}
    for view in views():
        keys = {key.removesuffix("-") for cell in view.cells.values() for key in cell} - served_keys()
        assert {key for key in keys if not key.startswith(TOPIC_ONLY)} == set()
        assert {key[0] for key in view.levels} <= levels
        assert {key.partition(":")[0] for key in view.counts} <= counts


def test_whatever_a_window_counts_has_a_kpi() -> None:
    for view in views():
        for rows in view.windows.values():
            for row in rows.values():
                counts, sums = window_sums(row)
                assert set(counts) <= set(WINDOW_KPIS)
                assert set(sums) <= set(WINDOW_SECONDS)


def test_each_gross_family_of_facts_has_its_twin() -> None:
    gross = [family for family in FAMILIES if family.gross and family.source != "counts"]
    assert gross
    for family in gross:
        if not family.retracted:
            name = f"{family.base_name}_retracted_total" if family.kind == "counter" else f"{family.name}_retracted"
            twin = BY_NAME[name]
            assert (twin.labels, twin.key, twin.kind, twin.gross) == (family.labels, family.key, family.kind, True)


def test_names_are_unique_and_follow_the_rules() -> None:
    assert len(BY_NAME) == len(FAMILIES)
    for family in FAMILIES:
        assert re.fullmatch(r"support_[a-z0-9_]+", family.name)
        assert family.name.endswith("_total") == (family.kind == "counter"), family.name
        assert not {"type", "service", "env", "region", "customer", "stage", "owner", "job", "instance", "le"} & set(family.label_names)


def test_each_help_defines_and_names_the_unit() -> None:
    for family in FAMILIES:
        assert re.match(r"^[A-Z0-9].*\. ?", family.help), family.name
        assert f"Unit: {family.unit}." in family.help
        assert "\n" not in family.help


def test_the_estimate_covers_what_is_served_before_and_after_a_log_of_known_values() -> None:
    config = SMALL_CONFIG
    replay = Replay(config, partitions=config.topics.partitions)
    replay.feed_lines(told())
    replay.finish()
    text = Exporter(config).render(replay.views(), Telemetry()).decode()
    samples = [line for line in text.splitlines() if not line.startswith("#") and 'group="technical"' not in line]
    assert 1000 < len(samples) <= estimate_samples(config)


@pytest.mark.deploy
@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian package prometheus)")
def test_promtool_has_nothing_to_say() -> None:
    text = Exporter(Config()).render(views(), Telemetry())
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False, timeout=60)
    told = [line for line in checked.stderr.decode().splitlines() if not ("_kb_" in line and "abbreviated units" in line)]  # no kilobytes
    assert (checked.returncode in {0, 3}, checked.stdout, told) == (True, b"", [])
