"""How hypothesis runs here: the same examples each time, so that a red build is red again; `LAWS=explore` looks for new ones.

A failure prints a `@reproduce_failure` line that brings back its example.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXPLORING = os.environ.get("LAWS") == "explore"

settings.register_profile(
    "laws",
    derandomize=not EXPLORING,
    max_examples=int(os.environ.get("LAWS_EXAMPLES", "2000" if EXPLORING else "80")),
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("laws")
