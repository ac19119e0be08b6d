"""What precomputed features were made with: kept beside them, and compared before they are used."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

import torch

from flamingo.data.datasets import DatasetConfig
from flamingo.data.datasets.addresses import read_file
from flamingo.foundation.errors import ConfigError, DataError
from flamingo.foundation.records import from_plain, json_text, write_text_atomically
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.vision_encoder import VisionEncoder

MANIFEST = "features.json"
_FORMAT = 1


@dataclass(frozen=True)
class EncoderIdentity:
    """What features depend on: two encoders that are told apart here give different ones.

    Args:
        weights: a hash of all weights, in 16 bits, however they are stored.
        image_size: height and width of pictures.
        mean: what was subtracted from their pixels, per color.
        std: what they were divided by, per color.
        settings: further settings of the encoder.
        fit: how pictures are made square, see `VisualTransform`.
    """

    weights: str
    image_size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    settings: str
    fit: str = "pad"

    @classmethod
    def of(cls, encoder: VisionEncoder, fit: str = "pad") -> EncoderIdentity:
        """The identity of an encoder; every weight is read."""
        digest = hashlib.blake2b(digest_size=16)
        for name, value in encoder.state_dict().items():
            digest.update(f"{name}{list(value.shape)}".encode())
            # The same weights, kept in 32 bits for one run and in 16 for another, are the same.
            halved = value.detach().to(torch.bfloat16).contiguous().cpu()
            digest.update(halved.view(torch.int16).numpy().tobytes())
        others = {
            n: v for n, v in encoder.settings.items() if n not in ("image_size", "mean", "std")
        }
        return cls(
            weights=digest.hexdigest(),
            image_size=encoder.image_size,
            mean=tuple(map(float, encoder.mean)),
            std=tuple(map(float, encoder.std)),
            settings=json.dumps(others, sort_keys=True),
            fit=fit,
        )

    def differences(self, other: EncoderIdentity) -> list[str]:
        """What differs, in words; nothing if features of one are features of the other."""
        return [
            f"{name}: {there} there, {here} here"
            for name, there in vars(other).items()
            if there != (here := getattr(self, name))
        ]


@dataclass(frozen=True)
class Manifest:
    """What stands beside the shards of features of one data set.

    Args:
        encoder: what made them.
        source: where the encoder came from, for people.
        data: the path of the data set that they were made of.
        fingerprint: of that data set's samples.
        kind: of its samples.
        frames: of videos: how many at most, and at which rate.
        precision: the number format that was computed in.
        stored: the number format that is kept.
        format: of this file.
    """

    encoder: EncoderIdentity
    source: str
    data: str
    fingerprint: str
    kind: str
    frames: str
    precision: str
    stored: str
    format: int = _FORMAT

    def write(self, folder: Path) -> None:
        """Writes it into the folder of the shards."""
        write_text_atomically(folder / MANIFEST, json_text(self))


def read_manifest(folder: str) -> Manifest | None:
    """The manifest in a folder of shards, if it has one.

    Raises:
        DataError: it cannot be understood.
    """
    address = f"{folder}/{MANIFEST}" if folder else MANIFEST
    try:
        content = read_file(address)
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        return from_plain(Manifest, json.loads(content))
    except ValueError as error:
        raise DataError(
            f"{address} is not what `flamingo features` writes: {error}\n"
            "Without knowing what made them, features are of no use. Compute them again."
        ) from error


def check_features(
    name: str, dataset: DatasetConfig, model: FlamingoForConditionalGeneration, fit: str = "pad"
) -> None:
    """Refuses precomputed features that are not what this model's encoder would give.

    Args:
        name: the data set, as the settings name it.
        dataset: where it is; pictures and features without a manifest pass.
        model: what is to learn from it.
        fit: how its pictures are made square.

    Raises:
        ConfigError: another encoder made them, or the model's encoder is trained.
    """
    manifest = read_manifest(os.path.expanduser(dataset.path.rpartition("/")[0]))
    if manifest is None or dataset.kind == "text":
        return
    if not model.config.freeze_vision_encoder:
        raise ConfigError(
            f"{name} has precomputed features, but model.freeze_vision_encoder is false: an "
            f"encoder that learns must see pictures.\nThey were made of {manifest.data}; give that "
            "path, or freeze the encoder."
        )
    differing = EncoderIdentity.of(model.vision_encoder, fit).differences(manifest.encoder)
    if differing:
        raise ConfigError(
            f"{name} has features of another vision encoder ({manifest.source}) than this model's."
            f" {'; '.join(differing)}.\nCompute them anew with `flamingo features`, or give the "
            f"pictures: {name}.path={manifest.data}."
        )
