"""The record that makes steps fail is found by smaller and smaller steps, whichever topic it is of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from processor.stream.step_size import StepSize

MOST = 4000


def records(topic: str, first: int, end: int) -> list[Any]:
    return [SimpleNamespace(topic=topic, offset=offset) for offset in range(first, end)]


@pytest.mark.parametrize("bad", [0, 1, 1234, 3999])
def test_the_bad_record_is_alone_after_few_steps(bad: int) -> None:
    size, begin, steps = StepSize(MOST), 0, 0
    while True:
        step = records("events", begin, min(begin + size.now, MOST))
        steps += 1
        if begin <= bad <= step[-1].offset:
            if len(step) == 1:
                break
            size.failed(step)
        else:
            begin = step[-1].offset + 1
            size.done({"events": begin - 1})
    assert begin == bad
    assert steps <= 30


def test_steps_grow_again_when_what_is_doubtful_has_passed_in_both_topics() -> None:
    size = StepSize(8)
    size.failed([*records("rekeyed", 5, 7), *records("events", 10, 16)])
    assert size.now == 4
    size.done({"rekeyed": 6, "events": 14})
    assert size.now == 4
    size.done({"rekeyed": 6, "events": 15})
    assert size.now == 8
    size.done({"rekeyed": 6, "events": 15})
    assert size.now == 8


def test_re_keyed_records_that_keep_coming_do_not_make_steps_grow() -> None:
    size = StepSize(8)
    size.failed(records("events", 10, 12))
    for offset in range(100):
        size.done({"rekeyed": offset, "events": 9})
        assert size.now == 1
