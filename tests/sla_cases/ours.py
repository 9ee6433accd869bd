"""Where we mean to say something else than a peer's test, and the case itself does not say so: the value of ours, and the rule behind it.

Keyed by case and key of `expected`. Few on purpose: what a peer counts by a rule with a name is a rule of the case, not an entry here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

OURS_MAX = 15


class Ours(NamedTuple):
    """A value as `expected` would write it, and the definition that gives it."""

    value: Any
    rule: str


OURS: dict[tuple[str, str], Ours] = {}
