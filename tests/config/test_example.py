"""The example file names every key with its default; the samples in it, and the demonstration's file, are valid."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from processor.compile import compile_settings
from processor.config import Config, load, loads
from processor.config.calendars import WEEKDAYS, CalendarChange, CalendarConfig
from processor.config.example import SAMPLES, render_example
from processor.config.policies import Match, Pauses, PolicyConfig, Targets
from processor.config.promises import TargetConfig
from processor.config.values import Section

DEPLOY = Path(__file__).parents[2] / "deploy"
EXAMPLE = DEPLOY / "config.example.yaml"


def all_keys(section: Section, path: str = "") -> set[str]:
    found = set()
    for name in type(section).model_fields:
        value = getattr(section, name)
        found.add(path + name)
        if isinstance(value, Section):
            found |= all_keys(value, f"{path}{name}.")
        elif isinstance(value, dict):
            found |= {f"{path}{name}.{key}" for key in value}
    return found


def keys_of(document: object, path: str = "") -> set[str]:
    if not isinstance(document, dict):
        return set()
    return {path + name for name in document} | {key for name, inner in document.items() for key in keys_of(inner, f"{path}{name}.")}


def test_the_example_is_what_the_models_say() -> None:
    wanted = render_example()
    assert EXAMPLE.read_text(encoding="utf-8").rstrip("\n") == wanted.rstrip("\n"), (
        "run: ticket-kpis check --example > deploy/config.example.yaml"
    )


def test_the_example_equals_the_defaults_and_names_every_key() -> None:
    assert load(EXAMPLE) == Config()
    assert keys_of(yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))) == all_keys(Config())


def test_the_samples_are_valid_and_name_every_key() -> None:
    text = "".join(f"{name}:\n" + "".join(f"  {line[2:]}\n" for line in lines.splitlines()) for name, lines in SAMPLES.items())
    config = loads(text.encode(), "samples")
    assert [(policy.id, policy.version) for policy in compile_settings(config).policies] == [("gold", 2), ("gold", 1), ("hotline", 1)]
    for model in (CalendarConfig, CalendarChange, PolicyConfig, TargetConfig):
        for key in model.model_fields:
            assert f"{key}:" in text


@pytest.mark.parametrize("model", [CalendarConfig, CalendarChange, PolicyConfig, Match, Targets, TargetConfig, Pauses])
def test_every_key_is_described(model: type[Section]) -> None:
    assert all(field.description for field in model.model_fields.values())


def test_every_default_is_described() -> None:
    pending: list[Section] = [Config()]
    while pending:
        section = pending.pop()
        for name, field in type(section).model_fields.items():
            assert field.description, f"{type(section).__name__}.{name}"
            assert field.description.endswith(".")
            if isinstance(inner := getattr(section, name), Section):
                pending.append(inner)


def test_the_demonstration_is_valid_and_uses_what_there_is() -> None:
    config = load(DEPLOY / "config.demo.yaml")
    settings = compile_settings(config)
    assert config.worker.clock == "log"
    assert {policy.calendar for policy in settings.policies} == {None, *config.calendars}
    assert {clock for policy in settings.policies for clock in policy.targets} == {"first_response", "resolution", "queue_wait"}
    assert all(getattr(config.calendars["office"].hours, day) for day in WEEKDAYS[:5])
