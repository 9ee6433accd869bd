"""What the embedded demonstration answers over HTTP is what a worker would."""

from __future__ import annotations

from processor.config import Config
from processor.demo.embedded import Embedded


async def test_who_names_no_ticket_is_asked_which_and_one_that_nobody_knows_is_unknown() -> None:
    embedded = Embedded(Config())
    assert [(status, told["reason"]) for status, told in [await embedded.explain("", None), await embedded.explain("T-1", None)]] == [
        (400, "no_ticket"), (404, "unknown")]  # fmt: skip
