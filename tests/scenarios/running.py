"""Runs a scenario file against the engine, and again with a restart after every line.

A file holds scenarios; each begins with a line `# Name`. Other lines of a scenario:

    policy NAME MATCH TARGETS PAUSES        a policy (before the first event); `set NAME=DURATION` changes a setting,
                                            `set short_abandon.phone=0s` one of several; `set group_bys=language` adds
    defaults                                policies and settings of an empty configuration file
    calendar NAME ZONE DAYS HOURS [from=]   business hours beside `berlin`; another line with the name and `from` is a change of it
    TIME ENTITY WHAT ...                    an event arrives: T-... are tickets, C-... contacts, P-... persons, A-... agents, O-...
                                            organizations, K-... accounts. Lines are in order of arrival.
    TIME ENTITY record TYPE field=value ... the same as a producer would write it: a record that the decoder reads first
    TIME clock                              timers run up to then
    => TIME ENTITY FACT [name=value ...]    such a fact stands now. Together these lines list *every* fact of the kinds they name.
    => no FACT                              no fact of that kind stands now
    => REJECTED REASON, => duplicate        what became of the event in the line above
    => count NAME [dimension=value ...] N   a total over all cells, what was taken back not counted
    => level backlog [open support high] N  how many are there now
    => window NAME FAMILY [dimension=value ...] N
    => metric NAME{label="value"} N         what is served under that name, without `support_` and net, over all other labels
    => kpi NAME [WINDOW] [dimension=value ...] [n=N] VALUE
                                            a KPI's value over everything so far, or over a window that ends now: 50%, 90s, 4.5, inf or none

Consecutive `=>` lines about facts are read together. Words after `--` are for people.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from processor.codec.decode import decode
from processor.compile import compile_settings
from processor.config import Config
from processor.core.dimensions import CELL_DIMENSIONS
from processor.core.engine import Engine
from processor.core.events import Event, Rejected
from processor.core.exchange import Exchange
from processor.core.facts import CONTENT_FIELDS, Fact, pseudonym
from processor.core.levels import Key
from processor.core.outputs import Conflict
from processor.core.packing import tuples
from processor.core.settings import DIMENSIONS, Policy, Settings
from processor.core.sleep import Sleeping
from processor.export.snapshot import metrics, total
from tests.scenarios.kpi_values import agrees, kpi_of
from tests.scenarios.words import (
    UNITS,
    YES_NO,
    UnknownWordsError,
    berlin,
    calendar_of,
    duration,
    event_of,
    fields_of,
    policy_of,
    record_of,
    take_time,
)

FOLDER = Path(__file__).parent
DURATIONS = frozenset(
    {"since_created", "since_solved", "duration", "business_duration", "target", "active", "wait"}
    | {"requester_wait", "agent_work", "seconds", "talk", "hold", "wrap_up"}
)
PEOPLE = frozenset({"agent", "visitor"})  # facts have pseudonyms of them
CELL_LABELS = {**CELL_DIMENSIONS, "sla": ("clock", "policy", "priority")}
SHORT_KINDS = {kind.partition(".")[2]: kind for kind in CONTENT_FIELDS if not kind.startswith("backlog.")}
SHORT_KINDS |= {"entered": "backlog.entered", "left": "backlog.left", "created": "ticket.created"}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One behaviour: its name and its lines with their numbers."""

    file: str
    name: str
    lines: tuple[tuple[int, str], ...]

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


