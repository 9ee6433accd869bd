"""Reads a page of the report as a browser would have to: every tag closed, every id once, every reference to something that is there."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

VOID = {"meta", "input", "br", "link", "img", "hr"}
SVG_LEAVES = {"path", "rect", "circle"}


class Page(HTMLParser):
    """`text` is all that is to be read, `texts` by tag, `attributes` by tag; faults end the reading."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.tags: Counter[str] = Counter()
        self.ids: list[str] = []
        self.references: list[str] = []
        self.attributes: list[tuple[str, dict[str, str]]] = []
        self.pieces: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"
        twice = [name for name, count in Counter(self.ids).items() if count > 1]
        assert not twice, f"ids that are not unique: {twice}"
        missing = set(self.references) - set(self.ids)
        assert not missing, f"refers to what is not there: {missing}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._take(tag, attrs)
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in VOID | SVG_LEAVES, f"{tag} is no tag that closes itself"
        self._take(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> ends nothing"
        opened = self._open.pop()
        assert opened == tag, f"</{tag}> ends <{opened}>"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.pieces.append((self._open[-1] if self._open else "", data.strip()))

    def _take(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.tags[tag] += 1
        self.attributes.append((tag, told))
        if "id" in told:
            self.ids.append(told["id"])
        self.references += told.get("aria-labelledby", "").split()
        self.references += [told[name].removeprefix("#") for name in ("href", "for") if name in told]

    @property
    def text(self) -> str:
        """All of it but the style, in one line."""
        return re.sub(r"\s+", " ", " ".join(data for tag, data in self.pieces if tag != "style"))

    def texts(self, tag: str) -> list[str]:
        """What stands directly in such tags."""
        return [data for of, data in self.pieces if of == tag]
