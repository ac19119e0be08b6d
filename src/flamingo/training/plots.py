"""The curves of a run as one picture: losses, validation, learning rate, and the gates' opening."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from flamingo.foundation.errors import DataError
from flamingo.foundation.figures import color_map, new_figure, save_figure
from flamingo.training.reporting import read_log
from flamingo.training.validation import BLANK

Curve = tuple[list[int], list[float]]
"""Steps, and what was measured at each."""

_GATES = {
    "alpha_xattn": "|tanh α| of the cross-attention",
    "alpha_dense": "|tanh α| of the feed-forward",
}


def plot_run(log: Path, target: Path) -> None:
    """Draws the log of a run into a PNG, SVG or PDF file.

    Args:
        log: the file `log.jsonl` of a run.
        target: where the picture goes; its ending says which kind.

    Raises:
        ConfigError: matplotlib is not installed, or the ending is none of those.
        DataError: there is no log, or nothing in it yet.

    Paper: Fig. 6 (the gates of every layer during training).
    """
    figure = new_figure(13.0, 8.0)
    lines = _lines_of(log)
    axes = figure.subplots(2, 3).flatten()
    _lines(axes[0], "loss of each source", _by_name(lines, "loss"))
    _validation(axes[1], lines)
    _lines(axes[2], "learning rate", {"learning rate": _curve(lines, "learning_rate")})
    for axis, (kind, title) in zip(axes[3:5], _GATES.items(), strict=True):
        _gates(axis, title, _gate_curves(lines, kind))
    _lines(axes[5], "tokens per second", {"tokens": _curve(lines, "tokens_per_second")})
    save_figure(figure, target)


def plot_gates(log: Path, target: Path) -> None:
    """Draws the opening of every gate over a run, and nothing else of it.

    Args:
        log: the file `log.jsonl` of a run.
        target: where the picture goes; its ending says which kind.

    Raises:
        ConfigError: matplotlib is not installed, or the ending is none of those.
        DataError: there is no log, or no gate in it.

    Paper: Fig. 6.
    """
    figure = new_figure(10.0, 4.0)
    lines = _lines_of(log)
    curves = {title: _gate_curves(lines, kind) for kind, title in _GATES.items()}
    if not any(curves.values()):
        raise DataError(
            f"{log} tells of no gate: the run has none, or did not come to its first note of them."
            "\nGive the folder of a run that trains a Flamingo."
        )
    for axis, (title, own) in zip(figure.subplots(1, 2), curves.items(), strict=True):
        _gates(axis, title, own)
    save_figure(figure, target)


def plot_final_gates(openings: Mapping[str, float], target: Path) -> None:
    """Draws the gates of a trained model as bars, one per layer, or says that it has none.

    Args:
        openings: see `gates.gate_openings`.
        target: where the picture goes; its ending says which kind.

    Raises:
        ConfigError: matplotlib is not installed, or the ending is none of those.
    """
    figure = new_figure(10.0, 3.5)
    axes = figure.subplots(1, 2, sharey=True)
    for axis, (kind, title) in zip(axes, _GATES.items(), strict=True):
        names = sorted((name for name in openings if name.endswith(kind)), key=_layer_of)
        heights = [openings[name] for name in names]
        shades = [_shade(layer, len(names)) for layer in range(len(names))]
        bars = axis.bar([str(layer + 1) for layer in range(len(names))], heights, color=shades)
        axis.bar_label(bars, fmt="%.2f", fontsize=8, padding=2)
        axis.set(title=title, xlabel="gated layer", ylim=(0, 1.08))
        axis.grid(axis="y", alpha=0.3)
        axis.set_axisbelow(True)
        if not names:
            _say(axis, "this model has none")
    save_figure(figure, target)


def _say(axis: Any, text: str) -> None:
    """Says in the middle of an empty panel why it is."""
    axis.text(0.5, 0.5, text, ha="center", transform=axis.transAxes)


def _lines_of(log: Path) -> list[dict[str, Any]]:
    if not log.is_file():
        raise DataError(f"There is no {log}. Give the folder of a run that has begun.")
    lines = [line for line in read_log(log) if "step" in line]
    if not any("loss" in line for line in lines):
        raise DataError(f"{log} has no step in it yet. Give the folder of a run that has begun.")
    return lines


def _lines(axis: Any, title: str, curves: Mapping[str, Curve]) -> None:
    axis.set(title=title, xlabel="updates")
    for name, (steps, values) in curves.items():
        axis.plot(steps, values, label=name, linewidth=1.2)
    if len(curves) > 1:
        axis.legend(fontsize=8)
    axis.grid(alpha=0.3)


def _validation(axis: Any, lines: Sequence[Mapping[str, Any]]) -> None:
    """Each source in one color: its loss drawn through, the loss without visuals dashed."""
    curves = _by_name(lines, "losses")
    axis.set(title="validation loss (dashed: without visuals)", xlabel="updates")
    if not curves:
        _say(axis, "not in the log")
    sources = [name for name in curves if not name.endswith(BLANK)]
    for position, name in enumerate(sources):
        color = f"C{position}"
        axis.plot(*curves[name], label=name, color=color, linewidth=1.2)
        if f"{name} {BLANK}" in curves:
            axis.plot(*curves[f"{name} {BLANK}"], color=color, linestyle="--", linewidth=1.2)
    if sources:
        axis.legend(fontsize=8)
    axis.grid(alpha=0.3)


def _gates(axis: Any, title: str, curves: Sequence[Curve]) -> None:
    """One line per layer, from the first (dark) to the last (light)."""
    axis.set(title=title, xlabel="updates", ylim=(0, None))
    if not curves:
        _say(axis, "not in the log")
    for layer, (steps, values) in enumerate(curves):
        is_named = layer in (0, len(curves) - 1)
        label = f"layer {layer + 1} of {len(curves)}" if is_named else None
        axis.plot(steps, values, color=_shade(layer, len(curves)), label=label, linewidth=1.2)
    if curves:
        axis.legend(fontsize=8)
    axis.grid(alpha=0.3)


def _shade(layer: int, num_layers: int) -> Any:
    return color_map("viridis")(layer / max(num_layers - 1, 1) * 0.9)


def _curve(lines: Iterable[Mapping[str, Any]], name: str) -> Curve:
    found = [(line["step"], line[name]) for line in lines if name in line]
    return [step for step, _ in found], [value for _, value in found]


def _by_name(lines: Iterable[Mapping[str, Any]], field: str) -> dict[str, Curve]:
    curves: dict[str, Curve] = defaultdict(lambda: ([], []))
    for line in lines:
        for name, value in line.get(field, {}).items():
            curves[name][0].append(line["step"])
            curves[name][1].append(value)
    return dict(curves)


def _gate_curves(lines: Iterable[Mapping[str, Any]], kind: str) -> list[Curve]:
    """The curves of one kind of gate in the order of the layers."""
    curves = _by_name(lines, "metrics")
    names = [name for name in curves if name.startswith("gates/") and name.endswith(kind)]
    return [curves[name] for name in sorted(names, key=_layer_of)]


def _layer_of(name: str) -> int:
    return next((int(part) for part in name.split(".") if part.isdigit()), 0)
