"""Contact sheets: labeled rows of pictures and clips, as one picture file."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flamingo.foundation.figures import new_figure, save_figure
from flamingo.sequence.visual import Visual

_DPI = 144
_SIDE, _GAP, _MARGIN = 128, 14, 24  # pixels
_TITLE_HEIGHT, _LINE_HEIGHT = 44, 19
_CHARACTER_WIDTH = 8.7  # pixels, of the caption's letters on average
_MAX_LINES = 12
_INK, _SOFT, _RULE = "#1d2129", "#5c6675", "#e4e7ec"
_TONES = {"plain": _SOFT, "right": "#067647", "wrong": "#b42318"}


@dataclass(frozen=True)
class Tile:
    """One visual with what is said of it.

    Args:
        visual: a picture, or a clip, whose frames stand in a row.
        caption: stands below it.
        tone: "plain", "right" or "wrong", for the caption.
    """

    visual: Visual
    caption: str
    tone: str = "plain"


@dataclass(frozen=True)
class SheetRow:
    """Tiles that belong together.

    Args:
        title: what they are.
        note: more of it, in a few words.
        tiles: at least one.
    """

    title: str
    note: str
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class _Placed:
    """A tile with its place on the sheet, in pixels."""

    tile: Tile
    left: int
    top: int
    frames: tuple[int, ...]

    @property
    def width(self) -> int:
        return _width(len(self.frames))

    @property
    def lines(self) -> list[str]:
        return textwrap.wrap(
            self.tile.caption,
            max(4, int(self.width / _CHARACTER_WIDTH)),
            max_lines=_MAX_LINES,
            placeholder=" …",
        )


def draw_sheet(rows: Sequence[SheetRow], target: Path, columns: int = 8) -> None:
    """Draws rows below each other; a row that is too long goes on in another line.

    Args:
        rows: at least one.
        target: where the picture goes; its ending says which kind.
        columns: how many pictures stand in a line. Of a longer clip that many frames are shown.

    Raises:
        ConfigError: matplotlib is not installed, or the ending is none of its.
    """
    width = 2 * _MARGIN + _width(columns)
    top, titles, placed = _MARGIN, [], []
    for row in rows:
        titles.append((row, top))
        here, top = _place(row.tiles, top + _TITLE_HEIGHT, columns)
        placed += here
    figure = new_figure(width / _DPI, (top + _MARGIN) / _DPI, layout=None)
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set(xlim=(0, width), ylim=(top + _MARGIN, 0))
    axis.set_axis_off()
    for row, height in titles:
        _title(axis, row, height, width)
    for one in placed:
        _draw(axis, one)
    save_figure(figure, target, dpi=_DPI)


def _place(tiles: Sequence[Tile], top: int, columns: int) -> tuple[list[_Placed], int]:
    """The tiles in lines from `top` on, and where the next row begins."""
    placed: list[_Placed] = []
    column, height = 0, 0
    for tile in tiles:
        frames = _spread(tile.visual.num_frames, columns)
        if column + len(frames) > columns:
            column, top, height = 0, top + height, 0
        one = _Placed(tile, _MARGIN + column * (_SIDE + _GAP), top, frames)
        placed.append(one)
        height = max(height, _SIDE + 12 + _LINE_HEIGHT * len(one.lines) + _GAP)
        column += len(frames)
    return placed, top + height


def _spread(num_frames: int, most: int) -> tuple[int, ...]:
    """All frames, or as many as there is room for, the first and the last among them."""
    if num_frames <= most:
        return tuple(range(num_frames))
    return tuple(np.linspace(0, num_frames - 1, most).round().astype(int).tolist())


def _width(num_cells: int) -> int:
    return num_cells * _SIDE + (num_cells - 1) * _GAP


def _title(axis: Any, row: SheetRow, top: int, width: int) -> None:
    axis.plot([_MARGIN, width - _MARGIN], [top, top], color=_RULE, linewidth=1)
    text = axis.annotate(
        row.title, (_MARGIN, top + 10), va="top", color=_INK, fontsize=10, fontweight="bold"
    )
    axis.annotate(f"   {row.note}", (1, 0), xycoords=text, va="bottom", color=_SOFT, fontsize=8)


def _draw(axis: Any, placed: _Placed) -> None:
    for place, frame in enumerate(placed.frames):
        left = placed.left + place * (_SIDE + _GAP)
        axis.imshow(
            placed.tile.visual.frames[frame],
            extent=(left, left + _SIDE, placed.top + _SIDE, placed.top),
            interpolation="nearest",
            aspect="auto",
        )
    if placed.tile.visual.is_video:
        # One line over all its frames: a clip is one visual.
        right, top = placed.left + placed.width, placed.top - 4
        axis.plot([placed.left, right], [top, top], color=_INK, linewidth=1.5)
    axis.text(
        placed.left,
        placed.top + _SIDE + 6,
        # A dollar sign would begin a formula.
        "\n".join(placed.lines).replace("$", r"\$"),
        va="top",
        color=_TONES[placed.tile.tone],
        fontsize=7.5,
        linespacing=1.15,
    )
