"""Equal texts as one object in memory: the id of a ticket stands in each of its events.

`sys.intern` does that and forgets what nobody uses any more, but on Python 3.12, where what was interned once stays for ever: 91 bytes
a text (not so on 3.11 and 3.13). There a table of bounded size takes its place; when it is full, what comes next is shared anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

KEPT_MAX: Final = 200_000

_kept: Final[dict[str, str]] = {}


def bounded(text: str) -> str:
    """The same text, and the same object as before if it was seen not long ago."""
    if len(_kept) >= KEPT_MAX:
        _kept.clear()
    return _kept.setdefault(text, text)


share: Final[Callable[[str], str]] = bounded if sys.version_info[:2] == (3, 12) else sys.intern
