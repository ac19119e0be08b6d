"""Queries that go on from supports that were read once get what the whole prompt gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from flamingo.data.encoding import Encoded
from flamingo.foundation.errors import SequenceError
from flamingo.inference.scoring import score_rows
from flamingo.inference.support_cache import SupportCache
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.prompting import CAPTION
from tests.families import FAMILIES, VOCABULARY
from tests.model.variants.variants_for_tests import VARIANTS
from tests.tiny import EOC, IMAGE, SIZE, tiny_flamingo

RECURRENT = ("qwen3_5", "lfm2", "gemma3", "gemma4")
"""Families with recurrent states or sliding windows: one length in a batch."""


@dataclass
class Prompts:
    """A support set of some shots and queries behind it, with pixels, as tensors."""

    supports: Encoded
    queries: list[Encoded]
    support_pixels: Tensor
    query_pixels: Tensor

    @classmethod
    def random(cls, lengths: Sequence[int], *, shots: int = 3, seed: int = 0) -> Prompts:
        generator = torch.Generator().manual_seed(seed)

        def words(number: int) -> list[int]:
            return torch.randint(3, VOCABULARY, (number,), generator=generator).tolist()

        ids, index = [0], [0]
        for shot in range(shots):
            chunk = [IMAGE, *words(4), EOC]
            ids, index = ids + chunk, index + [shot + 1] * len(chunk)
        queries = [encoded([IMAGE, *words(length - 1)], [1] * length) for length in lengths]
        pixels = torch.randn(shots + len(lengths), 1, 3, SIZE, SIZE, generator=generator)
        return cls(encoded(ids, index), queries, pixels[None, :shots], pixels[shots:, None])

    def read(self, model: FlamingoForConditionalGeneration) -> SupportCache:
        shots = self.support_pixels.shape[1]
        inputs = {
            "input_ids": torch.tensor([self.supports.token_ids]),
            "attention_mask": torch.ones(1, len(self.supports), dtype=torch.long),
            "visual_index": torch.tensor([self.supports.visual_index]),
            "pixel_values": self.support_pixels,
        }
        return SupportCache.read(model, inputs, shots, CAPTION)

    def whole(self, number: int) -> dict[str, Tensor]:
        """One prompt, as one row."""
        query = self.queries[number]
        ids = [*self.supports.token_ids, *query.token_ids]
        shots = self.support_pixels.shape[1]
        index = [*self.supports.visual_index, *(shots + n for n in query.visual_index)]
        return {
            "input_ids": torch.tensor([ids]),
            "attention_mask": torch.ones(1, len(ids), dtype=torch.long),
            "visual_index": torch.tensor([index]),
            "pixel_values": torch.cat([self.support_pixels, self.query_pixels[[number]]], dim=1),
        }


def encoded(ids: list[int], index: list[int]) -> Encoded:
    return Encoded(ids, index, (), [1.0] * len(ids))


def lengths_for(family: str) -> list[int]:
    return [4, 4] if family in RECURRENT else [4, 2, 6]


def generated(
    model: FlamingoForConditionalGeneration, inputs: dict[str, Any], **how: Any
) -> list[list[int]]:
    width = inputs["input_ids"].shape[1]
    tokens = model.generate(**inputs, max_new_tokens=5, min_new_tokens=5, do_sample=False, **how)
    rows: list[list[int]] = tokens[:, width:].tolist()
    return rows


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_tokens_for_any_language_model(family: str, beams: int) -> None:
    model, prompts = tiny_flamingo(family), Prompts.random(lengths_for(family))
    part = prompts.read(model).continued(prompts.queries, 5)
    together = {**part.inputs, "pixel_values": prompts.query_pixels, "past_key_values": part.cache}
    alone = [
        generated(model, prompts.whole(number), num_beams=beams)[0]
        for number in range(len(prompts.queries))
    ]
    assert generated(model, together, num_beams=beams) == alone


@pytest.mark.parametrize("family", FAMILIES)
def test_the_same_likelihoods_for_any_language_model(family: str) -> None:
    model, prompts = tiny_flamingo(family), Prompts.random(lengths_for(family))
    part = prompts.read(model).continued(prompts.queries, 3)
    candidates = [[[5, 6, EOC], [7, EOC]], *[[[8, EOC], [9, 10, 11, EOC]]] * 2]
    candidates = candidates[: len(prompts.queries)]
    inputs = {**part.inputs, "pixel_values": prompts.query_pixels}
    together = score_rows(model, inputs, candidates, part.cache)
    alone = [
        score_rows(model, prompts.whole(number), [own])[0] for number, own in enumerate(candidates)
    ]
    for row, other in zip(together, alone, strict=True):
        assert row == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_same_tokens_for_any_variant(variant: str) -> None:
    model = tiny_flamingo(**VARIANTS[variant])
    prompts = Prompts.random([3, 3] if "grafting" in variant else [3, 5])
    part = prompts.read(model).continued(prompts.queries, 5)
    together = {**part.inputs, "pixel_values": prompts.query_pixels, "past_key_values": part.cache}
    alone = [generated(model, prompts.whole(number))[0] for number in range(2)]
    assert generated(model, together) == alone


def test_any_number_of_batches_goes_on_from_it() -> None:
    model, prompts = tiny_flamingo(), Prompts.random([4, 2, 6])
    supports = prompts.read(model)
    found = []
    for _ in range(2):
        part = supports.continued(prompts.queries, 5)
        found.append(
            generated(
                model,
                {**part.inputs, "pixel_values": prompts.query_pixels},
                past_key_values=part.cache,
            )
        )
    assert found[0] == found[1]


def test_supports_without_visuals_and_queries_without_visuals() -> None:
    model, prompts = tiny_flamingo(), Prompts.random([4])
    texts = encoded([0, 5, 6, EOC, 7, EOC], [0] * 6)
    inputs = {
        "input_ids": torch.tensor([texts.token_ids]),
        "attention_mask": torch.ones(1, 6, dtype=torch.long),
        "visual_index": torch.zeros(1, 6, dtype=torch.long),
    }
    supports = SupportCache.read(model, inputs, 0, CAPTION)
    for pixels, query in (
        ({"pixel_values": prompts.query_pixels}, prompts.queries[0]),
        ({}, encoded([8, 9], [0, 0])),
    ):
        part = supports.continued([query], 5)
        ids = torch.tensor([[*texts.token_ids, *query.token_ids]])
        whole = {
            "input_ids": ids,
            "attention_mask": torch.ones_like(ids),
            "visual_index": torch.tensor([[*texts.visual_index, *query.visual_index]]),
            **pixels,
        }
        together = {**part.inputs, **pixels, "past_key_values": part.cache}
        assert generated(model, together) == generated(model, whole)


def test_of_the_visuals_only_those_that_can_be_seen_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("flamingo.inference.support_cache.READ_AGAIN", 6)
    model, prompts = tiny_flamingo(), Prompts.random([4, 2], shots=5)
    supports = prompts.read(model)
    kept = supports.cache.layers[-1]
    assert kept.num_forgotten == 4
    assert kept.keys.shape[2] == model.config.num_latents
    # No view of all of them.
    assert kept.keys.untyped_storage().nbytes() == kept.keys.nbytes
    part = supports.continued(prompts.queries, 5)
    together = {**part.inputs, "pixel_values": prompts.query_pixels, "past_key_values": part.cache}
    alone = [generated(model, prompts.whole(number))[0] for number in range(2)]
    assert generated(model, together) == alone


def test_lengths_that_are_far_apart_come_in_batches_of_their_own() -> None:
    model, prompts = tiny_flamingo(), Prompts.random([4, 90, 5, 88])
    supports = prompts.read(model)
    assert supports.batches(prompts.queries, 8) == [[1, 3], [2, 0]]
    assert supports.batches(prompts.queries, 1) == [[1], [3], [2], [0]]
    with pytest.raises(SequenceError, match="4 to 90 tokens, which is too far apart"):
        supports.continued(prompts.queries, 5)


def test_recurrent_models_get_one_length_per_batch() -> None:
    model, prompts = tiny_flamingo("lfm2"), Prompts.random([4, 3, 4])
    supports = prompts.read(model)
    assert supports.batches(prompts.queries, 8) == [[0, 2], [1]]


def test_changed_weights_are_told_apart() -> None:
    model, prompts = tiny_flamingo(), Prompts.random([4])
    supports = prompts.read(model)
    supports.check(model)
    with torch.no_grad():
        next(iter(model.gated_xattn_dense.parameters())).mul_(2)
    with pytest.raises(SequenceError, match="3 visuals and 19 tokens was read with other weights"):
        supports.check(model)


def test_bytes_are_those_of_its_tensors() -> None:
    model, prompts = tiny_flamingo(), Prompts.random([4])
    supports = prompts.read(model)
    config = model.config.text_config
    text = 19 * config.num_hidden_layers * config.num_key_value_heads * 8 * 2 * 4
    visual = 3 * model.config.num_latents * len(model.gated_xattn_dense)
    visual *= 2 * 4 * model.gated_xattn_dense[0].attention.to_keys.out_features
    assert supports.nbytes == text + visual


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("again", [6, 64])
def test_supports_that_were_read_are_gone_on_from(
    family: str, again: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flamingo.inference.support_cache.READ_AGAIN", again)
    model, prompts = tiny_flamingo(family), Prompts.random([4, 4], shots=5)
    chunk, shots = 6, 3
    first = Prompts(
        encoded(
            prompts.supports.token_ids[: 1 + shots * chunk],
            prompts.supports.visual_index[: 1 + shots * chunk],
        ),
        [],
        prompts.support_pixels[:, :shots],
        prompts.query_pixels,
    ).read(model)
    more = encoded(prompts.supports.token_ids[1 + shots * chunk :], [1] * chunk + [2] * chunk)
    part = first.continued([more], 0)
    inputs = {**part.inputs, "pixel_values": prompts.support_pixels[:, shots:]}
    extended = first.extended(model, inputs, part.cache, more, 2)
    assert extended.token_ids == tuple(prompts.supports.token_ids)
    assert extended.visual_index == tuple(prompts.supports.visual_index)
    assert extended.num_visuals == 5
    alone = [generated(model, prompts.whole(number))[0] for number in range(2)]
    for supports in (extended, extended, prompts.read(model)):
        part = supports.continued(prompts.queries, 5)
        together = {**part.inputs, "pixel_values": prompts.query_pixels}
        assert generated(model, together, past_key_values=part.cache) == alone
    # What was gone on from is as it was.
    assert len(first) == 1 + shots * chunk
    assert first.cache.get_seq_length() == len(first)
