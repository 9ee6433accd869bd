"""Whose a record of an internal topic is. Each application needs topics of its own; where two share one, each leaves out the other's."""

from __future__ import annotations

from typing import Any, Final

OWNER: Final = "application"
_SHOWN_MAX: Final = 100  # characters of a name that we do not know


def check_owner(document: dict[str, Any], application: str) -> None:
    """Raises ValueError where another application wrote it. "" asks for nobody, and older releases did not say who they were."""
    if application and (owner := document.get(OWNER, application)) != application:
        raise ValueError(f"written by application {str(owner)[:_SHOWN_MAX]!r}: each needs topics of its own")
