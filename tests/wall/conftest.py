"""One browser and one stage for all tests of the page. Not longer: while a browser is open, no asynchronous test can run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser

from tests.wall.stage import OTHER_SIZES, SIZES, Stage, Visit, browser


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Started once."""
    with browser() as running:
        yield running


@pytest.fixture(scope="module")
def one_stage() -> Iterator[Stage]:
    """Started once."""
    stage = Stage()
    yield stage
    stage.end()


@pytest.fixture
def visit(chromium: Browser, one_stage: Stage) -> Iterator[Callable[..., Visit]]:
    """Make a visit: in which window, in which colours."""
    with ExitStack() as contexts:

        def make(size: str = "tv", theme: str = "light", *, scripts: bool = True) -> Visit:
            width, height = (SIZES | OTHER_SIZES)[size]
            context = chromium.new_context(
                viewport={"width": width, "height": height}, color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce",
                java_script_enabled=scripts,
            )  # fmt: skip
            contexts.callback(context.close)
            return Visit(context, one_stage)

        yield make
