"""How one field of an event is checked: each function takes the value and its path, and returns the value that the engine gets.

One rule for all optional fields: null, and for free text the empty string, count as absent. A refusal names the path and what was
expected. It repeats a value only where a closed vocabulary was expected, shortened, since anything else may speak of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeVar

from processor.codec.times import EARLIEST_MS, LATEST_MS, parse_time
from processor.core.events import Reason

TEXT_MAX: Final = 256  # characters of an id or a label; the longest real ones (message ids of mails) stay below 255
SECONDS_MAX: Final = 366 * 86_400  # a duration longer than a leap year is a unit mix-up
COUNT_MAX: Final = 1_000_000_000  # customers, capacities
AMOUNT_MAX: Final = 1_000_000_000_000  # of money, in the currency's unit; in thousandths it still fits into 64 bits
_SHOWN_MAX = 40

# Values of few kinds (groups, topics, agents, sources) are shared between all entities that carry them: it saves half of an entity's
# memory. Only checked ones get in. Emptied when full, so that a field full of noise cannot grow it.
_LABELS_MAX = 16_384
_labels: Final[dict[str | None, str | None]] = {None: None, "": None}

# Not `float`: compiled, that would make 3.0 of a 3, and ids and records tell the two apart.
Number = int | float
_T = TypeVar("_T", bound="str | None")


class Refusal(Exception):  # noqa: N818  (an outcome of the world, not an error of ours)
    """Ends the decoding of one event; never leaves the codec."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


def choices(values: Iterable[str]) -> dict[str | None, str]:
    """The vocabulary of a required field."""
    return {value: value for value in values}


def choices_or(values: Iterable[str], default: _T) -> dict[str | None, str | _T]:
    """The vocabulary of an optional field, with what its absence means."""
    return {**{value: value for value in values}, None: default}


def missing(path: str) -> Refusal:
    """The field is required and not there."""
    return Refusal(Reason.MISSING_FIELD, f"{path}: required")


def wrong_type(path: str, expected: str, value: object) -> Refusal:
    """The value has a JSON type that the field never has."""
    return Refusal(Reason.WRONG_TYPE, f"{path}: expected {expected}, got {_json_type(value)}")


def shown(value: str) -> str:
    """A value out of a closed vocabulary's place, short and printable enough for a header."""
    text = ascii(value)
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


def choice(value: Any, vocabulary: Mapping[str | None, _T], path: str) -> _T:
    """One of a closed vocabulary; absent stands for the default where the vocabulary has one."""
    try:
        return vocabulary[value]
    except (KeyError, TypeError):  # TypeError: a list or an object
        pass
    words = ", ".join(word for word in vocabulary if word is not None)
    if type(value) is not str:
        raise wrong_type(path, f"one of {words}", value)
    raise Refusal(Reason.INVALID_VALUE, f"{path}: {shown(value)} is not one of {words}")


def identifier(value: Any, path: str) -> str:
    """A required id: a string of 1 to 256 characters."""
    if type(value) is str and 0 < len(value) <= TEXT_MAX:
        return value
    if type(value) is not str:
        raise wrong_type(path, "a string", value)
    raise Refusal(Reason.INVALID_VALUE, f"{path}: " + (f"longer than {TEXT_MAX} characters" if value else "must not be empty"))


def optional_text(value: Any, path: str) -> str | None:
    """A string of at most 256 characters, or nothing; for values that seldom repeat."""
    if value is None or value == "":
        return None
    return identifier(value, path)


def label(value: Any, path: str) -> str | None:
    """As `optional_text`, for values that many entities share."""
    try:
        return _labels[value]
    except (KeyError, TypeError):
        pass
    text = identifier(value, path)
    if len(_labels) >= _LABELS_MAX:
        _labels.clear()
        _labels.update({None: None, "": None})
    return _labels.setdefault(text, text)


def required_label(value: Any, path: str) -> str:
    """As `identifier`, for values that many entities share."""
    text = None if value is None else label(value, path)
    return identifier(value, path) if text is None else text


def flag(value: Any, path: str) -> bool:
    """A boolean; absent is false."""
    if value is True or value is False:
        return value is True
    if value is None:
        return False
    raise wrong_type(path, "true or false", value)


def optional_flag(value: Any, path: str) -> bool | None:
    """A boolean, or nothing where nobody said."""
    return None if value is None else required_flag(value, path)


def required_flag(value: Any, path: str) -> bool:
    """A boolean."""
    if value is True or value is False:
        return value is True
    raise wrong_type(path, "true or false", value)


def number(value: Any, path: str, low: int, high: int) -> Number:
    """A required number of this range."""
    if type(value) is not int and type(value) is not float:
        raise wrong_type(path, "a number", value)
    if not low <= value <= high:  # also what is not a number
        raise Refusal(Reason.INVALID_VALUE, f"{path}: not between {low} and {high}")
    return value


def optional_number(value: Any, path: str, low: int, high: int) -> Number | None:
    """A number of this range, or nothing."""
    return None if value is None else number(value, path, low, high)


def count(value: Any, path: str) -> int:
    """A required number of things, whole and not negative."""
    whole = number(value, path, 0, COUNT_MAX)
    if whole != int(whole):
        raise Refusal(Reason.INVALID_VALUE, f"{path}: not a whole number")
    return int(whole)


def thousandths(value: Any, path: str) -> int:
    """A required amount of money, not negative, in thousandths of its unit: sums of them are exact."""
    return round(number(value, path, 0, AMOUNT_MAX) * 1000)


def currency(value: Any, path: str) -> str:
    """A required code of ISO 4217: three capital letters."""
    text = required_label(value, path)
    if len(text) == 3 and text.isascii() and text.isalpha() and text.isupper():
        return text
    raise Refusal(Reason.INVALID_VALUE, f"{path}: {shown(text)} is not one of the codes of three capital letters, such as EUR")


def seconds(value: Any, path: str) -> Number:
    """A required duration in seconds."""
    if type(value) is not int and type(value) is not float:
        raise wrong_type(path, "a number of seconds", value)
    if not 0 <= value <= SECONDS_MAX:
        raise Refusal(Reason.INVALID_VALUE, f"{path}: not between 0 and {SECONDS_MAX} seconds")
    return value


def optional_seconds(value: Any, path: str) -> Number | None:
    """A duration in seconds, or nothing."""
    return None if value is None else seconds(value, path)


def tags(value: Any, path: str) -> None:
    """Check a list of labels, or nothing. No fold uses them yet, so nothing is returned."""
    if value is None:
        return
    if type(value) is not list:
        raise wrong_type(path, "a list of strings", value)
    for position, tag in enumerate(value):
        identifier(tag, f"{path}[{position}]")


def instant(value: Any, path: str) -> int:
    """An RFC 3339 time in the range of years that events may come from, as milliseconds."""
    if type(value) is not str:
        raise wrong_type(path, "an RFC 3339 time", value)
    try:
        ms = parse_time(value)
    except ValueError as fault:
        raise Refusal(Reason.INVALID_TIME, f"{path}: {fault}") from None
    if EARLIEST_MS <= ms < LATEST_MS:
        return ms
    raise Refusal(Reason.TIME_OUT_OF_RANGE, f"{path}: not between the years 1990 and 2049")


def _json_type(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
