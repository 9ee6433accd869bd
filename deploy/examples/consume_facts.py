"""Print each breach with its reasons as it is written: `.venv/bin/python deploy/examples/consume_facts.py localhost:9092 [TOPIC]`.

Each breach is printed at least once; after a crash some are printed again, with the same id. A program that must not do a thing twice keeps
the ids of what it did.
"""

import asyncio
import contextlib
import sys

from processor.client import Fact, FactReader


def told(fact: Fact) -> str | None:
    """The lines for one fact: a breach, or that it was none after all."""
    if fact.kind != "clock.breached":
        return None
    who = f"{fact.entity} {fact.entity_id}: {fact.clock}"
    if fact.retracts:
        return f"{who}: breach of {fact.at:%Y-%m-%d %H:%M:%S} UTC taken back [{fact.retracts}]"
    target = f"{fact.target_seconds:.0f} s" if fact.target_seconds is not None else "no target"
    why = ", induced by a change of priority or policy" if fact.induced else ""
    lines = [f"{who} breached{why} [{fact.id}]"]
    lines.append(f"  deadline {fact.at:%Y-%m-%d %H:%M:%S} UTC, policy {fact.policy} version {fact.policy_version}, target {target}")
    lines += [f"  the clock ran {start:%Y-%m-%d %H:%M:%S} to {end:%Y-%m-%d %H:%M:%S}" for start, end in fact.segments]
    return "\n".join(lines)


async def main(bootstrap: str, topic: str = "support.facts.v1") -> None:
    """Follow the topic until interrupted; a group of this name goes on where it stopped."""
    async with FactReader(bootstrap, topic, group_id="breach-printer", start="earliest", wait_seconds=60) as reader:
        async for batch in reader:
            for record in batch:
                if text := told(record.fact):
                    print(text, flush=True)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(*sys.argv[1:]))
