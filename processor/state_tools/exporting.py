"""`ticket-kpis state export`: what lies in the state topic, and what was not read of the re-keyed one, into a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from processor.config import Config
from processor.state_tools.broker import Progress, ToolError, bounds, pending_of, reading, size_of, stored_partitions
from processor.state_tools.file import ExportWriter
from processor.stream.state_topic import unheard


async def export_state(
    config: Config, path: Path, about: dict[str, Any], *, live: bool, begin: Progress = unheard, progress: Progress = unheard
) -> dict[str, Any]:
    """Write the file; returns its header. `begin` hears how many offsets there are, `progress` how many records were read since.

    With `live` workers may run: each partition is as of one committed marker, which need not be the last one. Raises ToolError.
    """
    topics = config.topics
    described = {
        "application_id": config.application_id,
        "partitions": topics.partitions,
        "events_topic": topics.events,
        "rekeyed_topic": topics.rekeyed,
        "live": live,
        **about,
    }
    async with reading(config) as consumer:
        begin(size_of(await bounds(config, consumer, topics.state)))
        markers: list[dict[str, Any]] = []
        try:
            with ExportWriter(path, described) as writer:
                async for partition in stored_partitions(config, live=live, progress=progress):
                    writer.add(partition)
                    markers.append(partition.marker)
                ends = await bounds(config, consumer, topics.rekeyed)
                for number, (marker, (first, end)) in enumerate(zip(markers, ends, strict=True)):
                    writer.add_pending(number, await pending_of(consumer, topics.rekeyed, number, marker, first, end))
                return writer.finish()
        except OSError as error:
            raise ToolError(f"{error.filename or path}: {error.strerror}") from error
