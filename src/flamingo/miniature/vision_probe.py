"""Says what a frozen vision encoder knows: each attribute, read out of its features by a line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from flamingo.foundation.randomness import generator
from flamingo.miniature.contrastive_data import normalized
from flamingo.miniature.names import HELD_OUT_NAMES, SYLLABLES, TRAIN_NAMES
from flamingo.miniature.render import render_scene
from flamingo.miniature.scene import (
    BACKGROUNDS,
    COLORS,
    SHAPES,
    SIZES,
    TEXTURES,
    Pairs,
    Scene,
    random_scene,
)
from flamingo.miniature.signs import Sign, render_sign
from flamingo.model.vision_encoder import VisionEncoder

ATTRIBUTES = {
    "color": COLORS,
    "shape": SHAPES,
    "size": SIZES,
    "texture": TEXTURES,
    "background": BACKGROUNDS,
}
_POOLED_SIDE = 4
_RIDGE = 1e-1


@dataclass(frozen=True)
class ProbeReport:
    """Accuracy per attribute, on pictures of pairs that training had and of held-out pairs."""

    train_pairs: dict[str, float]
    held_out_pairs: dict[str, float]

    def __str__(self) -> str:
        lines = [f"{'attribute':12}{'train pairs':>13}{'held-out pairs':>16}"]
        lines += [
            f"{name:12}{self.train_pairs[name]:13.3f}{self.held_out_pairs[name]:16.3f}"
            for name in self.train_pairs
        ]
        return "\n".join(lines)


def probe(
    encoder: VisionEncoder, *, num_train: int = 6000, num_test: int = 1000, seed: int = 0
) -> ProbeReport:
    """Fits one linear map per attribute on features pooled to 4 x 4, and scores it on new scenes.

    All scenes have a single thing. The maps are fitted by ridge regression onto one-hot
    answers, on training pairs alone.

    Args:
        encoder: the encoder to look at; it is not changed.
        num_train: scenes that the maps are fitted on.
        num_test: scenes of each kind that they are scored on.
        seed: decides which scenes.
    """
    train_x, train_y = _examples(encoder, num_train, "train", seed, "fit")
    mean, std = train_x.mean(0), train_x.std(0) + 1e-4
    maps = _ridge((train_x - mean) / std, train_y, ATTRIBUTES)
    scores: list[dict[str, float]] = []
    kinds: tuple[Pairs, ...] = ("train", "held_out")
    for pairs in kinds:
        x, y = _examples(encoder, num_test, pairs, seed, "score")
        scores.append(_accuracies(_with_one((x - mean) / std) @ maps, y, ATTRIBUTES))
    return ProbeReport(*scores)


def probe_signs(
    encoder: VisionEncoder, *, num_train: int = 6000, num_test: int = 1000, seed: int = 0
) -> dict[str, float]:
    """Accuracy with which a line reads each syllable of a sign, on names that training had not.

    Args:
        encoder: the encoder to look at; it is not changed.
        num_train: signs that the maps are fitted on, of names that training had.
        num_test: signs that they are scored on.
        seed: decides which signs.
    """
    train_x, train_y = _signs(encoder, TRAIN_NAMES, num_train, seed, "fit")
    test_x, test_y = _signs(encoder, HELD_OUT_NAMES, num_test, seed, "score")
    mean, std = train_x.mean(0), train_x.std(0) + 1e-4
    values = {"first_syllable": SYLLABLES, "last_syllable": SYLLABLES}
    maps = _ridge((train_x - mean) / std, train_y, values)
    return _accuracies(_with_one((test_x - mean) / std) @ maps, test_y, values)


def _signs(
    encoder: VisionEncoder, names: Sequence[str], count: int, seed: int, purpose: str
) -> tuple[Tensor, Tensor]:
    """Pooled features, and the numbers of both syllables."""
    rng = generator("sign probe", purpose, seed)
    shown = [names[i] for i in rng.integers(len(names), size=count)]
    pictures = np.stack([render_sign(Sign(name), rng, encoder.image_size) for name in shown])
    answers = [[SYLLABLES.index(name[:2]), SYLLABLES.index(name[2:])] for name in shown]
    pixels = normalized(pictures, encoder.mean, encoder.std)
    return pooled_features(encoder, pixels), torch.tensor(answers)


def _examples(
    encoder: VisionEncoder, count: int, pairs: Pairs, seed: int, purpose: str
) -> tuple[Tensor, Tensor]:
    """Pooled features, and the number of each attribute's value."""
    rng = generator("vision probe", purpose, pairs, seed)
    scenes = [random_scene(rng, num_things=1, pairs=pairs) for _ in range(count)]
    pictures = np.stack([render_scene(scene, rng, encoder.image_size) for scene in scenes])
    pixels = normalized(pictures, encoder.mean, encoder.std)
    return pooled_features(encoder, pixels), torch.tensor([_answers(scene) for scene in scenes])


@torch.inference_mode()
def pooled_features(encoder: VisionEncoder, pixels: Tensor, batch_size: int = 250) -> Tensor:
    """Features averaged to a grid of 4 x 4 and flattened, [batch, 16 * width]."""
    was_training = encoder.training
    encoder.eval()
    rows = []
    for chunk in pixels.split(batch_size):
        features = encoder(chunk)
        side = round(features.shape[1] ** 0.5)
        grid = features.transpose(1, 2).unflatten(2, (side, side))
        rows.append(F.adaptive_avg_pool2d(grid.float(), _POOLED_SIDE).flatten(1))
    encoder.train(was_training)
    return torch.cat(rows)


def _answers(scene: Scene) -> list[int]:
    (thing,) = scene.things
    given = {**vars(thing), "background": scene.background}
    return [values.index(given[name]) for name, values in ATTRIBUTES.items()]


def _with_one(x: Tensor) -> Tensor:
    return torch.cat([x, torch.ones(len(x), 1)], dim=1)


def _ridge(x: Tensor, answers: Tensor, values_of: Mapping[str, Sequence[str]]) -> Tensor:
    """One map for all attributes side by side."""
    targets = torch.cat(
        [
            F.one_hot(answers[:, i], len(values)).float()
            for i, values in enumerate(values_of.values())
        ],
        dim=1,
    )
    x = _with_one(x)
    gram = x.T @ x + _RIDGE * len(x) * torch.eye(x.shape[1])
    return torch.linalg.solve(gram, x.T @ targets)


def _accuracies(
    scores: Tensor, answers: Tensor, values_of: Mapping[str, Sequence[str]]
) -> dict[str, float]:
    result, start = {}, 0
    for i, (name, values) in enumerate(values_of.items()):
        guess = scores[:, start : start + len(values)].argmax(1)
        result[name] = (guess == answers[:, i]).float().mean().item()
        start += len(values)
    return result
