"""Few-shot curves of several models in one picture, beside what the paper printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import NONE
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.figures import new_figure, save_figure

_COLORS = ("#c2255c", "#1c7ed6", "#2f9e44", "#e8890c", "#7048e8", "#0c8599", "#5c3d2e", "#868e96")
# Told apart without colors as well.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_DASHES = ("-", "--", "-.", ":")
_PAPER_MARKERS = ("o", "s", "^", "D")
_PAPER_COLOR = "#343a40"
_COLUMNS = 4


def plot_comparison(
    models: Mapping[str, Sequence[Cell]],
    target: Path,
    paper: Mapping[str, Mapping[str, Mapping[int, float]]] | None = None,
) -> None:
    """Draws scores against shots, one small picture per task and one line per model.

    The band is the 95 % interval. The paper's scores are hollow markers, at the numbers of shots
    that some model was asked at; those of tasks that no model was asked are not drawn.

    Args:
        models: the cells of each model by its name; those under a control are left out.
        target: where the picture goes; its ending says which kind.
        paper: scores by task, model of the paper ("3B") and number of shots.

    Raises:
        ConfigError: there is nothing to draw, matplotlib is not installed, or the ending is none
            of its.

    Paper: Fig. 2 (right).
    """
    shown = {
        name: [cell for cell in cells if cell.control == NONE] for name, cells in models.items()
    }
    cells = [cell for own in shown.values() for cell in own]
    if not cells:
        raise ConfigError(
            f"None of the {len(models)} models has a cell without a control: there is nothing to "
            "draw.\nGive at least one evaluation that has a complete cell."
        )
    tasks = list(dict.fromkeys(cell.task for cell in sorted(cells, key=lambda c: c.held_out)))
    shots = sorted({cell.shots for cell in cells})
    printed = {task: (paper or {}).get(task, {}) for task in tasks}
    paper_models = list(dict.fromkeys(name for scores in printed.values() for name in scores))
    columns = min(_COLUMNS, len(tasks))
    rows = -(-len(tasks) // columns)
    figure = new_figure(max(3.1 * columns, 5.0), 2.5 * rows + 0.9)
    # Each with its own height: an accuracy ends at 100, CIDEr does not.
    axes = figure.subplots(rows, columns, squeeze=False).flatten().tolist()
    for axis in axes[len(tasks) :]:
        axis.set_visible(False)
    for place, (axis, task) in enumerate(zip(axes, tasks, strict=False)):
        _title(axis, [cell for cell in cells if cell.task == task])
        for style, (name, own) in enumerate(shown.items()):
            _line(axis, [cell for cell in own if cell.task == task], shots, name, style)
        _paper(axis, printed[task], shots, paper_models)
        _axis(axis, shots, has_label=place + columns >= len(tasks))
    _legend(figure, axes[: len(tasks)], columns)
    save_figure(figure, target, dpi=130)


def _title(axis: Any, cells: Sequence[Cell]) -> None:
    kind = "held out" if all(cell.held_out for cell in cells) else "dev"
    axis.set_title(f"{cells[0].task} · {kind}", fontsize=10)
    axis.set_ylabel(" / ".join(dict.fromkeys(cell.metric for cell in cells)), fontsize=8)


def _line(axis: Any, cells: Sequence[Cell], shots: Sequence[int], name: str, style: int) -> None:
    own = sorted(cells, key=lambda cell: cell.shots)
    if not own:
        return
    color = _COLORS[style % len(_COLORS)]
    places = [shots.index(cell.shots) for cell in own]
    low, high = [cell.low for cell in own], [cell.high for cell in own]
    axis.fill_between(places, low, high, color=color, alpha=0.15, linewidth=0)
    if len(own) == 1:
        # A band over a single number of shots has no width.
        axis.vlines(places, low, high, color=color, alpha=0.35, linewidth=4)
    axis.plot(
        places,
        [cell.score for cell in own],
        color=color,
        marker=_MARKERS[style % len(_MARKERS)],
        linestyle=_DASHES[style % len(_DASHES)],
        markersize=4,
        label=name,
    )


def _paper(
    axis: Any,
    models: Mapping[str, Mapping[int, float]],
    shots: Sequence[int],
    paper_models: Sequence[str],
) -> None:
    for name, scores in models.items():
        style = paper_models.index(name)
        known = {n: score for n, score in sorted(scores.items()) if n in shots}
        if known:
            axis.plot(
                [shots.index(n) for n in known],
                list(known.values()),
                color=_PAPER_COLOR,
                linestyle="none",
                marker=_PAPER_MARKERS[style % len(_PAPER_MARKERS)],
                markersize=7,
                markerfacecolor="none",
                label=f"paper, {name}",
            )


def _axis(axis: Any, shots: Sequence[int], *, has_label: bool) -> None:
    """Numbers of shots at equal distances: each is about twice the one before."""
    axis.set_xticks(range(len(shots)), [str(n) for n in shots])
    axis.set_xlim(-0.3, len(shots) - 0.7)
    axis.margins(y=0.1)
    axis.grid(alpha=0.3)
    axis.tick_params(labelsize=8)
    if has_label:
        axis.set_xlabel("shots", fontsize=9)


def _legend(figure: Any, axes: Sequence[Any], columns: int) -> None:
    """One legend for all pictures, below them; the paper's models come last."""
    handles: dict[str, Any] = {}
    for axis in axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    labels = sorted(handles, key=lambda label: label.startswith("paper, "))
    figure.legend(
        [handles[label] for label in labels],
        labels,
        loc="outside lower center",
        ncols=min(6 if columns == _COLUMNS else 3, len(handles)),
        handlelength=3,
        fontsize=9,
        frameon=False,
    )
