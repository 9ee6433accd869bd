"""The conditions and values of a mapping, compiled to plain functions of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from typing import NamedTuple

from processor.convert.mapping import Condition, EventRule, Mapping, Scalar, Value
from processor.convert.table import FaultError, RowFault

Fields = Sequence[str]
_TAKE: dict[str, Callable[[Iterable[int]], int]] = {"first": lambda times: next(iter(times)), "latest": max, "earliest": min}
Getter = Callable[[Fields], Scalar | None]
Test = Callable[[Fields, Fields | None], bool]  # (this row, the entity's previous row)

_TRUE = frozenset({"true", "yes", "1"})
_FALSE = frozenset({"false", "no", "0"})


class Rule(NamedTuple):
    """One event that a row may become."""

    type: str
    kind: str
    id_field: str
    at: tuple[int, ...]  # indices into the row's times
    take: Callable[[Iterable[int]], int]  # which of those that are not null
    tests: tuple[Test, ...]
    data: tuple[tuple[tuple[str, ...], Getter, bool], ...]  # path of the field, value, whether null is written


class Compiler:
    """Turns one mapping into functions; `index` gives the place of a column in a row's fields."""

    def __init__(self, mapping: Mapping, index: Callable[[str], int]) -> None:
        self._mapping = mapping
        self._index = index
        self._named = {name: self.getter(value) for name, value in mapping.values.items()}

    def keep(self) -> tuple[Test, ...]:
        """What must hold for a row to be looked at."""
        return tuple(test for condition in self._mapping.keep for test in self._tests(condition))

    def rules(self) -> tuple[Rule, ...]:
        """The events in the order of the mapping, which is their order within a row at equal times."""
        return tuple(self._rule(rule) for rule in self._mapping.events)

    def key(self) -> Callable[[Fields], str]:
        """The entity's id."""
        key = self._mapping.key
        places = [self._index(column) for column in key.columns]
        nulls = frozenset(self._mapping.input.null_tokens)

        def entity(fields: Fields) -> str:
            parts = [fields[place].strip() for place in places]
            if any(part in nulls for part in parts):
                raise FaultError(RowFault.MISSING_KEY, f"{', '.join(key.columns)}: {key.separator.join(parts)!r}")
            return key.prefix + key.separator.join(parts)

        return entity

    def getter(self, value: Value) -> Getter:
        """The function that gives a field its value; None = null."""
        if value.value is not None:
            read = self._named[value.value]
        elif value.columns:
            read = self._columns(value)
        else:
            constant = value.constant
            return lambda _fields: constant
        if value.map:
            return _mapped(read, value)
        return read if value.type == "string" else _typed(read, value.type, ", ".join(value.columns) or str(value.value))

    def _columns(self, value: Value) -> Getter:
        places = [self._index(column) for column in value.columns]
        nulls = frozenset((*self._mapping.input.null_tokens, *value.null_tokens))
        separator = value.separator
        if len(places) == 1:
            place = places[0]

            def one(fields: Fields) -> Scalar | None:
                text = fields[place].strip()
                return None if text in nulls else text

            return one

        def several(fields: Fields) -> Scalar | None:
            parts = [fields[place].strip() for place in places]
            return None if all(part in nulls for part in parts) else separator.join(parts)

        return several

    def _rule(self, rule: EventRule) -> Rule:
        columns = self._mapping.times.columns
        data = tuple((tuple(field.split(".")), self.getter(value), value.nullable) for field, value in rule.data.items())
        tests = tuple(test for condition in rule.when for test in self._tests(condition))
        at = tuple(columns.index(column) for column in rule.at)
        return Rule(rule.type, rule.kind, rule.id_field, at, _TAKE[rule.take], tests, data)

    def _tests(self, condition: Condition) -> list[Test]:
        tests: list[Test] = []
        if condition.first is not None:
            wanted = condition.first
            tests.append(lambda _fields, previous: (previous is None) is wanted)
        if condition.value is not None:
            tests += _about(condition, self._named[condition.value])
        elif condition.column is not None:
            # A time is null where its own tokens say so.
            nulls = self._mapping.times.null_tokens if condition.column in self._mapping.times.columns else ()
            tests += _about(condition, self._columns(Value(column=(condition.column,), null_tokens=nulls)))
        return tests


def _about(condition: Condition, read: Getter) -> list[Test]:
    tests: list[Test] = []
    if condition.equals is not None:
        expected = _text(condition.equals)
        tests.append(lambda fields, _previous: _text(read(fields)) == expected)
    if condition.in_ is not None:
        wanted = frozenset(_text(item) for item in condition.in_)
        tests.append(lambda fields, _previous: _text(read(fields)) in wanted)
    if condition.not_in is not None:
        unwanted = frozenset(_text(item) for item in condition.not_in)
        tests.append(lambda fields, _previous: _text(read(fields)) not in unwanted)
    if condition.is_null is not None:
        null = condition.is_null
        tests.append(lambda fields, _previous: (read(fields) is None) is null)
    if condition.changed is not None:
        changed = condition.changed
        tests.append(lambda fields, previous: (previous is None or read(fields) != read(previous)) is changed)
    return tests


def _text(value: Scalar | None) -> str | None:
    """A value as it would stand in a file: what YAML reads as a number or a truth value is compared with text."""
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


def _mapped(read: Getter, value: Value) -> Getter:
    table, default, where = value.map, value.default, ", ".join(value.columns) or str(value.value)

    def mapped(fields: Fields) -> Scalar | None:
        text = _text(read(fields))
        if text is None:
            return default
        found = table.get(text, default)
        if found is None:
            raise FaultError(RowFault.UNMAPPED_VALUE, f"{where}: {text!r} is not in the map; add it, or a default")
        return found

    return mapped


def _typed(read: Getter, kind: str, where: str) -> Getter:
    def typed(fields: Fields) -> Scalar | None:
        text = _text(read(fields))
        if text is None:
            return None
        try:
            return _parse(text, kind)
        except ValueError:
            raise FaultError(RowFault.BAD_NUMBER, f"{where}: {text!r} is not of type {kind}") from None

    return typed


def _parse(text: str, kind: str) -> Scalar:
    if kind == "integer":
        return int(text)
    if kind == "number":
        number = float(text)
        if isfinite(number):
            return number
    elif text.lower() in _TRUE:
        return True
    elif text.lower() in _FALSE:
        return False
    raise ValueError(text)
