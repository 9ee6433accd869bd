"""Tests that hold for one form of the engine only."""

from __future__ import annotations

import pytest

from processor.flavour import COMPILED, flavour

_WHY = "replaces a function of the engine, and compiled code goes on calling the one that it was made with"
pure_only = pytest.mark.skipif(flavour() == COMPILED, reason=_WHY)
