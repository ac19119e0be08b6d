"""The paper's table of few-shot scores, row by row."""

from __future__ import annotations

from collections.abc import Mapping

SHOTS = (0, 4, 8, 16, 32)
MODELS = ("3B", "9B", "80B")


def paper_scores(*rows: tuple[float, ...]) -> Mapping[str, Mapping[int, float]]:
    """By model and number of shots the score of a benchmark.

    Args:
        rows: for each of `MODELS` the scores for `SHOTS`, or for the first few of them.

    Paper: Table 1 (v1: Table 3).
    """
    return {
        name: dict(zip(SHOTS, row, strict=False)) for name, row in zip(MODELS, rows, strict=True)
    }
