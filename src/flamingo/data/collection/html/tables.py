"""A table of data as one text: cells side by side, rows below each other."""

from __future__ import annotations

from dataclasses import dataclass

from selectolax.lexbor import LexborNode

from flamingo.data.collection.html.texts import single_spaced

BETWEEN_CELLS = " | "
_NO_DATA = (
    "img,table,pre,ul,ol,dl,h1,h2,h3,h4,h5,h6,form,input,select,textarea,script,style,nav,"
    "blockquote,figure,p + p"
)
"""A table with one of these lays out a page; its cells are read as blocks."""
_BROKEN_LINES = "br,div"
_CELLS = ("td", "th")


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


def read_table(table: LexborNode) -> TableText | None:
    """The table's text; None if it is there to lay out a page, or has one row or column only."""
    # A selector finds the table itself too, so what is in it is asked.
    if any(part.css_first(_NO_DATA) is not None for part in table.iter()):
        return None
    # Without a separator "one<br>two" would grow together; with one, "w<b>o</b>rd" falls apart.
    separator = " " if table.css_first(_BROKEN_LINES) is not None else ""
    rows = [_cells(row, separator) for row in table.css("tr")]
    rows = [row for row in rows if any(row)]
    if len(rows) < 2 or max(map(len, rows)) < 2:
        return None
    caption = table.css_first("caption")
    links = [link.text() for link in table.css("a[href]")]
    return TableText(
        "\n".join(BETWEEN_CELLS.join(row) for row in rows),
        "" if caption is None else single_spaced(caption.text()),
        len(links),
        sum(map(len, links)),
    )


def _cells(row: LexborNode, separator: str) -> list[str]:
    return [
        single_spaced(cell.text(separator=separator)) for cell in row.iter() if cell.tag in _CELLS
    ]
