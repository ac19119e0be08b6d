"""Figures of matplotlib, which is an optional extra, and the files that they become."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flamingo.foundation.errors import ConfigError

ENDINGS = (".png", ".svg", ".pdf")


def new_figure(width: float, height: float, layout: Any = "constrained") -> Any:
    """An empty figure that belongs to no window and to no global state.

    Args:
        width: in inches.
        height: in inches.
        layout: how matplotlib places what is in it; None leaves that to the caller.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure  # heavy, and optional
    except ImportError as error:
        raise ConfigError(
            "Drawing this picture needs matplotlib, which is not installed.\n"
            'Install it with `pip install "flamingo-vlm[track]"`; the files that the picture is '
            "drawn from hold all its numbers."
        ) from error
    return Figure(figsize=(width, height), layout=layout)


def color_map(name: str) -> Any:
    """One of matplotlib's color maps, for a figure that there is already."""
    from matplotlib import colormaps

    return colormaps[name]


def save_figure(figure: Any, target: Path, dpi: int = 110) -> None:
    """Writes a figure into a PNG, SVG or PDF file.

    Raises:
        ConfigError: the ending is none of those.
    """
    if target.suffix not in ENDINGS:
        raise ConfigError(f"{target} should end in .png, .svg or .pdf, not {target.suffix!r}.")
    figure.savefig(target, dpi=dpi)
