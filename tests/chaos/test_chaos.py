"""Ten rounds of the fault harness, in which everything that it can inject comes once; `python -m tests.chaos` does as many as one likes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.chaos import __main__ as command
from tests.chaos.arena import chaos_broker
from tests.chaos.complaints import complaints
from tests.chaos.plan import Plan, draw, names, plan_of
from tests.chaos.results import Results
from tests.chaos.rounds import DIFFERENT, SAME, Outcome, run_round
from tests.chaos.verdict import _out_of_turn, nothing_to_compare
from tests.kafka.broker import Broker

ROUNDS = 10
FIRST_SEED = 1
MISSED_MAX = 8  # injections of all rounds that come about too late on a busy machine


def plans() -> list[Plan]:
    """As a run would draw them in which all that is planned comes about."""
    results, found = Results(), []
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        found.append(plan := draw(seed, results.injected()))
        results.add(plan, Outcome(SAME, injected=list(range(len(plan.injections)))))
    return found


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One that some rounds kill."""
    with chaos_broker(tmp_path_factory.mktemp("chaos")) as running:
        yield running


@pytest.fixture(scope="module")
def missed() -> Iterator[list[str]]:
    """What was planned and did not come about, over all rounds."""
    found: list[str] = []
    yield found
    assert len(found) <= MISSED_MAX, found


@pytest.mark.kafka
@pytest.mark.parametrize("plan", plans(), ids=lambda plan: f"seed {plan.seed}")
def test_whatever_happens_the_numbers_are_those_of_the_log(broker: Broker, tmp_path: Path, missed: list[str], plan: Plan) -> None:
    outcome = run_round(broker, plan, f"chaos-{plan.seed}", tmp_path / "round")
    assert outcome.verdict == SAME, f"{plan.injections}\n{outcome.told}\n{tmp_path}"
    assert outcome.facts
    missed += [each.label for number, each in enumerate(plan.injections) if number not in outcome.injected]


def test_ten_rounds_plan_everything_once() -> None:
    planned = Counter(each.name for plan in plans() for each in plan.injections)
    assert set(planned) == set(names())


def test_a_plan_can_be_kept_and_done_again(tmp_path: Path) -> None:
    plan = draw(7, {})
    assert plan_of(plan.document()) == plan
    Results(file := tmp_path / "results.jsonl").add(plan, Outcome(SAME, injected=[0, 2]))
    again = Results(file)
    assert again.plan(7) == plan
    assert sum(again.injected()[name] for name in names()) == 2


def test_what_was_injected_least_comes_first() -> None:
    injected = Counter(dict.fromkeys(names(), 5)) - Counter({"broker out": 2, "clock jumps": 2, "step.after_flush": 2})
    plan = draw(3, injected)
    assert {"broker out", "clock jumps", "step.after_flush"} <= {each.name for each in plan.injections}
    assert plan.live


def test_only_what_nobody_expects_is_a_complaint(tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    lines = ["Traceback (most recent call last):", '  File "x.py", line 1, in x', "    raise y"]
    log.write_text("\n".join([*lines, "aiokafka.errors.NodeNotReadyError: away", *lines, "KeyError: 'z'", "[2026-01-01] on"]))
    (told,) = complaints(log)
    assert told.endswith("KeyError: 'z'")


def test_a_fact_that_was_stated_and_retracted_twice_is_seen_though_it_comes_to_nothing() -> None:
    assert list(_out_of_turn([("a", 1), ("a", -1), ("a", 1), ("a", -1), ("b", 1)], {"b": 1})) == []
    (told,) = _out_of_turn([("a", 1), ("a", 1), ("a", -1), ("a", -1)], {})
    assert told.startswith("a: stated once too often")
    (told,) = _out_of_turn([("a", -1), ("a", 1)], {})
    assert told.startswith("a: retracted once too often")


def test_a_log_that_comes_to_nothing_proves_nothing() -> None:
    fold = SimpleNamespace(facts={"a": 1}, rejected={})
    truth: Any = SimpleNamespace(fold=fold, last={1: 1}, gauges={}, counted={1: 1})
    assert nothing_to_compare(truth) == ["the log leads to no dead letters", "the log leads to no gauges"]


@pytest.mark.parametrize(("verdicts", "more", "code"), [
    ((SAME, SAME), (), 0), ((DIFFERENT, SAME), (), 1), ((), (), 1), ((SAME, SAME), ("--at-least", "1"), 1),
])  # fmt: skip
def test_the_exit_code_is_that_of_all_rounds_also_of_former_ones(
    verdicts: tuple[str, ...], more: tuple[str, ...], code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "results.jsonl"
    results = Results(file)
    for seed, verdict in enumerate(verdicts):
        results.add(draw(seed, {}), Outcome(verdict))
    monkeypatch.setattr(command, "chaos_broker", lambda _directory: nullcontext())
    monkeypatch.setattr("sys.argv", ["chaos", "--rounds", str(len(verdicts) or -1), "--results", str(file), *more])
    assert command.main() == code
