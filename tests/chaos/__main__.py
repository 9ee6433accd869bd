"""`python -m tests.chaos`: kill, stop, cut off and confuse workers on a real Kafka, and compare what they publish with their log.

Each round has a topic and workers of its own and a seed; what is injected is drawn by what was injected least. With --results a run goes
on where the last one ended. Exit code 1 where any round, also a former one, was not as its log says, or none was done.
"""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from processor.flavour import COMPILED, flavour
from tests.chaos.arena import chaos_broker
from tests.chaos.plan import Plan, draw, names
from tests.chaos.results import Results
from tests.chaos.rounds import SAME, run_round
from tests.kafka.broker import Broker

CONSOLE = Console(stderr=True, highlight=False)
LONG_ROUNDS = 200  # from so many on the broker is out for a minute now and then


def main() -> int:
    """See the module."""
    options = _options()
    if options.compiled and flavour() != COMPILED:
        CONSOLE.print("tests.chaos --compiled: the engine is not compiled here; deploy/compiled.py FOLDER makes a copy in which it is")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no broker behind
    for name in ("aiokafka", "kafka", "asyncio"):  # while brokers are away
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    results = Results(options.results)
    with tempfile.TemporaryDirectory() as scratch:
        keep = options.results.with_name(f"{options.results.name}.rounds") if options.results else Path(scratch) / "rounds"
        with chaos_broker(Path(scratch) / "kafka") as broker:
            try:
                _run(options, results, broker, keep)
            except KeyboardInterrupt:
                CONSOLE.print("stopped")
        if not options.results and any(row["verdict"] != SAME for row in results.rows):
            CONSOLE.print("give --results FILE to keep logs and topics of bad rounds, and --again SEED to repeat one")
    CONSOLE.print(results.table())
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in results.verdicts().most_common())
    spent = sum(row["seconds"] for row in results.rows)
    CONSOLE.print(f"{len(results.rows)} rounds in {spent:.0f} s: {verdicts}")
    missing = results.fewer_than(options.at_least)
    if missing:
        CONSOLE.print(f"injected less than {options.at_least} times: {', '.join(missing)}")
    return 0 if results.rows and not missing and all(row["verdict"] == SAME for row in results.rows) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, help="how many in all, those in --results included (default: 10)")
    parser.add_argument("--minutes", type=float, help="for so long, instead")
    parser.add_argument("--seed", type=int, default=1, help="of the first round; each one more has the next")
    parser.add_argument("--results", type=Path, help="a JSONL file to go on with; bad rounds are kept in a folder beside it")
    parser.add_argument("--at-least", type=int, default=0, metavar="N", help="exit code 1, too, where anything was injected less often")
    parser.add_argument("--only", choices=names(), metavar="FAULT", help=f"nothing else: {', '.join(names())}")
    parser.add_argument("--again", type=int, metavar="SEED", help="do a round of --results once more, as it was planned")
    parser.add_argument("--compiled", action="store_true", help="insist that the compiled core is what is tested")
    return parser.parse_args()


def _run(options: argparse.Namespace, results: Results, broker: Broker, keep: Path) -> None:
    began, rounds = time.monotonic(), options.rounds or (None if options.minutes else 10)
    long = bool(options.minutes) or (rounds or 0) >= LONG_ROUNDS
    if options.again is not None:
        _round(results, broker, results.plan(options.again), keep, lambda text: CONSOLE.print(f"  {text}"))
        return
    columns = (TextColumn("{task.description:<44}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=CONSOLE) as progress:
        bar = progress.add_task("rounds", total=rounds, completed=len(results.rows) if rounds else 0)
        while (len(results.rows) < rounds) if rounds else time.monotonic() - began < options.minutes * 60:
            seed = options.seed + len(results.rows)
            plan = draw(seed, results.injected(), only=options.only or "", long=long)
            _round(results, broker, plan, keep, lambda text: progress.update(bar, description=text))
            progress.advance(bar)


def _round(results: Results, broker: Broker, plan: Plan, keep: Path, notify: object) -> None:
    assert callable(notify)
    outcome = run_round(broker, plan, f"chaos-{plan.seed}-{len(results.rows)}", keep / f"seed-{plan.seed}", notify)
    results.add(plan, outcome)
    missed = [each.label for number, each in enumerate(plan.injections) if number not in outcome.injected]
    told = "".join(f"\n  {line}" for line in outcome.told[:6])
    colour = "green" if outcome.verdict == SAME else "red"
    CONSOLE.print(
        f"seed {plan.seed}: [{colour}]{outcome.verdict}[/] in {outcome.seconds} s, {outcome.facts} facts, "
        f"{len(outcome.injected)} of {len(plan.injections)} injected{_but(missed)}",
        markup=True,
    )
    if told:
        CONSOLE.print(told, markup=False)


def _but(missed: list[str]) -> str:
    return f" (not {', '.join(missed)})" if missed else ""


if __name__ == "__main__":
    sys.exit(main())
