"""Ids that somebody may have meant are found, whatever the spelling."""

from __future__ import annotations

import pytest

from processor.explain.finding import SIMILAR_MAX, similar

KNOWN = ["T-1042", "T-1043", "T-7", "SUP-0815", "é-1"]


@pytest.mark.parametrize(("wanted", "first"), [("t_1042", "T-1042"), ("1042", "T-1042"), ("T1043", "T-1043"), ("sup 0815", "SUP-0815")])
def test_the_nearest_comes_first(wanted: str, first: str) -> None:
    assert similar(wanted, KNOWN)[0] == first


def test_there_are_few_and_each_once() -> None:
    found = similar("T-10", [f"T-10{number}" for number in range(1000)])
    assert len(found) == len(set(found)) == SIMILAR_MAX


@pytest.mark.parametrize("wanted", ["", "-", "zzzzzzzzzzzzz"])
def test_nothing_is_like_it(wanted: str) -> None:
    assert similar(wanted, KNOWN) == []
