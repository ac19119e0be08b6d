"""The differences of an ablation as a picture, the paper's beside ours."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flamingo.foundation.figures import new_figure, save_figure
from flamingo.presets.ablations.row import BASELINE
from flamingo.presets.ablations.table import Entry

_COLORS = {"agrees": "C2", "disagrees": "C3", "undecided": "C7", None: "C7"}


def plot_differences(entries: Sequence[Entry], target: Path) -> None:
    """Draws every row's difference to the row that it is compared with, and its interval.

    Args:
        entries: the table; rows without a difference are left out.
        target: a .png, .svg or .pdf file.

    Raises:
        ConfigError: matplotlib is not installed, or the ending is none of those.
    """
    shown = [entry for entry in entries if entry.difference is not None][::-1]
    figure = new_figure(11.0, 1.6 + 0.32 * max(len(shown), 1))
    ours, paper = figure.subplots(1, 2, sharey=True)
    places = range(len(shown))
    for place, entry in zip(places, shown, strict=True):
        gap = entry.difference
        assert gap is not None
        color = _COLORS[entry.direction]
        ours.plot([gap.low, gap.high], [place, place], color=color, linewidth=2)
        ours.plot([gap.mean], [place], "o", color=color)
    paper.barh(places, [entry.paper_difference or 0.0 for entry in shown], color="C0", height=0.5)
    ours.set_yticks(places, [_label(entry) for entry in shown])
    _finish(ours, "the miniature", "points above chance, 95 % interval")
    _finish(paper, "the paper's Flamingo-3B", "points of its overall score")
    figure.suptitle(
        "difference to the baseline, ours where nothing else is named "
        "(green: the paper's sign, red: the other one)"
    )
    save_figure(figure, target)


def _label(entry: Entry) -> str:
    is_usual = entry.reference in (None, BASELINE)
    return entry.row if is_usual else f"{entry.row} - {entry.reference}"


def _finish(axis: Any, title: str, unit: str) -> None:
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set(title=title, xlabel=unit)
    axis.grid(axis="x", alpha=0.3)
    axis.set_axisbelow(True)
