"""What is wrong with a configuration: faults with dotted paths, and the one error that carries all of them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `path` is where it stands in the file ("policies[0].calendar"), "" for the file as a whole."""

    path: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message


class ConfigError(Exception):
    """The configuration cannot be used. Carries every fault that could be found at once, in the order of the file's sections."""

    def __init__(self, source: str, faults: Sequence[Fault]) -> None:
        if not faults:
            raise ValueError("a configuration error needs a fault")
        self.source = source
        self.faults = tuple(faults)
        super().__init__("\n".join(f"{source}: {fault}" for fault in self.faults))


def path_of(parts: Iterable[str | int]) -> str:
    """("policies", 0, "match") -> "policies[0].match"."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def unknown(what: str, value: str, known: Iterable[str], *, listed_max: int = 12) -> str:
    """A message for a name that is not in a set: the nearest known one, and the set itself when it is short."""
    names = sorted(set(known))
    near = nearest(value, names)
    message = f"unknown {what} {value!r}"
    if near is not None:
        message += f"; did you mean {near!r}?"
    if not names:
        return f"{message}; none is defined"
    return f"{message} (known: {', '.join(names)})" if len(names) <= listed_max else message


def nearest(value: str, names: Sequence[str]) -> str | None:
    """The one that may have been meant, if any is near."""
    near = difflib.get_close_matches(value, names, n=1) or [name for name in names if name.lower() == value.lower()]
    return near[0] if near else None
