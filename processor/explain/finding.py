"""Ids that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

from processor.core.engine import Engine
from processor.core.events import ENTITIES, TICKET

SIMILAR_MAX = 5
COMPARED_MAX = 20_000  # ids that are compared letter by letter, which takes long


def similar(wanted: str, known: Iterable[str]) -> list[str]:
    """Known ids that are nearly the same: but for case and punctuation, then those that contain it, then those with few other letters."""
    ids = list(known)
    plain = _plain(wanted)
    if not plain:
        return []
    found = [each for each in ids if _plain(each) == plain]
    found += [each for each in ids if plain in _plain(each) and each not in found][: SIMILAR_MAX - len(found)] if len(plain) > 2 else []
    if len(found) < SIMILAR_MAX:
        near = (each for each in ids if abs(len(each) - len(wanted)) <= 2)
        found += [each for each in get_close_matches(wanted, islice(near, COMPARED_MAX), SIMILAR_MAX) if each not in found]
    return found[:SIMILAR_MAX]


def no_ticket(key: str, engines: Iterable[Engine]) -> str | None:
    """What to say of an id that something else than a ticket has; None where nothing has it."""
    known = list(engines)
    kind = next((kind for kind in ENTITIES if any(key in engine.entities[kind] for engine in known)), TICKET)
    return None if kind == TICKET else f"{key} is a {kind}, and only tickets are explained: name the ticket that it belongs to"


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum()).lstrip("0")
