"""What each KPI of the page means, in the words of the table of KPIs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from processor.core.kpis import GROUPS, definition_of
from processor.report.page.texts import title_of

Document = dict[str, Any]


def context(shown: Iterable[str]) -> list[Document]:
    """Of those shown, by group."""
    groups: dict[str, list[Document]] = {group: [] for group in GROUPS}
    for name in sorted(set(shown)):
        definition = definition_of(name)
        if definition is not None:
            groups[definition.group].append(
                {"kpi": name, "title": title_of(name), "text": definition.text, "unit": definition.unit, "rule": definition.rule}
            )
    return [{"group": group, "kpis": kpis} for group, kpis in groups.items() if kpis]
