"""Frozen state in few bytes: JSON, deflated with a dictionary of what most of it says.

The state of a ticket with all its clocks takes four kilobytes as Python values, two as JSON and a third of one like this. The bytes lie in
memory while nothing happens to an entity, and in the state topic; so the dictionary never changes: another one would be another version.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final
from zlib import DEFLATED, Z_DEFAULT_STRATEGY, compressobj, decompressobj

Dumps = Callable[[Any], bytes]
Loads = Callable[[bytes], Any]

_WINDOW_BITS: Final = -12  # no header; four kilobytes, which hold the dictionary and a ticket
_LEVEL: Final = 3  # as quick as 1 with a dictionary, and a sixth smaller
_MEMORY: Final = 5

_MINE: Final = '",1,1764547200000,["email","normal","support","1","login","none","en","none","none"],['
_CLOCK: Final = ',1,1764547200000,"standard",1,1,0,1764547200000,null,false,[],0,1764547200000],["'
DICTIONARY: Final = (
    f'["periodic_update{_CLOCK}pausable_update{_CLOCK}survey_followup{_CLOCK}next_response{_CLOCK}'
    f'[[0,false,false,false,"solved",["social","low",true,true,true,"closed",["chat","high","on_hold",["phone","urgent",["messaging",["web'
    f'["ticket.withdrawn{_MINE}["ticket.escalated{_MINE}["ticket.reopened{_MINE}["ticket.fcr_assessed{_MINE}["ticket.completed{_MINE}'
    f'["clock.cancelled{_MINE}"withdrawn"],["ticket.replied{_MINE}["ticket.transferred{_MINE}["clock.breached{_MINE}'
    f'["ticket.solved{_MINE}86400000]],["ticket.repeat_contacted{_MINE}["ticket.bot_started{_MINE}'
    '"pending",["email","normal","support","1","none","none","none","none","none"],null,0,true,["first_response",1,1764547200000,'
    '"standard",1,3,0,1764547200000,null,false,[[1764547200000,1764549000000]],0,1764547200000],["resolution'
    f'{_CLOCK}],0,0,1,0,0,0,0,null,[["ticket.first_assigned{_MINE}60000]],["ticket.first_outgoing{_MINE}false]],'
    f'["ticket.first_responded{_MINE}1800000,0,"06cebd164686736a"]],["clock.fulfilled{_MINE}"first_response","standard",1,14400000,0,true,[['
    f"1764547200000,1764549000000]]]]],[],0,null,1764547200000,[],null,null,1764552600000,[[["
    f'"requester_wait{_CLOCK}agent_work{_CLOCK}group_ownership{_CLOCK}update{_CLOCK}'
    '"requester_wait",1],["agent_work",1],["group_ownership",1],["periodic_update",1],["pausable_update",1],["next_response",1],["update",1]],'
    '1764552600000,true,false],null,true,"agent-1","customer-1",null,[["person.contacted",1,1764547200000,["none","none","none","none","none",'
    '"none","none","none","none"],["customer-1","login",1764547200000]]],[1,false,"06cebd164686736a",0,0,null,1],null,null],'
    '[1764552600000,2,"000005","/helpdesk","event-1"],5]'
).encode()

_PRIMED = compressobj(_LEVEL, DEFLATED, _WINDOW_BITS, _MEMORY, Z_DEFAULT_STRATEGY, DICTIONARY)
_spell = json.JSONEncoder(separators=(",", ":"), check_circular=False, default=tuple).encode  # facts are stored as tuples


def dumps(value: Any) -> bytes:
    """A value as JSON. A driver may have a faster encoder, see `Engine.dumps`: what it writes means the same."""
    return _spell(value).encode()


def pack(spelled: bytes) -> bytes:
    """JSON, deflated."""
    packer = _PRIMED.copy()
    return packer.compress(spelled) + packer.flush()


def inflate(packed: bytes) -> bytes:
    """Undo `pack`."""
    return decompressobj(_WINDOW_BITS, DICTIONARY).decompress(packed)


def loads(spelled: bytes) -> Any:
    """Undo `dumps`, but for tuples; see `Engine.loads`."""
    return json.loads(spelled)


def unpack(packed: bytes, read: Loads = loads) -> Any:
    """What was packed; arrays are tuples again."""
    return tuples(read(inflate(packed)))


def tuples(value: Any) -> Any:
    """Arrays of JSON as the tuples that they were."""
    return tuple([tuples(item) if type(item) is list else item for item in value]) if type(value) is list else value
