"""Does training wait for its data? Samples per second of one worker, and the wait of a real run.

    python -m benchmarks.data_loading --json loading.json

Shards of pages and of image–text pairs are drawn into a temporary folder, as JPEG of the size of
common web pictures. First one process makes batches of them and does nothing else; then the trainer
trains a small Flamingo on both, and its own log says for which share of the time it waited.
"""

from __future__ import annotations

import argparse
import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from PIL import Image

from benchmarks.contenders import SIZES, ours
from benchmarks.measuring import measure_times
from flamingo.data.datasets import DatasetConfig, DatasetSource, ShardWriter, build_dataset
from flamingo.data.encoding import Encoder
from flamingo.data.tokenizer import PreparedTokenizer, prepare_tokenizer
from flamingo.data.transforms import VisualTransform
from flamingo.miniature.tokenizer import build_tokenizer
from flamingo.training.config import TrainingConfig
from flamingo.training.objective import FlamingoObjective
from flamingo.training.reporting import read_log
from flamingo.training.trainer import LOG, Trainer

PICTURE = (640, 480)
"""Width and height of the pictures, in pixels."""
IMAGES_PER_PAGE = 3
_WORDS = ("a", "small", "red", "circle", "and", "the", "large", "blue", "square", "is", "left")


def jpeg(seed: int, size: tuple[int, int] = PICTURE) -> bytes:
    """A picture with coarse shapes and some grain, about as long as a photograph of its size."""
    generator = np.random.default_rng(seed)
    shapes = Image.fromarray(generator.integers(0, 256, (12, 16, 3), dtype=np.uint8))
    pixels = np.asarray(shapes.resize(size, Image.Resampling.BICUBIC)).astype(np.int16)
    grain = generator.normal(scale=6.0, size=pixels.shape)
    file = io.BytesIO()
    Image.fromarray((pixels + grain).clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=85)
    return file.getvalue()


def write_shards(folder: Path, num_samples: int, size: tuple[int, int] = PICTURE) -> None:
    """As many pages and as many pairs, in shards of 64."""
    generator = np.random.default_rng(0)

    def text(num_words: int) -> str:
        return " ".join(generator.choice(_WORDS, num_words))

    with ShardWriter(folder / "pages", samples_per_shard=64) as pages:
        for number in range(num_samples):
            names = [f"{index}.jpg" for index in range(IMAGES_PER_PAGE)]
            words = " ".join(f"<image> {text(70)}" for _ in names)
            page = {"text": words, "images": names}
            media = {name: jpeg(1_000 * number + i, size) for i, name in enumerate(names)}
            pages.write(f"{number:06}", {"json": json.dumps(page).encode(), **media})
    with ShardWriter(folder / "pairs", samples_per_shard=64) as pairs:
        for number in range(num_samples):
            pairs.write(
                f"{number:06}", {"jpg": jpeg(-number % 2**31, size), "txt": text(12).encode()}
            )


def sources_of(folder: Path, prepared: PreparedTokenizer, image_size: int) -> list[DatasetSource]:
    """The two data sets, with all augmentations."""
    configs = {
        "pages": DatasetConfig("pages", f"{folder}/pages-*.tar", batch=4),
        "pairs": DatasetConfig("pairs", f"{folder}/pairs-*.tar", batch=8, weight=0.2),
    }
    transform, encoder = VisualTransform(image_size), Encoder(prepared)
    return [
        build_dataset(name, config, encoder, transform, pad_id=prepared.ids.pad)
        for name, config in configs.items()
    ]


def speed(source: DatasetSource, repeats: int) -> dict[str, Any]:
    """Samples and images that one process makes in a second, decoding included."""
    steps = iter(range(repeats + 1))
    images: list[int] = []

    def work() -> None:
        batch = source.batch(next(steps)).batch
        images.append(int(batch.frame_mask.sum()))

    times = measure_times(work, repeats)
    return {
        "source": source.name,
        "samples_per_second": source.size / times.wall_seconds,
        "samples_per_cpu_second": source.size / times.cpu_seconds,
        "images_per_cpu_second": median(images) / times.cpu_seconds,
    }


def waits(
    sources: Sequence[DatasetSource],
    prepared: PreparedTokenizer,
    size: str,
    num_workers: int,
    steps: int,
) -> dict[str, Any]:
    """What the log of a real run says, its first steps left out: workers are starting then."""
    torch.manual_seed(0)
    sizes = replace(SIZES[size], vocabulary=prepared.ids.image[0])
    warmup = 2
    config = TrainingConfig(
        steps=warmup + steps,
        warmup_steps=0,
        log_every=1,
        checkpoint_every=warmup + steps,
        num_workers=num_workers,
        device="cpu",
    )
    with tempfile.TemporaryDirectory() as folder:
        model = ours(sizes, (1,)).model
        Trainer(model, FlamingoObjective(), sources, config, Path(folder)).fit()
        lines = [line for line in read_log(Path(folder) / LOG) if "data_wait" in line][warmup:]
    total = sum(line["seconds_per_step"] for line in lines)
    waited = sum(line["seconds_per_step"] * line["data_wait"] for line in lines)
    return {
        "num_workers": num_workers,
        "steps": len(lines),
        "seconds_per_step": total / len(lines),
        "data_wait": waited / total,
    }


def measure(size: str, num_samples: int, repeats: int, steps: int) -> dict[str, Any]:
    """Both halves of the benchmark."""
    prepared = prepare_tokenizer(build_tokenizer())
    with tempfile.TemporaryDirectory() as folder:
        write_shards(Path(folder), num_samples)
        sources = sources_of(Path(folder), prepared, SIZES[size].image_size)
        return {
            "picture": PICTURE,
            "image_size": SIZES[size].image_size,
            "workers": [speed(source, repeats) for source in sources],
            "runs": [waits(sources, prepared, size, number, steps) for number in (0, 1)],
        }


def report(found: dict[str, Any]) -> str:
    """The measurements, for people."""
    width, height = found["picture"]
    lines = [f"JPEG of {width} x {height} to {found['image_size']} pixels, one thread per process"]
    for one in found["workers"]:
        lines.append(
            f"{one['source']:<6} {one['samples_per_second']:.1f} samples/s by one process; per "
            f"second of CPU {one['samples_per_cpu_second']:.1f} samples, "
            f"{one['images_per_cpu_second']:.1f} images"
        )
    for run in found["runs"]:
        lines.append(
            f"training with {run['num_workers']} workers: {run['seconds_per_step']:.2f} s a step, "
            f"of which {run['data_wait']:.1%} waiting for data ({run['steps']} steps)"
        )
    return "\n".join(lines)


def main() -> None:
    """Prints the measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--samples", type=int, default=128, help="of each data set")
    parser.add_argument("--repeats", type=int, default=20, help="batches of one process")
    parser.add_argument("--steps", type=int, default=10, help="of each run")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    torch.set_num_threads(1)
    found = measure(args.size, args.samples, args.repeats, args.steps)
    print(report(found))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
