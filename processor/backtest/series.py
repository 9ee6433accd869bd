"""Series as they grow, minute by minute, and as text for `promtool tsdb create-blocks-from openmetrics`.

A series of which rules read ranges has a sample at each minute at which it was there, unless it never changes: then every rate is 0 anyway.
Of all others the first and the last sample of each value are there, and one now and then between them: an expression sees no difference,
since Prometheus looks five minutes back. That makes loading several times quicker.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from processor.export.family import Family
from processor.export.labels import LabelSet
from processor.export.openmetrics import prefixes, texts

JOB = "ticket-kpis"
INSTANCE = "backtest:9108"
SPARSE_MINUTES = 4  # less than Prometheus' look-back, whatever the length of the log
CHANGES_MAX = 20_000_000  # that are remembered, some 50 bytes each

_ABSENT = None
Moment = TypeVar("Moment")


def sparse(times: Sequence[Moment]) -> Sequence[Moment]:
    """The first and the last, and so many between them that none is out of sight."""
    return [*times[:-1:SPARSE_MINUTES], times[-1]]


class _One:
    """A series of a family: what it was from which minute on; `seen` is the last one at which it was there."""

    __slots__ = ("family", "labels", "last", "minutes", "seen", "values")

    def __init__(self, family: Family, labels: LabelSet) -> None:
        self.family, self.labels = family, labels
        self.minutes: list[int] = []
        self.values: list[Any] = []
        self.last: Any = _ABSENT
        self.seen = -1

    def note(self, minute: int, value: Any) -> bool:
        """What it is at this minute; whether that has changed."""
        if self.seen != minute - 1:
            self.end()
        self.seen = minute
        if value == self.last:
            return False
        self.minutes.append(minute)
        self.values.append(value)
        self.last = value
        return True

    def end(self) -> None:
        """It is not there any more, or not for now."""
        if self.last is not _ABSENT:
            self.minutes.append(self.seen + 1)
            self.values.append(_ABSENT)
            self.last = _ABSENT

    def stretches(self) -> Iterator[tuple[int, int, Any]]:
        """From which minute up to which it was what."""
        ends = [*self.minutes[1:], self.seen + 1]
        for begin, end, value in zip(self.minutes, ends, self.values, strict=True):
            if value is not _ABSENT:
                yield begin, end, value


class Series:
    """All series of a log. `names` are the names under which a sample of a worker is written, `ranged` those read by ranges."""

    def __init__(self, names: Mapping[str, Sequence[str]], ranged: Collection[str]) -> None:
        self._names, self._ranged = names, ranged
        self._all: dict[tuple[str, LabelSet], _One] = {}
        self.samples = 0  # that were written
        self._changes = 0

    def note(self, minute: int, family: Family, values: Iterable[tuple[LabelSet, Any]]) -> None:
        """The samples of a family at a minute."""
        known, name = self._all, family.name
        for labels, value in values:
            one = known.get((name, labels))
            if one is None:
                one = known[name, labels] = _One(family, labels)
            self._changes += one.note(minute, value)

    def text(self, first: int, last: int) -> Iterator[str]:
        """Everything, series by series."""
        times = [f" {minute * 60}\n" for minute in range(first, last + 1)]
        for one in self._all.values():
            one.end()
            stretches = list(one.stretches())
            for number, name, begun in self._begun(one):
                every = len(stretches) > 1 and name in self._ranged
                for begin, end, value in stretches:
                    there = times[begin - first : end - first]
                    told = there if every else sparse(there)
                    self.samples += len(told)
                    text = begun + texts(one.family, value)[number]
                    yield "".join([text + time for time in told])
        yield "# EOF\n"

    def _begun(self, one: _One) -> Iterator[tuple[int, str, str]]:
        """Of each sample of a series its number, and each name with the beginning of its lines."""
        for number, prefix in enumerate(prefixes(one.family, one.family.label_names, one.labels)):
            name, _, rest = prefix.rstrip().removesuffix("}").partition("{")
            yield from ((number, other, self._named(name, other, rest)) for other in self._names.get(name, ()))

    def _named(self, name: str, other: str, labels: str) -> str:
        """What is recorded has lost its instance."""
        added = f'job="{JOB}"' if other != name else f'job="{JOB}",instance="{INSTANCE}"'
        return f"{other}{{{labels},{added}}} " if labels else f"{other}{{{added}}} "

    @property
    def full(self) -> bool:
        """Whether there is more to remember than there should be."""
        return self._changes > CHANGES_MAX
