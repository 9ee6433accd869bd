"""`ticket-kpis explain TICKET`: why its numbers are what they are, from a recorded log or from running workers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import click
import orjson

from processor.cli.options import config_option, instant, load_config, print_json, refuse, refusing
from processor.cli.reading import read_log
from processor.codec.envelope import format_time
from processor.config import Config
from processor.core.settings import TICKET_CLOCKS
from processor.core.told import recording
from processor.explain import ExplainError, Kept, explain
from processor.explain.finding import no_ticket, similar
from processor.explain.words import clock_lines, lines, when_in
from processor.replay import Refused, Replay, ReplayError
from processor.replay.recording import Record

REFUSED = (ReplayError, ExplainError, FileNotFoundError, IsADirectoryError, PermissionError)
WORKER_SECONDS = 30.0  # to wait for a worker's answer
REJECTED_MAX = 100  # events about the ticket that do not count, listed


@click.command("explain")
@click.argument("ticket")
@click.argument("log", required=False, type=click.Path(exists=True, allow_dash=True, path_type=Path))
@config_option
@click.option("--url", "urls", multiple=True, metavar="URL",
              help="Ask a running worker instead, such as http://worker:9108; may be given several times, for all workers.")
@click.option("--clock", type=click.Choice(TICKET_CLOCKS), metavar="NAME", help="This clock alone, such as resolution.")
@click.option("--at", "at_ms", callback=instant, metavar="TIME",
              help="As it was at TIME (RFC 3339): later events are left out. Without it: at the end of the log, or now.")
@click.option("--partitions", type=click.IntRange(min=1, max=10_000),
              help="Partitions that events are dealt out to (default 1); of a capture: how many its topic has.")
@click.option("--json", "as_json", is_flag=True, help="Print it for programs; schema: support.explanation.v1.")
def command(
    ticket: str, log: Path | None, config_path: Path | None, urls: Sequence[str], clock: str | None, at_ms: int | None,
    partitions: int | None, *, as_json: bool,
) -> None:  # fmt: skip
    """Tell why TICKET's clocks breached or not, and what else was concluded of it, with the event behind each change.

    LOG is what `replay` reads: a file of events or a capture (.gz too), a folder, or - for stdin. A worker (--url) tells the same of the
    events that it still keeps. Times are in reporting_zone. Exit codes: 0 fine; 2 unknown ticket, wrong usage or configuration.
    """
    if (log is None) == (not urls):
        refuse("give either a recorded LOG or the --url of a worker")
    config = load_config(config_path)
    with refusing(*REFUSED):
        told = _from_workers(ticket, urls, at_ms) if log is None else _from_log(ticket, log, config, at_ms, partitions)
    if clock is not None:
        told["clocks"] = [each for each in told["clocks"] if each["clock"] == clock]
    if as_json:
        print_json(told)
        return
    if clock is not None and not told["clocks"]:
        refuse(f"{ticket} has no clock {clock}: no policy that applied to it has a target for that, or it has never begun")
    click.echo(f"Times are in {config.reporting_zone}.\n")
    for line in clock_lines(told, when_in(config.reporting_zone)) if clock is not None else lines(told, when_in(config.reporting_zone)):
        click.echo(line)


# -- from a log -----------------------------------------------------------------------------------------------------------------------


def _from_log(ticket: str, log: Path, config: Config, at: int | None, partitions: int | None) -> dict[str, Any]:
    record, refused = Record(ticket), _RefusedOf(ticket)
    replay = Replay(config, partitions=partitions, engine=recording(record), on_refused=refused.note)
    read_log(replay, log)
    replay.finish(None if at is None else max(at, replay.last_event_at()))
    if not record.events:
        refuse(_unknown(record, replay, refused))
    engine = replay.engines[record.partition or 0]
    timer_time = engine.timer_time if at is None else at
    kept = Kept(ticket, None, 0, tuple(sorted(record.events)), timer_time)
    return explain(kept, engine.policies, at=at, rejected=refused.found, history=record.history)


def _unknown(record: Record, replay: Replay, refused: _RefusedOf) -> str:
    if refused.found:
        told = "; ".join(f"{each['where']}: {each['reason']}, {each['detail']}" for each in refused.found[:3])
        return f"no event of {record.key} counts: {told}"
    other = no_ticket(record.key, replay.engines.values())
    if other is not None:
        return other
    if not record.tickets:
        return f"the log has no tickets in its {replay.records:,} records: is it the right file? `ticket-kpis replay` tells what is in it"
    near = similar(record.key, record.tickets)
    known = f"{record.key} is not among the {len(record.tickets):,} tickets of the log"
    return f"{known}; similar: {', '.join(near)}" if near else f"{known}, which have ids such as {min(record.tickets)}"


class _RefusedOf:
    """Hears of all rejected records, and keeps those that are about the ticket."""

    def __init__(self, ticket: str) -> None:
        self.found: list[dict[str, Any]] = []
        self._ticket = ticket
        self._bytes = ticket.encode()

    def note(self, refused: Refused) -> None:
        """Hear of one."""
        value = refused.value
        if value is None or self._bytes not in value or len(self.found) >= REJECTED_MAX:
            return
        try:
            document = orjson.loads(value)
        except orjson.JSONDecodeError:
            return
        data = document.get("data") if isinstance(document, dict) else None
        if not isinstance(data, dict) or data.get("ticket_id") != self._ticket:
            return
        reason, detail = refused.rejected
        said = {name: document.get(name) for name in ("type", "id", "source", "time") if isinstance(document.get(name), str)}
        self.found.append({"where": refused.place, "reason": reason.value, "detail": detail, **said})


# -- from workers ---------------------------------------------------------------------------------------------------------------------


def _from_workers(ticket: str, urls: Sequence[str], at: int | None) -> dict[str, Any]:
    """The first answer of a worker that has the ticket's partition."""
    problems: list[str] = []
    for url in urls:
        answer = _ask(url, ticket, at)
        if "ticket" in answer:
            return answer
        problems.append(f"{url}: {answer['error']}")
        if answer.get("reason") == "unknown":
            break
    raise ExplainError("\n".join(problems))


def _ask(url: str, ticket: str, at: int | None) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        refuse(f"--url is an address such as http://worker:9108, not {url!r}")
    asked = {"ticket": ticket} | ({"at": format_time(at)} if at is not None else {})
    try:
        with urlopen(f"{url.rstrip('/')}/explain?{urlencode(asked)}", timeout=WORKER_SECONDS) as response:  # noqa: S310 - checked above
            answer: dict[str, Any] = orjson.loads(response.read())
            return answer
    except HTTPError as error:
        try:
            answer = orjson.loads(error.read())
        except orjson.JSONDecodeError:
            answer = {}
        return {"error": f"answers {error.code}: is it a worker of this version?", **answer}
    except (URLError, OSError) as error:
        return {"error": f"no answer ({getattr(error, 'reason', error)}); is the worker running, and is it the port of http.port?"}
    except orjson.JSONDecodeError:
        return {"error": "answers no JSON: is it a worker?"}
