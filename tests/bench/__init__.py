"""Benchmarks: `python -m tests.bench`. Each checks its own answers; a tiny run is part of the tests, so that they do not rot."""
