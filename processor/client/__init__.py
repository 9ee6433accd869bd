"""For programs that consume what the worker concludes: facts at least once, the newest KPIs. The worker does not use it."""

from processor.client.facts import Dimensions, Fact, decode_fact
from processor.client.kpi_reader import KpiReader
from processor.client.kpis import Durations, Kpi, KpiKey, KpiWindow, Numbers, decode_kpis
from processor.client.latest import KpiChange, LatestKpis
from processor.client.ledger import FactRecord, Ledger
from processor.client.reader import FactReader, NoSuchTopicError

__all__ = [
    "Dimensions", "Durations", "Fact", "FactReader", "FactRecord", "Kpi", "KpiChange", "KpiKey", "KpiReader", "KpiWindow", "LatestKpis",
    "Ledger", "NoSuchTopicError", "Numbers", "decode_fact", "decode_kpis",
]  # fmt: skip
