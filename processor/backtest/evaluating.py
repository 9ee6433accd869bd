"""Evaluates rules over recorded samples, in a real Prometheus: what they record, level by level, and then when each alert holds.

`promtool` records past rules two hours at a time, which takes minutes for a month; so each rule is asked for as one range, with the same
step and the same engine, and what it answers is loaded as its series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from processor.backtest.firing import STEP_SECONDS, Episode, LabelPairs, episodes
from processor.backtest.prometheus import Prometheus
from processor.backtest.rules import Alerting, Recording, Rules
from processor.backtest.series import sparse
from processor.export.collector import label_text

Advance = Callable[[str], None]  # hears what is done next

LOADING = "loading the samples"


def steps(rules: Rules) -> int:
    """How often `advance` is called."""
    return 1 + sum(map(len, rules.levels)) + len(rules.alerts)


def evaluate(
    rules: Rules, samples: Path, directory: Path, instants: tuple[int, int, int], advance: Advance, folder: Path | None
) -> list[Episode]:
    """What fired between the second instant and the last, in the order of time; what did in the second already has its own beginning.

    So alerts are evaluated from the first instant on, as series are recorded, or they would begin anew with the second.

    `samples` is an OpenMetrics text, `directory` takes the files of Prometheus, `folder` is where its programs are, if not on the PATH.
    """
    first, begin, last = instants
    prometheus = Prometheus(directory, folder)
    advance(LOADING)
    prometheus.load(samples)
    samples.unlink()
    for number, level in enumerate(rules.levels):
        recorded = directory / f"level{number}.txt"
        with prometheus, recorded.open("w", encoding="utf-8") as text:
            for rule in level:
                advance(rule.name)
                text.writelines(_record(prometheus, rule, (first, last), every=rule.name in rules.ranged))
            text.write("# EOF\n")
        prometheus.load(recorded)
        recorded.unlink()
    found: list[Episode] = []
    with prometheus:
        for alert in rules.alerts:
            advance(alert.name)
            told = episodes(alert, _held(prometheus, alert, (first, last)), last)
            found += (episode for episode in told if episode.ended is None or episode.ended > begin)
    return sorted(found, key=lambda episode: (episode.fired, episode.alert.name, episode.alert.severity, episode.labels))


def _record(prometheus: Prometheus, rule: Recording, span: tuple[int, int], *, every: bool) -> Iterator[str]:
    """What a rule records, as text: of each minute, or of those alone that tell something new (see `series`)."""
    for metric, values in prometheus.series(rule.expr, *span, STEP_SECONDS):
        labels = {**{name: value for name, value in metric.items() if name != "__name__"}, **rule.labels}
        text = label_text(tuple(labels), tuple(labels.values()))
        begun = f"{rule.name}{{{text}}} "
        yield from (f"{begun}{value} {at}\n" for at, value in (values if every else _telling(values)))


def _telling(values: Sequence[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    begin = 0
    for end in range(1, len(values) + 1):
        if end == len(values) or values[end][1] != values[begin][1] or values[end][0] - values[end - 1][0] != STEP_SECONDS:
            yield from sparse(values[begin:end])
            begin = end


def _held(prometheus: Prometheus, alert: Alerting, span: tuple[int, int]) -> Mapping[LabelPairs, Iterable[int]]:
    """At which instants the expression returned what, whatever the value."""
    held: dict[LabelPairs, list[int]] = {}
    for metric, values in prometheus.series(alert.expr, *span, STEP_SECONDS):
        held.setdefault(tuple(sorted(metric.items())), []).extend(at for at, _ in values)
    return held
