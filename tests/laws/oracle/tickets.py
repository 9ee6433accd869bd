"""A ticket: all that is concluded about it, and what it gives to others."""

from __future__ import annotations

from typing import Any

from processor.core.events import Event
from processor.core.facts import pseudonym
from processor.core.settings import DIMENSIONS, Settings
from tests.laws.oracle.clocks import Clocks
from tests.laws.oracle.history import Moment, history_of, population, state_at
from tests.laws.oracle.log import FOREVER, SOLVED, Said, given
from tests.laws.oracle.surveys import LOW, Answer, Round, rounds_of
from tests.laws.oracle.talk import (
    author_until,
    replies_of,
    said_of_talk,
    said_of_waits,
    start_of,
    turns_until,
)  # fmt: skip

HOUR = 3_600_000


class TicketReading:
    """One ticket: `said` stands in the end, `given` goes to others."""

    def __init__(self, key: str, events: list[Event], received: list[Event], until: int, settings: Settings) -> None:
        self.key, self.settings, self.until = key, settings, until
        self.moments = history_of(events, received, settings)
        self.start = start_of(self.moments)
        self.replies = replies_of(self.moments, self.start)
        self.rounds = self._rounds()
        self.clocks = Clocks(self.moments, settings, self.start, self.replies, self._low())
        self.outcomes: list[Said] = []
        self.given: list[Event] = []
        self._read()
        flags = self.moments[-1].after.flags if self.moments else frozenset()
        self.said = [*population(self.moments), *(self.clocks.suspended() if flags else self.outcomes)]

    def _read(self) -> None:
        if any(moment.after.engaged for moment in self.moments):
            self.outcomes += self.clocks.outcomes(self.until)
            first = self.clocks.first_response()
            self.outcomes += [first] if first is not None else []
            self.outcomes += said_of_talk(self.moments)
            self.outcomes += said_of_waits(self.moments, self.replies, self.clocks.first_reply, self.clocks.waits_at_reply)
            self._read_steps()
            for moment in self.moments:
                if moment.solves and moment.after.engaged:
                    self._read_solve(moment)
        self._read_surveys()
        self._give()

    # -- who has it -----------------------------------------------------------------------------------------------------------------

    def transfers(self, number: int) -> list[Moment]:
        """From one group to another."""
        return [
            moment for moment in self.moments[: number + 1]
            if moment.kind == "ticket.group_changed" and moment.after.engaged
            and "none" not in (moment.before.group, moment.after.group) and moment.before.group != moment.after.group
        ]  # fmt: skip

    def escalations(self, number: int) -> list[Moment]:
        return [moment for moment in self.moments[: number + 1] if moment.kind == "ticket.escalated" and moment.after.engaged]

    def _read_steps(self) -> None:
        last = len(self.moments)
        self.outcomes += [Said("ticket.transferred", moment.at, moment.after.dims, ()) for moment in self.transfers(last)]
        kinds: list[str] = []
        for moment in self.escalations(last):
            kind = moment.data[0] or "functional"
            self.outcomes.append(Said("ticket.escalated", moment.at, moment.after.dims, (kind, not kinds, kind not in kinds)))
            kinds.append(kind)
        works = [moment for moment in self.moments if moment.kind == "ticket.work_logged" and moment.after.engaged]
        for moment in works:
            spent, _, topic = moment.data
            dims = tuple(topic if topic and name == "topic" else value for name, value in zip(DIMENSIONS, moment.after.dims, strict=True))
            self.outcomes.append(Said("ticket.work_logged", moment.at, dims, (round(1000 * spent), moment is works[0])))
        assigned = next((moment for moment in self.moments if moment.before.assignee is None and moment.after.assignee), None)
        if assigned is not None and assigned.after.known and assigned.after.engaged:
            since = assigned.at - assigned.after.created_at
            self.outcomes.append(Said("ticket.first_assigned", assigned.at, assigned.after.dims, (since,)))
        for moment in self.moments:
            if moment.reopens and moment.after.engaged:
                self.outcomes.append(Said("ticket.reopened", moment.at, moment.after.dims, (moment.at - self._solved_at(moment),)))
                again = self._forgiven(moment)
                if again is not None:
                    since = moment.at - self._solved_at(moment)
                    self.outcomes.append(Said("ticket.reopen_forgiven", again.at, again.after.dims, (since,)))

    # -- solves ---------------------------------------------------------------------------------------------------------------------

    def _solved_at(self, reopening: Moment) -> int:
        return next(moment.at for moment in reversed(self.moments[: reopening.number]) if moment.solves)

    def _next(self, moment: Moment, what: str) -> Moment | None:
        return next((other for other in self.moments[moment.number + 1 :] if getattr(other, what)), None)

    def _forgiven(self, reopening: Moment) -> Moment | None:
        """The solve soon after a reopen that nobody had to reply to."""
        again = self._next(reopening, "solves")
        if again is None or again.at - reopening.at > self.settings.benign_reopen_window:
            return None
        return None if any(reopening.number <= reply.number < again.number for reply in self.replies) else again

    def _reopened_until(self, number: int) -> bool:
        """Whether it was reopened by then, other than benignly: a reply or a late solve showed it."""
        for moment in self.moments[: number + 1]:
            if moment.reopens and moment.after.engaged and self._forgiven(moment) is None:
                again = self._next(moment, "solves")
                replied = any(moment.number < reply.number <= number for reply in self.replies)
                if replied or (again is not None and again.number <= number):
                    return True
        return False

    def effort(self, number: int, idle: tuple[str, ...]) -> int:
        """How long it was in no such status, since the customer is in touch."""
        total, begun = 0, False
        for moment, following in zip(self.moments[:number], self.moments[1 : number + 1], strict=False):
            begun = begun or moment.after.engaged
            if begun and moment.after.status not in idle:
                total += following.at - moment.at
        return total

    def _read_solve(self, moment: Moment) -> None:
        at, after, settings, number = moment.at, moment.after, self.settings, moment.number
        known, dims = after.known, after.dims
        reopening = self._next(moment, "reopens")
        reason, marked = (moment.data[1], moment.data[2]) if moment.kind == "ticket.status_changed" else (None, None)
        since = at - after.created_at if known else None
        self.outcomes.append(Said("ticket.solved", at, dims, (since,)))
        turns = turns_until(self.moments, number)
        effort = (self.effort(number, ("pending", *SOLVED)), self.effort(number, ("pending", "on_hold", *SOLVED)))
        withdrawn = reason == "withdrawn" and not any(reply.number <= number for reply in self.replies)
        if withdrawn:
            self.outcomes.append(Said("ticket.withdrawn", at, dims, ()))
        self._read_first_contact(moment, reopening, turns, withdrawn=withdrawn)
        if reopening is not None:
            return
        solver = self._solver(number)
        done = (*effort, turns) if known else (None, None, None)
        self.outcomes.append(Said("ticket.completed", at, dims, (*done, solver, self.clocks.any_breached(number))))
        if marked is not None:
            self.outcomes.append(Said("ticket.fcr_marked", at, dims, (marked,)))
        final_at = at if after.status == "closed" else at + settings.final_after
        closed = [
            other.at for other in self.moments[number + 1 :] if other.kind == "ticket.status_changed" and other.after.status == "closed"
        ]
        final_at = min([final_at, *closed])
        if known and final_at <= self.until:
            transfers = len([other for other in self.transfers(len(self.moments)) if other.at <= final_at])
            content = (since, turns, *effort, self._reopened_until(number), transfers)
            self.outcomes.append(Said("ticket.summarized", final_at, state_at(self.moments, final_at).dims, content))

    # -- first contact --------------------------------------------------------------------------------------------------------------

    def _repeats(self) -> list[Moment]:
        """The requester came back, and it counts: while the ticket was open, or soon after its solve."""
        result = []
        for moment in self.moments:
            if moment.kind == "again" and (moment.before.created or moment.before.adopted):
                solve = next((other for other in reversed(self.moments[: moment.number]) if other.solves), None)
                late = moment.before.solved and solve is not None and moment.at - solve.at > self.settings.repeat_window
                if not late:
                    result.append(moment)
        return result

    def _said_no(self, before: int) -> bool:
        """The last answer to whether it was resolved, of those before that moment."""
        answers = [(number, answer) for each in self.rounds for _, number, answer in each.answers or [] if answer.survey == "fcr"]
        return [answer.result for number, answer in sorted(answers, key=lambda each: each[0]) if number < before][-1:] == ["no"]

    def _read_first_contact(self, moment: Moment, reopening: Moment | None, turns: int, *, withdrawn: bool) -> None:
        at, after, number, settings = moment.at, moment.after, moment.number, self.settings
        repeats, end = self._repeats(), len(self.moments)
        if reopening is None:
            before = any(repeat.number < number for repeat in repeats)
            later = next((repeat for repeat in repeats if repeat.number > number), None)
            if before:
                self.outcomes.append(Said("ticket.repeat_contacted", at, after.dims, (None,)))
            elif later is not None:
                self.outcomes.append(Said("ticket.repeat_contacted", later.at, later.after.dims, (later.at - at,)))
        if not after.known or not after.inbound or withdrawn or not (turns or settings.fcr_counts_unanswered):
            return
        alone = turns <= 1 and not self.transfers(number) and not self.escalations(number) and not self._reopened_until(number)
        if reopening is None:
            good = alone and not repeats and not self._said_no(end)
            topic = after.topic not in settings.fcr_excluded_topics
            self.outcomes.append(Said("ticket.fcr_assessed", at, after.dims, (good, topic)))
        due = at + settings.repeat_window
        settled = any(said.kind == "ticket.fcr_settled" for said in self.outcomes)
        if due <= self.until and not settled and (reopening is None or reopening.at > due):
            state = state_at(self.moments, due)
            passed = len([other for other in self.moments if other.at <= due])
            good = alone and not any(repeat.at <= due for repeat in repeats) and not self._said_no(passed)
            topic = state.topic not in settings.fcr_excluded_topics
            self.outcomes.append(Said("ticket.fcr_settled", due, state.dims, (good, topic)))

    # -- surveys --------------------------------------------------------------------------------------------------------------------

    def _rounds(self) -> list[Round]:
        said: dict[tuple[str, str], list[tuple[int, int, str, tuple[Any, ...]]]] = {}
        for moment in self.moments:
            what = {"ticket.survey_sent": "sent", "ticket.survey_responded": "responded"}.get(moment.kind)
            if what is not None:
                said.setdefault((moment.data[1], moment.data[0]), []).append((moment.at, moment.number, what, moment.data))
        return [each for entries in said.values() for each in rounds_of(entries, self.settings, None)]

    def _low(self) -> dict[int, bool]:
        """After which answers somebody should ask back, and after which no longer."""
        answers = sorted(((number, each, answer) for each in self.rounds for _, number, answer in each.answers or []), key=lambda a: a[0])
        low: dict[int, bool] = {}
        open_rounds: set[int] = set()
        for number, each, answer in answers:
            moment = self.moments[number]
            if answer.result in LOW:
                open_rounds.add(id(each))
                if moment.after.engaged:
                    low[number] = True
            elif id(each) in open_rounds:
                open_rounds.discard(id(each))
                if not open_rounds:
                    low[number] = False
        return low

    def _read_surveys(self) -> None:
        for each in self.rounds:
            if each.sent is not None:
                at, number, _ = each.sent
                solves = [moment.at for moment in self.moments[:number] if moment.solves]
                since = at - solves[-1] if solves else None
                survey = self.moments[number].data[1]
                self._state(number, Said("survey.sent", at, self.moments[number].after.dims, (survey, since)))
            if not each.answers:
                continue
            at, number, answer = each.answers[-1]
            dims = self._dims_of_answer(each, number)
            if not (answer.survey == "nps" and self._respondent(each, number, answer)):
                content = (answer.survey, answer.result, answer.score, *self._details(each, number, answer))
                self._state(number, Said("survey.answered", at, dims, content))
            if answer.result in LOW:
                self._state(number, Said("survey.negative", at, dims, (answer.survey, answer.score, answer.reason)))

    def _dims_of_answer(self, each: Round, number: int) -> tuple[str, ...]:
        """For whom an answer counts: whose ticket it was when the survey was sent, if that was before the first answer."""
        return self.moments[self._counts_from(each, number)].after.dims

    def _counts_from(self, each: Round, number: int) -> int:
        assert each.answers
        sent_first = each.sent is not None and each.sent[1] < each.answers[0][1]
        return each.sent[1] if sent_first and each.sent is not None else number

    def _solver(self, number: int) -> str | None:
        assignee = self.moments[number].after.assignee
        return pseudonym(assignee) if assignee else author_until(self.moments, number)

    def _respondent(self, each: Round, number: int, answer: Answer) -> str | None:
        sent_to = each.sent[2] if each.sent is not None and each.sent[1] < number else None
        return answer.respondent or sent_to

    def _details(self, each: Round, number: int, answer: Answer) -> tuple[Any, ...]:
        first = self.clocks.first_response()
        reply = self.clocks.first_reply
        band = "none"
        if first is not None and reply is not None and reply.number < number:
            limits = ((HOUR, "under_1h"), (8 * HOUR, "1h_to_8h"), (24 * HOUR, "8h_to_24h"), (FOREVER, "over_24h"))
            band = next(name for limit, name in limits if first.content[0] < limit)
        return (band, self.clocks.any_breached(number), answer.reason, answer.touchpoint, self._solver(self._counts_from(each, number)))

    def _state(self, number: int, said: Said) -> None:
        """Also of a ticket of which nothing else is known by then."""
        after = self.moments[number].after
        if after.engaged or not (after.created or after.adopted):
            self.outcomes.append(said)

    # -- what it gives --------------------------------------------------------------------------------------------------------------

    def _give(self) -> None:
        into: tuple[str, int] | None = None
        told: list[tuple[int, Event]] = []
        for moment in self.moments:
            before, after, at, number = moment.before, moment.after, moment.at, moment.number
            if moment.kind == "ticket.merged" and number in self.clocks.handed and moment.data[0] not in ("", self.key):
                self.given.append(given("wait", moment.data[0], at, self.key, *self.clocks.handed[number]))
                into = (moment.data[0], at)
            elif moment.kind == "ticket.unmerged" and "merged" in before.flags and into is not None:
                self.given.append(given("back", into[0], at, self.key, into[1]))
                into = None
            if before.counted and not after.counted:
                told = [each for each in told if each[0] < at - self.settings.allowed_lateness]
            told += self._tell(moment, told)
        self.given += [event for _, event in told]
        self._give_scores()

    def _tell(self, moment: Moment, told: list[tuple[int, Event]]) -> list[tuple[int, Event]]:
        """The requester hears of the ticket, and the ticket that it follows."""
        before, after, at = moment.before, moment.after, moment.at
        if not after.created or not after.inbound or after.flags:
            return []
        begins = moment.kind == "ticket.created" or (after.counted and not before.counted and before.flags != after.flags)
        changed = moment.kind == "ticket.fields_changed" and (before.requester, before.topic) != (after.requester, after.topic)
        left = max(
            (other.number for other in self.moments[: moment.number] if other.before.counted and not other.after.counted), default=-1
        )
        last = max((when for when, event in told if self._number_of(when) >= left), default=0)
        late = moment.solves and after.engaged and at - (at if begins else last) > self.settings.repeat_window
        result = []
        if begins and after.follows and after.follows != self.key:
            result.append((at, given("again", after.follows, at, self.key)))
        if after.requester and (begins or changed or late):
            result.append((at, given("met", after.requester, at, self.key, after.topic, after.created_at)))
        return result

    def _number_of(self, at: int) -> int:
        return max((moment.number for moment in self.moments if moment.at <= at), default=-1)

    def _give_scores(self) -> None:
        """Recommendation scores count at the respondent, while the ticket counts."""
        answers = {number: (each, answer) for each in self.rounds for _, number, answer in each.answers or [] if answer.survey == "nps"}
        handed: dict[int, tuple[str, tuple[Any, ...]]] = {}  # round -> to whom, what
        for moment in self.moments:
            before, after = moment.before, moment.after
            left, came_back = before.counted and not after.counted, after.counted and not before.counted and before.flags != after.flags
            for place in sorted(handed) if left or came_back else []:
                self._tell_score(moment.at, handed[place], gone=left)
            if moment.number not in answers:
                continue
            each, answer = answers[moment.number]
            respondent = self._respondent(each, moment.number, answer)
            if each.number in handed and handed[each.number][0] != respondent:
                self._tell_score(moment.at, handed.pop(each.number), gone=True)
            if respondent is not None:
                details = (self._dims_of_answer(each, moment.number), *self._details(each, moment.number, answer))
                handed[each.number] = (respondent, (each.number, moment.at, answer.score, details))
                if after.counted or not (after.created or after.adopted):
                    self._tell_score(moment.at, handed[each.number], gone=False)

    def _tell_score(self, at: int, handed: tuple[str, tuple[Any, ...]], *, gone: bool) -> None:
        respondent, (place, answered_at, score, details) = handed
        edition = f"{len(self.given):06}"
        told = given("scored", respondent, at, self.key, place, answered_at, None if gone else score, details)
        self.given.append(told._replace(sequence=edition))
