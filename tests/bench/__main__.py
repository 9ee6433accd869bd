"""`python -m tests.bench`: a table to read, JSON to keep, floors and goals. Exit code 1 where a floor is missed."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from processor.flavour import flavour
from tests.bench import engine, kpis, latency, memory, race, recovery, rolling, scaling, scrape, simple, soak
from tests.bench.limits import show
from tests.bench.options import PEER, ROOT, Size

PARTS: dict[str, Callable[[Size], dict[str, Any]]] = {
    "engine": engine.run,
    "race": race.run,
    "latency": latency.run,
    "scrape": scrape.run,
    "memory": memory.run,
    "kpis": kpis.run,
    "scaling": scaling.run,
    "simple": simple.run,
    "recovery": recovery.run,
    "soak": soak.run,
    "rolling": lambda _size: rolling.run(),
}
COMPILED = "--compiled"
ON_REQUEST = ("simple", "recovery", "soak", "rolling")  # these take long, or say little


def main() -> int:
    """Run the parts asked for."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave no broker or worker behind
    options = _options()
    if options.compiled:
        run_compiled(options)
    size = Size(options.events, options.rounds, options.minutes, options.rate, options.peer if options.peer.exists() else None)
    figures: dict[str, Any] = {"machine": _machine()}
    failed = []
    for name in options.only or [name for name in PARTS if name not in ON_REQUEST]:
        try:
            figures[name] = PARTS[name](size)
        except Exception as error:  # noqa: BLE001 - the others may still say something
            traceback.print_exc()
            figures[name] = {"failed": repr(error)}
            failed.append(name)
        show({name: figures[name]}, tiny=size.tiny)
        _keep(figures, options.json)
    if str(options.json) == "-":
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    return 1 if show(figures, tiny=size.tiny) or failed else 0


def _machine() -> dict[str, Any]:
    """Where and how it runs. With others at work on it, nothing but ratios and processor times means much."""
    return {
        "engine": flavour(),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        "system": platform.machine(),
    }


def _keep(figures: dict[str, Any], path: Path | None) -> None:
    """All figures so far, so that they are there whatever comes."""
    if path is not None and str(path) != "-":
        path.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def run_compiled(options: argparse.Namespace) -> None:
    """Go on as the same command in a copy of this checkout whose engine is compiled. Does not return."""
    copy = ROOT / "build" / "compiled"
    subprocess.run([sys.executable, str(ROOT / "deploy" / "compiled.py"), str(copy)], check=True)
    arguments = [argument for argument in sys.argv[1:] if argument != COMPILED] + ["--peer", str(options.peer.absolute())]
    if options.json is not None:
        arguments += ["--json", str(options.json)]
    os.chdir(copy)
    os.execv(sys.executable, [sys.executable, "-m", "tests.bench", *arguments])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    default = Size()
    parser.add_argument("--events", type=int, default=default.events, help=f"how many the log has (default {default.events:,})")
    parser.add_argument("--rounds", type=int, default=default.rounds, help=f"medians of so many (default {default.rounds})")
    parser.add_argument("--minutes", type=float, default=default.minutes, help=f"how long paced parts last (default {default.minutes})")
    parser.add_argument("--rate", type=float, default=0.0, help="events a second of a worker at full load (default: measured first)")
    parser.add_argument("--only", choices=PARTS, action="append", help="only this part; may be given several times")
    parser.add_argument("--peer", type=Path, default=PEER, help="source of the Kafka Streams peer; left out where it is missing")
    parser.add_argument(COMPILED, action="store_true", help="measure the compiled engine; compiling it takes a minute or two")
    parser.add_argument("--json", type=Path, help="also write the figures to this file (- for standard output)")
    options = parser.parse_args()
    if options.json is not None and str(options.json) != "-":
        options.json = options.json.absolute()
    return options


if __name__ == "__main__":
    sys.exit(main())
