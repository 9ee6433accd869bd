"""Equal texts as one object in memory: the id of a ticket stands in each of its events.

`sys.intern` does that and forgets what nobody uses any more, but on Python 3.12, where what was interned once stays for ever: 91 bytes
a text (not so on 3.11 and 3.13). There a table of bounded size takes its place.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from processor.core.sharing import Shared

KEPT_MAX: Final = 200_000

_table: Final[Shared[str]] = Shared(KEPT_MAX)


def bounded(text: str) -> str:
    """See Shared."""
    return _table.of(text)


share: Final[Callable[[str], str]] = bounded if sys.version_info[:2] == (3, 12) else sys.intern
