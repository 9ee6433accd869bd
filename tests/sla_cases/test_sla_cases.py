"""Every case of other products, and every one of ours for the rest of the format: equal, or different on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.sla_cases.__main__ import main
from tests.sla_cases.cases import Case, read_cases
from tests.sla_cases.logs import CASE_CLOCKS, KINDS
from tests.sla_cases.ours import OURS, OURS_MAX
from tests.sla_cases.verdicts import DIFFERENT, DOCUMENTED, EQUAL, SKIPPED, judge, same

FOLDER = Path(__file__).parents[2].parent / "shared" / "data" / "sla_cases"
EXAMPLES = Path(__file__).parent / "examples"
THEIRS = read_cases(FOLDER)
EXAMPLE_CASES = read_cases(EXAMPLES)

# What an example of ours must ask for: every key that the format defines, for every clock.
KEYS = frozenset(
    {
        *(f"{clock}_{of}" for clock in CASE_CLOCKS for of in ("due", "breached", "in_min", "diff_min", "late_seconds")),
        *("due", "business_seconds", "calendar_minutes", "is_working_time", "next_due", "response_due", "starts_at", "first_response_at"),
        *(
            "hold_seconds",
            "warning_at",
            "sla_status",
            "sla_status_at",
            "missed",
            "first_response_clock_starts_at",
            "first_response_seconds",
        ),
        *("reply_seconds", "bot_handoff_count", "resolved_count", "bot_resolved_count", "windows"),
    }
)
RULES = {
    ("due_view", "stored"), ("update_timer", "every_contact"), ("first_response_start", "last_handoff_or_reopen"),
    ("hidden_on", "response"), ("hidden_on", "keep_in_loop"),
}  # fmt: skip
METRICS = {"created_count", "csat", "avg_first_response_time", "avg_resolution_time", "avg_first_response_and_resolution"}


@pytest.mark.real_data
@pytest.mark.parametrize("case", THEIRS, ids=lambda case: case.id)
def test_a_case_of_another_product_is_equal_or_different_on_purpose(case: Case) -> None:
    result = judge(case)
    assert result.verdict in (EQUAL, DOCUMENTED), (result.reason, [key for key in result.keys if key.verdict in (DIFFERENT, SKIPPED)])


@pytest.mark.real_data
def test_where_the_cases_are_none_is_left_out() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"no cases of other products at {FOLDER}")
    listed = sum(len(json.loads(file.read_text(encoding="utf-8"))["cases"]) for file in FOLDER.glob("*.json"))
    assert len(THEIRS) == listed >= 132
    assert not [case.id for case in THEIRS if judge(case).verdict == SKIPPED]


@pytest.mark.parametrize("case", EXAMPLE_CASES, ids=lambda case: case.id)
def test_an_example_worked_out_by_hand_is_equal(case: Case) -> None:
    result = judge(case)
    on_purpose = "differs" in case.given or "known_arithmetic_deviation" in case.given
    assert result.verdict == (DOCUMENTED if on_purpose else EQUAL), [key for key in result.keys if key.verdict in (DIFFERENT, SKIPPED)]


def test_the_examples_ask_for_all_that_the_format_defines() -> None:
    assert {key for case in EXAMPLE_CASES for key in case.expected} == KEYS
    assert {event.get("kind") for case in EXAMPLE_CASES for event in case.given["events"]} >= KINDS
    rules = {(name, value) for case in EXAMPLE_CASES for name, given in case.rules.items() for value in _values(given)}
    assert rules >= RULES
    assert {case.given["metric"] for case in EXAMPLE_CASES if "metric" in case.given} == METRICS


def _values(given: Any) -> tuple[str, ...]:
    return tuple(given) if isinstance(given, dict) else (given,)


def test_what_we_mean_to_say_differently_is_little_and_still_so() -> None:
    assert len(OURS) <= OURS_MAX
    known = {case.id: case for case in THEIRS}
    for (case, key), ours in OURS.items() if known else ():
        compared = {each.key: each for each in judge(known[case]).keys}
        assert compared[key].verdict == DOCUMENTED, (case, key)
        assert ours.rule


def case_file(folder: Path, **changed: Any) -> Path:
    case = EXAMPLE_CASES[0].given | changed
    (folder / "some.json").write_text(json.dumps({"peer": "some", "cases": [case]}), encoding="utf-8")
    return folder


def test_the_program_fails_on_a_difference_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(case_file(tmp_path))]) == 0
    assert "1 cases: 1 equal, 0 documented, 0 different, 0 skipped" in capsys.readouterr().out
    other = {"due": "2026-02-09T09:01:00Z"}
    assert main([str(case_file(tmp_path, expected=other))]) == 1
    assert "1 different" in capsys.readouterr().out
    ours = {"due": {"ours": "2026-02-09T09:00:00Z", "reason": "because"}}
    assert main([str(case_file(tmp_path, expected=other, differs=ours))]) == 0
    assert "documented: because" in capsys.readouterr().out
    assert main([str(case_file(tmp_path, expected=other, known_arithmetic_deviation={"due": "rounds"}))]) == 0
    assert main([str(case_file(tmp_path, type="unheard of"))]) == 0
    assert "skipped: type 'unheard of'" in capsys.readouterr().out
    assert main([str(tmp_path / "nothing")]) == 2


def test_values_are_compared_exactly() -> None:
    assert same(None, None)
    assert not same(None, 0)
    assert not same(0, False)
    assert not same(1, 1.5)
    assert same(33.33, 100 / 3)
    assert not same(33.34, 100 / 3)
    assert same([1, 2], {"a": 1, "b": 2})
    assert not same([1], [1, 2])
