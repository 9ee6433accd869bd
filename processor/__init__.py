"""ticket-kpis: support ticket events in, trustworthy numbers out."""

__version__ = "0.1.0"
