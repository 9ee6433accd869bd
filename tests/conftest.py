"""Hypothesis anywhere in the tests: no example fails because the machine was busy. The laws have a profile of their own."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("calm", deadline=None)
settings.load_profile("calm")
