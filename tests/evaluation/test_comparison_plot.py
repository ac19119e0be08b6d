from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from flamingo.evaluation.cell import Cell
from flamingo.evaluation.comparison_plot import plot_comparison
from flamingo.foundation.errors import ConfigError


def cells(num_tasks: int, shots: tuple[int, ...], control: str = "none") -> list[Cell]:
    return [
        Cell(f"task-{i}", i % 2 == 1, n, control, "accuracy", 50.0 + n, 40.0 + n, 60.0 + n, 10)
        for i in range(num_tasks)
        for n in shots
    ]


def test_models_become_a_picture(tmp_path: Path) -> None:
    models = {"a": cells(1, (0, 4)), "b": cells(2, (0,))}
    plot_comparison(models, tmp_path / "a.png")
    paper = {"task-0": {"3B": {0: 50.0, 4: 70.0, 32: 90.0}}, "elsewhere": {"3B": {0: 1.0}}}
    plot_comparison(models, tmp_path / "b.png", paper)
    without, with_paper = (np.asarray(Image.open(tmp_path / name)) for name in ("a.png", "b.png"))
    assert min(without.shape[:2]) > 200
    assert without.shape != with_paper.shape or (without != with_paper).any()


def test_controls_alone_are_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="None of the 1 models has a cell without a control"):
        plot_comparison({"a": cells(1, (0,), "blank")}, tmp_path / "a.png")


def test_the_ending_must_be_a_kind_of_picture(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"should end in \.png, \.svg or \.pdf"):
        plot_comparison({"a": cells(1, (0,))}, tmp_path / "a.doc")
