"""Ids that are equal are one object, and what nobody uses any more does not stay."""

from __future__ import annotations

import subprocess
import sys

from processor.codec import sharing
from processor.codec.sharing import KEPT_MAX, bounded, share

MANY = 1_000_000
GROWN = """
import resource, sys
from processor.codec.sharing import share
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
share("warm")
before = peak()
for number in range(%d): share(f"ticket-{number:030}")
print((peak() - before) // 1024)
"""


def test_equal_texts_are_one_object() -> None:
    for way in (share, bounded):
        first, second = (str(b"T-1", "ascii") for _ in range(2))
        assert first is not second
        assert way(first) is way(second)


def test_the_table_is_bounded() -> None:
    for number in range(KEPT_MAX + 1):
        bounded(f"T-{number}")
    assert 0 < len(sharing._table.kept) <= KEPT_MAX


def test_what_nobody_uses_does_not_stay() -> None:
    """Of as many texts as would take 100 MB and more."""
    done = subprocess.run([sys.executable, "-c", GROWN % MANY], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 60, done.stdout
