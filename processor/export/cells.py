"""One view with its label sets as they are served: those known beforehand added as empty rows, unknown values folded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from processor.core.dimensions import CELL_DIMENSIONS
from processor.core.events import ACCOUNT, AGENT, CONTACT, ORGANIZATION, PERSON, TICKET
from processor.core.outputs import View
from processor.core.postings_of_others import PRODUCTIVE_STATES
from processor.core.rows import Row
from processor.core.settings import CLOCKS, DIMENSIONS
from processor.export import catalogue
from processor.export.labels import Folding, Known, LabelSet

SLA = "sla"
_CELL_LABELS = {TICKET: catalogue.TICKET, CONTACT: catalogue.CONTACT, SLA: catalogue.SLA}
_LEVEL_LABELS = {
    "backlog": ("status", "group", "priority"),
    "waiting": catalogue.CONTACT,
    "running": catalogue.SLA,
    "paused": catalogue.SLA,
    "overdue": catalogue.SLA,
    "agents": ("state", "group"),
}
# Cells that are served added up: source -> which cells, by which of their labels. Answers of persons stand beside those of tickets.
_ADDED_UP: dict[str, tuple[tuple[str, ...], LabelSet]] = {
    "tickets_by_group": ((TICKET, PERSON), ("group",)),
    "tickets_by_channel": ((TICKET, PERSON), ("channel",)),
    AGENT: ((AGENT,), ("group",)),
    PERSON: ((PERSON,), ()),
    ORGANIZATION: ((ORGANIZATION,), ()),
    ACCOUNT: ((ACCOUNT,), ()),
}
ADDED_UP = tuple(_ADDED_UP)


class Cells:
    """One view, its cells and levels folded and sorted by what serves them. `known` adds the label sets that are served as 0."""

    def __init__(self, view: View, known: Known | None, folding: Folding | None) -> None:
        self.view = view
        self.partition = (str(view.partition),)
        self.known = known
        self.folding = folding
        self.cells = self._cells(known)
        self.by_channel_and_group = _without_priority(self.cells[TICKET], known.ticket_histograms if known else ())
        self.cells.update(self._added_up(known))
        self.levels, self.minutes = self._levels(known)

    def fold(self, names: LabelSet, values: LabelSet) -> LabelSet:
        """A label set as it is shown."""
        return values if self.folding is None else self.folding.fold(names, values)

    def _cells(self, known: Known | None) -> dict[str, dict[LabelSet, Row]]:
        result: dict[str, dict[LabelSet, Row]] = {TICKET: {}, CONTACT: {}, SLA: {}}
        if known is not None:
            for source, label_sets in ((TICKET, known.tickets), (CONTACT, known.contacts), (SLA, known.clocks)):
                result[source] = {labels: {} for labels in label_sets}
        for (source, *values), cell in sorted(self.view.cells.items()):
            if cell and source in result:
                merge_row(result[source], self.fold(_CELL_LABELS[source], tuple(values)), cell)
        return result

    def _added_up(self, known: Known | None) -> dict[str, dict[LabelSet, Row]]:
        """Cells by fewer labels than they have. What has no labels is served from the start."""
        result: dict[str, dict[LabelSet, Row]] = {source: {} for source in _ADDED_UP}
        if known is not None:
            first = {"tickets_by_group": known.groups, "tickets_by_channel": known.channels, AGENT: known.groups, ACCOUNT: ()}
            result = {source: {labels: {} for labels in first.get(source, ((),))} for source in _ADDED_UP}
        for (kind, *values), cell in sorted(self.view.cells.items()):
            if not cell:
                continue
            for source, (kinds, labels) in _ADDED_UP.items():
                if kind in kinds:
                    having = dict(zip(CELL_DIMENSIONS[kind], values, strict=True))
                    merge_row(result[source], self.fold(labels, tuple(having[label] for label in labels)), cell)
        return result

    def _levels(self, known: Known | None) -> tuple[dict[str, dict[LabelSet, int]], dict[str, dict[LabelSet, dict[int, int]]]]:
        """Levels by label set, and those that are kept by minute: name -> (clock,) or () -> minute -> count."""
        levels: dict[str, dict[LabelSet, int]] = {name: {} for name in _LEVEL_LABELS}
        minutes: dict[str, dict[LabelSet, dict[int, int]]] = {"created": {(): {}}, "awaiting": {(): {}}, "queued": {(): {}}, "due": {}}
        for name in ("due", "warning"):
            minutes[name] = {(clock,): {} for clock in CLOCKS}
        if known is not None:  # what was ever counted stays as 0, too: a level that goes away looks like a broken one
            groups = {*known.backlog, *((group, priority) for _, group, priority in self.cells[TICKET])}
            levels["backlog"] = {(status, *rest): 0 for status in catalogue.UNSOLVED_STATUSES for rest in sorted(groups)}
            levels["waiting"] = dict.fromkeys(self.cells[CONTACT], 0)
            levels["agents"] = {(state, *group): 0 for state in PRODUCTIVE_STATES for group in sorted(self.cells[AGENT])}
            for name in ("running", "paused", "overdue"):
                levels[name] = dict.fromkeys(self.cells[SLA], 0)
        for (name, *rest), count in self.view.levels.items():
            if name in minutes:
                *labels, minute = rest
                minutes[name][tuple(labels)][minute] = count
            elif name in levels:
                folded = self.fold(_LEVEL_LABELS[name], _labels(name, rest))
                levels[name][folded] = levels[name].get(folded, 0) + count
        return levels, minutes


def _labels(name: str, rest: list[Any]) -> LabelSet:
    """The labels of a level by its key: some keys hold all dimensions, of which not all are served."""
    if name == "backlog":
        status, (_, priority, group, *_) = rest
        return status, group, priority
    if name == "agents":
        state, (_, _, group, *_) = rest
        return state, group
    if name == "waiting":
        (dims,) = rest
        return dims[DIMENSIONS.index("channel")], dims[DIMENSIONS.index("queue")]
    return tuple(rest)


def merge_row(into: dict[LabelSet, Row], labels: LabelSet, row: Row) -> None:
    """Add a row; a row that stands alone is taken as it is, not copied."""
    present = into.get(labels)
    if not present:
        into[labels] = row
    else:
        into[labels] = {key: present.get(key, 0) + row.get(key, 0) for key in {**present, **row}}


def _without_priority(cells: dict[LabelSet, Row], known: Iterable[LabelSet]) -> dict[LabelSet, Row]:
    result: dict[LabelSet, Row] = {labels: {} for labels in known}
    for (channel, group, _priority), row in cells.items():
        if row:
            merge_row(result, (channel, group), row)
    return result
