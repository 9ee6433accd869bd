"""What workers said in their logs that no fault explains."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# What brokers and other workers can do to a client, of which its library tells with a traceback; not what we asked of the library in vain.
EXPECTED = re.compile(
    r"^(kafka\.errors\.|aiokafka\.errors\.(?!Illegal(Operation|State))|(asyncio\.exceptions\.)?(CancelledError|TimeoutError)|Connection\w*Error"
    r"|BrokenPipeError"
    r"|RuntimeError: cannot reuse already awaited coroutine)"  # a connection that could not bootstrap, found by the garbage collector
)
TRACEBACK = "Traceback (most recent call last):"
WORDS = ("refused: ", "was never awaited", "Segmentation fault", "Fatal Python error", "CRITICAL", "engine failed")
SHOWN = 3000


def complaints(log: Path) -> Iterator[str]:
    """Each unexpected one once."""
    seen = set()
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    for number, line in enumerate(lines):
        if any(word in line for word in WORDS) and line not in seen:
            seen.add(line)
            yield line
        if line.strip() == TRACEBACK:
            told = list(_traceback(lines[number:]))
            if told and not EXPECTED.match(told[-1].strip()) and told[-1] not in seen:
                seen.add(told[-1])
                yield "\n".join(told)[-SHOWN:]


def _traceback(lines: list[str]) -> Iterator[str]:
    """Up to the line that names the exception: the first one behind it that is not indented."""
    yield lines[0]
    indent = len(lines[0]) - len(lines[0].lstrip())
    for line in lines[1:]:
        yield line
        if line.strip() and len(line) - len(line.lstrip()) <= indent:
            return
