"""What `ticket-kpis alerts` refuses before it listens."""

from __future__ import annotations

import socket

import pytest
from click.testing import CliRunner

from processor.cli.alerts import command


@pytest.mark.parametrize("url", ["worker:9108", "ftp://worker", ""])
def test_an_address_of_a_worker_that_is_none_is_told(url: str) -> None:
    done = CliRunner().invoke(command, ["--worker", url])
    assert done.exit_code == 2
    assert "write an address such as http://worker:9108" in done.stderr


def test_a_port_in_use_is_told_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = CliRunner().invoke(command, ["--host", "127.0.0.1", "--port", str(port), "--bootstrap", "127.0.0.1:1"])
    assert done.exit_code == 2
    assert f"cannot listen at 127.0.0.1:{port}" in done.stderr
    assert "--port" in done.stderr
