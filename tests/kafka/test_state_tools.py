"""The state tools on a real broker, with workers before and after: moving, rebuilding, erasing, and what is refused."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from click.testing import CliRunner, Result

from processor.cli.main import main
from processor.codec.murmur2 import partition_of
from processor.codec.state import MARKER_KEY, STATE_VERSION
from processor.codec.times import format_time
from processor.compile import compile_settings
from processor.config import Config
from processor.core.settings import DAY_MS
from processor.export.snapshot import compare
from processor.replay import Replay
from processor.stream.connection import admin_client
from processor.synthetic.generate import generate
from tests.codec.stored import stored
from tests.kafka.broker import Broker
from tests.kafka.deployment import Deployment, Sent, caught_up, ends_of, until
from tests.kafka.events import addressed, created, event, keyed, status
from tests.kafka.offline import expected, written_facts

TopicName = Callable[[str], str]
START = 1_767_225_600_000
END = START + 10 * DAY_MS
EVENTS = 1200


def lines_of(seed: int) -> list[bytes]:
    """Ten days of support work; tickets are merged, and some contacts belong to tickets."""
    return generate(compile_settings(Config()), events=EVENTS, seed=seed, start=START, duration=END - START).lines


def all_addressed(lines: list[bytes], partitions: int) -> list[Sent]:
    """Events on their partitions."""
    return [addressed(line, partitions) for line in lines]


def clocks_at(at: int, partitions: int) -> list[Sent]:
    """The word to every partition that timers run up to `at`."""
    return [(number, None, event("control.clock_advanced", END, at=format_time(at))) for number in range(partitions)]


def invoke(deployment: Deployment, *call: str) -> Result:
    """A command with the deployment's configuration."""
    return CliRunner().invoke(main, [*call, "--config", str(deployment.directory / "config.yaml")])


def done(deployment: Deployment, *call: str) -> str:
    """What a command prints that must succeed."""
    result = invoke(deployment, *call)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def refused(deployment: Deployment, *call: str) -> str:
    """What a command says that cannot be carried out."""
    result = invoke(deployment, *call)
    assert result.exit_code == 2, (result.output, result.exception)
    return result.output


def run(deployment: Deployment, sent: list[Sent]) -> dict[str, Any]:
    """One life of a worker, in which it reads all that was sent; what it shows then."""
    ends = ends_of(sent, deployment.config.topics.partitions)
    with deployment.worker() as worker:
        (taken,) = until("it has caught up", lambda: caught_up(ends, worker))
        until("it is ready", worker.ready)
        assert worker.end() == 0
    return taken


def test_a_state_moves_to_more_partitions_and_the_rest_of_the_log_comes_to_the_same(
    broker: Broker, topic_name: TopicName, tmp_path: Path
) -> None:
    lines = lines_of(4)
    first, second = lines[:700], lines[700:]
    old = Deployment(broker.bootstrap, topic_name("old"), tmp_path / "old").create_topics()
    new = Deployment(broker.bootstrap, topic_name("new"), tmp_path / "new", partitions=3).create_topics()
    file = str(tmp_path / "state.jsonl.gz")
    before = all_addressed(first, 2)
    old.send(before)
    with old.worker() as worker:
        until("it has caught up", lambda: caught_up(ends_of(before), worker))
        assert "still has members: stop every worker first, or export with --live" in refused(old, "state", "export", file)
        done(old, "state", "export", str(tmp_path / "live.jsonl"), "--live")
        assert worker.end() == 0
    assert "not read" in done(old, "state", "export", file)
    header = orjson.loads(gzip.decompress(Path(file).read_bytes()).splitlines()[0])
    assert (header["partitions"], header["live"]) == (2, False)
    assert header["ledger_count"] > 100
    assert "stated now" in done(new, "state", "import", file)
    assert "holds a state already" in refused(new, "state", "import", file)

    rest = [*all_addressed(second, 2), *clocks_at(END + DAY_MS, 2)]
    old.send(rest)
    stayed = run(old, [*before, *rest])
    moved_rest = [*all_addressed(second, 3), *clocks_at(END + DAY_MS, 3)]
    new.send(moved_rest)
    moved = run(new, moved_rest)
    assert compare(stayed, moved, partitions=False) == []
    assert {each["timer_time"] for taken in (stayed, moved) for each in taken["partitions"].values()} == {END + DAY_MS}
    assert stayed["digest"] == moved["digest"] != header["digest"]
    assert stayed["ledger_count"] == moved["ledger_count"] > header["ledger_count"]
    # What was stated before the export lies in the old facts topic; what the import and the new workers stated, in the new one.
    earlier = expected(old.config, [record for record in old.read("events") if record.offset < ends_of(before)[record.partition]])
    later = written_facts(new.read("facts"))
    later.update(earlier.facts)
    assert {number: count for number, count in later.items() if count} == written_facts(old.read("facts"))


