"""The surveys of one person: those that belong to no ticket, and all scores of how likely a recommendation is (nps).

Of a person's recommendation scores, from whichever survey, one counts in `nps_window`: an answer that is followed by another one within
that time does not. Where the later one is taken back (its ticket turned out to be spam), the earlier one counts again.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final, NamedTuple

from processor.core.events import Event
from processor.core.facts import Dims, Fact, Out
from processor.core.settings import NO_DIMENSIONS, Settings
from processor.core.survey_answers import Answer, Round, Rounds, nps_result, read
from processor.core.surveys import NO_BAND

SCORES_MAX: Final = 16  # recommendation scores of one person that are remembered; older ones are settled

Key = tuple[str, int]  # the ticket ("" where there is none), and the number of the round


class Score(NamedTuple):
    """A recommendation score. `edition` grows with each word about it; without a score it was taken back."""

    number: int
    edition: int
    at: int
    score: int | None
    dims: Dims
    details: tuple[Any, ...]

    def fact(self) -> Fact:
        """What is stated of one that counts."""
        assert self.score is not None
        return Fact("survey.answered", self.number, self.at, self.dims, ("nps", nps_result(self.score), self.score, *self.details))


def remembered(settings: Settings) -> int:
    """How long answers are remembered after the last one."""
    return settings.nps_window + settings.survey_edit_window


class Respondent:
    """What is remembered of a person's answers."""

    __slots__ = ("last_at", "rounds", "scores", "settings")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.last_at = 0
        self.rounds = Rounds(settings.survey_edit_window, settings.nps_window)
        self.scores: dict[Key, Score] = {}

    def sent(self, event: Event, at: int, number: int, out: Out) -> None:
        """The person is asked, apart from any ticket."""
        self.last_at = at
        survey_id, survey, _respondent = event.data
        known = self.rounds.sent((survey, survey_id), at, number)
        if known is not None:
            out.append((1, Fact("survey.sent", known.number, at, NO_DIMENSIONS, (survey, None))))

    def responded(self, event: Event, at: int, number: int, out: Out) -> None:
        """The person has answered, for the first time or otherwise than before."""
        self.last_at = at
        answer = read(event.data, self.settings)
        known = self.rounds.answered((event.data[1], event.data[0]), at, number) if answer is not None else None
        if answer is None or known is None:
            return
        details = (NO_BAND, None, answer.reason, answer.touchpoint, None)
        if answer.survey == "nps":
            self._score(("", known.number), Score(known.number, known.answers, at, answer.score, NO_DIMENSIONS, details), at, out)
        else:
            _replace(known.stated, out)
            known.stated = Fact("survey.answered", known.number, at, NO_DIMENSIONS, (answer.survey, answer.result, answer.score, *details))
            out.append((1, known.stated))
        self._judge(known, answer, at, out)

    def answered(self, event: Event, at: int, number: int, out: Out) -> None:
        """A ticket hands over what this person answered, or takes it back."""
        self.last_at = at
        ticket, round_number, edition, answered_at, score, dims, *details = event.data
        self._score((ticket, round_number), Score(number, edition, answered_at, score, dims, tuple(details)), at, out)

    def _judge(self, known: Round, answer: Answer, at: int, out: Out) -> None:
        _replace(known.negative, out)
        known.negative = None
        if answer.negative:
            known.negative = Fact("survey.negative", known.number, at, NO_DIMENSIONS, (answer.survey, answer.score, answer.reason))
            out.append((1, known.negative))

    def _score(self, key: Key, score: Score, at: int, out: Out) -> None:
        """Take over a score; what counts then may be another one."""
        forgotten = at - remembered(self.settings)
        if score.at < forgotten:
            return  # whatever was stated of it is settled
        self.scores = {known: each for known, each in self.scores.items() if each.at >= forgotten}
        before = self._counting()
        known = self.scores.get(key)
        if known is not None:
            if known.edition > score.edition:
                return
            score = score._replace(number=known.number)  # the same slot
        self.scores[key] = score
        after = self._counting()
        out.extend((-1, fact) for fact in before if fact not in after)
        out.extend((1, fact) for fact in after if fact not in before)
        while len(self.scores) > SCORES_MAX:
            del self.scores[min(self.scores, key=lambda other: (self.scores[other].at, other))]

    def _counting(self) -> list[Fact]:
        """The scores that count: nothing follows them within the window."""
        given = sorted((score.at, key) for key, score in self.scores.items() if score.score is not None)
        followed = {key for (at, key), (next_at, _) in pairwise(given) if next_at - at <= self.settings.nps_window}
        return [self.scores[key].fact() for _, key in given if key not in followed]

    def freeze(self) -> tuple[Any, ...]:
        """Plain values."""
        return (self.last_at, self.rounds.freeze(), tuple((*key, tuple(score)) for key, score in self.scores.items()))

    @classmethod
    def thaw(cls, stored: Any, settings: Settings) -> Respondent:
        """Undo `freeze`."""
        self = cls(settings)
        self.last_at, rounds, scores = stored
        self.rounds.thaw(rounds)
        for ticket, round_number, (number, edition, at, score, dims, details) in scores:
            self.scores[ticket, round_number] = Score(number, edition, at, score, tuple(dims), tuple(details))
        return self


def _replace(fact: Fact | None, out: Out) -> None:
    if fact is not None:
        out.append((-1, fact))
