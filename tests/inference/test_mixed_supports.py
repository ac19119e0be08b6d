"""Queries behind different support sets, read as one batch, get what each whole prompt gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from flamingo.inference.mixed_supports import (
    Behind,
    can_be_mixed,
    continued_together,
    mixed_batches,
)
from flamingo.inference.support_cache import SupportCache
from flamingo.model.cache_rows import can_be_parted
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.prompting import CAPTION
from tests.families import FAMILIES
from tests.inference.test_support_cache import RECURRENT, Prompts, encoded, generated
from tests.model.variants.variants_for_tests import VARIANTS
from tests.tiny import EOC, SIZE, tiny_flamingo

Whole = dict[str, Tensor]


class Rows:
    """Queries with what comes before them, and each as a whole prompt."""

    def __init__(self, model: FlamingoForConditionalGeneration) -> None:
        self.model = model
        self.behind: list[Behind] = []
        self.pixels: list[Tensor | None] = []
        self.whole: list[Whole] = []

    def add(self, *lengths: int, shots: int, seed: int) -> None:
        """Queries behind one support set."""
        prompts = Prompts.random(lengths, shots=shots, seed=seed)
        supports = prompts.read(self.model)
        for number, query in enumerate(prompts.queries):
            self.behind.append(Behind(query, supports))
            self.pixels.append(prompts.query_pixels[number])
            self.whole.append(prompts.whole(number))

    def add_without_supports(self, length: int, seed: int, *, with_visual: bool = True) -> None:
        prompts = Prompts.random([length], shots=1, seed=seed)
        query = prompts.queries[0]
        if not with_visual:
            ids = [token if token < 64 else 5 for token in query.token_ids]
            query = encoded(ids, [0] * len(ids))
        self.behind.append(Behind(query))
        self.pixels.append(prompts.query_pixels[0] if with_visual else None)
        whole = {
            "input_ids": torch.tensor([query.token_ids]),
            "attention_mask": torch.ones(1, len(query), dtype=torch.long),
            "visual_index": torch.tensor([query.visual_index]),
        }
        if with_visual:
            whole["pixel_values"] = prompts.query_pixels
        self.whole.append(whole)

    def add_behind_text(self, length: int, seed: int) -> None:
        """Supports without visuals: the query's text before its own sees nothing."""
        prompts = Prompts.random([length], shots=1, seed=seed)
        ids = [0, 5, 6, EOC, 7, EOC]
        texts = {
            "input_ids": torch.tensor([ids]),
            "attention_mask": torch.ones(1, 6, dtype=torch.long),
            "visual_index": torch.zeros(1, 6, dtype=torch.long),
        }
        query = encoded([9, *prompts.queries[0].token_ids], [0, *prompts.queries[0].visual_index])
        self.behind.append(Behind(query, SupportCache.read(self.model, texts, 0, CAPTION)))
        self.pixels.append(prompts.query_pixels[0])
        whole = torch.tensor([[*ids, *query.token_ids]])
        self.whole.append(
            {
                "input_ids": whole,
                "attention_mask": torch.ones_like(whole),
                "visual_index": torch.tensor([[0] * 6 + query.visual_index]),
                "pixel_values": prompts.query_pixels,
            }
        )

    def together(self, numbers: list[int]) -> dict[str, Any]:
        continued = continued_together(self.model, [self.behind[n] for n in numbers], 5)
        shown = [self.pixels[n] for n in numbers]
        inputs: dict[str, Any] = {**continued.inputs, "past_key_values": continued.cache}
        if any(pixels is not None for pixels in shown):
            blank = torch.zeros(1, 1, 3, SIZE, SIZE)
            stacked = [blank if pixels is None else pixels for pixels in shown]
            inputs["pixel_values"] = torch.stack(stacked)
            inputs["frame_mask"] = torch.tensor([[[p is not None]] for p in shown])
        return inputs


def mixed(model: FlamingoForConditionalGeneration) -> Rows:
    rows = Rows(model)
    rows.add(4, 5, shots=3, seed=0)
    rows.add(6, shots=1, seed=1)
    rows.add_without_supports(7, seed=2)
    rows.add(2, shots=6, seed=3)
    rows.add_behind_text(3, seed=4)
    rows.add_without_supports(4, seed=5, with_visual=False)
    return rows


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in RECURRENT])
def test_the_same_tokens_for_any_language_model(family: str, beams: int) -> None:
    model = tiny_flamingo(family)
    rows = mixed(model)
    assert can_be_mixed(model, rows.behind)
    numbers = list(range(len(rows.behind)))
    alone = [generated(model, dict(whole), num_beams=beams)[0] for whole in rows.whole]
    assert generated(model, rows.together(numbers), num_beams=beams) == alone


