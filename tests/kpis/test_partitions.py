"""However tickets are dealt out, and over however many parts the adding up is shared: the same KPIs for the same minute."""

from __future__ import annotations

import random
from functools import cache

import orjson
import pytest

from processor.codec.partials import Place, Sender, decode_partial, encode_report
from processor.codec.times import parse_time
from processor.compile import compile_settings
from processor.config import Config
from processor.core.outputs import Report
from processor.core.settings import HOUR_MS
from processor.export.kpi_view import Merged
from processor.kpis.combine import NEVER, Combiner
from processor.kpis.encode import encode_kpis
from processor.replay import Replay
from processor.synthetic.generate import generate
from tests.replay.logs import START

Said = dict[int, dict[Place, Merged]]  # by W
HOURS = 5


@cache
def log() -> tuple[bytes, ...]:
    """Hours of support in the order in which they happened, so that every partition knows at W what there was until W."""
    made = generate(compile_settings(Config()), events=700, seed=11, start=START, duration=HOURS * HOUR_MS)
    alone = (line for line in made.lines if orjson.loads(line)["type"] not in ("support.ticket.merged", "support.ticket.unmerged"))
    return tuple(sorted((_of_no_ticket(line) for line in alone), key=lambda line: parse_time(orjson.loads(line)["time"])))


def _of_no_ticket(line: bytes) -> bytes:
    """Contacts of their own: what is handed to a ticket on another partition comes when it comes."""
    document = orjson.loads(line)
    if document["type"].startswith("support.contact."):
        document["data"].pop("ticket_id", None)
    return orjson.dumps(document)


@cache
def reports(partitions: int) -> tuple[tuple[int, Report], ...]:
    found: list[tuple[int, Report]] = []
    replay = Replay(
        Config(), partitions=partitions, report_every_minutes=5, on_report=lambda partition, report: found.append((partition, report)))
    replay.feed_lines(log())
    replay.finish(START + (HOURS + 1) * HOUR_MS)
    return tuple(found)


def said(partitions: int, kpi_partitions: int, seed: int | None = None) -> Said:
    """What is given out when slices come as they were made or, with a seed, mixed up between partitions."""
    group_bys = tuple(tuple(names) for names in Config().segments.group_bys)
    combiners = [Combiner(number, partitions, incomplete_after_ms=NEVER) for number in range(kpi_partitions)]
    slices: dict[int, list[tuple[int, bytes]]] = {}
    for sequence, (partition, report) in enumerate(reports(partitions)):
        sender = Sender(partition, partitions, 1, kpi_partitions, group_bys, "tests")
        slices.setdefault(partition, []).extend((number, value) for number, _, value in encode_report(report, sender, sequence))
    order = [partition for partition, own in slices.items() for _ in own]
    if seed is not None:
        random.Random(seed).shuffle(order)
    found: Said = {}
    left = {partition: iter(own) for partition, own in slices.items()}
    for partition in order:
        number, value = next(left[partition])
        combiners[number].add(decode_partial(value), 0)
        for given in combiners[number].due(0):
            assert given.complete
            found.setdefault(given.end, {}).update({place: each for place, each in given.segments.items() if each.windows or each.backlog})
    return found


@pytest.mark.parametrize(("partitions", "kpi_partitions"), [(1, 4), (4, 1), (4, 4), (16, 3), (16, 4)])
def test_the_number_of_partitions_changes_no_kpi(partitions: int, kpi_partitions: int) -> None:
    expected, found = said(1, 1), said(partitions, kpi_partitions)
    common = expected.keys() & found.keys()
    assert len(common) > 25  # a partition that is silent for long reports every quarter of an hour only
    assert found.keys() <= expected.keys()
    for end in common:
        assert found[end] == expected[end]
    assert max(len(segments) for segments in found.values()) > 15


@pytest.mark.parametrize("seed", range(3))
def test_the_order_between_partitions_changes_no_kpi(seed: int) -> None:
    assert said(4, 2, seed) == said(4, 2)


def test_slices_can_be_added_up_in_any_grouping() -> None:
    """The last W of sixteen partitions: one by one, or each partition as a stage of its own whose sums are added."""
    end, expected = max(said(16, 1).items())
    by_partition = [report for _, report in reports(16) if report.end == end]
    group_bys = [tuple(names) for names in Config().segments.group_bys]
    random.Random(5).shuffle(by_partition)
    halves = by_partition[:7], by_partition[7:]

    def sums(part: list[Report]) -> dict[Place, dict[str, dict[str, int]]]:
        found: dict[Place, dict[str, dict[str, int]]] = {}
        for report in part:
            for (index, values), windows in report.windows.items():
                for window, row in windows.items():
                    into = found.setdefault((group_bys[index], values), {}).setdefault(window, {})
                    for key, amount in row.items():
                        into[key] = into.get(key, 0) + amount
        return found

    left, right = sums(halves[0]), sums(halves[1])
    for place, merged in expected.items():
        for window, row in merged.windows.items():
            one, other = (part.get(place, {}).get(window, {}) for part in (left, right))
            assert row == {key: one.get(key, 0) + other.get(key, 0) for key in one | other}


def test_what_is_written_is_the_same_too() -> None:
    """The records of a segment say the same whoever wrote them; only epoch and sequence are the owner's."""
    written = []
    for partitions in (1, 16):
        combiner = Combiner(0, partitions, incomplete_after_ms=NEVER)
        end = max(said(partitions, 1))
        group_bys = tuple(tuple(names) for names in Config().segments.group_bys)
        for partition, report in reports(partitions):
            if report.end == end:
                for _, _, value in encode_report(report, Sender(partition, partitions, 1, 1, group_bys, "tests"), 0):
                    combiner.add(decode_partial(value), 0)
        (given,) = combiner.due(0)
        written.append(sorted(encode_kpis(given, 1, ())))
    assert written[0] == written[1]
    assert len(written[0]) > 75
