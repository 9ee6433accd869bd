"""What came of all rounds: a line each in a file, from which a later run goes on; and the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
from rich.table import Table

from processor.stream.failpoints import POINTS
from tests.chaos.plan import ACTIONS, FAULTS, Plan, names, plan_of
from tests.chaos.rounds import SAME, Outcome

Row = dict[str, Any]


class Results:
    """Rounds so far. `file` gets a line for each, and is read at the start."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self.rows: list[Row] = []
        if file is not None and file.exists():
            self.rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]

    def add(self, plan: Plan, outcome: Outcome) -> None:
        """One more."""
        injected = [(each.name, each.label) for each in outcome.injections(plan)]
        row: Row = {
            "seed": plan.seed,
            "verdict": outcome.verdict,
            "seconds": outcome.seconds,
            "facts": outcome.facts,
            "injected": [label for _, label in injected],
            "told": outcome.told,
            "phases": outcome.phases,
            "plan": plan.document(),
            "numbers": outcome.injected,
        }
        self.rows.append(row)
        if self._file is not None:
            with self._file.open("ab") as file:
                file.write(orjson.dumps(row) + b"\n")

    def plan(self, seed: int) -> Plan:
        """Of a former round, to do it again."""
        found = [row["plan"] for row in self.rows if row["seed"] == seed]
        if not found:
            raise LookupError(f"the results have no round of seed {seed}")
        return plan_of(found[-1])

    def injected(self) -> Counter[str]:
        """How often each name, and each failpoint with its action, was injected."""
        return _count(self.rows)

    def fewer_than(self, count: int) -> list[str]:
        """What was injected less often."""
        injected = self.injected()
        return [f"{name} ({injected[name]})" for name in names() if injected[name] < count]

    def verdicts(self) -> Counter[str]:
        """How many rounds ended how."""
        return Counter(row["verdict"] for row in self.rows)

    def table(self) -> Table:
        """Fault or failpoint, how often it was injected, survived, and in how many rounds something was wrong."""
        injected, survived = _count(self.rows), _count(row for row in self.rows if row["verdict"] == SAME)
        table = Table("fault", "injected", "survived", "differences", *(action.lower() for action in ACTIONS), box=None, pad_edge=False)
        for column in table.columns[1:]:
            column.justify = "right"
        for name in (*FAULTS, *POINTS):
            wrong = injected[name] - survived[name]
            actions = [str(injected[f"{name} {action}"]) if name in POINTS else "" for action in ACTIONS]
            table.add_row(name, str(injected[name]), str(survived[name]), f"[red]{wrong}[/]" if wrong else "0", *actions)
        return table


def _count(rows: Iterable[Row]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        for label in row["injected"]:
            name, _, action = label.rpartition(" ")
            found.update((label, name) if action in ACTIONS else (label,))
    return found
