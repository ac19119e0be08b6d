"""Few-shot curves: what a model scores with more and more examples in its prompt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import CONTROLS, NONE
from flamingo.evaluation.results import Mean, means
from flamingo.foundation.figures import new_figure, save_figure

_COLORS = {"held out": "#c2255c", "dev": "#1c7ed6"}
_CONTROL_COLORS = {"blank": "#868e96", "shuffled-images": "#e8890c", "shuffled-labels": "#2f9e44"}
# Told apart without colors as well.
_DASHES = {"blank": ":", "shuffled-images": "-.", "shuffled-labels": (0, (8, 2))}
_MARKERS = {"blank": ".", "shuffled-images": "x", "shuffled-labels": "+"}
_COLUMNS = 4
_HIGHEST = 104.0


def plot_curves(cells: Sequence[Cell], target: Path) -> None:
    """Draws scores against shots, one small picture per task.

    The band is the 95 % interval and the dashed line is chance; controls are thin lines.

    Args:
        cells: of one evaluation, at least one.
        target: where the picture goes; its ending says which kind.

    Raises:
        ConfigError: matplotlib is not installed, or the ending is none of its.

    Paper: Fig. 2 (right).
    """
    tasks = list(dict.fromkeys(cell.task for cell in sorted(cells, key=lambda c: c.held_out)))
    shots = sorted({cell.shots for cell in cells})
    columns = min(_COLUMNS, len(tasks))
    rows = -(-len(tasks) // columns)
    figure = new_figure(max(2.9 * columns, 5.0), 2.3 * rows + 0.9)
    # Each with its own height where one has no bound: an accuracy ends at 100, CIDEr does not.
    is_bounded = all(cell.high <= _HIGHEST for cell in cells)
    grid = figure.subplots(rows, columns, sharex=True, sharey=is_bounded, squeeze=False)
    axes = grid.flatten().tolist()
    for axis, task in zip(axes, tasks, strict=False):
        _task(axis, [cell for cell in cells if cell.task == task], shots)
    for place, axis in enumerate(axes):
        if place >= len(tasks):
            axis.set_visible(False)
        elif place + columns >= len(tasks):
            axis.tick_params(labelbottom=True)
        if place // columns == rows - 1:
            axis.set_xlabel("shots")
    metrics = {cell.metric for cell in cells}
    figure.supylabel("accuracy, %" if metrics == {"accuracy"} else "score, points", fontsize=10)
    _legend(figure, axes[: len(tasks)], columns=6 if columns == _COLUMNS else 3)
    save_figure(figure, target, dpi=130)


def plot_means(cells: Sequence[Cell], target: Path) -> None:
    """Draws the means above chance of development and held-out tasks against shots.

    Args:
        cells: of one evaluation, at least one.
        target: where the picture goes; its ending says which kind.

    Raises:
        ConfigError: matplotlib is not installed, or the ending is none of its.
    """
    shots = sorted({cell.shots for cell in cells})
    figure = new_figure(7.0, 4.4)
    axis = figure.subplots()
    found = means(cells)
    lines = {
        (group, control): _known(found, control, group) for group in _COLORS for control in CONTROLS
    }
    for (group, control), known in lines.items():
        if known:
            _mean(axis, known, shots, (group, control))
    _values(axis, lines["held out", NONE], lines["dev", NONE], shots)
    axis.axhline(0, color="#495057", linewidth=1, linestyle="--", label="chance")
    axis.set(title="mean above chance over tasks (0: chance, 100: all right)", xlabel="shots")
    axis.set(ylabel="100 · (score - chance) / (1 - chance)")
    axis.margins(y=0.12)
    _shots_axis(axis, shots)
    _legend(figure, [axis], columns=3)
    save_figure(figure, target, dpi=130)


def _task(axis: Any, cells: Sequence[Cell], shots: Sequence[int]) -> None:
    first = cells[0]
    group = "held out" if first.held_out else "dev"
    metric = "" if first.metric == "accuracy" else f" · {first.metric}"
    axis.set_title(f"{first.task} · {group}{metric}", color=_COLORS[group], fontsize=10)
    chances = {shots.index(c.shots): c.chance for c in cells if c.chance is not None}
    places = sorted(chances)
    levels = [chances[place] for place in places]
    if places:
        axis.plot(places, levels, color="#495057", linewidth=1, linestyle="--", label="chance")
    for control in CONTROLS:
        own = sorted((c for c in cells if c.control == control), key=lambda c: c.shots)
        places = [shots.index(cell.shots) for cell in own]
        scores = [cell.score for cell in own]
        if not own:
            continue
        if control == NONE:
            low, high = [cell.low for cell in own], [cell.high for cell in own]
            axis.fill_between(places, low, high, color=_COLORS[group], alpha=0.18, linewidth=0)
            axis.plot(places, scores, color=_COLORS[group], marker="o", markersize=4, label=group)
        else:
            _control(axis, places, scores, control, _CONTROL_COLORS[control], control)
    axis.set_ylim(-4, max(_HIGHEST, *(1.05 * cell.high for cell in cells)))
    _shots_axis(axis, shots)


def _known(found: Sequence[Mean], control: str, group: str) -> dict[int, float]:
    """By number of shots the means of one group under one control, as far as there are any."""
    own = [mean for mean in found if mean.control == control]
    values = {m.shots: m.held_out if group == "held out" else m.dev for m in own}
    return {n: value for n, value in sorted(values.items()) if value is not None}


def _mean(
    axis: Any, known: Mapping[int, float], shots: Sequence[int], what: tuple[str, str]
) -> None:
    group, control = what
    places, values = [shots.index(n) for n in known], list(known.values())
    if control == NONE:
        axis.plot(places, values, color=_COLORS[group], marker="o", linewidth=2, label=group)
    else:
        _control(axis, places, values, control, _COLORS[group], f"{group}, {control}")


def _values(
    axis: Any, held_out: Mapping[int, float], dev: Mapping[int, float], shots: Sequence[int]
) -> None:
    """Writes the values beside two lines: above the higher one and below the lower one."""
    for group, known in (("held out", held_out), ("dev", dev)):
        for n, value in known.items():
            is_held_out_higher = held_out.get(n, value) >= dev.get(n, value)
            is_higher = is_held_out_higher == (group == "held out")
            axis.annotate(
                f"{value:.0f}",
                (shots.index(n), value),
                xytext=(0, 7 if is_higher else -7),
                textcoords="offset points",
                ha="center",
                va="bottom" if is_higher else "top",
                color=_COLORS[group],
                fontsize=9,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5},
            )


def _control(
    axis: Any, places: Sequence[int], values: Sequence[float], control: str, color: str, label: str
) -> None:
    axis.plot(
        places,
        values,
        color=color,
        linestyle=_DASHES[control],
        linewidth=1.1,
        marker=_MARKERS[control],
        markersize=5,
        label=label,
    )


def _shots_axis(axis: Any, shots: Sequence[int]) -> None:
    """Numbers of shots at equal distances: each is about twice the one before."""
    axis.set_xticks(range(len(shots)), [str(n) for n in shots])
    axis.set_xlim(-0.3, len(shots) - 0.7)
    axis.grid(alpha=0.3)


def _legend(figure: Any, axes: Sequence[Any], columns: int) -> None:
    """One legend for all pictures, below them; the scores come first in it."""
    handles: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    first = [label for label in _COLORS if label in handles]
    labels = [*first, *(label for label in handles if label not in first)]
    figure.legend(
        [handles[label] for label in labels],
        labels,
        loc="outside lower center",
        ncols=min(columns, len(handles)),
        fontsize=9,
        frameon=False,
    )
