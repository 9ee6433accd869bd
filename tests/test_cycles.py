"""The collector of cycles leaves the engine's work alone, and still finds what others leave behind."""

from __future__ import annotations

import gc
import weakref

import pytest

from processor.cycles import none_made


class Node:
    """Refers to itself."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_left_behind_before_is_collected() -> None:
    left = weakref.ref(Node())
    with none_made():
        assert left() is None


def test_nothing_is_looked_for_meanwhile_and_what_stays_is_not_looked_at_again() -> None:
    with none_made():
        assert not gc.isenabled()
        made = [[number] for number in range(1000)]
    assert gc.isenabled()
    assert not any(each in made for generation in range(3) for each in gc.get_objects(generation) if type(each) is list and len(each) == 1)


def test_what_nobody_refers_to_goes_all_the_same() -> None:
    with none_made():
        kept = Node()
        kept.itself = None  # type: ignore[assignment]
        gone = weakref.ref(kept)
    del kept
    assert gone() is None


def test_an_error_does_not_switch_the_collector_off() -> None:
    with pytest.raises(ValueError, match="x"), none_made():
        raise ValueError("x")
    assert gc.isenabled()
