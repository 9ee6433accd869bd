"""From the YAML file to a valid `Config`, or to all its faults at once.

Faults come from three stages: the text (YAML, double keys), each value (pydantic), and the sections together. A fault in one place must
not hide those elsewhere, so the last stage also runs on every section of a faulty file that is valid by itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

from processor.config.faults import ConfigError, Fault, nearest, path_of, unknown
from processor.config.policies import PolicyConfig
from processor.config.root import Config, cross_faults

BUILT_IN = "built-in defaults"
FILE_BYTES_MAX = 10_000_000
_NEAR_MAX = 3  # keys of other places that are named for one that does not exist …
_NEAR_ENOUGH = 0.75  # … where they are as much alike as this
_LONG_WORD = 6
Loc = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """Plain YAML without its surprises: `no` stays a country, 08:00 a time and 2026-12-24 a text; keys may not repeat."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as the base class declares it

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.doubles: list[Fault] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Notes keys that stand in one mapping twice; YAML would silently keep the last."""
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            key, line = getattr(key_node, "value", None), key_node.start_mark.line + 1
            if isinstance(key, str):
                if key in lines:
                    self.doubles.append(Fault(f"line {line}", f"key {key!r} stands here and in line {lines[key]}"))
                lines.setdefault(key, line)
        return super().construct_mapping(node, deep=deep)


for _tag, _pattern, _first in (
    ("bool", r"true|false|True|False", "tfTF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+", "-+0123456789"),
    ("null", r"~|null|Null|NULL|", "~nN\0"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), ["" if char == "\0" else char for char in _first]
    )


def load(path: Path | None) -> Config:
    """The configuration of a file, or the built-in one. ConfigError carries all faults."""
    if path is None:
        return parse({}, BUILT_IN)
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(str(path), [Fault("", f"cannot be read: {error.strerror}")]) from None
    if len(content) > FILE_BYTES_MAX:
        raise ConfigError(str(path), [Fault("", f"larger than {FILE_BYTES_MAX} bytes: is it the right file?")])
    return loads(content, str(path))


def loads(content: bytes, source: str) -> Config:
    """The configuration of a YAML text; `source` names it in errors."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(source, [Fault(f"line {line}", "is not UTF-8: save the file in that encoding")]) from None
    raw, doubles = _read_yaml(text, source)
    return parse(raw, source, doubles)


def _read_yaml(text: str, source: str) -> tuple[Any, list[Fault]]:
    """The document and its double keys. The error quotes no line of the file: it might hold what nobody should see."""
    try:
        loader = _Loader(text)
        try:
            return loader.get_single_data(), loader.doubles
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = re.sub("'([^']*)'", _harmless, error.problem or error.context or "unreadable")
        raise ConfigError(source, [Fault(where, f"not valid YAML: {problem}")]) from None
    except (yaml.YAMLError, RecursionError, ValueError, TypeError) as error:
        raise ConfigError(source, [Fault("", f"not valid YAML ({type(error).__name__})")]) from None


def _harmless(quoted: re.Match[str]) -> str:
    """Single characters and the parser's own words, such as '<stream end>', are shown."""
    return quoted[0] if re.fullmatch(r"\\?.?|<[a-z ]+>", quoted[1]) else "(not shown)"


def parse(raw: Any, source: str, faults: list[Fault] | None = None) -> Config:
    """The configuration of a document that is already read."""
    found = list(faults or ())
    document = {} if raw is None else raw
    if not isinstance(document, dict):
        raise ConfigError(source, [*found, Fault("", f"must be a mapping of sections, not a {type(document).__name__}")])
    try:
        config = Config.model_validate(document)
        positions = dict(enumerate(config.policies))
    except ValidationError as error:
        locations: list[Loc] = [item["loc"] for item in error.errors(include_url=False, include_input=False)]
        found += _value_faults(error, document)
        config, positions = _salvage(document, locations)
    calendars = document.get("calendars")
    names = {str(name) for name in calendars} if isinstance(calendars, dict) else set()
    found += cross_faults(config, positions, names)
    if found:
        raise ConfigError(source, _in_order(found))
    return config


def _salvage(document: dict[Any, Any], locations: list[Loc]) -> tuple[Config, dict[int, PolicyConfig]]:
    """What is valid of a faulty document, so that its sections can still be checked together; policies with their positions."""
    faulty = {location[:2] if location[0] in ("calendars", "policies") else location[:1] for location in locations if location}
    rest = {name: section for name, section in document.items() if (name,) not in faulty}
    kept: list[int] = []
    if isinstance(rest.get("calendars"), dict):
        rest["calendars"] = {name: entry for name, entry in rest["calendars"].items() if ("calendars", name) not in faulty}
    if isinstance(rest.get("policies"), list):
        entries = {
            number: _references(entry, number) if ("policies", number) in faulty else entry for number, entry in enumerate(rest["policies"])
        }
        kept = [number for number, entry in entries.items() if entry is not None]
        rest["policies"] = [entries[number] for number in kept]
    try:
        config = Config.model_validate(rest)
    except ValidationError:  # a key that is not even a text
        return Config(), {}
    return config, dict(zip(kept, config.policies, strict=False))


