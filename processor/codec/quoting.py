"""Text as a JSON string, for documents that are spelled out by hand."""

from __future__ import annotations

import orjson


def quoted(text: str) -> str:
    """What orjson would write. Nearly all text is plain, and three looks at it cost less than a call."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return orjson.dumps(text).decode()
