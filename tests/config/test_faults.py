"""A wrong configuration is refused whole: every fault at once, with its path and what to write instead; secrets never appear."""

from __future__ import annotations

from pathlib import Path

import pytest

from processor.config import ConfigError, load, loads
from processor.config.service import PASSWORD_VARIABLE

OFFICE = """
calendars:
  office: {zone: Europe/Berlin, hours: {mon: "08:00-12:00"}}
"""
CHANGES = "calendars: {a: {zone: UTC, hours: {mon: 08:00-12:00}, changes: "


def faults_of(text: str) -> dict[str, str]:
    with pytest.raises(ConfigError) as raised:
        loads(text.encode(), "tried.yaml")
    return {fault.path: fault.message for fault in raised.value.faults}


def test_all_faults_of_all_stages_come_at_once() -> None:
    found = faults_of("""
aplication_id: x
kafka: {bootstrap_servers: []}
worker: {clock: dead}
time: {timer_delay: 5}
segments: {group_bys: [[channel], [chanel]], known: {channel: [phon]}}
reporting_zone: Europe/Berlini
calendars:
  de: {zone: Europe/Berlin, country: XX, hours: {mon: ["08:00-12:00", "11:00-17:00"], tue: "22:00-06:00", mo: x}}
  empty: {zone: UTC, hours: {}}
policies:
  - {id: a, calendar: dee, effective_from: 2026-01-01T00:00:00, targets: {first_response: 8}}
  - {id: b, match: {priority: high}, targets: {queue_wait: {target: 3x}}}
  - {id: c, match: {priority: high}, targets: {queue_wait: 20s}}
  - {id: c, targets: {resolution: {target: 8h, hours: business}}}
worker: {clock: live}
""")
    assert set(found) == {
        "line 16",  # worker stands there twice
        "aplication_id",
        "kafka.bootstrap_servers",
        "time.timer_delay",
        "segments.group_bys[1][0]",
        "segments.known.channel[0]",
        "reporting_zone",
        "calendars.de.country",
        "calendars.de.hours.mon",
        "calendars.de.hours.tue",
        "calendars.de.hours.mo",
        "calendars.empty.hours",
        "policies[0].effective_from",
        "policies[0].targets.first_response",
        "policies[0].calendar",
        "policies[1].targets.queue_wait.target",
        "policies[2].targets.queue_wait",
        "policies[3].effective_from",
        "policies[3].targets.resolution",
    }


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("aplication_id: x", "aplication_id", "did you mean 'application_id'?"),
        ("worker: {clok: log}", "worker.clok", "did you mean 'clock'?"),
        ("kafka: {password: x}", "kafka.password", "elsewhere there is kafka.security.password_file"),
        ("lateness_hours: 24", "lateness_hours", "elsewhere there is time.allowed_lateness and surveys.lateness"),
        ("targets: {}", "targets", "elsewhere there is kpis.targets and policies.targets"),
        ("abandonment: {phone: 5s}", "abandonment.phone", "elsewhere there is abandonment.short.phone"),
        ("segments: {group_bys: [[channel]]}", "segments.group_bys", "the total, [], is missing"),
        ('alerts: {backlog: {growth_share: "10%"}}', "alerts.backlog.growth_share", "write 0.1 for 10 %"),
        ("time: {timer_delay: 0.5h}", "time.timer_delay", 'write "30m"'),
        ("time: {timer_delay: 4 hours}", "time.timer_delay", 'write "4h"'),
        ("time: {timer_delay: 5}", "time.timer_delay", 'write "5s"'),
        ("time: {timer_delay: 1h30}", "time.timer_delay", "1h30m"),
        ("time: {allowed_lateness: 0s}", "time.allowed_lateness", "longer than zero"),
        ("time: {final_after: 100d}", "time.final_after", "longer than reopen_horizon"),
        ("time: {clock_skew: 999999999d}", "time.clock_skew", "at most"),
        ("reporting_zone: Mars/Olympus", "reporting_zone", "unknown IANA time zone"),
        ("reporting_zone: ../../etc/passwd", "reporting_zone", "unknown IANA time zone"),
        ("topics: {facts: support.events.v1}", "topics.facts", "already the topic of events"),
        ("kafka: {bootstrap_servers: [localhost]}", "kafka.bootstrap_servers[0]", "host:port"),
        ("kafka: {bootstrap_servers: ['localhost:65536']}", "kafka.bootstrap_servers[0]", "host:port"),
        ("http: {peers: ['http://worker:9108']}", "http.peers[0]", 'not a worker: write "host:port"'),
        ("worker: {step_ms_max: 9000}", "worker.step_ms_max", "half of transaction_timeout_seconds"),
        ("worker: {event_type_prefix: com.example}", "worker.event_type_prefix", 'end in a dot: "com.example."'),
        ("segments: {group_bys: [[channel]], windows: [[channel]]}", "segments.group_bys", "the total, [], is missing"),
        ("segments: {windows: [[tier, topic]]}", "segments.windows[0]", "not in group_bys"),
        ("segments: {group_bys: [[], [channel, group], [group, channel]], windows: [[]]}", "segments.group_bys[2]", "twice"),
        ("segments: {group_bys: [[], [queue, group]], windows: [[]]}", "segments.group_bys[1]", "contacts have no group"),
        ("segments: {known: {group: [a, b, a]}}", "segments.known.group", "'a' stands there twice"),
        ("segments: {known: {priority: [asap]}}", "segments.known.priority[0]", "low, none, normal, urgent"),
        ("kafka: {security: {protocol: SASL_SSL, username: u, sasl_mechanism: PLAIN}}", "kafka.security.password_file", PASSWORD_VARIABLE),
        ("kafka: {security: {ssl_ca_file: /nowhere/ca.pem, protocol: SSL}}", "kafka.security.ssl_ca_file", "cannot read"),
        ("calendars: {a: {hours: {mon: 08:00-12:00}}}", "calendars.a.zone", "is required"),
        ("calendars: {a: {zone: UTC, hours: {mon: 8-12}}}", "calendars.a.hours.mon", '"08:00-12:00"'),
        ("calendars: {a: {zone: UTC, hours: {mon: 08:00-24:01}}}", "calendars.a.hours.mon", "00:00 to 24:00"),
        ("calendars: {a: {zone: UTC, hours: {mon: 08:00-08:00}}}", "calendars.a.hours.mon", "00:00-24:00"),
        ("calendars: {a: {zone: UTC, hours: {mon: 22:00-06:00}}}", "calendars.a.hours.mon", '"22:00-24:00" here and "00:00-06:00"'),
        ("calendars: {a: {zone: UTC, hours: {mon: 08:00-12:00}, holidays: [12-25]}}", "calendars.a.holidays[0]", "2026-12-24"),
        ("calendars: {a: {zone: UTC, hours: {mon: 08:00-12:00}, holidays_every_year: 02-30}}", "calendars.a.holidays_every_year", "list"),
        ("calendars: {a: {zone: UTC, hours: {mon: 08:00-12:00}, holidays_every_year: [02-30]}}", "calendars.a.holidays_every_year[0]", "-25"),  # noqa: E501
        ("calendars: {a: {zone: UTC, hours: {mon: 08:00-12:00}, country: DE, subdivision: XX}}", "calendars.a.subdivision", "BY"),
        ("calendars: {a: {zone: UTC, hours: {mon: 08:00-12:00}, subdivision: BY}}", "calendars.a.subdivision", "no country"),
        (CHANGES + "[{hours: {mon: 09:00-12:00}}]}}", "calendars.a.changes[0].effective_from", "is required"),
        (CHANGES + "[{effective_from: 2027-01-01}]}}", "calendars.a.changes[0]", "changes nothing"),
        (CHANGES + "[{effective_from: 2027-01-01, hours: {}}]}}", "calendars.a.changes[0].hours", "never open"),
        (CHANGES + "[{effective_from: 2027-01-01, hurs: {}}]}}", "calendars.a.changes[0].hurs", "did you mean 'hours'?"),
        (CHANGES + "[{effective_from: 2027-01-01, zone: Berlin}]}}", "calendars.a.changes[0].zone", "unknown IANA time zone"),
        (CHANGES + "[{effective_from: 2027-01-01, subdivision: BY}]}}", "calendars.a.changes[0].subdivision", "has no country"),
        (CHANGES + "[{effective_from: 2027-01-01T08:00:00, zone: UTC}]}}", "calendars.a.changes[0].effective_from", "has no zone"),
        (
            CHANGES + "[{effective_from: 2027-01-01, zone: UTC}, {effective_from: 2027-01-01T00:00:00Z, holidays: []}]}}",
            "calendars.a.changes[1].effective_from",
            "begins when changes[0], which is from 2027-01-01: put both into one change",
        ),
        (
            CHANGES + "[{effective_from: 2027-01-01, holidays: []}, {effective_from: 2026-07-01, holidays: []}]}}",
            "calendars.a.changes[1].effective_from",
            "begins before changes[0], which is from 2027-01-01: write changes in order",
        ),
        ("policies: [{id: a, calendar: ofice, targets: {}}]" + OFFICE, "policies[0].calendar", "did you mean 'office'?"),
        ("policies: [{id: a, targets: {first_respons: 8h}}]", "policies[0].targets.first_respons", "did you mean 'first_response'?"),
        ("policies: [{id: a, targets: {first_response: 8h}, match: {channel: fax}}]", "policies[0].match.channel", "unknown channel 'fax'"),
        ("policies: [{id: a, targets: {first_response: 8h}, match: {tier: 2}}]", "policies[0].match.tier", "list"),
        ("policies: [{id: a, targets: {first_response: 8h}, match: {tier: [2]}}]", "policies[0].match.tier[0]", "put it in quotes"),
        ("kafka: {bootstrap_servers: localhost:9092}", "kafka.bootstrap_servers", "must be a list"),
        ("topics: yes", "topics", "must have keys"),
        ("calendars: {a: office}", "calendars.a", "must have keys"),
        ("policies: [{id: a, targets: {first_response: 8h}, match: {queue: x}}]", "policies[0].targets.first_response", "have no queue"),
        ("policies: [{id: a, targets: {first_response: 3d}, calendar: office}]" + OFFICE, "policies[0].targets.first_response", '"72h"'),
        ("policies: [{id: a, targets: {}, pauses: {resolution: [solved]}}]", "policies[0].pauses.resolution[0]", "on_hold"),
        ("policies: [{id: a, effective_from: 2026-01-01 08:00, targets: {}}]", "policies[0].effective_from", "has no zone"),
        ("policies: [{id: a, effective_from: 20260101, targets: {}}]", "policies[0].effective_from", "2026-12-24"),
        ("policies: [{id: a, effective_from: 2205-01-01, targets: {}}]", "policies[0].effective_from", "1990 to 2049"),
        (
            "policies: [{id: a, effective_from: 2026-01-01, targets: {}}, {id: a, effective_from: 2026-01-01T00:00:00Z, targets: {}}]",
            "policies[1].effective_from",
            "policies[0] is already 'a' from 2026-01-01",
        ),
        ("abandonment: {short: {fone: 5s}}", "abandonment.short.fone", "did you mean 'phone'?"),
        ("surveys: {edit_window: 30d, nps_window: 7d}", "surveys.edit_window", "longer than nps_window, 7d"),
        ("surveys: {edit_window: 90d}\ntime: {reopen_horizon: 30d}", "surveys.edit_window", "longer than time.reopen_horizon, 30d"),
        ("surveys: {satisfied_from: [{scale: [5, 1], score: 4}]}", "surveys.satisfied_from[0].scale", "the lowest score first"),
        ("surveys: {satisfied_from: [{scale: [1, 5], score: 6}]}", "surveys.satisfied_from[0].score", "not on the scale from 1 to 5"),
        ("surveys: {satisfied_from: [{survey: nps, scale: [0, 10], score: 9}]}", "surveys.satisfied_from[0].survey", "csat alone"),
        ("surveys: {satisfied_from: [{survey: csatt, scale: [1, 5], score: 4}]}", "surveys.satisfied_from[0].survey", "mean 'csat'?"),
        ("surveys: {satisfied_from: [{scale: [1], score: 4}]}", "surveys.satisfied_from[0].scale", "at least 2 items"),
        (
            "surveys: {satisfied_from: [{scale: [1, 5], score: 4}, {scale: [1.0, 5], score: 3}]}",
            "surveys.satisfied_from[1]",
            "this scale stands there twice",
        ),
        ("first_contact: {repeat_window: 91d}", "first_contact.repeat_window", "longer than time.reopen_horizon, 90d"),
        ("first_contact: {excluded_topics: [outage, outage]}", "first_contact.excluded_topics", "'outage' stands there twice"),
        ("solving: {benign_reopen_window: 91d}", "solving.benign_reopen_window", "longer than time.reopen_horizon, 90d"),
        ("solving: {auto_close_reasons: [a, a]}", "solving.auto_close_reasons", "'a' stands there twice"),
        ("solving: {auto_close_reasons: [], auto_close_at_last_reply: true}", "solving.auto_close_at_last_reply", "there is none"),
        ("abandonment: {silent_channels: [fax]}", "abandonment.silent_channels[0]", "unknown channel 'fax'"),
        ("- a list", "", "mapping of sections"),
        ("a: [b", "line 1, column 6", "not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a:\n\tb: 1", "line 2, column 1", r"not valid YAML: found character '\t' that cannot start any token"),
        ("worker: {clock: log}\nhttp: {}\nworker: {}", "line 3", "stands here and in line 1"),
        ("1: x", "1", "Keys should be strings"),
    ],
)  # fmt: skip
def test_a_fault_says_where_it_is_and_what_to_write(text: str, path: str, says: str) -> None:
    found = faults_of(text)
    assert list(found) == [path]
    assert says in found[path]


