"""Equal values as one object in memory: there are few of some, and millions of entities that have one."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Shared(Generic[T]):
    """A table of bounded size; when it is full, what comes next is shared anew."""

    def __init__(self, most: int) -> None:
        self.kept: dict[T, T] = {}
        self._most = most

    def of(self, value: T) -> T:
        """The same value, and the same object as before if it was seen not long ago."""
        if len(self.kept) >= self._most:
            self.kept.clear()
        return self.kept.setdefault(value, value)
