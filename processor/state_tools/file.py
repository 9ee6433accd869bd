"""An exported state as a file of JSON lines: a header, each partition's marker and records, and the re-keyed records that it had not read.

    {"format": "ticket-kpis.state", ...}                     what it is, of which deployment, and what it must add up to
    {"partition": 0, "marker": {...}}
    {"partition": 0, "key": "h|t|T-1", "value": [...]}       a record, as it lies in the state topic
    {"partition": 0, "key": "h|t|T-2", "base64": "..."}      one whose value is no JSON
    {"partition": 0, "pending": {...}, "key": "T-1"}         a re-keyed record beyond the marker's offset, oldest first

The header has sums, which are known last; so the lines behind it are written into a file of their own and put behind it at the end. A name
that ends in .gz is compressed: two members of gzip one after the other are one file. What is read is checked against the header: a file
that was cut off, or put together by hand, is refused.
"""

from __future__ import annotations

import gzip
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfileobj
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import orjson

from processor.codec.state import STATE_VERSION, is_json
from processor.core.facts import LEDGER_MODULUS

FORMAT = "ticket-kpis.state"
FORMAT_VERSION = 1

Pending = tuple[bytes | None, bytes]  # key and value of a re-keyed record that was not read


class ExportError(Exception):
    """The file cannot be used. The message says what to do."""


@dataclass(slots=True)
class StoredPartition:
    """One partition as it lies in the topics: its marker, its live records, and the re-keyed records that it has not read."""

    number: int
    marker: dict[str, Any]
    records: dict[bytes, bytes]
    pending: list[Pending] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Exported:
    """A file that was read: its header and its partitions."""

    header: dict[str, Any]
    partitions: list[StoredPartition]


class ExportWriter:
    """Writes one file, partition by partition. A context manager; nothing is at `path` before `finish`."""

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        self._path = path
        self._about = about
        self._part = path.with_name(path.name + ".part")
        self._body: BinaryIO | None = None
        self._partitions: dict[str, dict[str, Any]] = {}
        self._versions: dict[str, Any] = {}
        self._digest = 0
        self._ledger_count = 0

    def __enter__(self) -> Self:
        self._body = _opened(self._part, self._path)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None) -> None:
        if self._body is not None:
            self._body.close()
        self._part.unlink(missing_ok=True)

    def add(self, partition: StoredPartition) -> None:
        """Write one partition: its marker and its records; its pending ones come later."""
        assert self._body is not None
        marker, number = partition.marker, partition.number
        lines = [orjson.dumps({"partition": number, "marker": marker})]
        for key, value in partition.records.items():
            said = {"value": orjson.Fragment(value)} if is_json(value) else {"base64": b64encode(value).decode()}
            lines.append(orjson.dumps({"partition": number, "key": key.decode(), **said}))
        self._body.writelines(line + b"\n" for line in lines)
        self._digest = (self._digest + int(marker["digest"], 16)) % LEDGER_MODULUS
        self._ledger_count += marker["ledger_count"]
        sizes = {"records": len(partition.records), "pending": 0}
        self._partitions[str(number)] = {**sizes, **{name: marker[name] for name in ("applied", "stream_time", "timer_time")}}
        if marker["state_version"] >= self._versions.get("state_version", 0):  # partitions are upgraded one by one
            self._versions = {name: marker[name] for name in ("state_version", "ladder_version", "fingerprint", "settings")}

    def add_pending(self, number: int, pending: list[Pending]) -> None:
        """Write what a partition has not read of the re-keyed topic.

        To be read after the markers of all partitions: what one of them handed over before its marker must not be missing.
        """
        assert self._body is not None
        for target, value in pending:
            named = None if target is None else target.decode()
            self._body.write(orjson.dumps({"partition": number, "pending": orjson.Fragment(value), "key": named}) + b"\n")
        self._partitions[str(number)]["pending"] += len(pending)

    def finish(self) -> dict[str, Any]:
        """Put the file together; returns its header."""
        assert self._body is not None
        self._body.close()
        self._body = None
        sums = {"digest": f"{self._digest:032x}", "ledger_count": self._ledger_count}
        header = {"format": FORMAT, "format_version": FORMAT_VERSION, **self._about, **self._versions, **sums, "of": self._partitions}
        whole = self._path.with_name(self._path.name + ".whole")
        with _opened(whole, self._path) as head:
            head.write(orjson.dumps(header) + b"\n")
        with whole.open("ab") as target, self._part.open("rb") as body:
            copyfileobj(body, target)
        whole.replace(self._path)
        return header


def _opened(path: Path, named: Path) -> BinaryIO:
    """A file to write, compressed if `named` says so; no name and no time inside, so that the same state has the same bytes."""
    raw = path.open("wb")
    if named.suffix != ".gz":
        return raw
    packed = gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0, compresslevel=6)
    packed.myfileobj = raw  # type: ignore[assignment]  # closed with it
    return cast("BinaryIO", packed)


def read_export(path: Path) -> Exported:
    """The whole file. Raises ExportError unless it is one, whole, and of a version that this release reads."""
    try:
        lines = _lines(path)
        header = _header(next(lines, b""))
        partitions: dict[int, StoredPartition] = {}
        for line in lines:
            _take(partitions, orjson.loads(line))
        whole = _adds_up(header, partitions)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise ExportError(f"{path} is damaged ({error}); export again") from error
        raise ExportError(f"{path}: {error.strerror or error}") from error
    except (EOFError, zlib.error, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ExportError(f"{path} is damaged or was cut off ({type(error).__name__}: {error}); export again") from error
    if not whole:
        raise ExportError(f"{path} does not hold what its header says; was it cut off? Export again")
    return Exported(header, [partitions[number] for number in sorted(partitions)])


def _lines(path: Path) -> Iterator[bytes]:
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        yield from cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if packed else raw


def _header(line: bytes) -> dict[str, Any]:
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ExportError("not an exported state; `ticket-kpis state export FILE` writes one")
    for name, ours in (("format_version", FORMAT_VERSION), ("state_version", STATE_VERSION)):
        if header[name] > ours:
            what = f"{name.replace('_', ' ')} {header[name]} is unknown to this release, which reads up to {ours}"
            raise ExportError(f"{what}. Import it with the release that wrote it, or a later one")
    return header


def _take(partitions: dict[int, StoredPartition], line: dict[str, Any]) -> None:
    number = line["partition"]
    if "marker" in line:
        partitions[number] = StoredPartition(number, line["marker"], {})
    elif "pending" in line:
        key = line["key"]
        partitions[number].pending.append((None if key is None else key.encode(), orjson.dumps(line["pending"])))
    else:
        value = b64decode(line["base64"], validate=True) if "base64" in line else orjson.dumps(line["value"])
        partitions[number].records[line["key"].encode()] = value


def _adds_up(header: dict[str, Any], partitions: dict[int, StoredPartition]) -> bool:
    """Whether the file holds what its header says; else it would give wrong numbers that nobody could explain."""
    found = {str(each.number): (len(each.records), len(each.pending)) for each in partitions.values()}
    wanted = {number: (sizes["records"], sizes["pending"]) for number, sizes in header["of"].items()}
    digest = sum(int(each.marker["digest"], 16) for each in partitions.values()) % LEDGER_MODULUS
    return found == wanted and f"{digest:032x}" == header["digest"] and len(partitions) == header["partitions"]
