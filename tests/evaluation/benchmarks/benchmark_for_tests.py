"""A benchmark of pictures in one color, read from nothing but its folder's name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PIL import Image

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.item import Item, Media, Pool
from flamingo.prompting import QUESTION_ANSWER

COLORS = ("red", "green", "blue", "yellow")


def draw_colors(folder: Path, num_train: int = 40, num_test: int = 6) -> Path:
    """Pictures "train-0.png", …; two items of the training part show each of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, number in (("train", num_train), ("test", num_test)):
        for index in range(number):
            color = COLORS[index % len(COLORS)]
            Image.new("RGB", (20, 16), color).save(folder / f"{part}-{index}.png")
    return folder


def read_colors(folder: Path, part: str) -> Pool:
    pictures = sorted(folder.glob(f"{part}-*.png"), key=lambda path: int(path.stem.split("-")[1]))
    per_picture = 2 if part == "train" else 1
    items = []
    for index, path in enumerate(pictures):
        color = COLORS[index % len(COLORS)]
        for number in range(per_picture):
            items.append(
                Item(
                    id=f"{part}-{index}-{number}",
                    media=(Media(path),),
                    fields={"question": f"what color is it, {number}?"},
                    answer=color,
                    references=(color,),
                )
            )
    return Pool(tuple(items))


COLOR_BENCHMARK = Benchmark(
    name="colors-of-files",
    title="Colors",
    is_held_out=False,
    template=QUESTION_ANSWER,
    metric="accuracy",
    read=read_colors,
    query_parts=("test", "train"),
    support_part="train",
    paper_part="test",
    num_items={"test": 6},
    layout=(("test-0.png", "a picture"),),
    source="drawn",
    license="none",
    num_support=24,
    num_validation=10,
)
HELD_OUT_BENCHMARK = replace(COLOR_BENCHMARK, is_held_out=True)


def closed(folder: Path, part: str) -> Pool:
    return Pool(read_colors(folder, part).items, COLORS)


CLOSED_BENCHMARK = replace(COLOR_BENCHMARK, read=closed, metric="top-1", max_new_tokens=0)
