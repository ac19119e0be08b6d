"""Tiny models with the processors of the released ones, and benchmarks to ask them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from flamingo import FlamingoImageProcessor, Predictor
from flamingo.data.released_styles import (
    IDEFICS,
    IDEFICS_INSTRUCT,
    OPEN_FLAMINGO,
    OPEN_FLAMINGO_PICTURES,
)
from flamingo.evaluation.benchmarks.opening import BenchmarkSettings, open_benchmark
from flamingo.evaluation.benchmarks.registry import benchmark_named
from flamingo.evaluation.benchmarks.task import BenchmarkTask
from flamingo.evaluation.task import Task
from flamingo.sequence import mark_up
from tests.data.trained_tokenizers import idefics_like, neox_like
from tests.evaluation.benchmarks.image_folders import IMAGE_FOLDERS
from tests.model.checkpoints.open_flamingo_checkpoints import RELEASED, write_checkpoint
from tests.model.checkpoints.parity_prompts import SIZE
from tests.tiny_predictor import tiny_predictor

MODELS: dict[str, Callable[[], Predictor]] = {
    "OpenFlamingo": lambda: tiny_predictor(neox_like(), **OPEN_FLAMINGO),
    "IDEFICS": lambda: tiny_predictor(idefics_like("legacy"), **IDEFICS),
    "IDEFICS instruct": lambda: tiny_predictor(
        idefics_like("legacy", is_instructed=True), **IDEFICS_INSTRUCT
    ),
}
"""By the name of their family."""


def small_open_flamingo(folder: Path) -> Predictor:
    """A checkpoint like OpenFlamingo's 4B, random, written into the folder and loaded."""
    written = write_checkpoint(folder, **RELEASED["4B"])
    predictor = Predictor.from_pretrained(
        written.folder,
        device="cpu",
        dtype="fp32",
        language_model=written.language_model,
        vision_encoder=written.vision_encoder,
    )
    pictures = {**OPEN_FLAMINGO_PICTURES, "size": SIZE}
    predictor.processor.image_processor = FlamingoImageProcessor(**pictures)
    return predictor


def opened(name: str, folder: Path, num: int = 24) -> BenchmarkTask:
    """A benchmark of `num` drawn items per part; it is scored as needs nothing installed."""
    if not (folder / name).exists():
        IMAGE_FOLDERS[name](folder / name, num)
    settings = BenchmarkSettings(folders={"": folder})
    return open_benchmark(benchmark_named(name), settings, max_shots=0).task


def prompt_of(predictor: Predictor, task: Task, index: int, shots: int) -> str:  # type: ignore[type-arg]
    """A query with its shots, as the model reads it."""
    prompt = task.prompt(task.build(0, index, shots))
    return mark_up(prompt, predictor.encoder.prepared.markup, is_complete=False).text
