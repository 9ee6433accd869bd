"""Ids of facts: what they depend on, and what they must not depend on."""

from __future__ import annotations

from hashlib import blake2b

from processor.core.facts import Dims, Fact, fact_number

DIMS: Dims = ("email", "normal", "none", "none", "none", "none")


def test_an_id_does_not_depend_on_the_unicode_tables_of_the_python_release() -> None:
    """`repr` escapes what its release does not know to be printable: an emoji of Unicode 15 until Python 3.11, and no longer."""
    moved = Fact("ticket.moved", 1, 5, DIMS, (("email", "normal", "Büro \U0001fae8", "none", "none", "none"),))
    content = r"(('email', 'normal', 'B\xfcro \U0001fae8', 'none', 'none', 'none'),)"
    text = f"ticket/T-1\x1fticket.moved\x1f1\x1f5\x1femail\x1f{content}"
    assert fact_number("ticket/T-1", "email", moved) == int.from_bytes(blake2b(text.encode(), digest_size=16).digest(), "big")
