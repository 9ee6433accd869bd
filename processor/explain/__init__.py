"""Why the numbers of one ticket are what they are: which event moved which clock, what it came to, and what else was concluded of it."""

from processor.explain.document import ExplainError, Kept, answer, explain

__all__ = ["ExplainError", "Kept", "answer", "explain"]
