"""What is served over HTTP, and with which status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from processor.export.http import create_http_app


@dataclass
class FakeSource:
    """Says what it is told to."""

    problems: list[str] = field(default_factory=list)
    sound: bool = True
    taken: dict[str, Any] | bytes = b'{"format":1}'

    async def exposition(self) -> bytes:
        return b"support_up 1\n"

    async def snapshot(self) -> dict[str, Any] | bytes:
        return self.taken

    async def explain(self, ticket: str, at: int | None) -> tuple[int, dict[str, Any]]:
        return (200, {"ticket": ticket, "at": at}) if ticket else (404, {"error": "unknown"})

    async def evidence(self, query: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        return (200, dict(query)) if query else (400, {"error": "empty"})

    def ready(self) -> tuple[bool, list[str]]:
        return not self.problems, self.problems

    def healthy(self) -> bool:
        return self.sound


async def get(source: FakeSource, path: str) -> tuple[int, str, str]:
    async with TestClient(TestServer(create_http_app(source))) as client, client.get(path) as response:
        return response.status, response.headers["Content-Type"], await response.text()


async def test_metrics_are_text_of_the_version_that_prometheus_asks_for() -> None:
    assert await get(FakeSource(), "/metrics") == (200, "text/plain; version=0.0.4; charset=utf-8", "support_up 1\n")


@pytest.mark.parametrize("taken", [b'{"format":1}', {"format": 1}])
async def test_a_snapshot_is_json(taken: dict[str, Any] | bytes) -> None:
    status, content_type, text = await get(FakeSource(taken=taken), "/snapshot")
    assert (status, content_type.partition(";")[0], text) == (200, "application/json", '{"format":1}')


async def test_an_explanation_is_json_with_the_status_of_its_source() -> None:
    status, content_type, text = await get(FakeSource(), "/explain?ticket=T%2F1&at=1970-01-01T00:00:01Z")
    assert (status, content_type.partition(";")[0], text) == (200, "application/json", '{"ticket":"T/1","at":1000}')
    assert (await get(FakeSource(), "/explain"))[::2] == (404, '{"error":"unknown"}')
    assert (await get(FakeSource(), "/explain?ticket=T&at=noon"))[0] == 400


async def test_evidence_is_json_with_the_status_of_its_source() -> None:
    assert (await get(FakeSource(), "/evidence?group=R%26D&limit=3"))[::2] == (200, '{"group":"R&D","limit":"3"}')
    assert (await get(FakeSource(), "/evidence"))[0] == 400


async def test_ready_says_why_not() -> None:
    assert (await get(FakeSource(), "/readyz"))[::2] == (200, "ready\n")
    assert (await get(FakeSource(["partition 2 is starting"]), "/readyz"))[::2] == (503, "partition 2 is starting\n")


async def test_healthy_unless_only_a_restart_helps() -> None:
    assert (await get(FakeSource(), "/healthz"))[0] == 200
    assert (await get(FakeSource(sound=False), "/healthz"))[0] == 503


async def test_the_front_page_names_the_others_and_the_state() -> None:
    status, _, text = await get(FakeSource(["<late>"]), "/")
    assert status == 200
    assert all(path in text for path in ("/metrics", "/snapshot", "/readyz", "/healthz"))
    assert "not ready: &lt;late&gt;" in text
