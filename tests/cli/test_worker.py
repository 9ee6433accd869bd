"""What a worker refuses before it looks for a broker."""

from __future__ import annotations

import socket
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from processor.cli import worker
from processor.cli.worker import command


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_in_use_is_told_in_one_line(tmp_path: Path, host: str) -> None:
    with socket.create_server((host, 0)) as other:
        port = other.getsockname()[1]
        config = tmp_path / "config.yaml"
        config.write_text(f"http: {{host: {host}, port: {port}}}\n", encoding="utf-8")
        done = CliRunner().invoke(command, ["--config", str(config), "--bootstrap", "127.0.0.1:1"])
    assert done.exit_code == 2
    assert f"cannot serve /metrics at {host}:{port}" in done.stderr
    assert "(Address already in use)" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("http: {host: 192.0.2.1, port: 0}\n", encoding="utf-8")
    done = CliRunner().invoke(command, ["--config", str(config), "--bootstrap", "127.0.0.1:1"])
    assert done.exit_code == 2
    assert "192.0.2.1:0" in done.stderr


@pytest.mark.parametrize("peer", ["worker", "http://worker:9108", "a:1,b:2"])
def test_another_worker_is_named_by_its_address(peer: str) -> None:
    done = CliRunner().invoke(command, ["--peer", "worker:9108", "--peer", peer])
    assert done.exit_code == 2
    assert "write host:port" in done.stderr


def test_processes_side_by_side_know_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def run(commands: list[list[str]], *_: object, **__: object) -> int:
        started.extend(commands)
        return 0

    monkeypatch.setattr(worker, "run", run)
    config = tmp_path / "config.yaml"
    config.write_text("http: {host: 0.0.0.0, port: 29108}\n", encoding="utf-8")
    done = CliRunner().invoke(command, ["--config", str(config), "--processes", "2", "--peer", "other:1"])
    assert done.exit_code == 0, done.output
    peers = [[text for before, text in pairwise(call) if before == "--peer"] for call in started]
    assert peers == [["other:1", "127.0.0.1:29108", "127.0.0.1:29109"]] * 2
