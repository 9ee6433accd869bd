"""Cases of other products against this engine: `python -m tests.sla_cases FOLDER`.

Prints a row for each case and a summary; exits with 1 when a number differs that is not documented, 2 when there is nothing to compare.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sla_cases.cases import INSTANTS, read_cases
from tests.sla_cases.verdicts import DIFFERENT, DOCUMENTED, EQUAL, SKIPPED, Compared, Result, judge_all

NAME_WIDTH = 60
VALUE_WIDTH = 60  # longer values are cut, unless they differ
COLUMNS = ("case", "name", "key", "expected", "got", "verdict")


def rows(results: list[Result]) -> Iterator[tuple[str, ...]]:
    """A row for each key; the case is named in its first."""
    for result in results:
        name = cut(result.case.name, NAME_WIDTH)
        if not result.keys:
            yield (result.case.id, name, "", "", "", f"{SKIPPED}: {result.reason}")
        for number, key in enumerate(result.keys):
            reason = f": {key.reason}" if key.reason else ""
            case, title = (result.case.id, name) if number == 0 else ("", "")
            width = len if key.verdict == DIFFERENT else lambda value: VALUE_WIDTH
            values = (text(key, value) for value in (key.expected, key.got))
            yield (case, title, key.key, *(cut(value, width(value)) for value in values), key.verdict + reason)


def cut(value: str, width: int) -> str:
    """At most so long."""
    return value if len(value) <= width else value[: width - 1] + "…"


def text(key: Compared, value: Any) -> str:
    """A value for people."""
    if isinstance(value, int) and not isinstance(value, bool) and (key.key in INSTANTS or key.key.endswith("_due")):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return json.dumps(value)


def table(results: list[Result]) -> str:
    """All rows, in columns."""
    lines = [COLUMNS, *rows(results)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS) - 1)]
    return "\n".join("  ".join([*(f"{cell:{width}}" for cell, width in zip(line, widths, strict=False)), line[-1]]) for line in lines)


def summary(results: list[Result]) -> str:
    """How many cases had which verdict, in all and by file."""
    counts = Counter(result.verdict for result in results)
    by_file: dict[str, Counter[str]] = {}
    for result in results:
        by_file.setdefault(result.case.id.partition("#")[0], Counter())[result.verdict] += 1
    lines = [f"{file}: {_counted(counted)}" for file, counted in by_file.items()]
    return "\n".join([*lines, f"{len(results)} cases: {_counted(counts)}"])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in (EQUAL, DOCUMENTED, DIFFERENT, SKIPPED))


def main(arguments: list[str] | None = None) -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.sla_cases", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the cases are: files *.json")
    folder = parser.parse_args(arguments).folder
    results = judge_all(read_cases(folder))
    if not results:
        print(f"no cases in {folder}", file=sys.stderr)  # noqa: T201
        return 2
    print(table(results))  # noqa: T201
    print()  # noqa: T201
    print(summary(results))  # noqa: T201
    return 1 if any(result.verdict == DIFFERENT for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
