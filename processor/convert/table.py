"""Rows of a delimited file, whatever its encoding, compression or damage: each row, or the reason why it cannot be one.

Reading never stops at a bad row. Only the columns that the mapping names are kept, so that a wide export fits into memory.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from operator import itemgetter
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, NamedTuple, cast

from processor.convert.mapping import Input, MappingError

if TYPE_CHECKING:
    from _csv import Reader  # has no public name

GZIP_MAGIC = b"\x1f\x8b"
REPLACEMENT = "\ufffd"  # what undecodable bytes become


class RowFault(StrEnum):
    """Why a row was dropped. Closed: the summary and the tests list exactly these."""

    MALFORMED_CSV = "malformed_csv"
    WRONG_COLUMN_COUNT = "wrong_column_count"
    BAD_ENCODING = "bad_encoding"
    MISSING_KEY = "missing_key"
    MISSING_TIME = "missing_time"
    BAD_TIME = "bad_time"
    BAD_NUMBER = "bad_number"
    UNMAPPED_VALUE = "unmapped_value"
    INVALID_EVENT = "invalid_event"
    FILE_ENDS_EARLY = "file_ends_early"


class Row(NamedTuple):
    """One row: its number among the data rows (from 1), the line of the file on which it ends, and the columns that are needed."""

    number: int
    line: int
    fields: tuple[str, ...]


class Dropped(NamedTuple):
    """A row that became no event, and why."""

    line: int
    reason: RowFault
    detail: str


class FaultError(Exception):
    """Raised while a row is interpreted; the row is dropped, the next one is read."""

    def __init__(self, reason: RowFault, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Table:
    """A file with a header, and which of its columns are needed."""

    path: Path
    options: Input
    needed: list[str]
    header: list[str] = field(default_factory=list)

    def rows(self, advance: Callable[[int], None] = lambda _position: None) -> Iterator[Row | Dropped]:
        """All rows in the order of the file. `advance` is told the position in the file (compressed bytes) from time to time.

        Raises `MappingError` when needed columns are missing, `OSError` when the file cannot be opened.
        """
        with self.path.open("rb") as raw:
            reader = self._reader(raw)
            lines = self._guarded(reader)
            if self.options.columns:
                self.header = list(self.options.columns)
            else:
                first = next(lines, None)
                self.header = [name.strip() for name in first] if isinstance(first, list) else []
            pick = self._picker()
            for number, cells in enumerate(lines, start=1):
                if number % 1000 == 0:
                    advance(raw.tell())
                if isinstance(cells, list):
                    yield self._row(number, reader.line_num, cells, pick)
                else:
                    yield cells
        advance(self.path.stat().st_size)

    def _reader(self, raw: BinaryIO) -> Reader:
        magic = raw.read(2)
        raw.seek(0)
        stream = cast("IO[bytes]", gzip.open(raw) if magic == GZIP_MAGIC else raw)  # noqa: SIM115 - reads `raw`, which its owner closes
        text = io.TextIOWrapper(stream, encoding=self.options.encoding, errors="replace", newline="")
        if self.options.quote:
            return csv.reader(_without_bom(text), delimiter=self.options.delimiter, quotechar=self.options.quote)
        return csv.reader(_without_bom(text), delimiter=self.options.delimiter, quoting=csv.QUOTE_NONE)

    @staticmethod
    def _guarded(reader: Reader) -> Iterator[list[str] | Dropped]:
        """The reader's rows without blank ones; what it raises becomes a dropped row."""
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Dropped(reader.line_num, RowFault.MALFORMED_CSV, str(error))
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                yield Dropped(reader.line_num, RowFault.FILE_ENDS_EARLY, f"the compressed data is damaged after this line: {error}")
                return
            else:
                if cells:
                    yield cells

    def _picker(self) -> Callable[[list[str]], tuple[str, ...]]:
        missing = [name for name in self.needed if name not in self.header]
        if missing:
            present = ", ".join(self.header) or "none (is the file empty?)"
            raise MappingError([f"{self.path}: there is no column {name!r}; the file has: {present}" for name in missing])
        indices = [self.header.index(name) for name in self.needed]
        if len(indices) == 1:
            return lambda cells: (cells[indices[0]],)
        return itemgetter(*indices)

    def _row(self, number: int, line: int, cells: list[str], pick: Callable[[list[str]], tuple[str, ...]]) -> Row | Dropped:
        if len(cells) != len(self.header):
            return Dropped(line, RowFault.WRONG_COLUMN_COUNT, f"{len(cells)} columns instead of {len(self.header)}")
        fields = pick(cells)
        if any(REPLACEMENT in cell for cell in fields):
            return Dropped(line, RowFault.BAD_ENCODING, f"not {self.options.encoding}; set input.encoding")
        return Row(number, line, fields)


def _without_bom(text: io.TextIOWrapper) -> Iterator[str]:
    for index, line in enumerate(text):
        yield line.removeprefix("\ufeff") if index == 0 else line
