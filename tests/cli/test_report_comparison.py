"""Our scores beside the paper's: what is left out, and what is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from flamingo.cli.report_comparison import beside_the_paper
from flamingo.evaluation.benchmarks.opening import BenchmarkSettings
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.folder import Evaluation
from flamingo.foundation.records import to_plain


def evaluation(**settings: Any) -> Evaluation:
    opened = BenchmarkSettings(folders={"coco": Path("there")}, **settings)
    sources = {"coco": {"metric": "cider", "settings": to_plain(opened)}}
    cells = (
        Cell("coco", False, 4, "none", "CIDEr", 80.0, 75.0, 86.0, 5000),
        Cell("caption", False, 4, "none", "accuracy", 80.0, 75.0, 86.0, 5000),
    )
    return Evaluation(Path("there"), cells, {}, "miniature", "0", 0, {}, sources)


def test_a_score_of_the_papers_own_part_stands_beside_the_papers() -> None:
    text = beside_the_paper(evaluation(), "3B")
    assert "| 85.0 |" in text
    assert "caption" not in text
    assert "not asked as" not in text


def test_other_conditions_are_told() -> None:
    assert "(RICES)" in beside_the_paper(evaluation(rices=True), "3B")


def test_a_validation_split_is_beside_nothing() -> None:
    assert beside_the_paper(evaluation(split="validation"), "3B") == ""


def test_a_released_models_own_scores_stand_beside_ours() -> None:
    text = beside_the_paper(evaluation(), "OpenFlamingo-9B")
    assert "| 89.0 |" in text
    assert "its prompts are the benchmark's, not published by OpenFlamingo" in text
    opened = evaluation()
    sources = {"coco": {**opened.sources["coco"], "prompts": "published by IDEFICS instruct"}}
    text = beside_the_paper(replace(opened, sources=sources), "IDEFICS-80B-instruct")
    assert "| 116.9 |" in text
    assert "not asked as" not in text
    assert "its prompts are published by IDEFICS instruct" in beside_the_paper(
        replace(opened, sources=sources), "3B"
    )
