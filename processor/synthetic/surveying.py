"""Answers to surveys, and surveys that are about no ticket: how somebody likes us altogether."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from processor.core.events import SURVEY_SCALES
from processor.core.settings import HOUR_MS
from processor.synthetic.accounts import Accounts
from processor.synthetic.feed import Feed
from processor.synthetic.script import LogEndsError, Script
from processor.synthetic.world import SURVEYS_SOURCE, World

REASONS = ("waited too long", "not solved", "unfriendly", "hard to reach")


def answer_to(world: World, survey: str, scale: tuple[int, int] | None, *, happy: bool) -> dict[str, Any]:
    """A score on its scale (`told_scale`: the event says which), and sometimes why it is low."""
    low, high = scale or SURVEY_SCALES[survey]
    share = 1 - world.random.random() ** 2 * 0.4 if world.chance(0.85 if happy else 0.5) else world.random.random() * 0.7
    score = round(low + share * (high - low))
    answer: dict[str, Any] = {"score": score, "scale_min": low, "scale_max": high, "told_scale": scale is not None}
    if share < 0.5 and world.chance(0.4):
        answer["reason"] = world.random.choice(REASONS)
    return answer


class Relation(Script):
    """Somebody is asked whether they would recommend us, or how content they are, apart from any ticket."""

    def __init__(self, world: World, feed: Feed, number: int, accounts: Accounts) -> None:
        name = f"S-{number:06d}"
        super().__init__(
            world, feed, id_field="respondent_id", id=world.person(), source=SURVEYS_SOURCE, now=world.arrival(), name=name
        )  # fmt: skip
        self._accounts = accounts
        self._survey_id = name
        self._survey = "nps" if world.chance(0.7) else "csat"

    def play(self) -> None:
        """Asked; perhaps answered, perhaps twice."""
        survey, survey_id = self._survey, self._survey_id
        with suppress(LogEndsError):
            self.say("survey.sent", survey_id=survey_id, survey=survey)
            self._accounts.write_down_person(self.id, self.now, "ask", survey_id, survey)
            for chance in (0.5, 0.1):
                if not self.world.chance(chance):
                    break
                self.later(self.world.around(2 * HOUR_MS))
                answer = answer_to(self.world, survey, None, happy=True)
                low, high = answer.pop("scale_min"), answer.pop("scale_max")
                del answer["told_scale"]
                self.say("survey.responded", survey_id=survey_id, survey=survey, **answer)
                self._accounts.write_down_person(self.id, self.now, "hear", survey_id, survey, self.id, answer["score"], low, high)
