"""Whether a round came to what its log says: facts, dead letters, snapshots, /metrics, the topic of KPIs, and the state as stored.

Of the topic of KPIs the last W is compared, whose longest windows have the whole log. A W before it is summed up anew whenever a partition
is taken over, and has then what came late, or was taken back, until that instant.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from processor.codec.state import decode_marker, decode_record
from processor.codec.times import parse_time
from processor.compile import compile_settings
from processor.core.engine import Engine
from processor.core.settings import DAY_MS
from processor.export.kpi_gauges import COMPLETE, END
from processor.export.snapshot import compare, snapshot
from processor.stream.connection import aiokafka_settings
from processor.stream.state_topic import read_state
from tests.chaos.arena import REPORT_MINUTES, Arena
from tests.chaos.truth import Truth, gauges_of, net_counts, said, samples, truth_of
from tests.kafka.deployment import Worker, caught_up
from tests.kafka.offline import headers, net, signed_facts

SETTLE_SECONDS = 60.0
POLL_SECONDS = 0.15
SHOWN = 8  # differences of one sort that are told
LATER_MS = 100 * DAY_MS


class UnsettledError(Exception):
    """The workers did not become what they must be in time."""


def settled(arena: Arena, begin: Callable[[str], None]) -> tuple[Truth, list[dict[str, Any]]]:
    """Wait until all is read, applied, added up and served. Returns what it must be, and the snapshots."""
    workers = [seat.start() for seat in arena.seats]
    records = arena.deployment.read("events")
    ends = dict.fromkeys(range(arena.plan.partitions), 0)
    for record in records:
        ends[record.partition] = record.offset + 1
    begin("folding the log")  # while the workers come to themselves
    truth = truth_of(arena.config, records, REPORT_MINUTES, arena.end)
    begin("waiting until all is ready")
    _until("all is ready", lambda: all((answer := worker.get("/readyz")) and answer.body == b"ready\n" for worker in workers))
    begin("waiting until all is applied")
    taken = _until("all is applied", lambda: caught_up(ends, *workers))
    begin("waiting until the last KPIs are served")
    owners = [f"{number}: 1 {arena.end // 1000}" for number in range(arena.config.topics.kpi_partitions)]
    _until(f"the KPIs of {truth.end} are served by one each", lambda: sorted(_served(workers)) == owners)
    return truth, taken


def _until(what: str, ask: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + SETTLE_SECONDS
    while not (answer := ask()):
        if time.monotonic() > give_up:
            raise UnsettledError(f"after {SETTLE_SECONDS:.0f} s still waiting until {what}")
        time.sleep(POLL_SECONDS)
    return answer


def nothing_to_compare(truth: Truth) -> list[str]:
    """What the log has come to nothing of: then to find no difference would say nothing."""
    parts = {
        "facts": truth.fold.facts, "dead letters": truth.fold.rejected, "KPIs": truth.last, "gauges": truth.gauges, "counts": truth.counted,
    }  # fmt: skip
    return [f"the log leads to no {name}" for name, part in parts.items() if not part]


def differences(arena: Arena, truth: Truth, taken: list[dict[str, Any]]) -> list[str]:
    """In what the deployment differs from the truth; empty where it does not."""
    found: list[str] = []
    for each in taken:
        want = truth.fold.of(int(number) for number in each["partitions"])
        found += _some("snapshot", [str(difference) for difference in compare(want, each)])
    found += _facts(arena, truth)
    found += _letters(arena, truth)
    found += _kpis(arena, truth)
    found += _metrics([seat.start() for seat in arena.seats], truth)
    return found


def _some(sort: str, each: list[str]) -> list[str]:
    more = [f"{sort}: {len(each) - SHOWN} more"] if len(each) > SHOWN else []
    return [f"{sort}: {difference}" for difference in each[:SHOWN]] + more


def _facts(arena: Arena, truth: Truth) -> list[str]:
    signed, wanted = list(signed_facts(arena.deployment.read("facts"))), truth.fold.facts
    written = net(signed)
    wrong = [
        f"{name}: stated {written.get(name, 0)} times, must be {wanted.get(name, 0)}"
        for name in sorted(written.keys() | wanted.keys())
        if written.get(name, 0) != wanted.get(name, 0)
    ]
    return _some("facts", wrong + list(_out_of_turn(signed, wanted)))


def _out_of_turn(signed: list[tuple[str, int]], wanted: Mapping[str, int]) -> Iterator[str]:
    """A fact is stated before it is retracted, and not again before: a step that was written twice may come to nothing in the end."""
    standing: Counter[str] = Counter()
    for name, sign in signed:
        standing[name] += sign
        if not 0 <= standing[name] <= max(wanted.get(name, 0), 1):
            yield f"{name}: {'stated' if sign > 0 else 'retracted'} once too often: it stood {standing[name] - sign} times"


def _letters(arena: Arena, truth: Truth) -> list[str]:
    letters = headers(arena.deployment.read("rejected"))
    found = sorted((int(letter["partition"]), int(letter["offset"]), letter["reason"].decode()) for letter in letters)
    wanted = sorted((*place, reason) for place, reason in truth.fold.rejected.items())
    extra, missing = [each for each in found if each not in wanted], [each for each in wanted if each not in found]
    twice = [each for each in set(found) if found.count(each) > 1]
    wrong = [f"{what} {each}" for what, some in (("extra", extra), ("missing", missing), ("twice", twice)) for each in some]
    return _some("dead letters", wrong)


def _served(workers: Sequence[Worker]) -> Iterator[str]:
    """Each KPI partition with whether its last W is complete, and which that is."""
    for worker in workers:
        answer = worker.get("/metrics")
        found = samples(answer.body.decode()) if answer else {}
        for name, end in found.items():
            if name.startswith(f"{END}{{"):
                number = name.split('kpi_partition="')[1].partition('"')[0]
                yield f"{number}: {found.get(name.replace(END, COMPLETE), 0):.0f} {end:.0f}"


def _kpis(arena: Arena, truth: Truth) -> list[str]:
    records = [record for record in arena.deployment.read("kpis") if record.value is not None]
    found = {name: told for name, told in (said(record.key, record.value) for record in records) if name[1] == truth.end}
    wrong = [
        f"{name}: {_apart(found.get(name, {}), truth.last.get(name, {}))}"
        for name in sorted(found.keys() | truth.last.keys())
        if found.get(name) != truth.last.get(name) and _says_something(found.get(name)) | _says_something(truth.last.get(name))
    ]
    return _some("KPIs", wrong + list(_backwards(records)))


def _says_something(told: dict[str, Any] | None) -> bool:
    """A segment that has nothing any more is told of once more, in which W depends on who owned it."""
    return bool(told and told["kpis"])


def _apart(one: dict[str, Any], other: dict[str, Any]) -> str:
    found, wanted = one.get("kpis", {}), other.get("kpis", {})
    kpis = [f"{name} {found.get(name)} {wanted.get(name)}" for name in sorted({*found, *wanted}) if found.get(name) != wanted.get(name)]
    return "; ".join([name for name in sorted({*one, *other}) if name != "kpis" and one.get(name) != other.get(name)] + kpis)[:500]


def _backwards(records: list[Any]) -> Iterator[str]:
    """Neither the epoch nor the minute of a key ever goes back."""
    newest: dict[tuple[int, bytes], tuple[int, int, int]] = {}
    for record in records:
        document = orjson.loads(record.value)
        place = (record.partition, record.key)
        now = (document["data"]["epoch"], parse_time(document["time"]), document["data"]["sequence"])
        before = newest.get(place)
        if before is not None and (before >= now or before[1] > now[1]):
            yield f"{record.key.decode()}: {now} after {before}"
        newest[place] = now


def _metrics(workers: Sequence[Worker], truth: Truth) -> list[str]:
    give_up = time.monotonic() + SETTLE_SECONDS / 4  # levels come a second after the last step
    while True:
        answers = [worker.get("/metrics") for worker in workers]
        texts = [answer.body.decode() if answer else "" for answer in answers]
        wrong = list(_unlike("gauges", [gauges_of(text) for text in texts], truth.gauges))
        wrong += _unlike("/metrics", [net_counts(text) for text in texts], truth.counted)
        if not wrong or time.monotonic() > give_up:
            return _some("/metrics", wrong)
        time.sleep(POLL_SECONDS)


def _unlike(sort: str, each: list[dict[str, float]], wanted: dict[str, float]) -> Iterator[str]:
    merged: dict[str, float] = {}
    for found in each:
        yield from (f"{sort}: served by two: {name}" for name in found.keys() & merged.keys())
        merged |= found
    for name in sorted(merged.keys() | wanted.keys()):
        if merged.get(name) != wanted.get(name):
            yield f"{sort}: {name}: {merged.get(name)}, must be {wanted.get(name)}"


# -- the state --------------------------------------------------------------------------------------------------------------------


def state_differences(arena: Arena, truth: Truth) -> list[str]:
    """In what a fresh takeover would differ, at once and after a hundred days without events. Nobody may write any more."""
    settings, partitions = compile_settings(arena.config), arena.plan.partitions
    stored = [asyncio.run(_restored(arena, number)) for number in range(partitions)]
    found = []
    for later in (False, True):
        for restored, engine in zip(stored, truth.fold.engines, strict=True):
            if later:
                for each in (restored, engine):
                    each.report_every(0, hold=False)
                    each.advance(engine.timer_time + LATER_MS)
                    each.drain()
            one, other = (snapshot([each.view()], None, settings.group_bys) for each in (engine, restored))
            when = "state, a hundred days later" if later else "state"
            found += _some(when, [str(difference) for difference in compare(one, other)])
    return found


async def _restored(arena: Arena, number: int) -> Engine:
    config = arena.config
    stored = await read_state(aiokafka_settings(config.kafka), config.topics.state, number)
    engine = Engine(compile_settings(config), number, arena.plan.partitions)
    assert stored.marker is not None
    for _ in engine.restore(decode_marker(stored.marker), (decode_record(key, value) for key, value in stored.records.items())):
        pass
    return engine
