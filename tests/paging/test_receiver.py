"""The receiver: 200 only for what is written, 503 for what is to be sent again, 4xx for what nobody can use; evidence never in the way."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from jsonschema import Draft202012Validator
from yarl import URL

from processor.config import Config
from processor.config.service import Kafka
from processor.explain.evidence import read_query
from processor.paging import asking, receiver
from processor.paging.asking import Workers
from processor.paging.counting import FAMILIES, PREFIX
from processor.paging.receiver import create_app
from processor.paging.writing import AlertsTopic, NotWrittenError, TooLargeError
from processor.schemas_path import schemas_path
from processor.stream.evidence import Evidence
from tests.paging.notifications import LABELS, alert, notification
from tests.stream.test_explaining import TOTAL, owned

VALIDATOR = Draft202012Validator(json.loads((schemas_path() / "support.alerts.v1.schema.json").read_text()))


class FakeTopic(AlertsTopic):
    """A topic in memory that can be away."""

    def __init__(self) -> None:
        super().__init__(Kafka(), "alerts")
        self.problem = ""
        self.records: list[tuple[bytes, bytes]] = []
        self.error: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def _connect(self) -> None:
        """There is nothing to connect with."""

    async def write(self, key: bytes, value: bytes) -> None:
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        self.records.append((key, value))

    def documents(self) -> list[dict[str, Any]]:
        found = [json.loads(value) for _, value in self.records]
        assert [fault.message for document in found for fault in VALIDATOR.iter_errors(document)] == []
        return found


@asynccontextmanager
async def serving(topic: FakeTopic, *workers: str) -> AsyncIterator[TestClient[Any, Any]]:
    async with TestClient(TestServer(create_app(topic, Workers(workers, 5)))) as client:
        yield client


async def post(client: TestClient[Any, Any], body: bytes) -> tuple[int, dict[str, Any]]:
    async with client.post("/alerts", data=body) as response:
        return response.status, await response.json()


async def metrics(client: TestClient[Any, Any]) -> dict[str, float]:
    async with client.get("/metrics") as response:
        lines = [line.rsplit(" ", 1) for line in (await response.text()).splitlines() if not line.startswith("#")]
        return {name.removeprefix(PREFIX): float(value) for name, value in lines}


@asynccontextmanager
async def worker(*numbers: int) -> AsyncIterator[str]:
    """A worker that owns these partitions, and answers to /evidence."""
    told = Evidence(Config(), owned(*numbers))

    async def answer(request: web.Request) -> web.Response:
        status, document = await told.answer(request.query)
        return web.json_response(document, status=status)

    app = web.Application()
    app.add_routes([web.get("/evidence", answer)])
    async with TestServer(app) as server:
        yield str(server.make_url("/")).rstrip("/")


async def test_each_alert_is_written_once_and_told_so() -> None:
    topic = FakeTopic()
    over = alert(status="resolved", endsAt="2026-11-22T15:00:00Z", fingerprint="b")
    async with serving(topic) as client:
        assert await post(client, notification(alert(), over)) == (200, {"written": 2})
        assert await post(client, notification(alert())) == (200, {"written": 1})  # repeated after hours
        assert await post(client, notification(alert(startsAt="2026-11-22T18:00:00Z"))) == (200, {"written": 1})  # and again
        counted = await metrics(client)
    told = sorted((each["partitionkey"], each["type"]) for each in topic.documents())
    assert told == [*[("9b1d8c3f0e7a5462", "support.alert.firing")] * 2, ("b", "support.alert.resolved")]
    assert len({each["id"] for each in topic.documents()}) == 3
    assert (counted['alerts_written_total{status="firing"}'], counted["alerts_repeated_total"], counted["notifications_total"]) == (2, 1, 3)
    assert counted["last_written_timestamp_seconds"] > 1_700_000_000


async def test_what_is_not_acknowledged_is_asked_for_again_and_counted() -> None:
    topic = FakeTopic()
    async with serving(topic) as client:
        topic.error = NotWrittenError("no acknowledgement of alerts within 5 s")
        status, told = await post(client, notification(alert()))
        assert (status, told["error"]) == (503, "not written, send it again: no acknowledgement of alerts within 5 s")
        topic.error = None
        topic.problem = "no Kafka broker"
        assert (await post(client, notification(alert())))[0] == 503
        async with client.get("/readyz") as response:
            assert (response.status, await response.text()) == (503, "no Kafka broker\n")
        assert (await metrics(client))["kafka_up"] == 0
        topic.problem = ""
        assert (await post(client, notification(alert())))[0] == 200
        counted = await metrics(client)
    assert (counted["notifications_failed_total"], counted["kafka_up"], len(topic.records)) == (2, 1, 1)


async def test_the_same_news_from_two_alertmanagers_at_once_is_written_once() -> None:
    topic = FakeTopic()
    topic.gate.clear()
    async with serving(topic) as client:
        both = [asyncio.create_task(post(client, notification(alert()))) for _ in range(2)]
        while (await metrics(client))["alerts_repeated_total"] < 1:
            pass
        topic.gate.set()
        assert [status for status, _ in await asyncio.gather(*both)] == [200, 200]
    assert len(topic.records) == 1


async def test_what_nobody_can_use_is_refused_for_good_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "BODY_BYTES_MAX", 10_000)
    topic = FakeTopic()
    async with serving(topic) as client:
        status, told = await post(client, b"alert!")
        assert (status, told["reason"], told["error"].startswith("not JSON: ")) == (400, "malformed_json", True)
        assert (await post(client, notification(version="5")))[0] == 400
        status, told = await post(client, notification(*[alert()] * 1000))
        assert (status, told["reason"]) == (413, "too_large")
        assert "max_alerts" in told["error"]
        topic.error = TooLargeError("the record has 2,000,000 bytes, more than Kafka takes")
        assert (await post(client, notification(alert())))[0] == 413
        async with client.get("/alerts") as response:
            assert response.status == 405
        counted = await metrics(client)
        async with client.get("/healthz") as response:
            assert response.status == 200
    assert {name: value for name, value in counted.items() if "refused" in name} == {
        'notifications_refused_total{reason="malformed_json"}': 1, 'notifications_refused_total{reason="wrong_version"}': 1,
        'notifications_refused_total{reason="wrong_field"}': 0, 'notifications_refused_total{reason="too_large"}': 2,
    }  # fmt: skip
    assert topic.records == []


async def test_an_alert_carries_what_all_workers_tell_of_its_segment() -> None:
    topic = FakeTopic()
    everywhere = {name: value for name, value in LABELS.items() if name != "group"}
    async with worker(0, 1) as one, worker(2, 3) as two, serving(topic, one, two) as client:
        over = alert(status="resolved", endsAt="2026-11-22T15:00:00Z")
        await post(client, notification(alert(labels=everywhere), alert(fingerprint="b"), over))
    total, billing, ended = sorted(topic.documents(), key=lambda each: (each["data"]["evidence"] is None, each["subject"]))
    assert total["data"]["evidence"]["segment"] == {}
    assert (total["data"]["evidence"]["partitions"], total["data"]["evidence"]["complete"]) == (list(range(TOTAL)), True)
    assert {each["ticket"] for each in total["data"]["evidence"]["oldest_tickets"]} == {"T-1", "T-2", "T-3", "T-4", "T-5"}
    assert total["data"]["evidence"]["oldest_contacts"][0]["queue"] == "sales"
    assert (billing["data"]["evidence"]["segment"], billing["data"]["evidence"]["open_tickets"]) == ({"group": "billing"}, 0)
    assert ended["data"]["evidence"] is None


async def test_evidence_that_cannot_be_had_is_said_and_holds_no_alert_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "ANSWER_SECONDS", 3.0)  # more than those who answer need on a busy machine
    topic, hang = FakeTopic(), asyncio.Event()

    async def never(_request: web.Request) -> web.Response:
        await hang.wait()
        return web.Response()

    async def nonsense(_request: web.Request) -> web.Response:
        return web.json_response({"partitions": 7})

    apps = {"never": never, "nonsense": nonsense}
    async with worker(0, 1) as one:
        servers = []
        for handler in apps.values():
            app = web.Application()
            app.add_routes([web.get("/evidence", handler)])
            servers.append(TestServer(app))
            await servers[-1].start_server()
        urls = [one, *(str(server.make_url("/")).rstrip("/") for server in servers), "http://127.0.0.1:9"]
        async with serving(topic, *urls) as client:
            assert (await post(client, notification(alert(labels=LABELS | {"group": ""}))))[0] == 200
            assert (await metrics(client))["evidence_incomplete_total"] == 1
        hang.set()
        for server in servers:
            await server.close()
    (written,) = topic.documents()
    evidence = written["data"]["evidence"]
    assert (evidence["complete"], evidence["partitions"], evidence["of_partitions"]) == (False, [0, 1], TOTAL)
    problems = "\n".join(evidence["problems"])
    for part in ("no answer within", "answers something else", "http://127.0.0.1:9: no answer"):
        assert part in problems
    assert evidence["problems"][-1] == "no worker told of partitions 2, 3"


async def test_a_name_that_stands_for_several_addresses_stands_for_several_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    known = {
        "worker": [(socket.AF_INET, "10.0.0.1"), (socket.AF_INET, "10.0.0.2"), (socket.AF_INET, "10.0.0.1")],
        "localhost": [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")],
        "only6": [(socket.AF_INET6, "fe80::1")],
    }  # fmt: skip

    async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror
        return [(family, socket.SOCK_STREAM, 6, "", (address, port)) for family, address in known[host]]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    workers = Workers([], 5)
    for url, asked in {
        "http://worker:9108": ["http://10.0.0.1:9108/", "http://10.0.0.2:9108/"],
        "http://localhost:9108": ["http://127.0.0.1:9108/"],  # one worker, by two addresses
        "http://only6:9108": ["http://[fe80::1]:9108/"],
        "http://gone:9108": ["http://gone:9108/"],  # told as no answer
        "https://worker:9108": ["https://worker:9108/"],
    }.items():
        assert await workers._addresses(URL(url)) == [URL(each) for each in asked]


async def test_without_workers_the_alert_says_how_to_name_them() -> None:
    topic = FakeTopic()
    async with serving(topic) as client:
        await post(client, notification(alert()))
    assert topic.documents()[0]["data"]["evidence"]["problems"] == [asking.NO_WORKER]


def test_the_segment_of_any_alert_can_be_asked_for() -> None:
    assert read_query({"group": "billing", "clock": "resolution", "policy": "p", "queue": "q", "limit": "5"})[1] == 5


async def test_every_number_is_there_from_the_start_with_its_help() -> None:
    async with serving(FakeTopic()) as client, client.get("/metrics") as response:
        text = await response.text()
    for name in FAMILIES:
        assert f"# HELP {PREFIX}{name} " in text
        assert f"\n{PREFIX}{name}" in text
