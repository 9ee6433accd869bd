"""What the engine makes is kept out of sight of the collector of cycles: it makes none, and there are millions of it.

Every look of the collector at what a step has left alive costs a fifth of the step. So before the engine works, what others have left
behind is collected, which is little then; while it works nothing is; and what is there afterwards is never looked at again. It goes, as
nearly everything in Python does, when nobody refers to it any more.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

YOUNG = 0


@contextmanager
def none_made() -> Iterator[None]:
    """Around work that makes no cycles and lets nobody else run."""
    gc.collect(YOUNG)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
