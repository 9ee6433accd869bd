"""The values of dimensions: each at its place."""

from __future__ import annotations

from processor.core.dimensions import CHANNEL, GROUP, PRIORITY, QUEUE, TOPIC, dims_of, with_dims
from processor.core.settings import DIMENSIONS, NO_DIMENSIONS, NONE


def test_each_value_stands_at_the_place_of_its_dimension() -> None:
    assert dims_of(**{name: name for name in DIMENSIONS}) == DIMENSIONS
    assert [DIMENSIONS[place] for place in (CHANNEL, PRIORITY, GROUP, TOPIC, QUEUE)] == ["channel", "priority", "group", "topic", "queue"]


def test_what_is_not_said_is_none() -> None:
    assert dims_of() == dims_of(group="", topic=None) == NO_DIMENSIONS


def test_a_change_leaves_the_others_as_they_were() -> None:
    dims = dims_of(channel="email", group="billing")
    assert with_dims(dims, {"group": "sales", "policy_id": "P-1"}) == dims_of(channel="email", group="sales")
    assert with_dims(dims, {"group": None})[GROUP] == NONE
