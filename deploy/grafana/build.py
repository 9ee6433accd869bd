"""Writes the dashboards of deploy/grafana/dashboards from the boards: `python -m deploy.grafana.build`, in the checkout.

Each board has a wall version (few large numbers, to be read from afar) and a working version (charts, with variables). A test fails where
what is committed is behind.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import dashboard as model

from deploy.grafana import panels
from processor.alerting import alerts
from processor.boards.board import Board
from processor.boards.tables import BOARDS
from processor.boards.working import PANELS
from processor.config import Config

HERE = Path(__file__).parent
WALL, WORKING = "wall", "working"  # folders, and tags
TAG = "support"
PLAYLIST_TAG = "support-wall"
COLUMNS = 24  # of Grafana's grid
VARIABLES = ("window", "group", "channel", "priority", "instance")
PLAYLIST_SECONDS = 20


def wall(board: Board) -> build.Dashboard:
    """Large numbers in two rows, what they ought to be below each, the age of the data above all."""
    made = _dashboard(board, WALL, "10s", "now-1h")
    made = made.tags([TAG, WALL, board.audience, *([PLAYLIST_TAG] if board.playlist else [])])
    made = made.link(_to(f"{board.title}, to work with", board, WORKING))
    made = _with_variables(made, ())
    parts = list(panels.state_of_data(COLUMNS // 6))
    made = made.with_panel(panels.heading(board, COLUMNS - len(parts) * (COLUMNS // 6)))
    for part in parts:
        made = made.with_panel(part)
    tiles = board.wall
    half = (len(tiles) + 1) // 2
    width = COLUMNS // half
    for row in (tiles[:half], tiles[half:]):
        for panel in (*(panels.big(tile, board, width) for tile in row), *(panels.beside(tile, width) for tile in row)):
            made = made.with_panel(panel)
    return made


def working(board: Board) -> build.Dashboard:
    """All numbers of the board in a strip, charts below."""
    made = _dashboard(board, WORKING, "30s", "now-24h").tags([TAG, WORKING, board.audience])
    made = made.link(_to(f"{board.title}, for the wall", board, WALL)).link(_others())
    charts = PANELS[board.name]
    used = " ".join(query.expr for chart in charts for query in chart.queries)
    made = made.annotation(panels.firing())
    made = _with_variables(made, tuple(name for name in VARIABLES if f"${name}" in used))
    made = made.with_row(build.Row("Of all tickets and contacts, whatever is chosen above"))
    for tile in board.tiles:
        made = made.with_panel(panels.number(tile, board, COLUMNS * 2 // (len(board.tiles) + len(board.tiles) % 2)))
    made = made.with_row(build.Row("Why is that? Of what is chosen above"))
    for chart in charts:
        made = made.with_panel(panels.chart(chart, COLUMNS // 2))
    made = made.with_row(build.Row("Who is told, and of what?"))
    return made.with_panel(panels.words("Alerts that lead to this board.", _alerts(board), COLUMNS))


def playlist() -> dict[str, Any]:
    """What Grafana's API takes for a playlist of the walls."""
    items = [{"type": "dashboard_by_tag", "value": PLAYLIST_TAG, "title": PLAYLIST_TAG}]
    return {"name": "Support walls", "interval": f"{PLAYLIST_SECONDS}s", "items": items}


def files() -> Iterator[tuple[Path, str]]:
    """Every file with its text."""
    for board in BOARDS:
        for folder, made in ((WALL, wall(board)), (WORKING, working(board))):
            document = _completed(json.loads(json.dumps(made.build(), cls=JSONEncoder)))
            yield HERE / "dashboards" / folder / f"{board.name}.json", _text(document)
    yield HERE / "playlist.json", _text(playlist())


def _alerts(board: Board) -> str:
    """Those whose link leads here, each once, with the heading of their entry in the runbook."""
    told = {alert.name: alert.summary for alert in reversed(alerts(Config())) if alert.board == board.name}
    lines = [f"- **{name}**: {told[name]}" for name in reversed(told)]
    return "\n".join([*lines, "", "`deploy/runbook.md` has a chapter of each name: what it means and what to do."]) if lines else "None."


def _dashboard(board: Board, version: str, refresh: str, since: str) -> build.Dashboard:
    title = board.title if version == WORKING else f"{board.title} (wall)"
    made = build.Dashboard(title).uid(_uid(board, version)).description(board.question).readonly()
    return made.timezone("browser").refresh(refresh).time(since, "now")


def _uid(board: Board, version: str) -> str:
    """Alerts link to the working version by the board's name."""
    return board.name if version == WORKING else f"{board.name}-{version}"


def _with_variables(made: build.Dashboard, names: tuple[str, ...]) -> build.Dashboard:
    for variable in panels.variables(names):
        made = made.with_variable(variable)
    return made


def _to(title: str, board: Board, version: str) -> Builder[model.DashboardLink]:
    link = build.DashboardLink(title).type(model.DashboardLinkType.LINK).url(f"/d/{_uid(board, version)}")
    return link.include_vars(True).icon("dashboard")


def _others() -> Builder[model.DashboardLink]:
    return build.DashboardLink("Other boards").type(model.DashboardLinkType.DASHBOARDS).tags([TAG, WORKING]).as_dropdown(True)


def _completed(document: dict[str, Any]) -> dict[str, Any]:
    """With what the builder cannot say: ids of panels that stay the same, so that links to them do, and what marks are called."""
    for number, panel in enumerate(document["panels"], start=1):
        panel["id"] = number
    for mark in document["annotations"].get("list", []):
        mark |= {"titleFormat": "{{alertname}}", "textFormat": "{{severity}}: deploy/runbook.md", "step": "60s"}
    return document


def _text(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def main() -> None:
    """Write what has changed, remove what is no dashboard any more."""
    wanted = dict(files())
    for path in set((HERE / "dashboards").rglob("*.json")) - wanted.keys():
        path.unlink()
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
