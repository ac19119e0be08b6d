"""The rows as data: their names, their settings, and what the paper printed."""

from __future__ import annotations

import pytest

from flamingo.foundation.errors import ConfigError
from flamingo.presets.ablations.rows import (
    BASELINE,
    ROWS,
    chosen_rows,
    paper_difference,
)
from tests.house.repository import ROOT

BEST = {"coco": 143.3, "okvqa": 54.4, "vqav2": 80.2, "msvdqa": 47.9, "vatex": 76.3}
"""The state of the art that the paper divides its scores by."""


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row.paper is not None])
def test_the_papers_overall_follows_from_its_columns(name: str) -> None:
    paper = ROWS[name].paper
    assert paper is not None
    shares = [100 * getattr(paper, task) / best for task, best in BEST.items()]
    assert sum(shares) / len(shares) == pytest.approx(paper.overall, abs=0.25)


def test_the_baseline_comes_with_every_choice_and_order_is_the_tables() -> None:
    rows = chosen_rows("grafting, no-tanh-gate,grafting")
    assert [row.name for row in rows] == [BASELINE, "no-tanh-gate", "grafting"]
    assert [row.name for row in chosen_rows("all")] == list(ROWS)


def test_a_row_comes_with_the_one_that_it_is_compared_with() -> None:
    assert [row.name for row in chosen_rows("vision-vit")] == [
        BASELINE,
        "vision-brief",
        "vision-vit",
    ]
    assert {row.reference for row in ROWS.values()} == {BASELINE, "vision-brief"}
    brief = {row.name for row in ROWS.values() if row.reference == "vision-brief"}
    assert brief == {"vision-small", "vision-vit"}
    assert "half the rate" in ROWS["vision-vit"].learning_rate
    # The paper has no such control: its difference stays that to its baseline.
    assert paper_difference(ROWS["vision-vit"], 0.5) == -5.8


def test_an_unknown_row_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no row 'graftin' .* Did you mean 'grafting'"):
        chosen_rows("graftin")


def test_p_next_is_compared_with_the_papers_row_of_our_baseline() -> None:
    half = [paper_difference(ROWS[name], 0.5) for name in ("p-next-0", "p-next-half", "p-next-1")]
    none = [paper_difference(ROWS[name], 0.0) for name in ("p-next-0", "p-next-half", "p-next-1")]
    assert half == [-1.1, 0.0, -0.3]
    assert none == [0.0, 1.1, 0.8]
    assert paper_difference(ROWS["p-next-1"], 0.25) is None
    assert paper_difference(ROWS["no-tanh-gate"], 0.25) == -4.2
    assert paper_difference(ROWS["vision-brief"], 0.5) is None


def test_the_documents_name_every_row() -> None:
    told = (ROOT / "docs" / "ablations.md").read_text(encoding="utf-8")
    assert [name for name in ROWS if f"`{name}`" not in told] == []
