"""Runs a frozen vision encoder over a data set once, so that no run needs to do it again."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor
from torch.utils.data import DataLoader

from flamingo.data.datasets import DatasetConfig, ShardWriter
from flamingo.data.feature_samples import OpenedSample, OpenedSamples
from flamingo.data.features import VisualFeatures, features_to_bytes
from flamingo.data.skipping import Skipped
from flamingo.data.transforms import VisualTransform
from flamingo.foundation.errors import DataError
from flamingo.foundation.records import write_text_atomically
from flamingo.model.vision_encoder import VisionEncoder
from flamingo.presets.feature_manifest import EncoderIdentity, Manifest, read_manifest
from flamingo.presets.pretrained_parts import DTYPES, Precision

SHARDS, SKIPPED = "features", "skipped.jsonl"


@dataclass(frozen=True)
class FrozenEyes:
    """A vision encoder as a run uses it while it is frozen.

    Args:
        encoder: on the CPU or on a GPU.
        source: where it came from, for people.
        precision: "bf16" computes in autocast, as the training would.
        stored: the number format of the features.
        fit: how pictures are made square, see `VisualTransform`.
    """

    encoder: VisionEncoder
    source: str
    precision: Precision = "fp32"
    stored: Precision = "bf16"
    fit: str = "pad"

    @property
    def transform(self) -> VisualTransform:
        """From a visual to its normalized frames."""
        encoder = self.encoder
        return VisualTransform(encoder.image_size, encoder.mean, encoder.std, fit=self.fit)

    @torch.no_grad()
    def __call__(
        self, frames: Float[Tensor, "frames 3 height width"]
    ) -> Float[Tensor, "frames positions channels"]:
        """The features of each frame."""
        example = next(self.encoder.parameters())
        with self._autocast(example.device):
            features = self.encoder.eval()(frames.to(example.device, example.dtype))
        return features.to(DTYPES[self.stored]).cpu()

    def _autocast(self, device: torch.device) -> AbstractContextManager[object]:
        if self.precision == "bf16":
            return torch.autocast(device.type, dtype=torch.bfloat16)
        return nullcontext()


@dataclass(frozen=True)
class WrittenFeatures:
    """What there is now.

    Args:
        num_samples: written by this call; what was there before does not count.
        num_visuals: in these samples.
        skipped: what could not be used.
    """

    num_samples: int
    num_visuals: int
    skipped: tuple[Skipped, ...]


def write_features(
    dataset: DatasetConfig,
    eyes: FrozenEyes,
    folder: Path,
    *,
    samples_per_shard: int = 1000,
    frames_per_pass: int = 32,
    num_workers: int = 0,
    progress: Callable[[Iterable[int], int, int], Iterable[int]] | None = None,
) -> WrittenFeatures:
    """Writes the samples of a data set, with features in place of pictures, as shards.

    Called again after it was killed, it goes on behind the last whole shard.

    Args:
        dataset: what to look at, as stored; of videos the first frames.
        eyes: what to look with.
        folder: for the shards, and a manifest that names encoder and preprocessing.
        samples_per_shard: how much a kill can lose.
        frames_per_pass: how many frames the encoder sees at once, at least.
        num_workers: processes that decode pictures.
        progress: wraps the sample numbers; is told how many there are and how many are done.

    Raises:
        DataError: the folder holds features of another encoder or data set, or no sample of the
            data set can be used.
    """
    samples = OpenedSamples(dataset, eyes.transform)
    _open_folder(folder, dataset, eyes, samples.store.fingerprint)
    first = _first_missing(folder)
    numbers: Iterable[int] = range(first, len(samples))
    if progress is not None:
        numbers = progress(numbers, len(samples), first)
    skipped = _SkippedList(folder / SKIPPED, first)
    counts = [0, 0]
    opened = zip(numbers, _opened(samples, first, num_workers), strict=True)
    with ShardWriter(folder / SHARDS, samples_per_shard=samples_per_shard, resume=True) as writer:
        for number, sample, features in _encoded(opened, eyes, frames_per_pass):
            skipped.add(number, sample.skipped)
            if not sample.members:
                continue
            contents = {name: features_to_bytes(value) for name, value in features.items()}
            writer.write(f"{number:09d}", {**sample.members, **contents})
            counts[0] += 1
            counts[1] += len(features)
    if first == counts[0] == 0:
        raise DataError(
            f"not one of the {len(samples)} samples of {dataset.path} can be used. The first: "
            + "; ".join(f"{one.sample}: {one.reason}" for one in skipped.found[:3])
            + f".\nCheck the data set, and the kind it is read as: {dataset.kind}."
        )
    return WrittenFeatures(counts[0], counts[1], tuple(skipped.found))


def _open_folder(folder: Path, dataset: DatasetConfig, eyes: FrozenEyes, fingerprint: str) -> None:
    """Makes a folder of features, or makes sure that it is the one of this encoder and data."""
    is_video = dataset.kind == "videos"
    manifest = Manifest(
        encoder=EncoderIdentity.of(eyes.encoder, eyes.fit),
        source=eyes.source,
        data=dataset.path,
        fingerprint=fingerprint,
        kind=dataset.kind,
        frames=f"{dataset.num_frames} at {dataset.fps:g} per second" if is_video else "1",
        precision=eyes.precision,
        stored=eyes.stored,
    )
    there = read_manifest(str(folder))
    if there is None:
        if any(folder.glob(f"{SHARDS}-*.tar")):
            raise DataError(
                f"{folder} holds shards, but nothing that says what made them.\n"
                "Give another folder, or remove them."
            )
        manifest.write(folder)
        return
    names = ("fingerprint", "kind", "frames", "precision", "stored")
    differing = manifest.encoder.differences(there.encoder) + [
        f"{name}: {getattr(there, name)} there, {getattr(manifest, name)} here"
        for name in names
        if getattr(there, name) != getattr(manifest, name)
    ]
    if differing:
        raise DataError(
            f"{folder} holds features of {there.data} by {there.source}, which are not those of "
            f"{dataset.path} by {eyes.source}. {'; '.join(differing)}.\n"
            "Give another folder, or remove them."
        )


def _first_missing(folder: Path) -> int:
    """The number of the first sample that no whole shard has; keys are numbers."""
    shards = sorted(folder.glob(f"{SHARDS}-*.tar"))
    if not shards:
        return 0
    with tarfile.open(shards[-1]) as tar:
        return int(tar.getnames()[-1].partition(".")[0]) + 1


def _opened(samples: OpenedSamples, first: int, num_workers: int) -> Iterator[OpenedSample]:
    numbers = range(first, len(samples))
    if num_workers == 0:
        return (samples[number] for number in numbers)
    return iter(
        DataLoader(
            samples,
            batch_size=None,
            sampler=numbers,
            num_workers=num_workers,
            generator=torch.Generator(),
        )
    )


def _encoded(
    opened: Iterable[tuple[int, OpenedSample]], eyes: FrozenEyes, frames_per_pass: int
) -> Iterator[tuple[int, OpenedSample, dict[str, VisualFeatures]]]:
    """Samples in order with the features of their visuals, many frames in one pass."""
    waiting: list[tuple[int, OpenedSample]] = []
    num_frames = 0
    for number, sample in opened:
        waiting.append((number, sample))
        num_frames += sum(map(len, sample.visuals.values()))
        if num_frames >= frames_per_pass:
            yield from _flushed(waiting, eyes)
            waiting, num_frames = [], 0
    yield from _flushed(waiting, eyes)


def _flushed(
    waiting: list[tuple[int, OpenedSample]], eyes: FrozenEyes
) -> Iterator[tuple[int, OpenedSample, dict[str, VisualFeatures]]]:
    frames = [pixels for _, sample in waiting for pixels in sample.visuals.values()]
    features = iter(eyes(torch.cat(frames)).split(list(map(len, frames))) if frames else ())
    for number, sample in waiting:
        yield number, sample, {name: VisualFeatures(next(features)) for name in sample.visuals}


class _SkippedList:
    """What could not be used, line by line in a file; what is looked at again is not there."""

    def __init__(self, path: Path, first: int) -> None:
        self.path, self.found = path, list[Skipped]()
        if path.is_file():
            lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line]
            kept = [line for line in lines if json.loads(line)["number"] < first]
            write_text_atomically(path, "".join(f"{line}\n" for line in kept))

    def add(self, number: int, skipped: Iterable[Skipped]) -> None:
        for one in skipped:
            self.found.append(one)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"number": number, **vars(one)}) + "\n")
