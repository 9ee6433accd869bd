"""The example consumer tells a breach with its reasons."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from processor.client import decode_fact
from processor.schemas_path import schemas_path

PATH = Path(__file__).resolve().parents[2] / "deploy/examples/consume_facts.py"
FOLDER = schemas_path() / "examples/support.facts.v1"


def test_a_breach_is_told_with_deadline_policy_and_stretches_and_a_retraction_with_the_same_id() -> None:
    spec = importlib.util.spec_from_file_location("consume_facts", PATH)
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    breach = decode_fact((FOLDER / "clock_breached.json").read_bytes())
    breach = replace(breach, segments=((breach.at - timedelta(minutes=30), breach.at),))
    assert example.told(breach).splitlines() == [
        "ticket T-1042: first_response breached [3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f]",
        "  deadline 2026-11-21 09:44:03 UTC, policy standard version 1, target 1800 s",
        "  the clock ran 2026-11-21 09:14:03 to 2026-11-21 09:44:03",
    ]
    assert example.told(decode_fact((FOLDER / "clock_breach_retracted.json").read_bytes())) == (
        "ticket T-1042: first_response: breach of 2026-11-21 09:44:03 UTC taken back [3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f3f]"
    )
    assert example.told(decode_fact((FOLDER / "ticket_solved.json").read_bytes())) is None
