"""What must be told of a score that stands beside the paper's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from flamingo.data.sampling import Sampling
from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.opening import BenchmarkSettings
from flamingo.evaluation.benchmarks.registry import BENCHMARKS
from flamingo.evaluation.cell import Cell
from flamingo.evaluation.paper_conditions import conditions_note, is_validation
from flamingo.foundation.records import to_plain

COCO, VQAV2, VATEX = (BENCHMARKS[name] for name in ("coco", "vqav2", "vatex"))


def source(benchmark: Benchmark, **changed: Any) -> dict[str, Any]:
    settings = replace(BenchmarkSettings(folders={benchmark.name: Path("there")}), **changed)
    return {"metric": benchmark.metric, "custom": [], "settings": to_plain(settings)}


def cell(benchmark: Benchmark, n: int, shots: int = 4, control: str = "none") -> Cell:
    return Cell(benchmark.name, False, shots, control, benchmark.metric, 50.0, 40.0, 60.0, n)


def test_as_in_the_paper_there_is_nothing_to_tell() -> None:
    cells = [cell(COCO, 5000), cell(COCO, 100, control="blank")]
    assert conditions_note(COCO, source(COCO), cells) == ""


def test_other_parts_and_fewer_queries_are_told() -> None:
    note = conditions_note(VQAV2, source(VQAV2), [cell(VQAV2, 100)])
    assert "its part val, not test-dev; 100 of the 214354 queries of val." in note
    parts = {"vqav2": "test-dev"}
    whole = [cell(VQAV2, VQAV2.num_items["test-dev"])]
    assert conditions_note(VQAV2, source(VQAV2, parts=parts), whole) == ""


def test_another_metric_is_told() -> None:
    opened = source(COCO, metrics={"coco": "accuracy"})
    assert "scored by accuracy, not cider" in conditions_note(COCO, opened, [cell(COCO, 5000)])


def test_similar_shots_are_told_where_there_are_shots() -> None:
    opened = source(COCO, rices=True)
    assert "(RICES)" in conditions_note(COCO, opened, [cell(COCO, 5000)])
    assert conditions_note(COCO, opened, [cell(COCO, 5000, shots=0)]) == ""


def test_other_frames_are_told_of_videos() -> None:
    few = Sampling(num_frames=2)
    assert "other frames" in conditions_note(VATEX, source(VATEX, sampling=few), [cell(VATEX, 1)])
    assert conditions_note(COCO, source(COCO, sampling=few), [cell(COCO, 5000)]) == ""


def test_a_validation_split_is_in_no_table_of_the_papers() -> None:
    opened = source(COCO, split="validation")
    assert is_validation(opened)
    assert not is_validation(source(COCO))
    assert not is_validation(None)
    assert "not in the table" in conditions_note(COCO, opened, [cell(COCO, 1024)])


def test_what_nobody_noted_is_told() -> None:
    for opened in (None, {"metric": "cider"}, {"settings": {"no such": 1}}):
        assert "Nobody has noted" in conditions_note(COCO, opened, [cell(COCO, 5000)])
