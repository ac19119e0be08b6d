from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PIL import Image

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.controls import CONTROLS
from flamingo.evaluation.plots import plot_curves, plot_means
from flamingo.foundation.errors import ConfigError
from tests.evaluation.cells_for_tests import accuracy_cell

Plot = Callable[[Sequence[Cell], Path], None]
PLOTS = pytest.mark.parametrize("plot", [plot_curves, plot_means])


def cells(num_tasks: int, shots: Sequence[int], controls: Sequence[str] = CONTROLS) -> list[Cell]:
    return [
        accuracy_cell(
            f"task-{number}",
            held_out=number % 2 == 1,
            shots=n,
            right=min(9, 3 + n),
            n=10,
            chance=0.25,
            control=control,
        )
        for number in range(num_tasks)
        for control in controls
        for n in shots
    ]


@PLOTS
@pytest.mark.parametrize(
    "found",
    [
        cells(1, [4], ["none"]),
        cells(2, [0, 4, 32]),
        cells(5, [0, 4]),
        cells(1, [0, 4], ["blank"]),
    ],
    ids=["one number", "controls", "more than a line of tasks", "a control alone"],
)
def test_cells_become_a_picture(plot: Plot, found: list[Cell], tmp_path: Path) -> None:
    plot(found, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
        assert picture.width > 500
        assert len(picture.convert("RGB").getcolors(1 << 24)) > 10


def test_more_tasks_make_a_taller_picture(tmp_path: Path) -> None:
    heights = []
    for number in (4, 5):
        plot_curves(cells(number, [0, 4]), tmp_path / "curves.png")
        with Image.open(tmp_path / "curves.png") as picture:
            heights.append(picture.height)
    assert heights[1] > heights[0]


@PLOTS
def test_the_ending_must_be_a_kind_of_picture(plot: Plot, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"should end in \.png, \.svg or \.pdf, not '\.doc'"):
        plot(cells(1, [0]), tmp_path / "curves.doc")


@PLOTS
def test_no_matplotlib_is_told(plot: Plot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ConfigError, match=r'pip install "flamingo-vlm\[track\]"'):
        plot(cells(1, [0]), tmp_path / "curves.png")
