"""Shares by what else is known of a ticket, and patience by queue, counted by hand."""

from __future__ import annotations

from typing import Any

import pytest

from processor.core.facts import Fact
from processor.core.kpi_readings import Rules
from processor.core.settings import NO_DIMENSIONS
from processor.replay.crossing import OTHERS, VALUES_MAX, Crossing
from processor.replay.following import Following
from processor.report.crosses import CSAT_BY_CHANNEL, CSAT_BY_FIRST_RESPONSE, FCR_BY_LANGUAGE, REPEAT_BY_TOPIC, Cross, crosses
from tests.report.story import replayed

FEW = Rules(min_n=3)


def dims(channel: str = "email", topic: str = "none", language: str = "none") -> tuple[str, ...]:
    return (channel, "none", "none", "none", topic, "none", language, "none", "none")


def answer(result: str, band: str | None, *, breached: bool | None = None, survey: str = "csat", **where: str) -> Fact:
    return Fact("survey.answered", 1, 0, dims(**where), (survey, result, 5000, band, breached, None, None, None))


def heard(*facts: Fact | tuple[Fact, int]) -> Crossing:
    """Facts, and with -1 what is taken back."""
    crossing = Crossing()
    for each in facts:
        if isinstance(each, Fact):
            crossing.hear(each, 1)
        else:
            crossing.hear(*each)
    return crossing


def told(crossing: Crossing, cross: Cross) -> list[tuple[str, float, int]] | None:
    """Value, ratio, n."""
    found = [each for each in crosses(crossing.counts, FEW) if (each["kpi"], each["by"]) == cross]
    return [(each["value"], each["ratio"], each["n"]) for each in found[0]["values"]] if found else None


def test_satisfaction_by_the_wait_before_the_answer_is_in_the_order_of_the_bands() -> None:
    crossing = heard(
        answer("dissatisfied", "over_24h"), answer("satisfied", "under_1h"), answer("satisfied", "under_1h"),
        answer("dissatisfied", "under_1h"), answer("satisfied", "none"), answer("promoter", "under_1h", survey="nps"),
    )  # fmt: skip
    assert told(crossing, CSAT_BY_FIRST_RESPONSE) == [("under_1h", 0.6667, 3), ("over_24h", 0, 1), ("none", 1, 1)]
    values = crosses(crossing.counts, FEW)[0]["values"]
    assert [each["low_n"] for each in values] == [False, True, True]
    assert (values[0]["low"], values[0]["high"]) == (0.2077, 0.9385)  # Wilson of 2 of 3


def test_an_answer_that_changes_moves_from_one_side_to_the_other() -> None:
    before, after = answer("satisfied", "8h_to_24h", breached=True), answer("dissatisfied", "8h_to_24h", breached=True)
    crossing = heard(before, (before, -1), after, answer("satisfied", None, channel="chat"))
    assert told(crossing, CSAT_BY_FIRST_RESPONSE) == [("8h_to_24h", 0, 1)]
    assert told(crossing, Cross("csat", "clocks")) == [("breached", 0, 1)]
    assert told(crossing, CSAT_BY_CHANNEL) == [("chat", 1, 1), ("email", 0, 1)]


def test_first_contact_resolution_by_language_is_of_topics_that_can_be_solved_so() -> None:
    settled = [("de", True, True), ("de", False, True), ("fr", True, True), ("fr", False, False)]
    crossing = heard(*(Fact("ticket.fcr_settled", 1, 0, dims(language=language), (ok, counts)) for language, ok, counts in settled))
    assert told(crossing, FCR_BY_LANGUAGE) == [("de", 0.5, 2), ("fr", 1, 1)]


def test_nothing_is_told_by_a_language_that_nobody_names() -> None:
    crossing = heard(Fact("ticket.fcr_settled", 1, 0, NO_DIMENSIONS, (True, True)))
    assert crosses(crossing.counts) == []


def test_more_repeat_contacts_than_solutions_have_a_ratio_and_no_interval() -> None:
    facts: list[Fact] = [Fact("ticket.solved", 1, 0, dims(topic="invoice"), (None,))]
    facts += [Fact("ticket.repeat_contacted", number, 0, dims(topic="invoice"), (None,)) for number in (1, 2)]
    facts += [Fact("ticket.repeat_contacted", 1, 0, dims(topic="login"), (None,))]
    crossing = heard(*facts)
    assert told(crossing, REPEAT_BY_TOPIC) == [("invoice", 2, 1)]
    assert "low" not in crosses(crossing.counts)[0]["values"][0]


def test_values_are_limited_and_what_is_taken_back_is_found() -> None:
    facts = [Fact("ticket.solved", 1, 0, dims(topic=f"topic {number}"), (None,)) for number in range(VALUES_MAX + 5)]
    crossing = heard(*facts, (facts[0], -1), (facts[-1], -1))
    counts: dict[str, Any] = crossing.counts[REPEAT_BY_TOPIC]
    assert len(counts) == VALUES_MAX + 1
    assert (counts["topic 0"], counts[OTHERS], counts["topic 1"]) == ([0, 0], [0, 4], [0, 1])


@pytest.mark.parametrize("partitions", [1, 3])
def test_the_morning(partitions: int) -> None:
    """Three answers to surveys, two of them satisfied; three solved tickets about invoices, nobody came back; no language is told."""
    following = Following("UTC")
    replay = replayed(partitions, following=following)
    made = following.document(replay.shown(), replay.views(), replay.days(), FEW)
    found = {(each["kpi"], each["by"]): [(one["value"], one["ratio"], one["n"]) for one in each["values"]] for each in made["crosses"]}
    assert found == {
        ("csat", "first_response"): [("under_1h", 0.6667, 3)],
        ("csat", "clocks"): [("kept", 0.6667, 3)],
        ("csat", "channel"): [("email", 0.6667, 3)],
        ("repeat_contact", "topic"): [("invoice", 0.0, 3)],
    }
    assert [(each["channel"], each["queue"], each["n"], each["censored"]) for each in made["patience"]] == [
        ("phone", None, 1, 2), ("phone", "hotline", 1, 2),
    ]  # fmt: skip
