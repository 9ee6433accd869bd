"""For programs that consume the facts topic: decode facts, read them at least once, keep what holds. The worker does not use it."""

from processor.client.facts import Dimensions, Fact, decode_fact
from processor.client.ledger import FactRecord, Ledger
from processor.client.reader import FactReader, NoSuchTopicError

__all__ = ["Dimensions", "Fact", "FactReader", "FactRecord", "Ledger", "NoSuchTopicError", "decode_fact"]