@pytest.mark.parametrize("content", [b"", b"{}", b"# nothing\n", b"\xef\xbb\xbfapplication_id: ticket-kpis"])
def test_an_empty_file_is_the_default(content: bytes) -> None:
    assert loads(content, "empty.yaml") == load(None)


def test_yaml_keeps_what_people_wrote() -> None:
    """A Norwegian calendar, times and dates without quotes: none of them changes its type on the way."""
    config = loads(
        b"calendars: {no: {zone: Europe/Oslo, country: NO, hours: {mon: [08:00-12:00, 13:00-17:00]}, holidays: [2026-12-24]}}", "no.yaml"
    )
    assert config.calendars["no"].country == "NO"


def test_an_unreadable_file_is_a_fault(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path):
        with pytest.raises(ConfigError, match="cannot be read"):
            load(path)
    (tmp_path / "latin.yaml").write_bytes("application_id: x\n# für\n".encode("latin-1"))
    with pytest.raises(ConfigError, match="line 2: is not UTF-8"):
        load(tmp_path / "latin.yaml")


SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    "text",
    [
        f"kafka: {{security: {{password: {SECRET}}}}}",
        f"kafka: {{security: {{protocol: SASL_SSL, password: {SECRET}",
        f"kafka: {{security: {{sasl_mechanism: {SECRET}, protocol: [{SECRET}]}}}}",
        f"kafka: {{bootstrap_servers: ['user:{SECRET}@host:9092']}}",
        f"kafka:\n  security: password: {SECRET}\n",
        f"kafka: {{security: {{password: *{SECRET}}}}}",
        f"kafka: {{security: {{password: !{SECRET} x}}}}",
    ],
)
def test_a_misplaced_secret_is_not_repeated_in_errors(text: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loads(text.encode(), "tried.yaml")
    error = raised.value
    assert error.__cause__ is None
    assert error.__context__ is None or error.__suppress_context__
    assert SECRET not in str(error) + repr(error) + repr(error.faults)


def test_the_password_is_read_when_needed_and_shown_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    text = f"kafka: {{security: {{protocol: SASL_SSL, sasl_mechanism: SCRAM-SHA-512, username: kpis, password_file: {file}}}}}"
    config = loads(text.encode(), "tried.yaml")
    password = config.kafka.security.read_password()
    assert password is not None
    assert password.get_secret_value() == SECRET
    assert SECRET not in repr(config) + str(config) + config.model_dump_json() + repr(password) + str(password)

    monkeypatch.setenv(PASSWORD_VARIABLE, "from-the-environment")
    from_environment = config.kafka.security.read_password()
    assert from_environment is not None
    assert from_environment.get_secret_value() == "from-the-environment"
    assert "from-the-environment" not in repr(config)


@pytest.mark.parametrize(
    ("target", "path", "message"),
    [
        ("{target: 2 working days}", "", "working days are those of a calendar"),
        ("{target: 8h, warn: 1 working day before}", "", "working days are those of a calendar"),
        ("{target: 0 working days}", ".target", "at least 1 working day"),
        ("{target: 2 days}", ".target", 'or working days, like "2 working days"'),
        ("{target: 0h}", ".target", "longer than zero"),
        ("{target: 8h, warn: 1h}", ".warn", 'write like "1h before"'),
        ("{target: 8h, warn: soon before}", ".warn", "not a duration"),
        ("{target: 8h, end_of_working_day: true}", ".end_of_working_day", "the end of which day?"),
    ],
)
def test_working_days_and_warnings_say_what_is_missing(target: str, path: str, message: str) -> None:
    found = faults_of(f"policies: [{{id: a, targets: {{resolution: {target}}}}}]")
    assert list(found) == [f"policies[0].targets.resolution{path}"]
    assert message in found[f"policies[0].targets.resolution{path}"]


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        ("resolution: {target: 2 working days, hours: calendar}", "working days are no calendar hours"),
        ("queue_wait: 1 working day", "nobody waits in a queue for working days"),
        ("resolution: 2d", '"2 working days" for dates'),
        ("resolution: {target: 8h, warn: 1d before}", "1d is unclear in business hours"),
    ],
)
def test_working_days_where_they_make_no_sense(targets: str, message: str) -> None:
    (found,) = faults_of(OFFICE + f"policies: [{{id: a, calendar: office, targets: {{{targets}}}}}]").values()
    assert message in found


def test_a_policy_says_its_targets_as_they_were_written() -> None:
    text = OFFICE + "policies: [{id: a, calendar: office, targets: {resolution: {target: 1 working day, warn: 2 working days after}}}]"
    shown = loads(text.encode(), "tried.yaml").policies[0].model_dump(mode="json")["targets"]["resolution"]
    assert (shown["target"], shown["warn"]) == ("1 working day", "2 working days after")
