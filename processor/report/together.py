"""What the views of several partitions come to together."""

from __future__ import annotations

from collections.abc import Iterable

from processor.core.levels import CUSTOMERS, CUSTOMERS_COUNTED
from processor.core.outputs import View
from processor.core.rows import Row


def level_of(views: Iterable[View], name: str) -> int:
    """How many there are now, over all labels of a level."""
    return sum(count for view in views for key, count in view.levels.items() if key[0] == name)


def stock_of(views: Iterable[View]) -> Row:
    """How many customers there are, one by one and as somebody has counted them."""
    stock: Row = {}
    for view in views:
        for (name, *rest), count in view.levels.items():
            if name in (CUSTOMERS, CUSTOMERS_COUNTED):
                stock[name] = stock.get(name, 0) + rest[0] * count
    return {name: number for name, number in stock.items() if number}


def add_net(into: Row, cell: Row) -> None:
    """Add what a cell counts less what it takes back."""
    for key, amount in cell.items():
        name, sign = (key[:-1], -1) if key.endswith("-") else (key, 1)
        into[name] = into.get(name, 0) + sign * amount
