"""When an alert fires, by Prometheus' rules: pending for `for`, firing, and on for `keep_firing_for` after its expression is silent.

An expression is evaluated once a minute. What it returned is Prometheus' word; only the states between the evaluations follow here, and a
test holds them against a real Prometheus.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from processor.backtest.rules import Alerting

STEP_SECONDS = 60

LabelPairs = tuple[tuple[str, str], ...]  # sorted


@dataclass(frozen=True, slots=True)
class Episode:
    """An alert that fired, with its labels: from when to when, in seconds since 1970; `ended` is None where it still does in the end.

    `active` is since when its expression had held.
    """

    alert: Alerting
    labels: LabelPairs
    active: int
    fired: int
    ended: int | None

    def until(self, last: int) -> int:
        """When it ended, or the end of the log."""
        return last if self.ended is None else self.ended


def episodes(alert: Alerting, held: Mapping[LabelPairs, Iterable[int]], last: int) -> list[Episode]:
    """What fired, given the instants at which the expression returned a sample with these labels. `last` is the last evaluation."""
    found: list[Episode] = []
    by_labels: dict[LabelPairs, set[int]] = {}
    for labels, instants in held.items():  # series that the labels of the rule make one
        by_labels.setdefault(labelled(alert, labels), set()).update(instants)
    for labels, instants in sorted(by_labels.items()):
        found += _of_one(alert, labels, sorted(instants), last)
    return found


def labelled(alert: Alerting, labels: LabelPairs) -> LabelPairs:
    """The labels of the alert: those of the sample without its name, and those of the rule, which go before."""
    shown = {name: value for name, value in labels if name != "__name__"}
    return tuple(sorted({**shown, **alert.labels, "alertname": alert.name}.items()))


def _of_one(alert: Alerting, labels: LabelPairs, instants: list[int], last: int) -> Iterable[Episode]:
    active = fired = silent = None  # since when it holds, fires, and fires on though it does not hold
    present = set(instants)
    for at in range(instants[0], last + 1, STEP_SECONDS) if instants else ():
        if at in present:
            silent = None
            active = at if active is None else active
            if fired is None and at - active >= alert.hold:
                fired = at
            continue
        if active is None:
            continue
        if fired is None:
            active = None
            continue
        silent = at if silent is None else silent
        if not alert.keep or at - silent >= alert.keep:
            yield Episode(alert, labels, active, fired, at)
            active = fired = silent = None
    if active is not None and fired is not None:
        yield Episode(alert, labels, active, fired, None)
