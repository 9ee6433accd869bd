"""The mapping file of `convert csv`: what a row means, checked whole before the first row is read.

A mapping names the columns that hold the entity's key and the times, and lists the events that one row may become, each with the
conditions under which it does. All faults of a file are reported at once, each with its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from processor.codec.kinds import KINDS

SUPPORT = "support."
Scalar = str | int | float | bool


class MappingError(ValueError):
    """The mapping cannot be used. `faults` lists every reason, each with its path in the file."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Strict(BaseModel):
    """Unknown keys are faults: a misspelt one would silently do nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Columns = Annotated[tuple[str, ...], BeforeValidator(_as_list), Field(min_length=1)]


class Input(Strict):
    """How the file is written. A byte order mark is dropped and gzip is recognised whatever stands here."""

    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', max_length=1)
    encoding: str = "utf-8"
    columns: tuple[str, ...] = ()  # names, for a file without a header line
    newest_first: bool = False  # the last row of the file is the oldest
    null_tokens: tuple[str, ...] = ("",)

    @model_validator(mode="after")
    def _known_encoding(self) -> Self:
        try:
            "".encode(self.encoding)
        except LookupError:
            raise ValueError(f"unknown encoding {self.encoding!r}; try utf-8, utf-16, cp1252 or latin-1") from None
        return self


class Key(Strict):
    """The columns that together name the entity; composite keys are joined by `separator`."""

    columns: Columns
    separator: str = "-"
    prefix: str = ""


class Times(Strict):
    """The columns that hold times, in the order in which they happen within a row.

    Without `date` each holds a full time. With `date` each holds a time of day: the first one belongs to the date, and one that is earlier
    than the one before it by at least `wraps_after_hours` belongs to the next day. Less than that is two clocks that disagree, and stays.
    """

    columns: Columns
    format: str = "iso"  # iso, epoch_seconds, epoch_ms, or directives such as %Y-%m-%d %H:%M
    date: str | None = None
    date_format: str = "%Y-%m-%d"
    wraps_after_hours: float = Field(default=12, gt=0, le=24)
    zone: str = "UTC"  # of times that carry no offset
    ambiguous: Literal["earlier", "later"] = "earlier"  # the hour that occurs twice when summer time ends
    null_tokens: tuple[str, ...] = ()  # besides those of `input`

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.zone not in available_timezones():
            raise ValueError(f"unknown zone {self.zone!r}; use an IANA name such as Europe/Berlin")
        if self.format not in {"iso", "epoch_seconds", "epoch_ms"} and "%" not in self.format:
            raise ValueError(f"format {self.format!r} is neither iso, epoch_seconds, epoch_ms nor made of % directives")
        if self.date is not None and "%H" not in self.format and "%I" not in self.format:
            raise ValueError("with `date`, `format` must read a time of day, e.g. %H:%M:%S")
        return self

    @property
    def zone_info(self) -> ZoneInfo:
        """The zone of times that carry no offset."""
        return ZoneInfo(self.zone)


def _text_keys(raw: Any) -> Any:
    """YAML reads `1: urgent` as a number and `No: open` as a truth value; the file has text. Numbers are safe to turn back."""
    if not isinstance(raw, dict):
        return raw
    unclear = [key for key in raw if isinstance(key, bool) or key is None]
    if unclear:
        raise ValueError("quote the words yes, no, on, off, true, false and null: YAML takes them for something else")
    return {str(key) if isinstance(key, int | float) else key: value for key, value in raw.items()}


class Value(Strict):
    """What a field of an event holds: a constant, a column (or several joined), or a named value; translated by `map`."""

    constant: Scalar | None = None
    columns: Annotated[tuple[str, ...], BeforeValidator(_as_list)] = Field(default=(), alias="column")
    value: str | None = None
    separator: str = "/"
    map: Annotated[dict[str, Scalar], BeforeValidator(_text_keys)] = Field(default_factory=dict)
    default: Scalar | None = None  # for what `map` does not list; without it such a row is dropped and counted
    type: Literal["string", "integer", "number", "boolean"] = "string"
    null_tokens: tuple[str, ...] = ()  # besides those of `input`; a null field is left out ...
    nullable: bool = False  # ... or, with this, written as null: assignee_id and group may be null

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum((self.constant is not None, bool(self.columns), self.value is not None)) != 1:
            raise ValueError("give exactly one of constant, column and value")
        if self.default is not None and not self.map:
            raise ValueError("default needs a map")
        return self


def _as_value(raw: Any) -> Any:
    """A bare scalar is a constant."""
    if isinstance(raw, dict) and not raw.keys() & {"constant", "column", "value"}:
        raise ValueError("give one of constant, column and value; what stands in an object is written with a dot, such as author.type")
    return {"constant": raw} if isinstance(raw, str | int | float | bool) else raw


class Condition(Strict):
    """One condition on a row; all that are given must hold."""

    column: str | None = None
    value: str | None = None
    equals: Scalar | None = None
    in_: tuple[Scalar, ...] | None = Field(default=None, alias="in")
    not_in: tuple[Scalar, ...] | None = None
    is_null: bool | None = None
    changed: bool | None = None  # differs from the entity's previous row; the first row counts as changed
    first: bool | None = None  # the entity's first row

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.column is not None and self.value is not None:
            raise ValueError("a condition is about a column or a value, not both")
        about = self.column is not None or self.value is not None
        tests = [name for name in ("equals", "in_", "not_in", "is_null", "changed") if getattr(self, name) is not None]
        if about and not tests:
            raise ValueError("say what must hold: equals, in, not_in, is_null or changed")
        if tests and not about:
            raise ValueError("name the column or the value that the condition is about")
        if not tests and self.first is None:
            raise ValueError("an empty condition")
        return self


class EventRule(Strict):
    """One event that a row may become. The entity's id is added to `data`; a dot in a field's name leads into an object."""

    type: str
    at: Columns
    take: Literal["first", "latest", "earliest"] = "first"  # of the columns of `at` that are not null
    when: tuple[Condition, ...] = ()
    data: dict[str, Annotated[Value, BeforeValidator(_as_value)]] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _known_type(self) -> Self:
        kind = self.type.removeprefix(SUPPORT)
        if not self.type.startswith(SUPPORT) or kind not in KINDS or KINDS[kind].key_field is None:
            raise ValueError(f"{self.type!r} is no type of an event about somebody; see schemas/ for the types")
        if self.id_field in self.data:
            raise ValueError(f"{self.id_field} comes from `key`; remove it from data")
        for field in self.data:
            if not all(field.split(".")):
                raise ValueError(f"data: {field!r} has an empty name before or after a dot")
            if doubly := [other for other in self.data if other.startswith(f"{field}.")]:
                raise ValueError(f"data: {field} cannot be a value and an object with {', '.join(doubly)}")
        return self

    @property
    def kind(self) -> str:
        """The type without its prefix."""
        return self.type.removeprefix(SUPPORT)

    @property
    def id_field(self) -> str:
        """The field that holds the entity's id; where an event may be about several, it is about a ticket."""
        return str(KINDS[self.kind].key_field)


