"""Fixtures for tests on a real broker: one broker for the whole run, names of topics of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from tests.kafka.broker import Broker

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running broker. Never skips: without Kafka the tests of the main job mean nothing."""
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running


@pytest.fixture
def topic_name() -> Callable[[str], str]:
    """Make a name from a word, different for each test, so that tests share a broker without sharing topics."""
    number = next(_numbers)
    return lambda word: f"test-{number}-{word}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder: `-m 'not kafka'` leaves it out. What needs a broker comes last, the quickest first."""
    here = __file__.rpartition("/")[0] + "/"
    for item in items:
        if str(item.path).startswith(here):
            item.add_marker(pytest.mark.kafka)
    items.sort(key=lambda item: item.get_closest_marker("kafka") is not None)
