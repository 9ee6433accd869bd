"""A case's expectation against what the engine says, key by key, and the verdict.

equal        what the peer's test asks for
documented   another number on purpose: by a deviation of the peer that the case names, or a value of ours that the case or OURS gives
different    neither: a fault of ours
skipped      nothing to compare, or something in the case that the format does not define
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from tests.sla_cases.aggregates import window_aggregate
from tests.sla_cases.arithmetic import ARITHMETIC
from tests.sla_cases.cases import Case, NotUnderstoodError
from tests.sla_cases.lives import life
from tests.sla_cases.ours import OURS

EQUAL, DOCUMENTED, DIFFERENT, SKIPPED = "equal", "documented", "different", "skipped"
LIVES = ("lifecycle", "behaviour")


@dataclass(frozen=True, slots=True)
class Compared:
    """One key of a case."""

    key: str
    expected: Any
    got: Any
    verdict: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One case. `reason` says why a case was skipped."""

    case: Case
    keys: tuple[Compared, ...] = ()
    reason: str = ""

    @property
    def verdict(self) -> str:
        """The worst of its keys."""
        verdicts = {key.verdict for key in self.keys}
        return next((each for each in (DIFFERENT, SKIPPED, DOCUMENTED, EQUAL) if each in verdicts), SKIPPED)


def judge(case: Case) -> Result:
    """Compare a case."""
    try:
        answer = _answers(case)
        keys = tuple(_compare(case, key, value, answer) for key, value in case.expected.items())
    except NotUnderstoodError as error:
        return Result(case, reason=str(error))
    except Exception as error:  # noqa: BLE001 one broken case must not hide the others
        return Result(case, (Compared("", case.expected, None, DIFFERENT, f"{type(error).__name__}: {error}"),))
    return Result(case, keys, "" if keys else "expects nothing")


def judge_all(cases: Iterable[Case]) -> list[Result]:
    """Compare all of them."""
    return [judge(case) for case in cases]


def _answers(case: Case) -> Callable[[str], Any]:
    """What we say about each key."""
    kind = case.given.get("type")
    if kind in LIVES:
        return life(case)
    given = ARITHMETIC.get(str(kind), window_aggregate if kind == "window_aggregate" else None)
    if given is None:
        raise NotUnderstoodError(f"type {kind!r}")
    answers = given(case)

    def answer(key: str) -> Any:
        if key not in answers:
            raise NotUnderstoodError(f"key {key!r}")
        return answers[key]

    return answer


def _compare(case: Case, key: str, value: Any, answer: Callable[[str], Any]) -> Compared:
    expected = case.normal(key, value)
    deviates = (case.given.get("known_arithmetic_deviation") or {}).get(key)
    try:
        got = answer(key)
        equal = same(expected, got)
    except NotUnderstoodError as error:
        return Compared(key, expected, None, SKIPPED, str(error))
    if deviates is not None:
        return Compared(key, expected, got, DOCUMENTED, str(deviates))
    if equal:
        return Compared(key, expected, got, EQUAL)
    differs = (case.given.get("differs") or {}).get(key)
    if differs is not None and same(case.normal(key, differs.get("ours")), got):
        return Compared(key, expected, got, DOCUMENTED, str(differs.get("reason", "")))
    ours = OURS.get((case.id, key))
    if ours is not None and same(case.normal(key, ours.value), got):
        return Compared(key, expected, got, DOCUMENTED, ours.rule)
    return Compared(key, expected, got, DIFFERENT)


def same(expected: Any, got: Any) -> bool:
    """Exactly equal. A fraction is as exact as it is written; of a mapping or a list of windows every key that is asked for."""
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got
    if isinstance(expected, float) and isinstance(got, int | float):
        unit = 1 / 10 ** len(repr(expected).partition(".")[2])
        return bool(abs(expected - got) <= unit / 2 + 1e-9)
    if isinstance(expected, dict) and isinstance(got, dict):
        return all(same(value, _entry(got, key)) for key, value in expected.items())
    if isinstance(expected, list) and isinstance(got, dict):  # a histogram as a row of counts
        return len(expected) == len(got) and all(map(same, expected, got.values()))
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(same, expected, got))
    return bool(expected == got)


def _entry(found: dict[Any, Any], key: Any) -> Any:
    if key not in found:
        raise NotUnderstoodError(f"key {key!r}")
    return found[key]
