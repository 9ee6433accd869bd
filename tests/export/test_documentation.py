"""The page of KPIs is what the tables say, and names everything that there is."""

from __future__ import annotations

from processor.core.kpi_counts import CLOCK_COUNTED
from processor.core.kpis import DEFINITIONS
from processor.core.settings import CLOCKS
from processor.export.catalogue import FAMILIES
from processor.export.documentation import kpi_page
from processor.export.kpi_families import family_of, gauged
from processor.export.metrics_page import metrics_page
from processor.schemas_path import schemas_path

PAGE, SERIES = schemas_path() / "kpis.md", schemas_path() / "metrics.md"
# Counters and histograms of what the page does not list: parts of the backlog's identity and of the clocks stand in the counts that it has.
OPERATIONAL = ("process", "counts")


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == kpi_page(), "run: ticket-kpis check --kpis > schemas/kpis.md"


def test_the_page_of_series_is_what_the_catalogue_says() -> None:
    assert SERIES.read_text(encoding="utf-8") == metrics_page(), "run: ticket-kpis metrics > schemas/metrics.md"


def test_every_series_stands_there_once_and_every_label_has_its_values() -> None:
    text = SERIES.read_text(encoding="utf-8")
    for family in FAMILIES:
        assert text.count(f"\n| `{family.name}` |") == (not family.retracted), family.name
        row = next(line for line in text.splitlines() if line.startswith(f"| `{family.name.replace('_retracted', '')}` |"))
        for label in family.label_names:
            assert f"\n| `{label}` |" in text or f" {label} (" in row, (family.name, label)
        assert any(f"| {mark} |" in row for mark in ("stable", "experimental"))


def test_it_names_every_kpi_every_clock_and_every_family() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name, definition in DEFINITIONS.items():
        assert f"| `{name.replace(definition.clock, 'CLOCK', 1) if definition.clock else name}` |" in text, name
        if gauged(definition):
            assert f"`{family_of(definition)}`" in text
    assert all(clock in text for clock in CLOCKS)
    assert all(f"`CLOCK_clocks_{verb}`" in text for verb, _ in CLOCK_COUNTED.values())
    for family in FAMILIES:
        if family.kind in ("counter", "histogram") and family.source not in OPERATIONAL and not family.retracted:
            assert f"`{family.name}`" in text, family.name
    assert "`cost_per_ticket_eur`" in text
