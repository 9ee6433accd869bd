"""Who hears what: Alertmanager's own tool on routes and templates, and a real Alertmanager that is told of alerts, with what arrives."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from processor.alerting import alerts
from processor.config import Config
from tests.deploy.conftest import ROOT, Run, load_yaml
from tests.deploy.receivers import Receivers
from tests.deploy.servers import ALERTMANAGER, Alertmanager, until
from tests.kafka.deployment import free_port

CONFIG = load_yaml(ALERTMANAGER)
TEMPLATES = f"{Path(ALERTMANAGER).parent}/templates/*.tmpl"
SEVERITIES, GROUPS, KINDS = ("critical", "warning", "info"), (None, "billing", "technical"), ("kpi", "processor")
KPI = {"alert_kind": "kpi", "job": "ticket-kpis"}
GROWING = KPI | {"alertname": "SupportBacklogGrowing", "alert_family": "backlog", "group": "technical"}
STALE = {"alertname": "SupportDataStale", "severity": "critical", "alert_kind": "processor", "alert_family": "data", "job": "ticket-kpis"}


def test_amtool_accepts_the_configuration(run: Run) -> None:
    run("amtool", "check-config", ALERTMANAGER)


@pytest.mark.parametrize(("severity", "group", "kind"), list(itertools.product(SEVERITIES, GROUPS, KINDS)))
def test_every_severity_and_group_reaches_whom_it_should(run: Run, severity: str, group: str | None, kind: str) -> None:
    labels = [f"severity={severity}", f"alert_kind={kind}", "alertname=X", *([f"group={group}"] if group else [])]
    people = {"critical": "page", "warning": "day", "info": "nobody"}[severity]
    if group == "billing" and people != "nobody":
        people = f"{people}-billing"
    done = run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels)
    assert done.stdout.strip() == f"topic,{people}"


def test_the_watchdog_goes_to_the_dead_mans_switch_alone(run: Run) -> None:
    done = run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", "severity=info", "alert_kind=watchdog")
    assert done.stdout.strip() == "watchdog"


def test_every_alert_of_ours_goes_somewhere_and_every_receiver_hears_of_something(run: Run) -> None:
    reached: set[str] = set()
    for alert in {(alert.severity, alert.kind): alert for alert in alerts(Config())}.values():
        labels = [f"severity={alert.severity}", f"alert_kind={alert.kind}"]
        reached |= set(run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels).stdout.strip().split(","))
    named = {receiver["name"] for receiver in CONFIG["receivers"]}
    assert reached == {name for name in named if not name.endswith("-billing")}


def test_inhibitions_never_reach_beyond_what_is_equal_nor_the_alert_that_watches_them() -> None:
    for rule in CONFIG["inhibit_rules"]:
        assert "job" in rule["equal"]
        assert rule["target_matchers"] in (['severity = "warning"'], ['alert_kind = "kpi"'])
    watching = next(alert for alert in alerts(Config()) if alert.name == "SupportReplayingTooLong")
    assert (watching.severity, watching.kind) == ("critical", "processor")
    known = {alert.name for alert in alerts(Config())}
    for name in re.findall(r"Support\w+", str(CONFIG["inhibit_rules"])):
        assert name in known


# -- templates ------------------------------------------------------------------------------------------------------------------------


def data(*, status: str = "firing", count: int = 1, **labels: str) -> dict[str, Any]:
    """What Alertmanager gives to a template."""
    common = GROWING | {"severity": "critical"} | labels
    notes = {
        "summary": "More tickets come in than are solved.", "description": 'The backlog of group "R&D <!channel>" grows.',
        "runbook_url": "https://runbook.example.org/#x", "dashboard_url": "https://grafana.example.org/d/backlog-flow?a=1&b=2",
    }  # fmt: skip
    told = [
        {"status": status, "labels": common | {"group": f"g{number}"} if count > 1 else common, "annotations": notes,
         "startsAt": "2026-11-22T14:33:03Z", "endsAt": "2026-11-22T14:50:00Z", "generatorURL": "http://prometheus:9090/graph",
         "fingerprint": f"f{number}"} for number in range(count)
    ]  # fmt: skip
    shared = {name: value for name, value in common.items() if count == 1 or name != "group"}
    return {
        "receiver": "page", "status": status, "alerts": told, "groupLabels": {"job": "ticket-kpis", "alert_family": "backlog"},
        "commonLabels": shared, "commonAnnotations": notes, "externalURL": "http://alertmanager:9093",
    }  # fmt: skip


@pytest.fixture
def render(run: Run, tmp_path: Path) -> Any:
    def call(name: str, values: dict[str, Any], kind: str = "text") -> str:
        file = tmp_path / "data.json"
        file.write_text(json.dumps(values))
        text = f'{{{{ template "{name}" . }}}}'
        options = (f"--template.glob={TEMPLATES}", f"--template.text={text}", f"--template.data={file}", f"--template.type={kind}")
        return run("amtool", "template", "render", *options).stdout

    return call


def named_templates() -> Iterator[str]:
    for path in sorted((ROOT / ALERTMANAGER).parent.glob("templates/*.tmpl")):
        yield from re.findall(r'define "(support\.[\w.]+)"', path.read_text(encoding="utf-8"))


def test_every_template_that_is_used_exists_and_every_one_is_used() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / ALERTMANAGER).parent.rglob("*") if path.suffix in (".yml", ".tmpl")]
    used = {name for text in texts for name in re.findall(r'template "(support\.[\w.]+)"', text)}
    assert used == set(named_templates())


def test_a_message_says_what_where_since_when_and_what_to_do(render: Any) -> None:
    text = render("support.chat.text", data(group="R&D"))
    title = "[CRITICAL] SupportBacklogGrowing, group R&D: More tickets come in than are solved."
    assert render("support.chat.title", data(group="R&D")) == title
    for part in ("since Sun 14:33 UTC", "<https://runbook.example.org/#x|What to do>", "d/backlog-flow?a=1&b=2|Dashboard>"):
        assert part in text
    assert 'The backlog of group "R&amp;D &lt;!channel&gt;" grows.' in text  # nobody can call everybody by the name of a group
    assert "<!" not in render("support.chat.title", data(group="<!channel>"))
    assert render("support.chat.color", data()) == "danger"
    assert render("support.chat.link", data()) == "https://grafana.example.org/d/backlog-flow?a=1&b=2"


def test_many_alerts_of_one_cause_are_one_message_that_counts_them(render: Any) -> None:
    assert render("support.title", data(count=12)) == "[CRITICAL 12] SupportBacklogGrowing: More tickets come in than are solved."
    text = render("support.chat.text", data(count=12))
    assert text.count("*SupportBacklogGrowing*") == 10
    assert "... and more: 12 in all" in text


def test_what_is_over_is_said_to_be_over(render: Any) -> None:
    over = data(status="resolved")
    assert render("support.chat.title", over).startswith("[OVER] SupportBacklogGrowing")
    assert render("support.chat.color", over) == "good"
    assert "over since 14:50 UTC" in render("support.chat.text", over)
    assert "is over" in render("support.email.text", over)


def test_a_mail_is_html_in_which_labels_are_text(render: Any) -> None:
    html = render("support.email.html", data(group="<b>R&D</b>"), "html")
    assert "<b>" not in html
    assert 'href="https://grafana.example.org/d/backlog-flow?a=1&amp;b=2"' in html
    assert "What to do" in html
    assert render("support.email.subject", data()).startswith("[CRITICAL] SupportBacklogGrowing, group technical")


def test_who_wakes_people_gets_severity_links_and_each_alert(render: Any) -> None:
    assert render("support.webhook.severity", data()) == "critical"
    assert render("support.webhook.runbook", data()) == "https://runbook.example.org/#x"
    told = render("support.webhook.alerts", data(count=3))
    assert told.count("firing since 2026-11-22 14:33:03 UTC: SupportBacklogGrowing, group g") == 3


# -- a real Alertmanager ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def receivers() -> Iterator[Receivers]:
    with Receivers() as running:
        yield running


def test_one_page_for_one_cause_warnings_rest_beside_it_and_every_group_for_itself(receivers: Receivers, tmp_path: Path) -> None:
    """All that inhibition may and must not do, in one run: what is silenced is known to be, and everything else has arrived."""
    with Alertmanager(tmp_path, free_port(), receivers, time_scale=30) as server:
        critical, warning = GROWING | {"severity": "critical"}, GROWING | {"severity": "warning"}
        elsewhere = warning | {"group": "billing"}
        replaying_too_long = STALE | {"alertname": "SupportReplayingTooLong", "alert_family": "replaying"}
        other_job = elsewhere | {"job": "other", "group": "onboarding"}
        notes = {"summary": "More tickets come in than are solved.", "description": "It grows."}
        server.post(critical, notes=notes)
        until("it is known", lambda: receivers.told("/topic"))  # the topic waits for nothing that may yet silence an alert
        server.post(warning, elsewhere, notes=notes)
        until("the page and the other group's warning have arrived", lambda: receivers.at("/pager") and len(receivers.at("/chat")) == 2)
        (page,) = receivers.at("/pager")
        assert page["payload"]["severity"] == "critical"
        assert page["payload"]["summary"] == "[CRITICAL] SupportBacklogGrowing, group technical: More tickets come in than are solved."
        assert page["payload"]["custom_details"]["alerts"].startswith("firing since")
        chats = {chat["channel"]: chat["attachments"][0] for chat in receivers.at("/chat")}
        assert chats["#support-alerts"]["color"] == "danger"
        assert chats["#billing-alerts"]["color"] == "warning"
        (mail,) = until("the mail has arrived", lambda: receivers.mails)
        assert (mail["To"], mail["Subject"]) == (
            "billing-leads@example.org", "[WARNING] SupportBacklogGrowing, group billing: More tickets come in than are solved.",
        )  # fmt: skip
        assert sorted(receivers.told("/topic")) == [("SupportBacklogGrowing", "firing")] * 2  # what is silenced is not in the topic either
        # Now the numbers are old: KPI alerts of this job rest, those of another job do not, nor does the alert that watches the flag.
        server.post(STALE, replaying_too_long, notes=notes)
        until("both pages have arrived", lambda: len(receivers.at("/pager")) == 3)
        abandoned = KPI | {"alertname": "SupportAbandonmentHigh", "severity": "critical", "alert_family": "abandonment"}
        server.post(abandoned, other_job, notes=notes)
        until("the other job's warning has arrived", lambda: len(receivers.mails) == 2)
        assert receivers.mails[-1]["To"] == "support-leads@example.org"
        assert server.states() == {
            "SupportBacklogGrowing technical": "suppressed", "SupportBacklogGrowing billing": "suppressed", "SupportDataStale": "active",
            "SupportReplayingTooLong": "active", "SupportAbandonmentHigh": "suppressed", "SupportBacklogGrowing onboarding": "active",
        }  # fmt: skip
        assert len(receivers.at("/pager")) == 3
        server.post(critical, STALE, over=True, notes=notes)
        until("the end is told", lambda: "resolve" in [page["event_action"] for page in receivers.at("/pager")])
        assert ("SupportDataStale", "resolved") in until("and written", lambda: [t for t in receivers.told("/topic") if t[1] == "resolved"])


def test_what_the_topic_did_not_take_is_sent_again_and_the_watchdog_keeps_coming(receivers: Receivers, tmp_path: Path) -> None:
    with Alertmanager(tmp_path, free_port(), receivers, time_scale=100) as server:
        receivers.failing.add("/topic")
        watchdog = {"alertname": "SupportWatchdog", "severity": "info", "alert_kind": "watchdog", "alert_family": "watchdog", "job": "x"}
        server.post(GROWING | {"severity": "warning"}, watchdog, notes={"summary": "x", "description": "y"})
        until("a mail has arrived", lambda: receivers.mails)
        assert receivers.told("/topic") == []
        receivers.failing.clear()
        until("the topic has it", lambda: receivers.told("/topic") == [("SupportBacklogGrowing", "firing")])
        until("the watchdog has come several times", lambda: len(receivers.at("/watchdog")) >= 3)
        assert set(receivers.told("/watchdog")) == {("SupportWatchdog", "firing")}
        assert receivers.at("/pager") == []
