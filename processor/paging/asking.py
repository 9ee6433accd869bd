"""Asking the workers what stands behind an alert. What cannot be had is said in the evidence, and never keeps an alert waiting for long."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from processor.addresses import hosts_behind
from processor.explain.evidence import together

ANSWER_SECONDS = 4.0
ANSWER_BYTES_MAX = 1024 * 1024
NO_WORKER = "no worker was named: start `ticket-kpis alerts` with --worker URL, once for each"


class Workers:
    """The workers of a deployment, by their addresses. A name that stands for several addresses stands for several workers."""

    def __init__(self, urls: Iterable[str], limit: int) -> None:
        self._urls = [URL(url) for url in urls]
        self._limit = limit

    async def evidence(self, segment: Mapping[str, str]) -> dict[str, Any]:
        """What all workers tell of a segment. Never raises."""
        problems: list[str] = [] if self._urls else [NO_WORKER]
        found: list[dict[str, Any]] = []
        async with ClientSession(timeout=ClientTimeout(total=ANSWER_SECONDS)) as session:
            urls = [url for urls in await asyncio.gather(*map(self._addresses, self._urls)) for url in urls]
            for answer in await asyncio.gather(*(self._ask(session, url, segment) for url in urls)):
                if isinstance(answer, str):
                    problems.append(answer)
                else:
                    found.append(answer)
        total = max((document["of_partitions"] for document in found), default=0)
        told = {number for document in found for number in document["partitions"]}
        if untold := sorted(set(range(total)) - told):
            problems.append(f"no worker told of partitions {', '.join(map(str, untold))}")
        return {"segment": dict(segment), "of_partitions": total, **together(found, self._limit, problems)}

    async def _addresses(self, url: URL) -> list[URL]:
        """One for each address behind the name; of https the name itself, since its certificate is for that."""
        if url.scheme != "http" or url.host is None:
            return [url]
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                hosts = await hosts_behind(url.host, url.port)
        except (OSError, TimeoutError):
            return [url]  # asked in vain, it is told as a problem
        version_4 = [host for host in hosts if ":" not in host]  # both versions are the same worker
        return [url.with_host(host) for host in version_4 or hosts] or [url]

    async def _ask(self, session: ClientSession, url: URL, segment: Mapping[str, str]) -> dict[str, Any] | str:
        """What the worker tells, or why it does not."""
        try:
            async with session.get(url / "evidence", params={**segment, "limit": str(self._limit)}) as response:
                body = await response.content.read(ANSWER_BYTES_MAX)
                document = orjson.loads(body)
                if response.status != 200:
                    return f"{url}: {document['error']}"
            together([document], self._limit)  # of a worker of another version it may fail
            return {"of_partitions": int(document["of_partitions"]), **document}
        except TimeoutError:
            return f"{url}: no answer within {ANSWER_SECONDS:.0f} s"
        except (ClientError, OSError) as error:
            return f"{url}: no answer ({type(error).__name__}); is the worker running?"
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            return f"{url}: answers something else: is it a worker of this version?"