def read(path: Path) -> list[Scenario]:
    """The scenarios of a file."""
    found: list[tuple[str, list[tuple[int, str]]]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.partition("--")[0].strip()
        if line.startswith("# "):
            found.append((line[2:].strip(), []))
        elif text and found:
            found[-1][1].append((number, text))
    return [Scenario(path.stem, name, tuple(lines)) for name, lines in found]


SCENARIOS = [scenario for path in sorted(FOLDER.glob("*.txt")) for scenario in read(path)]


@dataclass
class Run:
    """A scenario on its way."""

    scenario: Scenario
    restarting: bool
    settings: Settings = field(default_factory=lambda: Settings(calendars={"berlin": berlin()}))
    policies: list[Policy] = field(default_factory=list)
    calendars: dict[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)
    engine: Engine | None = None
    facts: Counter[tuple[str, Fact]] = field(default_factory=Counter)
    records: dict[str, Any] = field(default_factory=dict)
    outcome: str = ""
    expected: list[str] = field(default_factory=list)

    def play(self) -> None:
        """Do every line; an AssertionError names the line that did not hold."""
        for number, line in (*self.scenario.lines, (0, "")):
            try:
                self._line(line, number)
            except (AssertionError, UnknownWordsError) as fault:
                raise AssertionError(f"{self.scenario.file}, line {number}: {line}\n{fault}") from None

    def _line(self, line: str, number: int) -> None:
        if line.startswith("=>"):
            self._expect(line[2:].split())
            return
        self._check_facts()
        words = line.split()
        if not words:
            return
        if words[0] == "policy":
            self.policies.append(policy_of(words[1:]))
        elif words[0] == "calendar":
            self.calendars[words[1]] = (*self.calendars.get(words[1], ()), tuple(words[2:]))
        elif words == ["defaults"]:
            compiled = compile_settings(Config())
            self.policies += compiled.policies
            self.settings = replace(compiled, calendars=self.settings.calendars)
        elif words[0] == "set":
            for name, value in fields_of(words[1:])[1].items():
                setting: Any
                name, _, part = name.partition(".")
                if part:
                    setting = {**getattr(self.settings, name), part: duration(value)}
                elif name == "group_bys":
                    setting = (*self.settings.group_bys, *((each,) for each in value.split(",")))
                elif isinstance(getattr(self.settings, name), frozenset):
                    setting = frozenset(value.split(","))
                else:
                    known = value in YES_NO or value.isdigit()
                    setting = (YES_NO[value] if value in YES_NO else int(value)) if known else duration(value)
                self.settings = replace(self.settings, **{name: setting})
        else:
            at, rest = take_time(line)
            self._happens(at, rest.split(), number)
            if self.restarting:
                self._restart()

    def _happens(self, at: int, words: list[str], number: int) -> None:
        engine = self._engine()
        if words == ["clock"]:
            engine.advance(at)
            self.outcome = ""
        elif words[1] == "record":
            decoded = decode(record_of(at, words[0], words[2:], number))
            if isinstance(decoded, Rejected):
                self.outcome = decoded.reason
                return
            self._apply(decoded)
        else:
            self._apply(event_of(at, words[0], words[1:], number))
        engine.sweep()
        self._drain()

    def _apply(self, event: Event) -> None:
        engine = self._engine()
        duplicates = engine.counts["duplicates"]
        outcome = engine.apply(event)
        if isinstance(outcome, Rejected):
            self.outcome = outcome.reason
        elif isinstance(outcome, Conflict):
            self.outcome = "replaces"
        else:
            self.outcome = "duplicate" if engine.counts["duplicates"] > duplicates else ""

    def _engine(self) -> Engine:
        if self.engine is None:
            calendars = {name: calendar_of(name, versions) for name, versions in self.calendars.items()}
            self.settings = replace(self.settings, policies=tuple(self.policies), calendars={**self.settings.calendars, **calendars})
            self.engine = Engine(self.settings)
        return self.engine

    def _drain(self) -> None:
        step = self._engine().drain()
        for stated in step.facts:
            self.facts[stated.key, stated.fact] += stated.sign
        for key, value in step.records.items():
            # As it comes back from a topic: JSON, its arrays as tuples, except that events are decoded again.
            plain = value is None or key[0] == "e" or isinstance(value, Sleeping)
            self.records[json.dumps(key)] = value if plain else tuples(json.loads(json.dumps(value, default=tuple)))
        if Exchange({0: self._engine()}, lambda _key: 0).deliver(0, step):
            self._drain()

    def _restart(self) -> None:
        engine = self._engine()
        records = [(tuple(json.loads(key)), value) for key, value in self.records.items() if value is not None]
        self.engine = Engine(self.settings)
        for _ in self.engine.restore(json.loads(json.dumps(engine.marker())), records):
            pass

    # -- expectations -------------------------------------------------------------------------------------------------------------

    def _expect(self, words: list[str]) -> None:
        if words[0] == "kpi":
            self._expect_kpi(words[1:-1], words[-1])
        elif words[0] == "metric":
            found = total(metrics([self._engine().view()], self.settings.group_bys), f"support_{words[1]}")
            assert found == float(words[2]), f"found {found}"
        elif words[0] in ("count", "level", "window"):
            number = {"count": self._count, "level": self._level, "window": self._window}[words[0]](words[1:-1])
            assert number == int(words[-1]), f"found {number}"
        elif words[0] in ("REJECTED", "duplicate", "replaces"):
            assert self.outcome == words[-1], f"it was {self.outcome or 'accepted'}"
        else:
            self.expected.append(" ".join(words))

    def _expect_kpi(self, words: list[str], text: str) -> None:
        measure = kpi_of(self._engine(), words)
        n = fields_of(words)[1].get("n")
        assert n is None or measure.n == int(n), f"found n={measure.n}"
        assert agrees(measure.value, text), f"found {measure.value} of n={measure.n}"

    def _check_facts(self) -> None:
        """Every fact of the kinds that were named stands, and none besides."""
        if not self.expected:
            return
        expected, self.expected = self.expected, []
        standing = [(key, fact) for (key, fact), count in self.facts.items() for _ in range(count)]
        assert all(count >= 0 for count in self.facts.values())
        kinds = {self._kind(line) for line in expected}
        left = [(key, fact) for key, fact in standing if fact.kind in kinds]
        for line in expected:
            if line.startswith("no "):
                continue
            match = next((item for item in left if self._says(line, *item)), None)
            assert match is not None, f"not stated: {line}\nstated are:\n{self._told(left)}"
            left.remove(match)
        assert not left, f"stated, but not expected:\n{self._told(left)}"

    @staticmethod
    def _kind(line: str) -> str:
        word = line.split()[1] if line.startswith("no ") else take_time(line)[1].split()[1]
        return word if word in CONTENT_FIELDS else SHORT_KINDS[word]

    @staticmethod
    def _says(line: str, key: str, fact: Fact) -> bool:
        at, rest = take_time(line)
        plain, fields = fields_of(rest.split())
        if (fact.at, key) != (at, plain[0]) or fact.kind not in (plain[1], SHORT_KINDS.get(plain[1])):
            return False
        names = CONTENT_FIELDS[fact.kind]
        values: dict[str, Any] = dict(zip((*DIMENSIONS, *names, "n"), (*fact.dims, *fact.content, fact.instance), strict=True))
        if len(plain) > 2 and values[names[0]] != plain[2]:
            return False
        return all(_reads(name, text) == values[name] for name, text in fields.items())

    @staticmethod
    def _told(facts: list[tuple[str, Fact]]) -> str:
        return "\n".join(f"  at {fact.at} {key} {fact.kind} n={fact.instance} {fact.content} {fact.dims}" for key, fact in facts)

    def _count(self, words: list[str]) -> int:
        (name,), where = fields_of(words)
        total = 0
        for key, cell in self._engine().view().cells.items():
            labels = dict(zip(CELL_LABELS[key[0]], key[1:], strict=True))
            if all(labels.get(label) == value for label, value in where.items()):
                total += cell.get(name, 0) - cell.get(f"{name}-", 0)
        return total

    def _level(self, words: list[str]) -> int:
        levels = ((_labels_of(key), count) for key, count in self._engine().view().levels.items())
        return sum(count for labels, count in levels if labels[: len(words)] == words)

    def _window(self, words: list[str]) -> int:
        (name, family), where = fields_of(words)
        group_by = self.settings.group_bys.index(tuple(each for each in DIMENSIONS if each in where))
        row = self._engine().view().windows[name].get((group_by, tuple(where[each] for each in self.settings.group_bys[group_by])), {})
        return row.get(family, 0)


def _labels_of(key: Key) -> list[str]:
    """A level as scenarios write it: backlog STATUS GROUP PRIORITY, waiting CHANNEL QUEUE, agents STATE CHANNEL GROUP, else as it is."""
    if key[0] == "backlog":
        return ["backlog", key[1], key[2][2], key[2][1]]
    if key[0] == "agents":
        return ["agents", key[1], key[2][0], key[2][2]]
    return ["waiting", key[1][0], key[1][5]] if key[0] == "waiting" else [str(part) for part in key]


def _reads(name: str, text: str) -> Any:
    if name == "result":
        return text
    if name == "score":
        return round(float(text) * 1000)
    if text in YES_NO:
        return YES_NO[text]
    if text in ("unknown", "nobody"):
        return None
    if name in PEOPLE:
        return pseudonym(text)
    if name in DURATIONS and text[-1] in UNITS:
        return duration(text)
    return int(text) if text.isdigit() else text
