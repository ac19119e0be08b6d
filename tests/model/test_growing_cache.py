"""A cache that grows in place holds what transformers' own holds, and moves less."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor
from transformers import DynamicCache, LlamaConfig
from transformers.cache_utils import DynamicLayer

from flamingo.model.growing_cache import GrowingCache, GrowingLayer
from flamingo.model.visual_cache import VisualCacheLayer
from tests.tiny import inputs, tiny_flamingo


def states(tokens: int, rows: int = 2, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    keys, values = torch.randn(2, rows, 3, tokens, 4, generator=generator)
    return keys, values


def filled(kind: type[DynamicLayer], *lengths: int) -> DynamicLayer:
    layer = kind()
    for seed, length in enumerate(lengths):
        layer.update(*states(length, seed=seed))
    return layer


def assert_same(one: DynamicLayer, other: DynamicLayer) -> None:
    assert torch.equal(one.keys, other.keys)
    assert torch.equal(one.values, other.values)


def test_it_holds_what_the_plain_layer_holds() -> None:
    own, plain = (filled(kind, 5, 1, 1, 70, 1, 200) for kind in (GrowingLayer, DynamicLayer))
    assert_same(own, plain)
    assert own.get_seq_length() == 278


def test_a_new_token_moves_no_key() -> None:
    layer = filled(GrowingLayer, 5)
    place = layer.keys.data_ptr()
    for seed in range(60):
        layer.update(*states(1, seed=seed))
    assert layer.keys.data_ptr() == place


def test_what_is_taken_back_is_written_over() -> None:
    own, plain = (filled(kind, 5, 3) for kind in (GrowingLayer, DynamicLayer))
    for layer in (own, plain):
        layer.crop(-2)
        layer.update(*states(4, seed=9))
    assert_same(own, plain)


def test_beams_exchange_only_what_they_read_themselves() -> None:
    own, plain = filled(GrowingLayer, 5), filled(DynamicLayer, 5)
    own.repeat(3)
    plain.batch_repeat_interleave(3)
    prompt = own.keys[:, :, :5].clone()
    place = own.keys.data_ptr()
    for seed, order in enumerate(([2, 2, 0, 3, 5, 3], [0, 1, 1, 5, 5, 5])):
        for layer in (own, plain):
            layer.update(*states(1, rows=6, seed=seed))
            layer.reorder_cache(torch.tensor(order))
    assert_same(own, plain)
    assert own.keys.data_ptr() == place
    assert torch.equal(own.keys[:, :, :5], prompt)


def test_rows_that_leave_their_group_take_everything_along() -> None:
    config = LlamaConfig(num_hidden_layers=1)
    own, plain = GrowingCache(config), DynamicCache(config=config)
    for cache in (own, plain):
        cache.update(*states(5), 0)
    own.repeat_rows(2, 2)
    plain.batch_repeat_interleave(2)
    for cache in (own, plain):
        cache.update(*states(2, rows=4, seed=3), 0)
        cache.reorder_cache(torch.tensor([3, 0, 1, 1]))
        cache.update(*states(1, rows=4, seed=4), 0)
        cache.reorder_cache(torch.tensor([1, 3]))
    assert_same(own.layers[0], plain.layers[0])


def test_a_copy_grows_apart() -> None:
    layer = filled(GrowingLayer, 5)
    other = copy.copy(layer)
    layer.update(*states(2, seed=1))
    other.update(*states(2, seed=2))
    assert torch.equal(layer.keys[:, :, 5:], states(2, seed=1)[0])
    assert torch.equal(other.keys[:, :, 5:], states(2, seed=2)[0])


def test_a_copy_keeps_what_the_original_writes_over() -> None:
    layer = filled(GrowingLayer, 5)
    other = copy.copy(layer)
    layer.crop(-2)
    layer.update(*states(2, seed=1))
    assert_same(other, filled(DynamicLayer, 5))


def test_chosen_rows_of_a_group_are_free_again() -> None:
    own, plain = filled(GrowingLayer, 5), filled(DynamicLayer, 5)
    own.repeat(2)
    plain.batch_repeat_interleave(2)
    for layer in (own, plain):
        layer.update(*states(1, rows=4, seed=3))
        layer.batch_select_indices(torch.tensor([0, 2]))
        layer.reorder_cache(torch.tensor([1, 0]))
    assert_same(own, plain)


def test_room_is_given_back() -> None:
    layer = filled(GrowingLayer, 5)
    layer.trim()
    assert layer.keys.untyped_storage().nbytes() == layer.keys.nbytes
    layer.update(*states(1, seed=1))
    assert_same(layer, filled(DynamicLayer, 5, 1))


def test_a_reset_cache_begins_anew() -> None:
    model, given = tiny_flamingo(), inputs(batch=2)
    cache = GrowingCache(model.config.get_text_config(decoder=True))
    how = {"num_beams": 3, "max_new_tokens": 3, "past_key_values": cache}
    first = model.generate(**given, **how)
    cache.reset()
    assert torch.equal(model.generate(**given, **how), first)


def test_what_was_read_in_inference_mode_can_be_gone_on_from_outside_of_it() -> None:
    with torch.inference_mode():
        layer = filled(GrowingLayer, 5)
    with torch.no_grad():
        layer.update(*states(1, seed=1))
    assert_same(layer, filled(DynamicLayer, 5, 1))


def test_gradients_go_through_a_cache() -> None:
    layer = GrowingLayer()
    keys, values = states(3)
    keys.requires_grad_()
    layer.update(keys, values)
    read, _ = layer.update(*states(1, seed=1))
    read.sum().backward()
    assert keys.grad is not None


def test_rows_go_on_from_one_prompt_at_places_of_their_own() -> None:
    layer = GrowingLayer()
    keys, values = states(5, rows=1)
    layer.update(keys, values)
    placed = layer.placed([0, 2], num_tokens=3)
    assert torch.equal(placed.keys[0], keys[0])
    assert torch.equal(placed.keys[1, :, 2:], keys[0, :, :3])
    assert not placed.values[1, :, :2].any()
    placed.update(*states(3, seed=1))
    assert torch.equal(layer.keys, keys)


@pytest.mark.parametrize("is_moved", [False, True])
def test_visual_layers_move_numbers_and_no_keys(is_moved: bool) -> None:
    own, plain = filled(VisualCacheLayer, 4), filled(DynamicLayer, 4)
    place = own.keys.data_ptr()
    for layer in (own, plain):
        layer.batch_repeat_interleave(2)
        layer.reorder_cache(torch.tensor([3, 3, 0, 1]))
        layer.batch_select_indices(torch.tensor([True, False, True, True]))
    assert own.keys.data_ptr() == place
    assert torch.equal(own.keys[own.rows], plain.keys)
    if is_moved:
        for layer in (own, plain):
            layer.update(*states(2, rows=3, seed=5))
        assert own.rows is None
        assert_same(own, plain)


@pytest.mark.parametrize("how", [{"num_beams": 3}, {"do_sample": True, "num_return_sequences": 3}])
def test_prompts_are_read_once_whatever_the_beams(how: dict[str, object]) -> None:
    model, given = tiny_flamingo(), inputs(batch=2)
    rows: list[int] = []
    model.host.layers[0].register_forward_pre_hook(
        lambda layer, args: rows.append(args[0].shape[0] * args[0].shape[1])
    )
    model.generate(**given, max_new_tokens=4, min_new_tokens=4, **how)
    assert rows == [given["input_ids"].numel(), 6, 6, 6]


def test_attentions_and_hidden_states_have_a_row_for_each_beam() -> None:
    model, given = tiny_flamingo(), inputs(batch=2)
    output = model.generate(
        **given, num_beams=3, max_new_tokens=2, output_hidden_states=True,
        return_dict_in_generate=True,
    )  # fmt: skip
    assert len(output.hidden_states[0][0]) == 6
