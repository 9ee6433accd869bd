"""Running workers explain the tickets that they own, and say whose the others are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from processor.cli.explain import command
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Worker, caught_up, ends_of, until
from tests.kafka.events import created, keyed, reply, status

TopicName = Callable[[str], str]
NOW = 1_767_225_600_000
MINUTE = 60_000
POLICIES = [{"id": "standard", "targets": {"first_response": "30m", "resolution": "8h"}}]


def asked(worker: Worker, query: str) -> tuple[int, dict[str, Any]]:
    answer = worker.get(f"/explain?{query}")
    assert answer is not None
    return answer.status, json.loads(answer.body)


def test_a_worker_explains_what_it_keeps_and_a_command_asks_all_of_them(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("explain"), tmp_path, policies=POLICIES).create_topics()
    tickets = [f"T-{number}" for number in range(6)]
    log = [keyed(ticket, created(ticket, NOW), 2) for ticket in tickets]
    log += [keyed(ticket, reply(ticket, NOW + 45 * MINUTE), 2) for ticket in tickets]
    log += [keyed(ticket, status(ticket, NOW + 60 * MINUTE, "solved"), 2) for ticket in tickets]
    deployment.send(log)
    with deployment.worker("one") as one:
        until("it has caught up", lambda: caught_up(ends_of(log), one))
        code, told = asked(one, "ticket=T-1")
        assert code == 200
        assert [(each["clock"], each["verdict"]) for each in told["clocks"]] == [("first_response", "late"), ("resolution", "in_time")]
        assert asked(one, "ticket=t1")[1]["similar"] or asked(one, "ticket=t1")[0] == 404
        assert asked(one, "ticket=nonsense")[1]["reason"] == "unknown"
        assert asked(one, "")[0] == 400
        with deployment.worker("two") as two:
            until("each has a partition", lambda: len(one.applied()) == len(two.applied()) == 1)
            until("both are ready", lambda: one.ready() and two.ready())
            answers = {ticket: {asked(worker, f"ticket={ticket}")[0] for worker in (one, two)} for ticket in tickets}
            assert set(map(frozenset, answers.values())) == {frozenset({200, 404})}
            urls = [f"--url=http://127.0.0.1:{worker.port}" for worker in (one, two)]
            for ticket in tickets:
                assert "first_response 1: BREACHED, and ended later" in CliRunner().invoke(command, [ticket, *urls]).stdout
            elsewhere = [told for told in (asked(worker, "ticket=T-1")[1] for worker in (one, two)) if "error" in told]
            assert [told["reason"] for told in elsewhere] == ["elsewhere"]