def _references(entry: Any, number: int) -> dict[str, Any] | None:
    """What a faulty policy says about other parts of the file: its version and its calendar, where they are valid."""
    if not isinstance(entry, dict):
        return None
    calendar: dict[str, Any] = {"calendar": entry.get("calendar"), "targets": {}}
    version = {key: entry[key] for key in ("id", "effective_from") if key in entry}
    for reduced in ({**version, **calendar}, {"id": f"faulty-{number}", **calendar}):
        try:
            PolicyConfig.model_validate(reduced)
        except ValidationError:
            continue
        return reduced
    return None


def _value_faults(error: ValidationError, document: Any) -> Iterator[Fault]:
    """Pydantic's errors in our words and with paths of the file."""
    for item in error.errors(include_url=False, include_input=False):
        location = tuple(part for part in item["loc"] if part != "[key]")
        path, message = path_of(_within(document, location)), item["msg"]
        if item["type"] == "extra_forbidden":
            message = _unknown_key(str(location[-1]), _keys_at(location[:-1]))
        elif item["type"] == "missing":
            message = "is required"
        elif item["type"] == "value_error":
            message = message.removeprefix("Value error, ")
        elif item["type"] == "string_type":
            message = "must be a text; put it in quotes"
        elif item["type"] == "list_type":
            message = 'must be a list: write [...], or each entry in a line of its own that begins with "- "'
        elif item["type"] in ("model_type", "dict_type"):
            message = 'must have keys: write {...}, or each "key: value" in a line of its own, further to the right'
        elif item["type"] in ("bool_type", "bool_parsing"):
            message = "must be true or false"
        elif item["type"] == "string_pattern_mismatch":
            message = f"must match {item['ctx']['pattern']}"
        yield Fault(path, message.replace("Input should be", "must be"))


def _unknown_key(key: str, known: list[str]) -> str:
    """With the nearest known ones; where none is near at this place, with those of other places that are much alike.

    What stands elsewhere under this very name was meant, unless it is nearly that of a key here.
    """
    alike = {path: _alike(key, path.rpartition(".")[2]) for path in _paths(Config)}
    same = [path for path, share in alike.items() if share == 1]
    near_here = nearest(key, sorted(known))
    if same and (near_here is None or _alike(key, near_here) < _NEAR_ENOUGH):
        return f"unknown key {key!r} in this place; elsewhere there is {' and '.join(same[:_NEAR_MAX])}"
    message = unknown("key", key, known, listed_max=16)
    if near_here is not None:
        return message
    near = sorted((path for path, share in alike.items() if share >= _NEAR_ENOUGH), key=lambda path: -alike[path])
    return f"{message}; elsewhere there is {' and '.join(near[:_NEAR_MAX])}" if near else message


def _alike(key: str, other: str) -> float:
    """From 0 to 1; much where they have a long word in common."""
    words = {word for word in key.split("_") if len(word) >= _LONG_WORD} & set(other.split("_"))
    return max(_NEAR_ENOUGH if words else 0, difflib.SequenceMatcher(None, key, other).ratio())


def _paths(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """Every key with those that it stands under; entries of a list or a mapping go by the name of what holds them."""
    for name, field in model.model_fields.items():
        yield f"{before}{name}"
        inner = _model_in(field.annotation)
        if inner is not None:
            yield from _paths(inner, f"{before}{name}.")


def _within(document: Any, location: Loc) -> Iterator[str | int]:
    """The location as far as the file has it: a short form (one value for a list or a mapping) has no inner path."""
    at = document
    for part in location:
        if not isinstance(at, dict | list):
            return
        yield str(part) if isinstance(at, dict) else part  # a number can be a (wrong) key
        entries: dict[Any, Any] = dict(enumerate(at)) if isinstance(at, list) else at
        at = entries.get(part, {})


def _keys_at(location: Loc) -> list[str]:
    """The keys that the model knows at a place in the file."""
    model: type[BaseModel] | None = Config
    parts = iter(location)
    for part in parts:
        if model is None or part not in model.model_fields:
            return []
        annotation = model.model_fields[str(part)].annotation
        model = _model_in(annotation)
        if get_origin(annotation) in (dict, list):
            next(parts, None)  # a name or a position, not a key of the model
    return list(model.model_fields) if model else []


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model inside `X | None`, `list[X]` or `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for inner in get_args(annotation) if (model := _model_in(inner))), None)


def _in_order(faults: list[Fault]) -> list[Fault]:
    """Without repetitions, in the order of the sections; what is wrong with the text itself comes first."""
    order = list(Config.model_fields)

    def rank(fault: Fault) -> tuple[int, int]:
        section, *rest = re.split(r"[.\[\]]", fault.path, maxsplit=2)
        position = int(rest[0]) if rest and rest[0].isdigit() else 0
        return (order.index(section) if section in order else -1), position

    return sorted(dict.fromkeys(faults), key=rank)