class Mapping(Strict):
    """A whole mapping file."""

    version: Literal[1]
    source: str = Field(min_length=1, max_length=256)
    key: Key
    times: Times
    events: tuple[EventRule, ...] = Field(min_length=1)
    input: Input = Field(default_factory=Input)
    keep: tuple[Condition, ...] = ()  # rows for which these do not hold are left out on purpose
    values: dict[str, Value] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _references(self) -> Self:
        faults = list(self._faults())
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def _faults(self) -> Iterator[str]:
        for name, value in self.values.items():
            if value.value is not None:
                yield f"values.{name}: a named value cannot refer to another one"
        for index, rule in enumerate(self.events):
            unknown = [column for column in rule.at if column not in self.times.columns]
            yield from (f"events.{index}.at: {column!r} is not among times.columns" for column in unknown)
            named = [("data." + field, value.value) for field, value in rule.data.items()]
            named += [(f"when.{number}", condition.value) for number, condition in enumerate(rule.when)]
            missing = [(path, name) for path, name in named if name not in {None, *self.values}]
            yield from (f"events.{index}.{path}: there is no value {name!r} in `values`" for path, name in missing)
        for number, condition in enumerate(self.keep):
            if condition.value is not None and condition.value not in self.values:
                yield f"keep.{number}: there is no value {condition.value!r} in `values`"
            if condition.changed is not None or condition.first is not None:
                yield f"keep.{number}: `changed` and `first` depend on which rows are kept; use them in events"

    def columns(self) -> list[str]:
        """Every column that the mapping reads, each once."""
        names = [*self.key.columns, *self.times.columns]
        if self.times.date is not None:
            names.append(self.times.date)
        conditions = [*self.keep, *(condition for rule in self.events for condition in rule.when)]
        names += [condition.column for condition in conditions if condition.column is not None]
        for value in (*self.values.values(), *(value for rule in self.events for value in rule.data.values())):
            names += value.columns
        return list(dict.fromkeys(names))


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises `MappingError` with all its faults."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MappingError([f"{path}: {error.strerror}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise MappingError([f"{path}: not YAML: {' '.join(str(error).split())}"]) from None
    return parse_mapping(raw)


def parse_mapping(raw: Any) -> Mapping:
    """Check what was read from YAML. Raises `MappingError` with all its faults."""
    if not isinstance(raw, dict):
        raise MappingError(["the file must hold a mapping with version, source, key, times and events"])
    try:
        return Mapping.model_validate(raw)
    except ValidationError as error:
        raise MappingError([_describe(fault["loc"], fault["type"], fault["msg"]) for fault in error.errors()]) from None


def _describe(where: tuple[int | str, ...], kind: str, message: str) -> str:
    path = ".".join(str(part) for part in where)
    text = "unknown key" if kind == "extra_forbidden" else message.removeprefix("Value error, ")
    return f"{path}: {text}" if path else text
