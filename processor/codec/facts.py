"""Facts as they are written to the facts topic: one CloudEvent each. Schema: support.facts.v1.

There are about two facts to an event, so they are spelled out here: a document built as a dictionary and handed to orjson costs three times
as much. What repeats (dimensions, the layout of each kind) is spelled once.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import orjson

from processor.codec.envelope import format_time
from processor.codec.quoting import quoted
from processor.core.events import AGENT
from processor.core.facts import CONTENT_FIELDS, Dims, Fact, slot_text
from processor.core.outputs import Stated
from processor.core.settings import DIMENSIONS

SOURCE = "/ticket-kpis"

# Entries of a fact's content that are durations, by the name under which they are written, in seconds.
_SECONDS = {
    "since_created": "value_seconds",
    "since_solved": "value_seconds",
    "duration": "value_seconds",
    "business_duration": "business_seconds",
    "active": "value_seconds",
    "wait": "value_seconds",
    "seconds": "value_seconds",
    "target": "target_seconds",
    "requester_wait": "requester_wait_seconds",
    "agent_work": "agent_work_seconds",
    "talk": "talk_seconds",
    "hold": "hold_seconds",
    "wrap_up": "wrap_up_seconds",
}
_THOUSANDTHS = {"score": "score", "amount": "amount"}  # written in the unit of the survey, and of the currency
_RENAMED = {"in_target": "in_time", "escalation_kind": "escalation", "from_dims": "from"}
_NEVER_WRITTEN = {"visitor"}  # only there to be counted once

_REMEMBERED = 8192

# How the entries of a content are written: as thousandths, as they are, as segments of time, as dimensions, or not at all.
_DIVIDED: Final = 0
_AS_IT_IS: Final = 1
_SEGMENTS: Final = 2
_DIMENSIONS: Final = 3
_HIDDEN: Final = 4

_HEAD: Final = '{"specversion":"1.0","id":"'


class FactWriter:
    """Spells facts one after the other. Those of one entity and one instant follow each other: what they share is spelled once.

    `agents`: whether facts name the agent. Where they do not, what is said of one has its slot in the place of the id.
    """

    def __init__(self, *, agents: bool) -> None:
        self._agents = agents
        self._kinds = _KINDS[agents]
        self._entity = self._key = ""  # of the fact before, and how they are spelled
        self._subject = self._heading = ""
        self._octets = b""
        self._at = 0
        self._time = format_time(0)

    def record(self, stated: Stated) -> tuple[bytes, bytes]:
        """Key and value of a fact or, for sign -1, of the retraction that takes it back. The key is the id in its subject."""
        fact, entity = stated.fact, stated.entity
        slot = slot_text(f"{entity}/{stated.key}", fact)
        if entity == AGENT and not self._agents:
            self._be_about(entity, slot)
        elif stated.key != self._key or entity != self._entity:
            self._be_about(entity, stated.key)
        if fact.at != self._at:
            self._at, self._time = fact.at, format_time(fact.at)
        kind: _Kind = self._kinds[fact.kind]
        number, retracts, stated_as = f"{stated.number:032x}", "", kind.stated_as
        if stated.sign < 0:
            stated_as, number, retracts = kind.retracted_as, f"retracts-{number}", f',"retracts":"{number}"'
        causes = f',"causes":[{quoted(stated.cause)}]' if stated.cause else ""
        content = _content(fact.content, kind) if fact.content else ""
        return self._octets, (
            f'{_HEAD}{number}{stated_as}{self._subject},"time":"{self._time}"{self._heading}{kind.name}{fact.instance},"slot":"{slot}",'
            f'"at":"{self._time}","dimensions":{_dimensions(fact.dims)}{content}{causes}{retracts}}}}}'
        ).encode()

    def _be_about(self, entity: str, key: str) -> None:
        self._entity, self._key, self._octets = entity, key, key.encode()
        quoted_key = quoted(key)
        self._subject = f'"{entity}/{quoted_key[1:]}'
        self._heading = f',"partitionkey":{quoted_key},"data":{{"subject":{self._subject}'


def fact_record(stated: Stated, *, agents: bool) -> tuple[bytes, bytes]:
    """Key and value of one fact alone, see `FactWriter`."""
    return FactWriter(agents=agents).record(stated)


def encode_fact(stated: Stated, *, agents: bool) -> bytes:
    """The record value alone."""
    return fact_record(stated, agents=agents)[1]


def retraction_type(kind: str) -> str:
    """The type of a retraction: a breach taken back is `clock.breach_retracted`, a solve taken back `ticket.solved_retracted`."""
    return "clock.breach_retracted" if kind == "clock.breached" else f"{kind}_retracted"


def content_of(fact: Fact, *, agents: bool) -> dict[str, Any]:
    """What a fact of its kind says, by the names and in the units in which it is written."""
    said: dict[str, Any] = orjson.loads(f"{{{_content(fact.content, _KINDS[agents][fact.kind])[1:]}}}")
    return said


def _content(content: tuple[Any, ...], kind: _Kind) -> str:
    """The entries of a fact's content as members of a JSON object, each behind a comma."""
    text = ""
    forms, names = kind.forms, kind.names
    # What a forerunner had stated with fewer entries is taken back as it was stated. What is new always stands last.
    for index in range(min(len(content), len(forms))):
        value, form = content[index], forms[index]
        if value is None or form == _HIDDEN:
            continue
        name = names[index]
        if form == _AS_IT_IS:
            text += name + (_word(value) if type(value) is str else _json(value))
        elif form == _DIVIDED:
            text += name + _thousandths(value)
        elif form == _DIMENSIONS:
            text += name + _dimensions(value)
        elif value:
            spans = ",".join([f'["{format_time(start)}","{format_time(end)}"]' for start, end in value])
            text += f"{name}[{spans}]"
    return text


