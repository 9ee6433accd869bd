"""Which machines a name stands for: a headless service has an address for each of its workers."""

from __future__ import annotations

import asyncio
import socket


async def hosts_behind(name: str, port: int | None) -> list[str]:
    """The addresses of a name, each once, in the order in which they are told; IPv6 without brackets. Raises OSError."""
    infos = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))
