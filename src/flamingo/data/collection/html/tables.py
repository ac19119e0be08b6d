"""A table of data as one text: cells side by side, rows below each other."""

from __future__ import annotations

from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode, create_tag

from flamingo.data.collection.html.texts import single_spaced

BETWEEN_CELLS = " | "


def _numbers(names: str) -> frozenset[int]:
    return frozenset(create_tag(name).tag_id for name in names.split())


_NO_DATA = _numbers(
    "img table pre ul ol dl h1 h2 h3 h4 h5 h6 form input select textarea script style nav "
    "blockquote figure"
)
"""A table with one of these, or with two paragraphs in a row, lays out a page; its cells are read
as blocks."""
_BROKEN_LINES = _numbers("br div")
_CELLS = _numbers("td th")
_ROW, _CAPTION, _LINK, _PARAGRAPH = (
    create_tag(name).tag_id for name in ("tr", "caption", "a", "p")
)


@dataclass(frozen=True)
class TableText:
    """A table as text.

    Attributes:
        text: its rows, one a line.
        caption: what stands over it, empty if there is nothing.
        links: in it.
        in_links: characters in links.
    """

    text: str
    caption: str
    links: int
    in_links: int


@dataclass
class _Parts:
    """The elements in a table that say what it holds, in the order of the document."""

    rows: list[LexborNode] = field(default_factory=list)
    caption: LexborNode | None = None
    has_links: bool = False
    has_broken_lines: bool = False


def read_table(table: LexborNode) -> TableText | None:
    """The table's text; None if it is there to lay out a page, or has one row or column only."""
    parts = _parts(table)
    if parts is None:
        return None
    # Without a separator "one<br>two" would grow together; with one, "w<b>o</b>rd" falls apart.
    separator = " " if parts.has_broken_lines else ""
    rows = [_cells(row, separator) for row in parts.rows]
    rows = [row for row in rows if any(row)]
    if len(rows) < 2 or max(map(len, rows)) < 2:
        return None
    links = [link.text() for link in table.css("a[href]")] if parts.has_links else []
    return TableText(
        "\n".join(BETWEEN_CELLS.join(row) for row in rows),
        "" if parts.caption is None else single_spaced(parts.caption.text()),
        len(links),
        sum(map(len, links)),
    )


def _parts(table: LexborNode) -> _Parts | None:
    """What is in the table, found in one pass; None at the first thing that no data has."""
    parts = _Parts()
    inside = table.traverse()
    next(inside)  # the table itself
    for node in inside:
        number = node.tag_id
        if number in _NO_DATA or (number == _PARAGRAPH and _follows_paragraph(node)):
            return None
        if number == _ROW:
            parts.rows.append(node)
        elif number == _LINK:
            parts.has_links = True
        elif number in _BROKEN_LINES:
            parts.has_broken_lines = True
        elif number == _CAPTION and parts.caption is None:
            parts.caption = node
    return parts


def _follows_paragraph(node: LexborNode) -> bool:
    before = node.prev
    while before is not None and not before.is_element_node:
        before = before.prev
    return before is not None and before.tag_id == _PARAGRAPH


def _cells(row: LexborNode, separator: str) -> list[str]:
    return [
        single_spaced(cell.text(separator=separator))
        for cell in row.iter()
        if cell.tag_id in _CELLS
    ]
