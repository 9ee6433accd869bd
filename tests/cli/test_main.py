"""The command itself: quick to list, and whole even where one part is missing."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES

import click
import pytest
from click.testing import CliRunner

from processor import __version__
from processor.cli.main import COMMANDS, main
from processor.core import engine
from processor.flavour import COMPILED, PURE


def test_help_lists_every_command() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert all(f"  {name} " in result.output for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage:" in result.output


def test_of_a_command_that_there_is_not_the_nearest_is_named() -> None:
    assert "No such command 'explian'. Did you mean explain?" in CliRunner().invoke(main, ["explian"]).stderr


def test_wrong_usage_ends_with_two() -> None:
    assert CliRunner().invoke(main, ["nonsense"]).exit_code == 2
    assert CliRunner().invoke(main, ["replay", "--nonsense"]).exit_code == 2


@pytest.mark.parametrize("servers", ["localhost", "localhost:9092,", "", "localhost:99999"])
@pytest.mark.parametrize("call", [["worker"], ["topics", "verify"], ["send", "-"], ["capture"]], ids=" ".join)
def test_a_broker_that_is_no_address_is_wrong_usage(call: list[str], servers: str) -> None:
    result = CliRunner().invoke(main, [*call, "--bootstrap", servers])
    assert result.exit_code == 2
    assert "'--bootstrap': write host:port" in result.stderr


def test_the_version_is_that_of_the_package() -> None:
    """… and says in which form the engine runs: as it was imported."""
    form = COMPILED if engine.__file__.endswith(tuple(EXTENSION_SUFFIXES)) else PURE
    assert CliRunner().invoke(main, ["--version"]).output == f"ticket-kpis, version {__version__}, {form}\n"


def test_help_imports_none_of_the_commands() -> None:
    script = (
        "import sys; from click.testing import CliRunner; from processor.cli.main import main; CliRunner().invoke(main, ['--help']);"
        "sys.exit(','.join(name for name in sys.modules if name.startswith(('faust', 'aiokafka', 'processor.stream', 'processor.core'))))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.strip() == ""


def test_commands_are_found_one_by_one() -> None:
    assert isinstance(main.get_command(click.Context(main), "replay"), click.Command)
    assert main.get_command(click.Context(main), "nonsense") is None
