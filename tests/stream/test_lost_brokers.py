"""A broker that went away: what is asked fails as an error of Kafka, which is waited out."""

from __future__ import annotations

import asyncio

import pytest
import uvloop
from aiokafka.client import AIOKafkaClient, CoordinationType
from aiokafka.conn import AIOKafkaConnection
from aiokafka.errors import CoordinatorNotAvailableError, KafkaConnectionError
from aiokafka.protocol.admin import ApiVersionRequest

from processor.stream.lost_brokers import outlive_lost_brokers


async def _ended_connection() -> AIOKafkaConnection:
    """Connected to somebody, and closed; aiokafka has not heard of it yet."""
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    connection = AIOKafkaConnection(host, port)
    connection._reader, connection._writer = await asyncio.open_connection(host, port)
    connection._read_task = asyncio.get_running_loop().create_future()  # it would hear of the end in the next turn of the loop
    connection._writer.transport.abort()
    await connection._writer.wait_closed()
    server.close()
    return connection


def test_a_request_on_a_connection_that_just_ended_is_a_broken_connection() -> None:
    async def ask() -> None:
        connection = await _ended_connection()
        with pytest.raises(KafkaConnectionError, match="broken"):
            connection.send(ApiVersionRequest())
        assert not connection.connected()

    outlive_lost_brokers()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask())


async def test_where_no_broker_is_known_the_coordinator_is_asked_for_again() -> None:
    outlive_lost_brokers()
    client = AIOKafkaClient(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(CoordinatorNotAvailableError) as refused:
        await client.coordinator_lookup(CoordinationType.GROUP, "group")
    assert refused.value.retriable
