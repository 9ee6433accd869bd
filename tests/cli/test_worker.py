"""What a worker refuses before it looks for a broker."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

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