def test_a_state_rebuilt_from_the_log_is_compared_and_can_be_switched_to(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    lines = lines_of(5)
    deployment = Deployment(broker.bootstrap, topic_name("rebuilt"), tmp_path).create_topics()
    before = all_addressed(lines[:800], 2)
    deployment.send(before)
    run(deployment, before)
    facts = len(deployment.read("facts"))
    into = topic_name("anew")
    told = done(deployment, "state", "rebuild", "--into", into)
    assert f"topics:\n  state: {into}\n" in told
    assert "exist" in refused(deployment, "state", "rebuild", "--into", into)
    assert len(deployment.read("facts")) == facts

    deployment.document["topics"]["state"] = into
    rest = [*all_addressed(lines[800:], 2), *clocks_at(END + DAY_MS, 2)]
    deployment.send(rest)
    taken = run(deployment, [*before, *rest])
    want = expected(deployment.config, deployment.read("events"))
    assert compare(want.of(range(2)), taken) == []
    assert written_facts(deployment.read("facts")) == want.facts


def test_a_state_that_the_log_contradicts_is_told_and_left_alone(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("wrong"), tmp_path).create_topics()
    before = [keyed(f"T-{number}", created(f"T-{number}", START), 2) for number in range(40)]
    deployment.send(before)
    run(deployment, before)
    present = {record.partition: record.value for record in deployment.read("state") if record.key == MARKER_KEY}
    wrong = orjson.dumps(orjson.loads(present[1]) | {"digest": f"{7:032x}"})
    deployment.send_to("state", [(1, MARKER_KEY, wrong)])
    into = topic_name("right")
    result = invoke(deployment, "state", "rebuild", "--into", into)
    assert result.exit_code == 1
    assert f"partition 1: digest: {7:032x} and " in result.output
    assert f"{deployment.config.topics.state} stays as it is" in result.output


def test_a_person_is_erased_and_the_worker_goes_on(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("forget"), tmp_path).create_topics()
    before: list[Sent] = []
    for number in range(20):
        ticket = f"T-{number}"
        before.append(keyed(ticket, created(ticket, START, assignee_id="agent-anna"), 2))
        agent = "agent-anna" if number % 2 else "agent-bert"
        before.append(keyed(ticket, event("ticket.assignee_changed", START + 1000, ticket_id=ticket, assignee_id=agent), 2))
    deployment.send(before)
    shown = run(deployment, before)
    told = done(deployment, "forget", "agent-anna")
    assert "ticket.created: assignee_id" in told
    assert "20" in told
    for place in (deployment.config.topics.events, deployment.config.topics.rejected, deployment.config.topics.state):
        assert place in told
    assert "retention.ms is -1" in told
    assert "7 d after the end of its segment" in told
    newest: dict[tuple[int, bytes], bytes] = {(record.partition, record.key): record.value for record in deployment.read("state")}
    assert not any(b"agent-anna" in value for value in newest.values() if value)
    assert any(b"agent-bert" in value for value in newest.values() if value)
    assert "nothing was found" in done(deployment, "state", "forget", "agent-anna")
    assert "no person: kept" in done(deployment, "forget", "T-3")
    rest = [keyed("T-3", status("T-3", START + 5000, "solved"), 2), *clocks_at(END, 2)]
    assert compare(shown, run(deployment, before)) == []
    deployment.send(rest)
    taken = run(deployment, [*before, *rest])
    assert compare(expected(deployment.config, deployment.read("events")).of(range(2)), taken) == []


def test_what_is_not_ours_is_not_exported(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    deployment = Deployment(broker.bootstrap, topic_name("foreign"), tmp_path).create_topics()
    file = str(tmp_path / "state.jsonl")
    assert "has no state" in refused(deployment, "state", "export", file)
    before = [keyed(f"T-{number}", created(f"T-{number}", START), 2) for number in range(10)]
    deployment.send(before)
    run(deployment, before)
    present = {record.partition: record.value for record in deployment.read("state") if record.key == MARKER_KEY}
    for changes, words in (
        ({"application_id": "another"}, "belongs to application 'another'"),
        ({"state_version": 99}, "state version 99 is unknown to this release"),
    ):
        deployment.send_to("state", [(0, MARKER_KEY, orjson.dumps(orjson.loads(present[0]) | changes))])
        assert words in refused(deployment, "state", "export", file)
        assert not Path(file).exists()
    deployment.send_to("state", [(0, MARKER_KEY, present[0])])
    done(deployment, "state", "export", file)


def test_an_exported_state_restores_a_deployment_that_was_emptied(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    lines = lines_of(6)
    deployment = Deployment(broker.bootstrap, topic_name("restored"), tmp_path).create_topics()
    before = all_addressed(lines[:600], 2)
    deployment.send(before)
    run(deployment, before)
    file = str(tmp_path / "state.jsonl")
    done(deployment, "state", "export", file)
    done(deployment, "topics", "reset-state", "--yes")
    assert "has no state" in refused(deployment, "state", "export", str(tmp_path / "none"))
    done(deployment, "state", "import", file)
    rest = [*all_addressed(lines[600:], 2), *clocks_at(END + DAY_MS, 2)]
    deployment.send(rest)
    taken = run(deployment, [*before, *rest])
    want = expected(deployment.config, deployment.read("events"))
    assert compare(want.of(range(2)), taken) == []
    assert written_facts(deployment.read("facts")) == want.facts


def test_a_worker_goes_on_from_a_state_of_version_1(broker: Broker, tmp_path: Path) -> None:
    old = stored(1)
    sections = {name: value for name, value in old.config.items() if name not in ("application_id", "topics")}
    sections["abandonment"] = {**sections.get("abandonment", {}), "silent_channels": []}  # a rule that came later and says otherwise
    deployment = Deployment(broker.bootstrap, "first", tmp_path, topics={"events": "first-events"}, **sections).create_topics()
    markers = {number: orjson.loads(marker) for number, marker in old.markers.items()}
    # The worker never looks at what lies before the offsets that the state has applied.
    before: list[Sent] = [(number, None, b"x") for number, marker in markers.items() for _ in range(marker["applied"]["first-events"] + 1)]
    deployment.send(before)
    for number, marker in old.markers.items():
        records = [(number, key, value) for key, value in old.records[number].items()]
        deployment.send_to("state", [*records, (number, MARKER_KEY, marker)])
    clocks: list[Sent] = [(number, None, event("control.clock_advanced", START, at=format_time(old.until))) for number in markers]
    rest = [*old.log, *clocks]
    deployment.send(rest)
    taken = run(deployment, [*before, *rest])
    shown = old.at_end["snapshot"]
    assert taken["ledger_count"] > shown["ledger_count"]  # it states more than version 1 did
    later = {"support_processor_events_control_total", "support_processor_events_consumed_total", "support_processor_ledger_facts"}
    for family, values in shown["metrics"].items():
        if family not in later:
            found = taken["metrics"].get(family, {})
            assert {labels: found.get(labels) for labels in values} == values, family
    newest = {(record.partition, record.key): record.value for record in deployment.read("state")}
    assert {orjson.loads(newest[number, MARKER_KEY])["state_version"] for number in markers} == {STATE_VERSION}
    assert "not read" in done(deployment, "state", "export", str(tmp_path / "state.jsonl"))


def test_the_events_topic_itself_may_get_more_partitions(broker: Broker, topic_name: TopicName, tmp_path: Path) -> None:
    lines = lines_of(7)
    old = Deployment(broker.bootstrap, topic_name("fewer"), tmp_path / "old").create_topics()
    before = all_addressed(lines[:600], 2)
    old.send(before)
    run(old, before)
    file = str(tmp_path / "state.jsonl.gz")
    done(old, "state", "export", file)
    events = old.config.topics.events
    with admin_client(old.config.kafka, wait_seconds=30) as admin:
        admin.create_partitions({events: 3})
    new = Deployment(broker.bootstrap, topic_name("more"), tmp_path / "new", partitions=3, topics={"events": events}).create_topics()
    done(new, "state", "import", file)
    rest = [*all_addressed(lines[600:], 3), *clocks_at(END + DAY_MS, 3)]
    new.send(rest)
    taken = run(new, [*before, *rest])
    replay = Replay(new.config, partitions=1)
    replay.feed_lines([*lines, event("control.clock_advanced", END, at=format_time(END + DAY_MS))])
    replay.finish(END + DAY_MS)
    assert compare(replay.snapshot(), taken, partitions=False) == []

    # An event that was written before there were three, and that nobody has read, would be misplaced now.
    late = next(f"T-{number}" for number in range(100) if partition_of(f"T-{number}".encode(), 3) != 0)
    old.send([(0, late.encode(), created(late, END))])
    other = Deployment(broker.bootstrap, topic_name("other"), tmp_path / "other", partitions=3, topics={"events": events}).create_topics()
    assert "belongs to another of 3 partitions" in refused(other, "state", "import", file)
