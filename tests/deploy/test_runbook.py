"""The runbook knows every reason for which a partition is refused, in the words that the worker uses."""

from __future__ import annotations

import ast

from tests.deploy.conftest import ROOT

RUNBOOK = (ROOT / "deploy/runbook.md").read_text(encoding="utf-8")
# Of each message in stream/refusals.py what its reader would look for.
SAID = (
    "begins at offset",
    "is none of ours",
    "is unknown",
    "lacks",
    "in use by stored clocks but not in the configuration",
    "the state cannot be read",
    "its checksum is wrong",
    "partitions, that of the events has",
    "records but no marker",
    "the state topic is empty: the state was lost",
    "no state, and the log begins at offset",
    "the state belongs to application",
    "the state is that of partition",
    "the state was made with",
    "the state was made from",
    "but the state goes on at",
    "the log ends at",
    "the newest state was lost",
    "is not the state's",
    "the configuration does not fit the state",
)


def test_the_runbook_tells_what_each_refusal_means() -> None:
    table = RUNBOOK.partition("## Refused partitions")[2].partition("## Refused starts")[0]
    told = "\n".join(line.split("|")[1] for line in table.splitlines() if line.startswith("| `"))
    assert [words for words in SAID if words not in told] == []


def test_no_refusal_is_forgotten() -> None:
    tree = ast.parse((ROOT / "processor/stream/refusals.py").read_text(encoding="utf-8"))
    made = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "RefusedError"]
    assert len(made) == len(SAID) + 1, "say it in SAID and in the runbook"  # one is said of both inputs
