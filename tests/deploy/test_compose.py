"""docker-compose.yml as far as it can be checked without an engine: it parses, and every file and option that it names is there."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest
import yaml

from processor.alerting.durations import milliseconds
from processor.cli.alerts import PORT
from processor.config import load
from processor.config.service import Http
from tests.deploy.conftest import ROOT, Run, load_yaml, rules


@pytest.fixture
def compose() -> dict[str, Any]:
    return dict(load_yaml("docker-compose.yml"))


def test_docker_compose_accepts_it(run: Run) -> None:
    arguments = ("-f", "docker-compose.yml", "config")
    done = run("docker-compose", *arguments) if shutil.which("docker-compose") else run("docker", "compose", *arguments)
    assert set(yaml.safe_load(done.stdout)["services"]) == {"kafka", "topics", "worker", "prometheus", "alertmanager", "alerts", "grafana"}


def test_every_mounted_file_is_in_the_repository(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for volume in service.get("volumes", []):
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (ROOT / source).exists(), f"{name}: {source}"


def test_the_image_is_built_from_files_that_are_there(compose: dict[str, Any]) -> None:
    dockerfile = (ROOT / compose["services"]["topics"]["build"]["dockerfile"]).read_text(encoding="utf-8")
    copied = [line.split()[1:-1] for line in dockerfile.splitlines() if line.startswith("COPY") and "--from" not in line]
    for path in [path for paths in copied for path in paths]:
        assert (ROOT / path).exists(), path


def test_the_worker_is_scraped_where_it_listens_and_finds_the_broker(compose: dict[str, Any]) -> None:
    config = load(ROOT / "deploy/config.compose.yaml")
    port = Http().port
    assert config.kafka.bootstrap_servers == ["kafka:9092"]
    assert compose["services"]["worker"]["expose"] == [str(port)]
    assert compose["services"]["worker"]["ports"] == [f"127.0.0.1:{port}-{port + 9}:{port}"]
    assert config.http.peers == [f"worker:{port}"]  # all that --scale makes of it
    scraped = load_yaml("deploy/prometheus/prometheus.yml")["scrape_configs"][0]["dns_sd_configs"][0]
    assert (scraped["names"], scraped["port"]) == (["worker"], port)


def test_alerts_are_received_where_alertmanager_sends_them(compose: dict[str, Any]) -> None:
    (topic,) = (each for each in load_yaml("deploy/alertmanager/alertmanager.yml")["receivers"] if each["name"] == "topic")
    assert topic["webhook_configs"][0]["url"] == f"http://alerts:{PORT}/alerts"
    assert compose["services"]["alerts"]["expose"] == [str(PORT)]
    assert compose["services"]["alertmanager"]["volumes"] == ["./deploy/alertmanager:/etc/alertmanager:ro"]
    scraped = [each for each in load_yaml("deploy/prometheus/prometheus.yml")["scrape_configs"] if each["job_name"] == "ticket-kpis-alerts"]
    assert scraped[0]["static_configs"][0]["targets"] == [f"alerts:{PORT}"]


def test_the_broker_is_of_the_version_that_the_tests_run_on(compose: dict[str, Any]) -> None:
    version = compose["services"]["kafka"]["image"].rpartition(":")[2]
    assert f"<kafka.version>{version}</kafka.version>" in (ROOT / "deploy/kafka/pom.xml").read_text(encoding="utf-8")


def test_every_yaml_file_of_deploy_can_be_read() -> None:
    files = [path for pattern in ("*.yml", "*.yaml") for path in sorted((ROOT / "deploy").rglob(pattern))]
    assert files
    for path in files:
        assert yaml.safe_load(path.read_text(encoding="utf-8")), path


def test_prometheus_keeps_the_weeks_that_alerts_compare_with(compose: dict[str, Any]) -> None:
    kept = next(each for each in compose["services"]["prometheus"]["command"] if "retention" in each).partition("=")[2]
    longest = max(milliseconds(found) for rule in rules("record") for found in re.findall(r"offset (\w+)", rule["expr"]))
    assert milliseconds(kept) > longest + milliseconds("1d")
