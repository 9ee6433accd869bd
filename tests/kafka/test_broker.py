"""The local broker itself: it keeps its data over a power cut, and says what is missing when it cannot start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaAdminClient

from tests.kafka.broker import LOCAL, Broker


def test_a_killed_broker_comes_back_on_the_same_port_with_its_topics(tmp_path: Path) -> None:
    with Broker(tmp_path / "broker") as broker:
        before = broker.bootstrap
        _admin(broker).create_topics({"kept": {"num_partitions": 2}}, wait_for_metadata=True)
        broker.kill()
        broker.start()
        assert broker.bootstrap == before
        assert "kept" in _admin(broker).list_topics()


def test_a_second_broker_in_the_same_folder_is_refused(broker: Broker) -> None:
    with pytest.raises(RuntimeError, match=r"runs in .* already"):
        Broker(broker.directory).start()


def test_missing_java_is_named_with_the_packages_that_bring_it(tmp_path: Path) -> None:
    call = [sys.executable, str(LOCAL), "start", "--dir", str(tmp_path)]
    done = subprocess.run(call, env={**os.environ, "PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "apt-get install default-jre-headless" in done.stderr


def _admin(broker: Broker) -> KafkaAdminClient:
    return KafkaAdminClient(bootstrap_servers=broker.bootstrap)
