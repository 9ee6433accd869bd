"""What was the case in a ticket after each of its events: the material of all other readings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from processor.core.events import SURVEY_KINDS, Event
from processor.core.settings import DIMENSIONS, NONE, Settings
from tests.laws.oracle.log import NOWHERE, RANKS, SOLVED, Dims, Said, dims_of, distinct, placed, with_visibility, without_undone

FLAGS = {
    "ticket.merged": ("merged", True), "ticket.unmerged": ("merged", False), "ticket.marked_as_spam": ("spam", True),
    "ticket.unmarked_as_spam": ("spam", False), "ticket.deleted": ("deleted", True), "ticket.restored": ("deleted", False),
}  # fmt: skip


@dataclass(frozen=True)
class State:
    """What is the case."""

    status: str = "open"
    dims: Dims = NOWHERE
    policy_id: str | None = None
    flags: frozenset[str] = frozenset()
    engaged: bool = False  # inbound, or the customer has written
    created: bool = False  # seen
    adopted: bool = False
    created_at: int = 0  # of an adopted one: when it was first seen
    inbound: bool = True
    assignee: str | None = None  # "": nobody any more
    requester: str | None = None
    follows: str | None = None

    @property
    def solved(self) -> bool:
        return self.status in SOLVED

    @property
    def known(self) -> bool:
        """From its creation on."""
        return self.created and not self.adopted

    @property
    def counted(self) -> bool:
        return self.engaged and not self.flags

    @property
    def in_backlog(self) -> bool:
        return self.counted and not self.solved

    @property
    def topic(self) -> str | None:
        topic = self.dims[DIMENSIONS.index("topic")]
        return None if topic == NONE else topic

    @property
    def group(self) -> str:
        return self.dims[DIMENSIONS.index("group")]


@dataclass(frozen=True)
class Moment:
    """An event at the instant at which it counts, with what was the case before and after it."""

    number: int
    at: int
    kind: str
    data: tuple[Any, ...]
    giver: str
    before: State
    after: State

    @property
    def public(self) -> bool:
        return self.kind == "message.added" and self.data[2] == "public"

    @property
    def by_customer(self) -> bool:
        return self.public and self.data[1] == "customer"

    @property
    def by_human(self) -> bool:
        """Written to the customer by a person."""
        return self.public and self.data[1] == "agent" and not self.data[3]

    @property
    def solves(self) -> bool:
        """From unsolved to solved, or created so."""
        fresh = self.kind == "ticket.created" and not self.before.adopted
        return self.after.solved and (fresh or not self.before.solved) and self.kind in ("ticket.created", "ticket.status_changed")

    @property
    def reopens(self) -> bool:
        return self.kind == "ticket.status_changed" and self.before.solved and not self.after.solved


def history_of(events: list[Event], received: list[Event], settings: Settings) -> list[Moment]:
    """One moment for each event that says something new."""
    window = settings.allowed_lateness
    said = sorted([*distinct(events), *without_undone(received, window)], key=lambda event: event[:5])
    moments: list[Moment] = []
    state = State()
    for at, event in placed(with_visibility(said, window), settings.clock_skew):
        if event.kind == "ticket.created" and state.created:
            continue
        unheard = not state.created and not state.adopted
        if unheard and event.kind != "ticket.created" and event.kind not in RANKS and event.kind not in SURVEY_KINDS:
            adopted = replace(state, adopted=True, engaged=True, created_at=at)
            moments.append(Moment(len(moments), at, "adopted", (), "", state, adopted))
            state = adopted
        after = _after(state, at, event)
        giver = event.id if event.kind in RANKS else ""
        moments.append(Moment(len(moments), at, event.kind, event.data, giver, state, after))
        state = after
    return moments


def _after(state: State, at: int, event: Event) -> State:
    data = event.data
    match event.kind:
        case "ticket.created":
            return _created(state, at, event)
        case "ticket.status_changed":
            return replace(state, status=data[0])
        case "ticket.priority_changed":
            return with_dims(state, {"priority": data[0]})
        case "ticket.group_changed":
            return with_dims(state, {"group": data[0]})
        case "ticket.fields_changed":
            fields = dict(data[0])
            after = with_dims(state, {name: value for name, value in fields.items() if name in DIMENSIONS})
            requester = fields.get("requester_id", state.requester)
            return replace(after, policy_id=fields.get("policy_id", state.policy_id), requester=requester)
        case "ticket.assignee_changed":
            return replace(state, assignee=data[0] or (None if state.assignee is None else ""))
        case "message.added" if data[1] == "customer" and data[2] == "public":
            return replace(state, engaged=True)
        case kind if kind in FLAGS:
            flag, on = FLAGS[kind]
            return replace(state, flags=state.flags | {flag} if on else state.flags - {flag})
    return state


def _created(state: State, at: int, event: Event) -> State:
    channel, status, priority, direction, group, tier, topic, policy, assignee, requester, follows, language, product, complexity = (
        event.data
    )
    dims = dims_of(
        channel=channel, priority=priority, group=group, tier=tier, topic=topic, language=language, product=product, complexity=complexity
    )  # fmt: skip
    return replace(
        state,
        dims=dims,
        policy_id=policy,
        created=True,
        created_at=at,
        inbound=direction == "inbound",
        status=state.status if state.adopted else status,
        engaged=state.engaged or direction == "inbound",
        assignee=assignee or state.assignee,
        requester=requester or state.requester,
        follows=follows,
    )


def with_dims(state: State, changes: dict[str, str | None]) -> State:
    dims = tuple((changes[name] or NONE) if name in changes else value for name, value in zip(DIMENSIONS, state.dims, strict=True))
    return replace(state, dims=dims)


def state_at(moments: list[Moment], at: int) -> State:
    """What was the case once everything of that instant had happened."""
    return next((moment.after for moment in reversed(moments) if moment.at <= at), State())


ENTERED = {
    "ticket.created": "created", "adopted": "adopted", "ticket.status_changed": "reopened", "message.added": "became_eligible",
    "ticket.unmerged": "unmerged", "ticket.unmarked_as_spam": "restored", "ticket.restored": "restored",
}  # fmt: skip
LEFT = {"ticket.status_changed": "solved", "ticket.merged": "merged", "ticket.marked_as_spam": "discarded", "ticket.deleted": "discarded"}


def population(moments: list[Moment]) -> list[Said]:
    """What is said of a ticket whether it counts in the end or not: that it came, went and came back, and how the backlog changed."""
    said: list[Said] = []
    for moment in moments:
        before, after, at, dims = moment.before, moment.after, moment.at, moment.after.dims
        if moment.kind in ("ticket.created", "adopted"):
            said.append(Said("ticket.created" if moment.kind == "ticket.created" else "ticket.adopted", at, dims, ()))
        if before.flags != after.flags:
            flag, on = FLAGS[moment.kind]
            if not on:
                said.append(Said("ticket.restored", at, dims, (flag,)))
            elif flag == "merged":
                said.append(Said("ticket.merged", at, dims, ()))
            else:
                said.append(Said("ticket.discarded", at, dims, (flag,)))
        if after.in_backlog and not before.in_backlog:
            said.append(Said("backlog.entered", at, dims, (ENTERED[moment.kind],)))
        elif before.in_backlog and not after.in_backlog:
            said.append(Said("backlog.left", at, dims, (LEFT[moment.kind],)))
        elif after.in_backlog and before.dims != dims:
            said.append(Said("ticket.moved", at, dims, (before.dims,)))
    return said
