"""The laws of the ledger: it holds what was stated and not taken back, whatever is delivered again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from processor.client import Fact, FactRecord, Ledger, decode_fact
from processor.schemas_path import schemas_path

TEMPLATE = decode_fact((schemas_path() / "examples/support.facts.v1/clock_breached.json").read_bytes())
KINDS = ("clock.breached", "ticket.solved", "clock.started")  # the last one is a step on the way
SLOTS = 3
Log = list[list[tuple[int, bool]]]  # for each partition: number of a conclusion, whether it is stated


def fact_of(partition: int, number: int, stated: bool) -> Fact:
    """One of a few conclusions about a few slots; no conclusion is about entities of two partitions."""
    own = f"{(1 << 127) + 1000 * partition + number:032x}"
    kind, slot = KINDS[number % len(KINDS)], f"{100 * partition + number % SLOTS:032x}"
    fact = replace(TEMPLATE, id=own, kind=kind, type=f"support.{kind}", slot=slot)
    return fact if stated else replace(fact, id=f"retracts-{own}", type="support.taken_back", retracts=own)


def records_of(log: Log) -> list[list[FactRecord]]:
    """Offsets with gaps, as transaction markers leave them."""
    return [
        [FactRecord("facts", partition, 2 * at, fact_of(partition, *entry)) for at, entry in enumerate(entries)]
        for partition, entries in enumerate(log)
    ]


def applied(records: Iterable[FactRecord]) -> Ledger:
    ledger = Ledger()
    for record in records:
        ledger.apply(record)
    return ledger


def shown(ledger: Ledger) -> object:
    slots = {fact.slot: ledger.latest(fact.slot) for fact in ledger.facts()}
    return frozenset(ledger.facts()), slots, ledger.by_kind, ledger.ledger_count, ledger.digest, ledger.digests(), len(ledger)


logs = st.lists(st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=25), min_size=1, max_size=3)


@given(logs)
def test_what_holds_is_what_was_said_last_about_each_conclusion(log: Log) -> None:
    ledger = applied(record for records in records_of(log) for record in records)
    last = {(partition, number): (at, stated) for partition, entries in enumerate(log) for at, (number, stated) in enumerate(entries)}
    net = [(at, fact_of(*key, stated=True)) for key, (at, stated) in last.items() if stated]
    counted = [int(fact.id, 16) for _, fact in net if fact.kind != "clock.started"]
    assert Counter(fact.id for fact in ledger.facts()) == Counter(fact.id for _, fact in net)
    assert all(fact.id in ledger for _, fact in net)
    assert ledger.by_kind == Counter(fact.kind for _, fact in net)
    assert (ledger.digest, ledger.ledger_count) == (f"{sum(counted) % (1 << 128):032x}", len(counted))
    assert sum(int(digest, 16) for digest in ledger.digests().values()) % (1 << 128) == int(ledger.digest, 16)
    for slot in {fact.slot for _, fact in net}:
        assert ledger.latest(slot) == max((at, fact.id, fact) for at, fact in net if fact.slot == slot)[2]
    assert ledger.latest("f" * 32) is None


@given(logs, st.data())
def test_neither_redelivery_nor_the_interleaving_of_partitions_changes_anything(log: Log, data: st.DataObject) -> None:
    records = records_of(log)
    delivered: list[FactRecord] = []
    positions = [0] * len(records)
    while any(position < len(each) for position, each in zip(positions, records, strict=True)):
        partition = data.draw(st.sampled_from([n for n, each in enumerate(records) if positions[n] < len(each)]))
        delivered.append(records[partition][positions[partition]])
        positions[partition] += 1
        if data.draw(st.integers(0, 4)) == 0:  # a crash before the commit: back to an earlier offset
            positions[partition] = data.draw(st.integers(0, positions[partition]))
            if len(delivered) > 300:
                break
    for partition, position in enumerate(positions):
        delivered += records[partition][position:]
    assert shown(applied(delivered)) == shown(applied(record for each in records for record in each))


@given(logs)
def test_only_what_changes_something_is_reported_as_a_change(log: Log) -> None:
    ledger = Ledger()
    for records in records_of(log):
        for record in records:
            before = frozenset(ledger.facts())
            assert ledger.apply(record) == (frozenset(ledger.facts()) != before)
            assert not ledger.apply(record)


@given(logs)
def test_a_log_that_is_stated_anew_comes_to_the_same(log: Log) -> None:
    twice = records_of([entries + entries for entries in log])
    once, again = (applied(record for each in made for record in each) for made in (records_of(log), twice))
    assert (once.digest, once.by_kind, set(once.facts())) == (again.digest, again.by_kind, set(again.facts()))


def test_a_correction_fills_the_slot_anew() -> None:
    ledger = applied([FactRecord("facts", 0, 0, TEMPLATE)])
    ledger.apply(FactRecord("facts", 0, 1, replace(TEMPLATE, id="retracts", type="support.clock.breach_retracted", retracts=TEMPLATE.id)))
    assert ledger.latest(TEMPLATE.slot) is None
    corrected = replace(TEMPLATE, id="a" * 32, at_ms=TEMPLATE.at_ms + 1)
    ledger.apply(FactRecord("facts", 0, 2, corrected))
    assert ledger.latest(TEMPLATE.slot) == corrected


def test_the_example_of_a_retraction_takes_back_the_example_of_a_breach() -> None:
    folder = schemas_path() / "examples/support.facts.v1"
    retraction = decode_fact(json.dumps(json.loads((folder / "clock_breach_retracted.json").read_text())).encode())
    ledger = applied([FactRecord("facts", 0, 0, TEMPLATE), FactRecord("facts", 0, 1, retraction)])
    assert (len(ledger), ledger.digest, list(ledger.by_kind)) == (0, "0" * 32, [])
