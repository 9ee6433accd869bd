"""Ids that somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice

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


def _plain(text: str) -> str:
    return "".join(each for each in text.casefold() if each.isalnum()).lstrip("0")
