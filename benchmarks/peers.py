"""Three that read the same prompts: a Flamingo of ours, Idefics, and OpenFlamingo's algorithm."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from transformers import IdeficsForVisionText2Text

from benchmarks.contenders import SIZES, Sizes, idefics_model, one_hot_visuals, our_model
from benchmarks.few_shot import Prompts, numbered_words
from benchmarks.openflamingo_path import OpenFlamingoPath
from flamingo import FlamingoImageProcessor, FlamingoProcessor, Predictor
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.sequence import Interleaved


@dataclass(frozen=True)
class Scale:
    """How large models and prompts are.

    "small" has the proportions of real models. Of what one support of 25 tokens costs, the vision
    encoder's part is 1.3 times that of the language model with its gated layers; it is 0.8 times
    for Idefics-9B and 2.0 times for Flamingo-3B. A gated layer stands before every layer, as in
    Flamingo-3B, and visual tokens are 0.3 times as wide as the language model, as in Idefics-9B.

    Attributes:
        sizes: of the models.
        wide_sizes: of one with a language model as wide as Flamingo-3B's, of which a long prompt's
            keys and values are as small a part as there.
        shots: supports of a prompt.
        few_shots: supports of the short prompt that decoding is compared with.
        name_shots: supports where class names are scored.
        tokens_per_shot: tokens of a support, tags included.
        steps: tokens that are generated where the time of one is asked.
        new_tokens: tokens of an answer.
        batch: queries that are answered together.
        queries: that share their supports, of ours.
        peer_queries: the same of a peer that shares nothing, so that its rate is that of few.
        beams: of beam search.
        choices: candidates of a close-ended question, each of `choice_tokens` and `<EOC>`.
        choice_tokens: words of a candidate.
        choice_queries: close-ended questions that share their supports.
        names: numbers of class names.
        visuals: numbers of visuals in prefill.
        dense_visuals: the most that the dense path reads; its memory grows with their square.
    """

    sizes: Sizes = field(default_factory=Sizes)
    wide_sizes: Sizes = field(default_factory=Sizes)
    shots: int = 32
    few_shots: int = 4
    name_shots: int = 16
    tokens_per_shot: int = 25
    steps: int = 24
    new_tokens: int = 10
    batch: int = 8
    queries: int = 100
    peer_queries: int = 8
    beams: int = 3
    choices: int = 4
    choice_tokens: int = 2
    choice_queries: int = 8
    names: tuple[int, ...] = (10, 100, 1_000)
    visuals: tuple[int, ...] = (4, 8, 16, 32, 64, 128)
    dense_visuals: int = 64


SCALES = {
    "small": Scale(
        Sizes(
            dim=1_024, feed_forward=2_736, num_layers=3, num_heads=8, vocabulary=2_000,
            vision_dim=320, vision_layers=6, vision_heads=5, resampler_layers=2, resampler_heads=5,
        ),
        Sizes(
            dim=2_048, feed_forward=5_472, num_layers=2, num_heads=16, vocabulary=2_000,
            vision_dim=320, vision_layers=1, vision_heads=5, resampler_layers=1, resampler_heads=5,
        ),
    ),
    "tiny": Scale(
        SIZES["tiny"], SIZES["tiny"], shots=3, few_shots=1, name_shots=2, tokens_per_shot=6,
        steps=3, new_tokens=2, batch=2, queries=3, peer_queries=2, choice_queries=2,
        names=(3, 8, 30), visuals=(2, 4, 8), dense_visuals=4,
    ),
}  # fmt: skip


class Peers:
    """The three models, built when they are first asked for, and their inputs.

    All are frozen and in evaluation mode, with random weights from one seed; the gates of the
    cross-attention are open. No answer ends early: the tokens that would end it are suppressed.

    Args:
        scale: how large everything is.
    """

    def __init__(self, scale: Scale) -> None:
        self.scale = scale
        sizes = scale.sizes
        self.prompts = Prompts(sizes.image_size, sizes.vocabulary, scale.tokens_per_shot)

    @cached_property
    def predictor(self) -> Predictor:
        """Ours, as users hold it."""
        tokenizer = numbered_words(self.scale.sizes.vocabulary)
        size = FlamingoImageProcessor(self.scale.sizes.image_size)
        processor = FlamingoProcessor(size, tokenizer)
        ids = processor.encoder().prepared.ids
        torch.manual_seed(0)
        model = our_model(self.scale.sizes, eos_token_id=ids.eos, pad_token_id=ids.pad)
        _open_gates(model)
        model.generation_config.suppress_tokens = [*ids.image, ids.eoc, ids.eos]
        return Predictor(model.requires_grad_(False), processor)

    @property
    def ours(self) -> FlamingoForConditionalGeneration:
        """Our model."""
        return self.predictor.model

    @cached_property
    def openflamingo(self) -> OpenFlamingoPath:
        """OpenFlamingo's algorithm on our weights."""
        return OpenFlamingoPath(self.ours).eval()

    @cached_property
    def idefics(self) -> IdeficsForVisionText2Text:
        """Idefics of the same size."""
        torch.manual_seed(0)
        model = idefics_model(self.scale.sizes)
        _open_gates(model)
        model.generation_config = copy.deepcopy(self.ours.generation_config)
        return model.eval().requires_grad_(False)

    def our_inputs(self, prompts: Sequence[Interleaved]) -> dict[str, Tensor]:
        """What ours, and OpenFlamingo's algorithm, read."""
        return self.predictor.encode(prompts).model_inputs()

    def few_shot_inputs(self, shots: int) -> dict[str, Tensor]:
        """The same of one query with so many supports."""
        request = self.prompts.request(0, self.prompts.supports(shots))
        return self.our_inputs([request.prompt()])


def _open_gates(model: nn.Module) -> None:
    """So that answers depend on pictures; both call their gates alpha."""
    for name, parameter in model.named_parameters():
        if "alpha_" in name:
            nn.init.constant_(parameter, 0.5)


def idefics_inputs(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same prompts for Idefics, made as its processor makes them: one image per visual."""
    pixels = inputs["pixel_values"][:, :, 0]
    return {
        "input_ids": inputs["input_ids"],
        "attention_mask": inputs["attention_mask"],
        "pixel_values": pixels,
        "image_attention_mask": one_hot_visuals(inputs["visual_index"], pixels.shape[1]),
    }


@torch.inference_mode()
def generate(model: Any, inputs: dict[str, Tensor], new_tokens: int, **how: Any) -> Tensor:
    """Exactly as many new tokens, greedily or with beams, with the keys and values kept."""
    tokens: Tensor = model.generate(
        **inputs, max_new_tokens=new_tokens, do_sample=False, use_cache=True, **how
    )
    return tokens
