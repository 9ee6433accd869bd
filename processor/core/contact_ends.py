"""How a contact ends: abandoned, called back, dropped, missed, handled, or solved by a bot. Handlers of `Contact`.

    while it waits, unanswered     abandoned (silently, where a chat just ends), or it flows out of the queue: callback, voicemail, ...
    in the menu, unanswered        dropped, or missed (voicemail, out of hours, rejected), or solved by a bot
    after an agent accepted it     handled, with the time that it took; dropped, too, if the line broke

*Missed* is what no human answered, except for short abandonments; a callback that was asked for counts so until somebody calls.

Subsystems disagree about order: what ended up to `clock_skew` before it was first queued or accepted ended at that instant. So what the end
stated is kept for that long, and taken back. A contact that ends earlier than that counts for nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from processor.core.clocks import CANCELLED, Clock
from processor.core.dimensions import CHANNEL
from processor.core.events import Event
from processor.core.facts import Fact, Out, thaw_fact
from processor.core.settings import MS

if TYPE_CHECKING:
    from processor.core.contact import Contact

# What became of a contact, once.
OPEN: Final = 0
ANSWERED: Final = 1
LEFT: Final = 2

# What a bot did.
NO_BOT: Final = 0
BOT: Final = 1
HANDED_OFF: Final = 2

MISSED_OUTCOMES: Final = frozenset({"voicemail", "out_of_hours", "rejected"})


def abandoned(contact: Contact, _event: Event, at: int, out: Out) -> None:
    """`contact.abandoned`: the customer left."""
    if contact.waiting and contact.fate == OPEN:
        abandon(contact, at, out, silent=False)
    elif contact.initiated and not contact.ended and (contact.fate != LEFT or contact.accepted_at is not None):
        _drop(contact, at, out)
    contact.finish_leg(at, CANCELLED, "abandoned", out)
    _over(contact, at, out)


def abandon(contact: Contact, at: int, out: Out, *, silent: bool) -> None:
    """The customer gave up waiting."""
    contact.fate = LEFT
    assert contact.offered_at is not None
    wait = at - contact.offered_at
    limits = contact.policies.settings.short_abandon
    short = wait <= limits.get(contact.dims[CHANNEL], limits.get("default", 0))
    out.append((1, Fact("contact.abandoned", 1, at, contact.dims, (wait, short, silent))))
    if not short:
        _miss(contact, at, "abandoned", out)


def callback_requested(contact: Contact, _event: Event, at: int, out: Out) -> None:
    """`contact.callback_requested`: the customer waits no longer, but wants to be called."""
    if contact.fate == OPEN and contact.initiated and not contact.ended:
        contact.callback = True
        contact.fate = LEFT
        if contact.waiting:
            out.append((1, Fact("contact.flowed_out", 1, at, contact.dims, ("callback",))))
        _miss(contact, at, "callback", out)
    elif contact.fate == LEFT and contact.accepted_at is None:
        contact.callback = True  # after a voicemail, or before hanging up
    contact.finish_leg(at, CANCELLED, "callback", out)


def expire(contact: Contact, at: int, out: Out) -> None:
    """It waits, and nothing was heard of it for so long that it is lost."""
    if contact.fate == OPEN:
        _leave_queue(contact, at, None, "expired", out)
    contact.finish_leg(at, CANCELLED, "expired", out)
    _over(contact, at, out)


def ended(contact: Contact, event: Event, at: int, out: Out) -> None:
    """`contact.ended`."""
    if contact.ended:
        if contact.accepted_at is not None:  # another leg's end
            _spend(contact, event.data)
            _handle(contact, at, out)
        return
    unanswered = contact.accepted_at is None
    before = (contact.fate, contact.leg.freeze() if contact.leg else None) if unanswered else None
    stated = len(out)
    _end(contact, event.data, at, out)
    contact.end = None if before is None else (at, event.data, *before, tuple(fact for sign, fact in out[stated:] if sign > 0))


def _end(contact: Contact, data: tuple[Any, ...], at: int, out: Out) -> None:
    outcome = data[2]
    if contact.accepted_at is not None:
        if outcome == "dropped":
            _drop(contact, at, out)
    elif contact.fate == OPEN:
        if contact.waiting:
            _leave_queue(contact, at, outcome, outcome if outcome in MISSED_OUTCOMES else "ended", out)
        elif contact.initiated:
            _leave_menu(contact, at, outcome, out)
    contact.finish_leg(at, CANCELLED, outcome or "ended", out)
    _spend(contact, data)
    _over(contact, at, out)


def _leave_queue(contact: Contact, at: int, outcome: str | None, reason: str, out: Out) -> None:
    if outcome in (None, "dropped") and contact.dims[CHANNEL] in contact.policies.settings.silent_abandon_channels:
        abandon(contact, at, out, silent=True)
        return
    contact.fate = LEFT
    out.append((1, Fact("contact.flowed_out", 1, at, contact.dims, (reason,))))
    if outcome in MISSED_OUTCOMES:
        _miss(contact, at, reason, out)
    elif outcome == "dropped":
        _drop(contact, at, out)


def _leave_menu(contact: Contact, at: int, outcome: str | None, out: Out) -> None:
    if outcome in MISSED_OUTCOMES:
        contact.fate = LEFT
        _miss(contact, at, outcome, out)
    elif outcome == "dropped":
        _drop(contact, at, out)
    elif outcome == "handled":
        _contain(contact, at, out)


def undone(contact: Contact, at: int, out: Out) -> tuple[Any, ...] | None:
    """Take back an end that lies so little before `at` that it belongs there; returns it, None where there is none."""
    end, contact.end = contact.end, None
    if end is None or at - end[0] > contact.policies.settings.clock_skew:
        return None
    _, _, contact.fate, leg, stated = end
    contact.leg = Clock.thaw(leg, contact.policies) if leg else None
    contact.ended = False
    contact.spent = (None, None, contact.spent[2])
    facts = [thaw_fact(fact) for fact in stated]
    if contact.contained in facts:
        contact.contained = None
    out.extend((-1, fact) for fact in facts)
    contact.fire(at - 1, out)  # a deadline in between
    return end


def end_again(contact: Contact, end: tuple[Any, ...], at: int, out: Out) -> None:
    """The end that was taken back, after what it waited for."""
    unanswered = contact.accepted_at is None
    before = (contact.fate, contact.leg.freeze() if contact.leg else None)
    stated = len(out)
    _end(contact, tuple(end[1]), at, out)
    if unanswered:
        contact.end = (end[0], end[1], *before, tuple(fact for sign, fact in out[stated:] if sign > 0))


def wrapped_up(contact: Contact, event: Event, at: int, out: Out) -> None:
    """`contact.wrapped_up`: the work after the contact is done. It may be told before the end."""
    talk, hold, wrap_up = contact.spent
    contact.spent = (talk, hold, _sum(wrap_up, event.data[0]))
    if contact.handled is not None:
        _handle(contact, at, out)


def bot_resolved(contact: Contact, _event: Event, at: int, out: Out) -> None:
    """`bot.resolved`: nobody else is needed, unless the contact is queued after all."""
    if not contact.ended and contact.offered_at is None and contact.fate == OPEN:
        _contain(contact, at, out)


def not_contained(contact: Contact, out: Out) -> None:
    """A human is needed."""
    if contact.contained is not None:
        out.append((-1, contact.contained))
        contact.contained = None


def stop_talking(contact: Contact, at: int) -> None:
    """The agent and the customer part."""
    if contact.talk_since is not None:
        contact.talked += at - contact.talk_since
        contact.talk_since = None


# -- parts ----------------------------------------------------------------------------------------------------------------------------


def _over(contact: Contact, at: int, out: Out) -> None:
    stop_talking(contact, at)
    if contact.accepted_at is not None and not contact.ended:
        _handle(contact, at, out)
    contact.ended = True


def _handle(contact: Contact, at: int, out: Out) -> None:
    """State what it took, or state it anew."""
    if contact.handled is not None:
        out.append((-1, contact.handled))
    talk, hold, wrap_up = contact.spent
    if talk is None and hold is None:
        talk = contact.talked  # nobody told: the time from the accept on
    contact.handled = Fact("contact.handled", 1, at, contact.dims, (talk or 0, hold or 0, wrap_up or 0, contact.agent))
    out.append((1, contact.handled))


def _spend(contact: Contact, data: tuple[Any, ...]) -> None:
    talk, hold, wrap_up = contact.spent
    contact.spent = (_sum(talk, data[0]), _sum(hold, data[1]), wrap_up)


def _sum(before: int | None, seconds: float | None) -> int | None:
    return before if seconds is None else (before or 0) + round(seconds * MS)


def _contain(contact: Contact, at: int, out: Out) -> None:
    if contact.bot == BOT and contact.contained is None:
        contact.contained = Fact("contact.bot_contained", 1, at, contact.dims, ())
        out.append((1, contact.contained))


def _drop(contact: Contact, at: int, out: Out) -> None:
    out.append((1, Fact("contact.dropped", 1, at, contact.dims, ())))


def _miss(contact: Contact, at: int, reason: str, out: Out) -> None:
    out.append((1, Fact("contact.missed", 1, at, contact.dims, (reason,))))
