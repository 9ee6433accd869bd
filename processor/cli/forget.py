"""`ticket-kpis forget`: the same as `ticket-kpis state forget`, where somebody who is asked to erase a person looks first."""

from __future__ import annotations

from processor.cli.state import forget as command

__all__ = ["command"]
