"""What is trained, what stays, and that saving memory changes no gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from flamingo.model.freezing import trained_names
from tests.families import FAMILIES
from tests.tiny import inputs, tiny_flamingo


def _gradients(model: nn.Module) -> dict[str, Tensor]:
    found = {
        name: value.grad.clone()
        for name, value in model.named_parameters()
        if value.grad is not None
    }
    model.zero_grad()
    return found


def _assert_equal(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        torch.testing.assert_close(first[name], second[name], rtol=1e-4, atol=1e-6, msg=name)


def test_only_the_new_parts_are_trained() -> None:
    model = tiny_flamingo()
    parts = {name.split(".")[0] for name in trained_names(model)}
    assert parts == {"resampler", "widen", "gated_xattn_dense", "new_tokens"}
    model.train()
    assert not model.language_model.training
    assert not model.vision_encoder.training
    assert model.resampler.training


@pytest.mark.parametrize("family", FAMILIES)
def test_activation_checkpointing_gives_the_same_gradients(family: str) -> None:
    model, given = tiny_flamingo(family).train(), inputs()
    model(**given, labels=given["input_ids"]).loss.backward()
    plain = _gradients(model)
    assert plain.keys() == trained_names(model)
    model.activation_checkpointing_enable()
    runs: list[int] = []
    block = model.gated_xattn_dense[1]
    handle = block.register_forward_pre_hook(lambda m, a: runs.append(1))
    model(**given, labels=given["input_ids"]).loss.backward()
    handle.remove()
    assert len(runs) == 2, "the layer was not run a second time, so nothing was checkpointed"
    _assert_equal(plain, _gradients(model))


def test_accumulation_gives_the_same_gradients() -> None:
    model, given = tiny_flamingo().train(), inputs(batch=4)
    model(**given, labels=given["input_ids"]).loss.backward()
    whole = _gradients(model)
    for part in range(2):
        rows = {name: value[2 * part : 2 * part + 2] for name, value in given.items()}
        (model(**rows, labels=rows["input_ids"]).loss / 2).backward()
    _assert_equal(whole, _gradients(model))


def test_two_passes_before_one_backward_keep_their_own_visuals() -> None:
    """With checkpointing, the second run of the first pass must not see the second's visuals."""
    model = tiny_flamingo().train()
    first, second = inputs(seed=1), inputs(seed=2)
    for given in (first, second):
        model(**given, labels=given["input_ids"]).loss.backward()
    plain = _gradients(model)
    model.activation_checkpointing_enable()
    losses = [model(**given, labels=given["input_ids"]).loss for given in (first, second)]
    torch.stack(losses).sum().backward()
    _assert_equal(plain, _gradients(model))


def test_labels_on_new_tokens_are_learned() -> None:
    model, given = tiny_flamingo().train(), inputs()
    labels = torch.full_like(given["input_ids"], -100)
    labels[:, -1] = 51
    model(**given, labels=labels).loss.backward()
    assert model.new_tokens.output_rows is not None
    assert model.new_tokens.output_rows.grad[1].abs().sum() > 0
