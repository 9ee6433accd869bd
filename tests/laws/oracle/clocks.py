"""Each clock of a ticket: when it starts, stands still and ends, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from processor.core.settings import Policy, Settings
from tests.laws.oracle.history import Moment, state_at
from tests.laws.oracle.hours import Breach, Mark, Run, policy_at
from tests.laws.oracle.log import FOREVER, Said
from tests.laws.oracle.talk import Reply, Start, unanswered_after

CUMULATIVE = ("resolution", "requester_wait", "agent_work")
ENDED_BY_REPLY = ("next_response", "update", "periodic_update", "pausable_update", "survey_followup")
ENDED_BY_SOLVE = ("next_response", "update", "periodic_update", "pausable_update")
HOPS = 3  # merges through which a wait is handed on


@dataclass
class Instance:
    """One instance of a clock. `began`: the instant that decides which version of a policy applies."""

    run: Run
    began: int
    since: int  # where it starts, all moves considered
    first: int  # the moment of its start
    ended: tuple[int, str] | None = None  # the moment, and the reason of a cancellation ("": fulfilled)

    @property
    def name(self) -> str:
        return self.run.name


@dataclass
class Clocks:
    """All clocks of a ticket, and the waits that were handed to it."""

    moments: list[Moment]
    settings: Settings
    start: Start | None
    replies: list[Reply]
    low: dict[int, bool]  # moments of answers to surveys after which somebody should ask back (True), or no longer needs to
    instances: list[Instance] = field(default_factory=list)
    running: dict[str, Instance] = field(default_factory=dict)
    waits: dict[str, tuple[int, int]] = field(default_factory=dict)
    waits_at_reply: dict[int, int] = field(default_factory=dict)
    first_reply: Reply | None = None  # the one that ended the first response
    handed: dict[int, tuple[int, int]] = field(default_factory=dict)  # by merges: since when, after how many hops

    def __post_init__(self) -> None:
        self.unanswered = unanswered_after(self.moments, self.replies)
        for moment in self.moments:
            self._pass(moment)

    # -- what happens ---------------------------------------------------------------------------------------------------------------

    def _pass(self, moment: Moment) -> None:
        number = moment.number
        if moment.kind == "ticket.merged":
            self._merged(moment)
        if moment.kind in ("wait", "back"):
            self._handed(moment)
        if self.start is not None and number == self.start.number:
            self._start(moment)
        elif self.start is not None and number > self.start.number:
            self._changed(moment)
        here = [reply for reply in self.replies if reply.number == number]
        if here and not (self.start is not None and number == self.start.number and self.start.answered):
            self._replied(moment, here[-1])
        if self.start is not None and number >= self.start.number:
            if moment.by_customer:
                self._asked(moment)
            if number in self.low:
                self._survey(moment, low=self.low[number])
            if moment.solves and moment.after.engaged:
                self._solved(moment)

    def _start(self, moment: Moment) -> None:
        assert self.start is not None
        self._begin("first_response", moment)
        if self.start.answered is not None:
            self._answered_before(moment, *self.start.answered[:2])
        elif self.waits:
            self._move(self.running["first_response"], moment)
        for name in CUMULATIVE:
            self._begin(name, moment)
        self._group(moment)
        if not moment.after.solved:
            if self.unanswered[moment.number] and not moment.by_customer:
                self._asked(moment)
            if self._has_replied(moment):
                self._begin("periodic_update", moment)
                self._begin("pausable_update", moment)

    def _answered_before(self, moment: Moment, at: int, wait: int) -> None:
        first = self.running.pop("first_response")
        first.since = min([at - wait] + [since for since, _ in self.waits.values()])
        policy = first.run.marks[0].policy
        first.run.marks = [Mark(first.since, moment.number, policy, runs=True), Mark(at, moment.number, policy, runs=False)]
        first.ended = (moment.number, "")
        self.first_reply = self.replies[0]
        self.waits.clear()

    def _changed(self, moment: Moment) -> None:
        """Status, dimensions: what open clocks do from now on."""
        before, after = moment.before, moment.after
        if before.group != after.group and "group_ownership" in self.running:
            self._end("group_ownership", moment, "")
        if moment.reopens:
            for name in CUMULATIVE:
                self.running[name].ended = None
        if before.status != after.status or before.dims != after.dims or before.policy_id != after.policy_id:
            for instance in self.running.values():
                if instance.ended is None and not (after.solved and instance.name in CUMULATIVE):
                    self._mark(instance, moment)
        if before.group != after.group:
            self._group(moment)
        if moment.reopens:
            self._group(moment)
            if self.unanswered[moment.number]:
                self._asked(moment)

    def _replied(self, moment: Moment, reply: Reply) -> None:
        self.waits_at_reply[moment.number] = min((since for since, _ in self.waits.values()), default=FOREVER)
        first = self.running.get("first_response")
        if first is not None and moment.kind == "answer" and moment.at - moment.data[0] < first.since:
            self._mark(first, moment, (first.since, moment.at - moment.data[0], False))
            first.since = moment.at - moment.data[0]
        self.waits.clear()
        if first is not None:
            self.first_reply = reply
            self._end("first_response", moment, "")
        for name in ENDED_BY_REPLY:
            if name in self.running:
                self._end(name, moment, "")
        if self.start is not None and moment.number > self.start.number and not moment.after.solved:
            self._begin("periodic_update", moment)
            self._begin("pausable_update", moment)

    def _asked(self, moment: Moment) -> None:
        if not moment.after.solved:
            self._begin("update", moment)
            if self._has_replied(moment):
                self._begin("next_response", moment)

    def _solved(self, moment: Moment) -> None:
        reason = moment.data[1] if moment.kind == "ticket.status_changed" else None
        if "first_response" in self.running:
            self._end("first_response", moment, "withdrawn" if reason == "withdrawn" else "closed_without_reply")
        for name in (*ENDED_BY_SOLVE, "group_ownership"):
            if name in self.running:
                self._end(name, moment, "" if name == "group_ownership" else "solved")
        for name in CUMULATIVE:
            instance = self.running[name]
            if instance.ended is None:
                instance.ended = (moment.number, "")
                instance.run.marks.append(Mark(moment.at, moment.number, instance.run.marks[-1].policy, runs=False))

    def _group(self, moment: Moment) -> None:
        if not moment.after.solved and moment.after.group != "none":
            self._begin("group_ownership", moment)

    def _survey(self, moment: Moment, *, low: bool) -> None:
        if low:
            self._begin("survey_followup", moment)
        elif "survey_followup" in self.running:
            self._end("survey_followup", moment, "answer_changed")

    # -- waits of other tickets -----------------------------------------------------------------------------------------------------

    def waiting_since(self, moment: Moment) -> int:
        """Since when the ticket's own customer waits for a human, before that moment; 0: does not."""
        first = self.running.get("first_response")
        if first is not None:
            return first.began
        since = self.unanswered[moment.number - 1] if moment.number else 0
        return since if self._has_replied(moment) and not moment.before.solved else 0

    def _merged(self, moment: Moment) -> None:
        since = self.waiting_since(moment) if moment.before.counted else 0
        if "merged" not in moment.before.flags and since:
            kept = [(since, hops) for since, hops in self.waits.values() if hops < HOPS]
            self.handed[moment.number] = (min([since] + [since for since, _ in kept]), 1 + max([0] + [hops for _, hops in kept]))

    def _handed(self, moment: Moment) -> None:
        if moment.kind == "wait":
            if self._has_replied(moment) and not self.waiting_since(moment):
                return
            since, hops = moment.data
            self.waits[moment.giver] = (since, hops)
        elif self.waits.pop(moment.giver, None) is None:
            return
        name = "next_response" if self.start is not None and self._has_replied(moment) else "first_response"
        if name in self.running:
            self._move(self.running[name], moment)

    def _move(self, instance: Instance, moment: Moment) -> None:
        since = min([instance.began] + [since for since, _ in self.waits.values()])
        if since != instance.since:
            self._mark(instance, moment, (instance.since, since, True))
            instance.since = since

    # -- one clock ------------------------------------------------------------------------------------------------------------------

    def _has_replied(self, moment: Moment) -> bool:
        return any(reply.number <= moment.number for reply in self.replies)

    def _begin(self, name: str, moment: Moment) -> None:
        if name not in self.running:
            instance = Instance(Run(name), moment.at, moment.at, moment.number)
            self._mark(instance, moment)
            self.running[name] = instance
            self.instances.append(instance)

    def _mark(self, instance: Instance, moment: Moment, moved: tuple[int, int, bool] | None = None) -> None:
        after = moment.after
        policy = policy_at(self.settings, instance.began, after.dims, after.policy_id)
        runs = policy is None or after.status not in policy.pauses.get(instance.name, ())
        instance.run.marks.append(Mark(moment.at, moment.number, policy, runs, moved))

    def _end(self, name: str, moment: Moment, reason: str) -> None:
        instance = self.running.pop(name)
        instance.ended = (moment.number, reason)
        instance.run.marks.append(Mark(moment.at, moment.number, instance.run.marks[-1].policy, runs=False))

    # -- what is said ---------------------------------------------------------------------------------------------------------------

    def outcomes(self, until: int) -> list[Said]:
        """What stands in the end."""
        said: list[Said] = []
        for instance in self.instances:
            breach = instance.run.breach(self.settings, until)
            if breach is not None:
                said.append(self._breached(instance, breach))
            last = instance.run.marks[-1]
            target = instance.run.target(last)
            if instance.ended is None or target is None or last.policy is None:
                continue
            number, reason = instance.ended
            if instance.name == "first_response" and reason == "":
                assert self.first_reply is not None
                at = self.first_reply.at
            else:
                at = self.moments[number].at
            left_group = instance.name == "group_ownership" and self.moments[number].before.group != self.moments[number].after.group
            dims = self.moments[number].before.dims if left_group else self.moments[number].after.dims
            who = (instance.name, last.policy.id, last.policy.version)
            if reason:
                said.append(Said("clock.cancelled", at, dims, (*who, reason)))
            else:
                content = (*who, target.ms, instance.run.active(self.settings), breach is None)
                said.append(Said("clock.fulfilled", at, dims, content))
        return said

    def _breached(self, instance: Instance, breach: Breach) -> Said:
        target = breach.policy.targets[instance.name]
        if breach.number is not None:
            dims = self.moments[breach.number].after.dims
        elif breach.at < self.moments[instance.first].at:
            dims = self.moments[instance.first].after.dims
        else:
            dims = state_at(self.moments, breach.at).dims
        return Said("clock.breached", breach.at, dims, (instance.name, breach.policy.id, breach.policy.version, target.ms, breach.induced))

    def first_response(self) -> Said | None:
        """How long the first human answer took."""
        reply = self.first_reply
        if reply is None:
            return None
        first = next(instance for instance in self.instances if instance.name == "first_response")
        business = first.run.open_hours(self.settings, reply.at)
        dims = self.moments[reply.number].after.dims
        return Said("ticket.first_responded", reply.at, dims, (reply.at - first.since, business, reply.agent))

    def suspended(self) -> list[Said]:
        """What the ticket's last leaving of the population says of the clocks that were open."""
        leaving = [moment for moment in self.moments if moment.before.counted and not moment.after.counted]
        if not leaving:
            return []
        moment, said = leaving[-1], []
        flag = next(iter(moment.after.flags))
        for instance in self.instances:
            policy = self._policy_then(instance, moment.number)
            target = policy.targets.get(instance.name) if policy else None
            if policy is not None and target is not None and self._open_at(instance, moment.number):
                said.append(Said("clock.cancelled", moment.at, moment.after.dims, (instance.name, policy.id, policy.version, flag)))
        return said

    def _open_at(self, instance: Instance, number: int) -> bool:
        if instance.first > number:
            return False
        if instance.name in CUMULATIVE:
            return not self.moments[number].after.solved
        return instance.ended is None or instance.ended[0] > number

    @staticmethod
    def _policy_then(instance: Instance, number: int) -> Policy | None:
        return next((mark.policy for mark in reversed(instance.run.marks) if mark.number <= number), None)

    def any_breached(self, number: int) -> bool | None:
        """Whether any clock had been breached at that moment; None where none had a target."""
        moment, targeted = self.moments[number], False
        for instance in self.instances:
            if instance.first > number:
                continue
            breach = instance.run.breach(self.settings, FOREVER)
            if breach is not None and (breach.at < moment.at if breach.number is None else breach.number <= number):
                return True
            marks = [mark for mark in instance.run.marks if mark.number <= number]
            kept = marks[-1:] if instance.name in ("first_response", "resolution") else marks
            targeted = targeted or any(instance.run.target(mark) is not None for mark in kept)
        return False if targeted else None
