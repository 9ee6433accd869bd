"""Samples of the workers: our own, and those of the others, who own the other partitions.

Each worker tells its own as JSON under /wall/own: of which partitions, and the samples of the families that the boards read. Where the
others are is configured (`http.peers`); a name that stands for several addresses, such as that of a headless service, stands for all of
them. Who does not answer in time is left out, and named on the page.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from processor.addresses import hosts_behind
from processor.boards.board import Board
from processor.boards.readings import Series
from processor.core.outputs import View
from processor.export.catalogue import BY_NAME
from processor.export.family import PARTITION, Family
from processor.export.labels import LabelSet
from processor.export.measures import tables_of
from processor.export.telemetry import Telemetry
from processor.wall.numbers import ALWAYS, FROM_WINDOWS, TIMER, Sample

ASK_SECONDS = 2.0
ANSWER_BYTES_MAX = 4 * 1024 * 1024
PEERS_MAX = 64  # addresses that are asked

Json = dict[str, Any]


class Watched(Protocol):
    """Whose numbers are told: a worker, or a demonstration."""

    def health(self) -> tuple[list[View], Telemetry | None]:
        """The owned partitions, and what the recorder knows at this instant."""

    def ready(self) -> tuple[bool, list[str]]:
        """Whether everything that is owned is being processed, and what is wrong."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What all workers that answer say together. `silent` are the addresses that do not; `troubles` what the others are in."""

    samples: Mapping[str, tuple[Sample, ...]]
    covered: frozenset[int]
    workers: int
    silent: tuple[str, ...]
    troubles: tuple[str, ...]


def families_of(boards: Iterable[Board]) -> tuple[Family, ...]:
    """What the boards read of workers, and what the page needs anyway."""
    read = (tile.reading.family for board in boards for tile in board.tiles if isinstance(tile.reading, Series))
    return tuple(BY_NAME[name] for name in dict.fromkeys((*ALWAYS, *read)) if name not in FROM_WINDOWS)


async def own(name: str, watched: Watched, families: Sequence[Family]) -> Json:
    """What the worker of this name tells. Adding up takes a thread: a worker may have many label sets."""
    views, telemetry = watched.health()
    ready, reasons = watched.ready()
    return await asyncio.to_thread(_told, name, views, telemetry, families, [] if ready else reasons)


def _told(name: str, views: Sequence[View], telemetry: Telemetry | None, families: Sequence[Family], troubles: list[str]) -> Json:
    """Numbers are text, since JSON knows no infinity."""
    tables = tables_of(families, views, telemetry)
    samples = {table.family.name: [_sample(table.family, *each) for each in table.numbers] for table in tables}
    return {"worker": name, "partitions": [view.partition for view in views], "samples": samples, "troubles": troubles}


def _sample(family: Family, labels: LabelSet, value: float) -> list[Any]:
    return [dict(zip(family.label_names, labels, strict=True)), repr(float(value))]


async def gather(mine: Json, peers: Sequence[str], session: ClientSession) -> Gathered:
    """Our own, and what the others answer."""
    addresses = (await _addresses(peers))[:PEERS_MAX]
    answers = await asyncio.gather(*(_ask(session, address) for address in addresses))
    silent = tuple(address for address, answer in zip(addresses, answers, strict=True) if answer is None)
    return together([mine, *(answer for answer in answers if answer is not None)], silent)


def together(answers: Sequence[Json], silent: tuple[str, ...] = ()) -> Gathered:
    """Each worker once, under whatever addresses it is known, and each partition: while it moves, two tell of it; who is further counts."""
    answers = list({answer["worker"]: answer for answer in answers}.values())
    owners: dict[int, tuple[float, int]] = {}
    for number, answer in enumerate(answers):
        times = {labels.get(PARTITION): float(value) for labels, value in answer["samples"].get(TIMER, [])}
        for partition in answer["partitions"]:
            owners[partition] = max(owners.get(partition, (-1.0, -1)), (times.get(str(partition), 0.0), number))
    samples: dict[str, list[Sample]] = {}
    for number, answer in enumerate(answers):
        for family, told in answer["samples"].items():
            samples.setdefault(family, []).extend(
                Sample(labels, float(value)) for labels, value in told
                if PARTITION not in labels or owners.get(int(labels[PARTITION]), (0.0, number))[1] == number
            )  # fmt: skip
    troubles = dict.fromkeys(trouble for answer in answers for trouble in answer["troubles"])
    return Gathered({family: tuple(each) for family, each in samples.items()}, frozenset(owners), len(answers), silent, tuple(troubles))


async def _ask(session: ClientSession, address: str) -> Json | None:
    """What a worker tells; None where it does not answer as one."""
    try:
        async with session.get(f"http://{address}/wall/own", timeout=ClientTimeout(total=ASK_SECONDS)) as response:
            body = await response.content.read(ANSWER_BYTES_MAX)
            return _checked(orjson.loads(body)) if response.status == 200 else None
    except (ClientError, OSError, TimeoutError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _checked(answer: Any) -> Json:
    """Raises where it has another form."""
    told = {
        "worker": str(answer["worker"]),
        "partitions": [int(partition) for partition in answer["partitions"]],
        "samples": dict(answer["samples"]),
        "troubles": [str(trouble) for trouble in answer["troubles"]],
    }
    together([told])
    return told


async def _addresses(peers: Sequence[str]) -> list[str]:
    """host:port of each, names resolved; one that does not resolve stays as it is, and will be silent."""
    found: dict[str, None] = {}
    for peer in peers:
        host, _, port = peer.rpartition(":")
        try:
            hosts = [f"[{each}]" if ":" in each else each for each in await hosts_behind(host.strip("[]"), int(port))]
        except OSError:
            hosts = []
        found.update(dict.fromkeys(f"{each}:{port}" for each in hosts or [host]))
    return list(found)
