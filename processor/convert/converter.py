"""Rows to events, in the order of time.

Three passes, all in memory (about 1 kB a row): read and check the rows, walk them in the order of their times so that "first" and
"changed" speak of what happened before, and sort the events. `sequence` is the row's number in the file, so what shares an instant keeps
the order of the file; the id is the entity, the row and the number of the event, so converting again gives the same events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from processor.codec.decode import decode
from processor.codec.envelope import cloud_event, encode
from processor.codec.kinds import PARTITION_KEY
from processor.convert.mapping import Mapping
from processor.convert.rules import Compiler, Fields, Rule
from processor.convert.table import Dropped, FaultError, Row, RowFault
from processor.convert.times import TimeReader
from processor.core.events import Rejected

Advance = Callable[[int], None]


class Made(NamedTuple):
    """One event, encoded. Sorts by time, then by the order of the rows."""

    occurred_at: int
    sequence: str
    key: str
    kind: str
    value: bytes


class Parsed(NamedTuple):
    """One row that may become events. Sorts by its first time, then by its number."""

    occurred_at: int
    number: int
    line: int
    entity: str
    times: tuple[int | None, ...]
    fields: tuple[str, ...]


@dataclass(slots=True)
class Result:
    """What came out, and everything that did not."""

    events: list[Made] = field(default_factory=list)
    rows: int = 0
    left_out: int = 0  # by `keep`, on purpose
    without_events: int = 0
    dropped: list[Dropped] = field(default_factory=list)
    entities: int = 0
    ambiguous: int = 0
    nonexistent: int = 0

    @property
    def by_type(self) -> Counter[str]:
        """How many events of each type, without their prefix."""
        return Counter(event.kind for event in self.events)

    @property
    def by_reason(self) -> Counter[str]:
        """How many rows were dropped for which reason."""
        return Counter(drop.reason.value for drop in self.dropped)


class Converter:
    """Converts one file by one mapping."""

    def __init__(self, mapping: Mapping, source: str | None = None) -> None:
        self._mapping = mapping
        self._source = source or mapping.source
        columns = mapping.columns()
        compiler = Compiler(mapping, columns.index)
        self._key = compiler.key()
        self._keep = compiler.keep()
        self._rules = compiler.rules()
        self._times = TimeReader(mapping.times, mapping.input.null_tokens, columns.index)
        self.result = Result()

    def convert(self, rows: Iterable[Row | Dropped], *, keep_order: bool = False, advance: Advance = lambda _done: None) -> Result:
        """All rows. `advance` is told how many rows were turned into events. With `keep_order` the events stand as the rows did."""
        parsed = [found for row in rows if (found := self._parse(row)) is not None]
        total = self.result.rows + 1
        reverse = self._mapping.input.newest_first
        if reverse:
            parsed = [row._replace(number=total - row.number) for row in parsed]
        parsed.sort()
        previous: dict[str, Fields] = {}
        for done, row in enumerate(parsed, start=1):
            try:
                rules = self._matching(row, previous.get(row.entity))
                made = [self._event(rule, row, number) for number, rule in enumerate(rules, start=1)]
            except FaultError as fault:
                self.result.dropped.append(Dropped(row.line, fault.reason, fault.detail))
                continue
            previous[row.entity] = row.fields
            self.result.events += made
            self.result.without_events += not made
            if done % 1000 == 0:
                advance(done)
        advance(len(parsed))
        self.result.events.sort(key=(lambda event: _file_order(event, reverse)) if keep_order else None)
        self.result.dropped.sort()
        self.result.entities = len(previous)
        self.result.ambiguous, self.result.nonexistent = self._times.ambiguous, self._times.nonexistent
        return self.result

    def _parse(self, row: Row | Dropped) -> Parsed | None:
        result = self.result
        result.rows += 1
        if isinstance(row, Dropped):
            result.dropped.append(row)
            return None
        try:
            if not all(test(row.fields, None) for test in self._keep):
                result.left_out += 1
                return None
            entity = self._key(row.fields)
            times = self._times.read(row.fields)
        except FaultError as fault:
            result.dropped.append(Dropped(row.line, fault.reason, fault.detail))
            return None
        first = next((time for time in times if time is not None), None)
        if first is None:
            result.dropped.append(Dropped(row.line, RowFault.MISSING_TIME, f"{', '.join(self._mapping.times.columns)}: all null"))
            return None
        return Parsed(first, row.number, row.line, entity, times, row.fields)

    def _matching(self, row: Parsed, previous: Fields | None) -> list[Rule]:
        return [rule for rule in self._rules if all(test(row.fields, previous) for test in rule.tests)]

    def _event(self, rule: Rule, row: Parsed, number: int) -> Made:
        times = [time for place in rule.at if (time := row.times[place]) is not None]
        if not times:
            names = ", ".join(self._mapping.times.columns[place] for place in rule.at)
            raise FaultError(RowFault.MISSING_TIME, f"{rule.type} at {names}: null")
        occurred_at = rule.take(times)
        data: dict[str, Any] = {} if rule.id_field == PARTITION_KEY else {rule.id_field: row.entity}
        for (*objects, name), read, nullable in rule.data:
            content = read(row.fields)
            if content is not None or nullable:
                place = data
                for part in objects:
                    place = place.setdefault(part, {})
                place[name] = content
        sequence = f"{row.number:012d}.{number:02d}"
        event_id = f"{row.entity}:{row.number}.{number}"
        event = cloud_event(kind=rule.kind, id=event_id, source=self._source, occurred_at_ms=occurred_at, data=data, sequence=sequence)
        value = encode(event | {PARTITION_KEY: row.entity})
        verdict = decode(value)
        if isinstance(verdict, Rejected):
            raise FaultError(RowFault.INVALID_EVENT, f"{rule.type}: {verdict.reason.value}, {verdict.detail}")
        # A copy, since what the encoder returns occupies kilobytes however short it is.
        return Made(occurred_at, sequence, row.entity, rule.kind, bytes(memoryview(value)))


def _file_order(event: Made, newest_first: bool) -> tuple[int, str]:
    """`sequence` begins with the row's number, which counts from the end where the newest row comes first."""
    number = int(event.sequence.partition(".")[0])
    return (-number if newest_first else number, event.sequence)
