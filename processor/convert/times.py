"""The times of a row as UTC milliseconds: full times, or a date with times of day that wrap at midnight.

    date 2 Feb │ 23:59:40 entry ── 23:59:52 queued ─┊─ 0:00:20 left      earlier by almost a day: the next day
               │  8:19:47 queued ──  8:20:21 left ─ 8:20:20 service      earlier by a second: two clocks that disagree; stays

Local times: one that occurs twice (end of summer time) is read as the mapping's `ambiguous` says, one that never occurs (its beginning)
is moved forward by the gap, as clocks were. Both are counted, so that nobody has to guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from processor.codec.times import EARLIEST_MS, LATEST_MS
from processor.convert.mapping import Times
from processor.convert.table import FaultError, RowFault

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


class TimeReader:
    """Reads the time columns of one file; `ambiguous` and `nonexistent` count the local times that needed a decision."""

    def __init__(self, times: Times, null_tokens: Sequence[str], index: Callable[[str], int]) -> None:
        self.ambiguous = 0
        self.nonexistent = 0
        self._times = times
        self._zone = times.zone_info
        self._fold = 0 if times.ambiguous == "earlier" else 1
        self._nulls = frozenset((*null_tokens, *times.null_tokens))
        self._columns = [(name, index(name)) for name in times.columns]
        self._date_at = None if times.date is None else index(times.date)
        self._wrap_s = times.wraps_after_hours * 3600
        self._cache: dict[tuple[str, str], datetime] = {}  # strptime is slow, and the times of a day and dates repeat

    def read(self, fields: Sequence[str]) -> tuple[int | None, ...]:
        """One instant for each time column, None where it is null. Raises `FaultError`."""
        if self._date_at is not None:
            return self._read_day(fields, self._date_at)
        return tuple(None if fields[at] in self._nulls else self._full(name, fields[at]) for name, at in self._columns)

    def _read_day(self, fields: Sequence[str], date_at: int) -> tuple[int | None, ...]:
        date = self._strptime(str(self._times.date), fields[date_at].strip(), self._times.date_format)
        found: list[int | None] = []
        before: float | None = None
        days = 0
        for name, at in self._columns:
            if fields[at] in self._nulls:
                found.append(None)
                continue
            clock = self._strptime(name, fields[at].strip(), self._times.format)
            second = clock.hour * 3600 + clock.minute * 60 + clock.second + clock.microsecond / 1e6
            if before is not None:
                if before - second >= self._wrap_s:
                    days += 1
                elif days and second - before >= self._wrap_s:  # the clocks disagree across midnight
                    days -= 1
            before = second
            found.append(self._to_ms(datetime.combine(date.date() + timedelta(days=days), clock.time())))
        return tuple(found)

    def _full(self, column: str, text: str) -> int:
        text = text.strip()
        try:
            if self._times.format == "iso":
                return self._to_ms(datetime.fromisoformat(text))
            if self._times.format == "epoch_ms":
                return _in_range(int(text), text)
            if self._times.format == "epoch_seconds":
                return _in_range(round(float(text) * 1000), text)
        except (ValueError, OverflowError):
            raise FaultError(RowFault.BAD_TIME, f"{column}: {text!r} is not {self._times.format}") from None
        return self._to_ms(self._strptime(column, text, self._times.format))

    def _strptime(self, column: str, text: str, layout: str) -> datetime:
        key = (text, layout)
        try:
            return self._cache[key]
        except KeyError:
            pass
        try:
            parsed = datetime.strptime(text, layout)  # noqa: DTZ007 - the zone is applied by _to_ms
        except ValueError:
            raise FaultError(RowFault.BAD_TIME, f"{column}: {text!r} does not match {layout!r}") from None
        if len(self._cache) < 200_000:
            self._cache[key] = parsed
        return parsed

    def _to_ms(self, moment: datetime) -> int:
        if moment.tzinfo is None:
            moment = self._localized(moment)
        return _in_range((moment - EPOCH) // MILLISECOND, moment.isoformat())

    def _localized(self, moment: datetime) -> datetime:
        first, second = moment.replace(tzinfo=self._zone, fold=0), moment.replace(tzinfo=self._zone, fold=1)
        before, after = first.utcoffset(), second.utcoffset()
        if before is None or after is None or before == after:
            return first
        if before < after:  # in the gap: the offset from before it moves the time forward
            self.nonexistent += 1
            return first
        self.ambiguous += 1
        return second if self._fold else first


def _in_range(instant: int, text: str) -> int:
    if EARLIEST_MS <= instant < LATEST_MS:
        return instant
    raise FaultError(RowFault.BAD_TIME, f"{text} is not between 1990 and 2050")