def test_the_same_logits() -> None:
    model = tiny_flamingo()
    rows = mixed(model)
    with torch.no_grad():
        found = model(**rows.together(list(range(7))), use_cache=True).logits[:, -1]
        alone = torch.cat([model(**whole).logits[:, -1] for whole in rows.whole])
    torch.testing.assert_close(found, alone, atol=1e-5, rtol=1e-5)


def test_visuals_that_were_let_go_do_not_shift_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("support_cache", "mixed_supports"):
        monkeypatch.setattr(f"flamingo.inference.{module}.READ_AGAIN", 6)
    model = tiny_flamingo()
    rows = Rows(model)
    rows.add(4, shots=5, seed=0)
    rows.add(2, shots=2, seed=1)
    rows.add(6, shots=1, seed=2)
    first = rows.behind[0].supports
    assert first is not None
    assert first.cache.layers[-1].num_forgotten == 4
    alone = [generated(model, whole)[0] for whole in rows.whole]
    assert generated(model, rows.together([0, 1, 2])) == alone


@pytest.mark.parametrize("family", RECURRENT)
def test_where_not_every_token_is_kept_batches_have_one_length(family: str) -> None:
    model = tiny_flamingo(family)
    rows = Rows(model)
    rows.add(4, 4, 5, shots=3, seed=0)
    rows.add(4, 5, shots=1, seed=1)
    rows.add_without_supports(4, seed=2)
    rows.add_without_supports(6, seed=3)
    batches = mixed_batches(model, rows.behind, 8)
    if can_be_mixed(model, rows.behind):
        assert family in ("lfm2", "qwen3_5")
        assert batches == [[6, 5], [2, 4], [0, 1, 3]]
    else:
        assert batches == [[2], [0, 1], [4], [3], [5, 6]]
    for batch in batches:
        if batch[0] < 5:
            alone = [generated(model, rows.whole[number])[0] for number in batch]
            assert generated(model, rows.together(batch)) == alone


def test_a_model_that_sees_all_visuals_reads_sets_apart() -> None:
    model = tiny_flamingo(**VARIANTS["all_previous"])
    rows = Rows(model)
    rows.add(4, shots=3, seed=0)
    rows.add(4, shots=1, seed=1)
    assert mixed_batches(model, rows.behind, 8) == [[0], [1]]


def test_lengths_that_are_far_apart_come_in_batches_of_their_own() -> None:
    model = tiny_flamingo()
    rows = Rows(model)
    rows.add(4, shots=3, seed=0)
    rows.add(90, shots=1, seed=1)
    rows.add_without_supports(88, seed=2)
    rows.add_without_supports(5, seed=3)
    batches = mixed_batches(model, rows.behind, 8)
    assert batches == [[1, 2], [3, 0]]
    for batch in batches:
        alone = [generated(model, rows.whole[n])[0] for n in batch]
        if batch == [1, 2]:
            assert generated(model, rows.together(batch)) == alone
    assert mixed_batches(model, rows.behind, 1) == [[1], [2], [3], [0]]


@pytest.mark.parametrize("family", FAMILIES)
def test_support_sets_that_are_read_together_are_those_that_are_read_alone(family: str) -> None:
    model = tiny_flamingo(family)
    if not can_be_parted(model):
        pytest.skip("a layer of this family keeps a window")
    sets = [Prompts.random([4], shots=shots, seed=shots) for shots in (3, 1, 2)]
    widest = max(len(one.supports) for one in sets)
    ids, index, mask = (
        torch.tensor(
            [[fill] * (widest - len(one.supports)) + list(row(one.supports)) for one in sets]
        )
        for fill, row in (
            (2, lambda one: one.token_ids),
            (0, lambda one: one.visual_index),
            (0, lambda one: [1] * len(one)),
        )
    )
    pixels = torch.zeros(3, 3, 1, 3, SIZE, SIZE)
    frames = torch.zeros(3, 3, 1, dtype=torch.bool)
    for row, one in enumerate(sets):
        shots = one.support_pixels.shape[1]
        pixels[row, :shots], frames[row, :shots] = one.support_pixels[0], True
    inputs = {
        "input_ids": ids,
        "visual_index": index,
        "attention_mask": mask,
        "pixel_values": pixels,
        "frame_mask": frames,
    }
    found = SupportCache.read_all(model, inputs, [3, 1, 2], CAPTION)
    for one, supports in zip(sets, found, strict=True):
        alone = one.read(model)
        assert supports.token_ids == alone.token_ids
        assert supports.visual_index == alone.visual_index
        assert supports.nbytes == alone.nbytes
        part = supports.continued(one.queries, 5)
        together = {**part.inputs, "pixel_values": one.query_pixels}
        assert generated(model, together, past_key_values=part.cache) == generated(
            model, one.whole(0)
        )