_DECIMALS: Final = [repr(rest / 1000)[1:] for rest in range(1000)]  # ".0", ".001", ... ".999"
_DIGITS_MAX: Final = 10**15  # so many digits a float prints as they are


def _thousandths(number: int) -> str:
    """A thousandth of a number as a float prints."""
    if 0 <= number < _DIGITS_MAX:
        return f"{number // 1000}{_DECIMALS[number % 1000]}"
    large: Any = number  # compiled code would make a float of it before it divides, which is not the same beyond 2^53
    return f"{large / 1000}"


# Clocks, policies, reasons: few words, over and over.
_word = lru_cache(maxsize=_REMEMBERED)(quoted)


def _json(value: Any) -> str:
    if value is True:
        return "true"
    if value is False:
        return "false"
    return str(value) if isinstance(value, int) else orjson.dumps(value).decode()


@lru_cache(maxsize=_REMEMBERED)
def _dimensions(dims: Dims) -> str:
    return orjson.dumps(dict(zip(DIMENSIONS, dims, strict=True))).decode()


class _Kind:
    """How facts of one kind are spelled: what stands around their id and subject, and before each entry of the content."""

    def __init__(self, kind: str, fields: tuple[str, ...], *, agents: bool) -> None:
        self.stated_as = f'","source":"{SOURCE}","type":"support.{kind}","subject":'
        self.retracted_as = f'","source":"{SOURCE}","type":"support.{retraction_type(kind)}","subject":'
        self.name = f',"kind":"{kind}","instance":'
        entries = [_entry(field, agents=agents) for field in fields]
        self.forms: list[int] = [form for form, _ in entries]
        self.names: list[str] = [name for _, name in entries]


def _entry(field: str, *, agents: bool) -> tuple[int, str]:
    """How an entry is written, and what stands before its value."""
    if field in _NEVER_WRITTEN or (field == "agent" and not agents):
        return _HIDDEN, ""
    name = _SECONDS.get(field) or _THOUSANDTHS.get(field)
    if name is not None:
        return _DIVIDED, f',"{name}":'
    form = {"segments": _SEGMENTS, "from_dims": _DIMENSIONS}.get(field, _AS_IT_IS)
    return form, f',"{_RENAMED.get(field, field)}":'


_KINDS: Final = {agents: {kind: _Kind(kind, fields, agents=agents) for kind, fields in CONTENT_FIELDS.items()} for agents in (False, True)}
