"""Cached generation equals uncached generation, however it is done."""

from __future__ import annotations

import copy
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import DynamicCache

from flamingo.foundation.errors import SequenceError
from flamingo.model.build import build_flamingo
from flamingo.model.conditioning import _TRACED
from flamingo.model.visual_cache import VisualCacheLayer
from flamingo.model.visuals import check_index
from tests.families import FAMILIES
from tests.tiny import EOC, IMAGE, SIZE, inputs, tiny_flamingo

MODES: dict[str, dict[str, Any]] = {
    "greedy": {"do_sample": False},
    "beams": {"do_sample": False, "num_beams": 3},
    "sampling": {"do_sample": True},
    "samples": {"do_sample": True, "num_return_sequences": 2},
}


def _generate(model: Any, given: dict[str, Any], **how: Any) -> torch.Tensor:
    torch.manual_seed(5)
    tokens: torch.Tensor = model.generate(**given, max_new_tokens=6, min_new_tokens=6, **how)
    return tokens


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("family", FAMILIES)
def test_cached_equals_uncached(family: str, mode: str) -> None:
    model, given = tiny_flamingo(family), inputs()
    cached = _generate(model, given, **MODES[mode])
    uncached = _generate(model, given, use_cache=False, **MODES[mode])
    assert torch.equal(cached, uncached)


@pytest.mark.parametrize("mode", ["greedy", "beams"])
@pytest.mark.parametrize("family", ["llama", "gpt_neox", "gemma3", "opt", "gpt2"])
def test_static_cache_equals_uncached(family: str, mode: str) -> None:
    model, given = tiny_flamingo(family), inputs()
    static = _generate(model, given, cache_implementation="static", **MODES[mode])
    assert torch.equal(static, _generate(model, given, use_cache=False, **MODES[mode]))


_COMPILED = """
import torch
from transformers import CompileConfig
from flamingo.model.conditioning import current_conditioning
from tests.tiny import inputs, tiny_flamingo

model, given = tiny_flamingo(), inputs()
how = {"max_new_tokens": 6, "min_new_tokens": 6, "do_sample": False}
# As on a GPU, where a static cache is compiled by default; the code generator is left out.
config = CompileConfig(fullgraph=True, backend="eager", dynamic=False, mode=None)
config._compile_all_devices = True
compiled = model.generate(**given, cache_implementation="static", compile_config=config, **how)
assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
assert torch.equal(compiled, model.generate(**given, **how))
assert current_conditioning() is None
"""


@pytest.mark.slow
def test_decoding_compiles_to_one_graph() -> None:
    # Apart: the type checks of tests cannot be traced.
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", _COMPILED], cwd=root, check=True, timeout=300)


@pytest.mark.parametrize("how", [{"prefill_chunk_size": 5}, {"prompt_lookup_num_tokens": 3}])
def test_further_ways_of_generating_equal_the_plain_one(how: dict[str, Any]) -> None:
    model, given = tiny_flamingo(), inputs(batch=1)
    plain = _generate(model, given, do_sample=False)
    assert torch.equal(plain, _generate(model, given, do_sample=False, **how))


def test_a_cache_of_the_users_own_is_filled_and_can_be_continued() -> None:
    model, given = tiny_flamingo(), inputs(batch=1)
    cache = DynamicCache()
    first = model.generate(**given, past_key_values=cache, max_new_tokens=3, do_sample=False)
    more = {
        "input_ids": first,
        "attention_mask": torch.ones_like(first),
        "visual_index": given["visual_index"],
    }
    second = model.generate(**more, past_key_values=cache, max_new_tokens=3, do_sample=False)
    assert torch.equal(second, model.generate(**given, max_new_tokens=6, do_sample=False))


def test_the_cache_is_on_whatever_the_language_model_says() -> None:
    model, given = tiny_flamingo("mpt"), inputs()
    assert model.language_model.config.use_cache is False
    read: list[int] = []
    model.host.layers[0].register_forward_pre_hook(lambda m, args: read.append(args[0].shape[1]))
    _generate(model, given, do_sample=False)
    assert read == [given["input_ids"].shape[1], 1, 1, 1, 1, 1]


def test_a_cache_that_kept_the_last_visual_alone_can_be_continued_by_another() -> None:
    model, given = tiny_flamingo(), inputs(batch=2, num_visuals=3)
    output = model.generate(
        **given, max_new_tokens=3, min_new_tokens=3, do_sample=False, return_dict_in_generate=True
    )
    cache = output.past_key_values
    kept = [layer for layer in cache.layers if isinstance(layer, VisualCacheLayer)]
    assert {layer.get_seq_length() for layer in kept} == {model.config.num_latents}
    new = torch.randn(2, 1, 1, 3, SIZE, SIZE)
    ids = torch.cat([output.sequences, torch.tensor([[IMAGE, 7, 8]] * 2)], dim=1)
    index = torch.cat([given["visual_index"], torch.full((2, 3), 3), torch.full((2, 3), 4)], dim=1)
    whole = {"input_ids": ids, "visual_index": index, "attention_mask": torch.ones_like(ids)}
    more = model.generate(
        **whole, pixel_values=new, past_key_values=cache, max_new_tokens=3, do_sample=False
    )
    pixels = torch.cat([given["pixel_values"], new], dim=1)
    again = model.generate(**whole, pixel_values=pixels, max_new_tokens=3, do_sample=False)
    assert torch.equal(more, again)
    for index in ([2, 3], [2]):
        with pytest.raises(SequenceError, match="one of the first 2 visuals, of which the cache"):
            model(
                input_ids=torch.tensor([[5, 6][: len(index)]] * 2),
                visual_index=torch.tensor([index] * 2),
                past_key_values=cache,
            )


def test_visuals_are_encoded_once_whatever_the_beams_and_steps() -> None:
    model, given = tiny_flamingo(), inputs()
    encoded: list[int] = []
    model.vision_encoder.register_forward_hook(lambda m, a, out: encoded.append(len(out)))
    for how in ({}, {"num_beams": 3}, {"use_cache": False}):
        encoded.clear()
        _generate(model, given, do_sample=False, **how)
        assert sum(encoded) == 4


def test_keys_and_values_of_visuals_are_computed_once() -> None:
    model, given = tiny_flamingo(), inputs()
    calls: list[int] = []
    for block in model.gated_xattn_dense:
        block.attention.to_keys.register_forward_hook(lambda m, a, out: calls.append(1))
    _generate(model, given, do_sample=False)
    assert len(calls) == len(model.gated_xattn_dense)


def test_an_image_tag_is_never_generated() -> None:
    model, given = tiny_flamingo(), inputs()
    with torch.no_grad():
        model.new_tokens.input_rows[0] = 50.0
    tokens = model.generate(**given, max_new_tokens=8, do_sample=False)
    assert (tokens[:, given["input_ids"].shape[1] :] != IMAGE).all()


def test_logits_to_keep_are_the_last_ones() -> None:
    model, given = tiny_flamingo(), inputs()
    with torch.no_grad():
        kept, every = model(**given, logits_to_keep=2).logits, model(**given).logits
    torch.testing.assert_close(kept, every[:, -2:], rtol=0, atol=1e-6)


def test_precomputed_visual_tokens_do_as_well_as_pixels() -> None:
    model, given = tiny_flamingo(), inputs()
    plain = _generate(model, given, do_sample=False)
    pixels = given.pop("pixel_values")
    with torch.no_grad():
        given["visual_tokens"] = model.encode_visuals(pixels)
    assert torch.equal(plain, _generate(model, given, do_sample=False))


def test_two_threads_on_one_model_do_not_mix() -> None:
    model = tiny_flamingo()
    questions = [inputs(seed=seed) for seed in (1, 2)]
    alone = [_generate(model, given, do_sample=False) for given in questions]
    found: list[list[torch.Tensor]] = [[], []]

    def ask(who: int) -> None:
        for _ in range(5):
            found[who].append(_generate(model, questions[who], do_sample=False))

    threads = [threading.Thread(target=ask, args=(who,)) for who in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for who in (0, 1):
        assert len(found[who]) == 5
        assert all(torch.equal(alone[who], answer) for answer in found[who])


def test_a_deep_copy_uses_its_own_gated_layers() -> None:
    model, given = tiny_flamingo(), inputs()
    twin = copy.deepcopy(model)
    with torch.no_grad():
        before = twin(**given).logits
        for block in model.gated_xattn_dense:
            block.alpha_xattn.zero_()
        assert torch.equal(before, twin(**given).logits)
        assert not torch.equal(before, model(**given).logits)


def test_text_alone_needs_nothing_visual() -> None:
    model, given = tiny_flamingo(), inputs()
    words = {"input_ids": given["input_ids"][:, :3]}
    with torch.no_grad():
        alone = model(**words).logits
        among = model(**given).logits[:, :3]
    torch.testing.assert_close(alone, among, rtol=0, atol=1e-5)
    assert torch.equal(
        model.generate(**words, max_new_tokens=4, do_sample=False),
        model.generate(**words, max_new_tokens=4, do_sample=False, use_cache=False),
    )


def test_prompt_lookup_over_a_prompt_that_repeats_itself() -> None:
    """Drafts then hold new tokens, whose ids lie behind the language model's own vocabulary."""
    model = tiny_flamingo()
    ids = torch.tensor([[3, IMAGE, 7, 8, EOC, IMAGE, 7, 8, EOC, IMAGE, 7, 8]])
    given = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "visual_index": (ids == IMAGE).cumsum(1),
        "pixel_values": inputs(batch=1, num_visuals=3)["pixel_values"],
    }
    plain = _generate(model, given, do_sample=False)
    assert torch.equal(plain, _generate(model, given, do_sample=False, prompt_lookup_num_tokens=4))


def test_transition_scores_know_the_new_tokens() -> None:
    model, given = tiny_flamingo(), inputs()
    output = model.generate(
        **given, max_new_tokens=3, do_sample=False, output_scores=True, return_dict_in_generate=True
    )
    scores = model.compute_transition_scores(output.sequences, output.scores, normalize_logits=True)
    assert scores.shape == (2, 3)


@pytest.mark.parametrize("value", [-1, 5])
@pytest.mark.parametrize("place", [3, -1])
def test_an_index_that_points_nowhere_is_an_error(value: int, place: int) -> None:
    model, given = tiny_flamingo(), inputs()
    given["visual_index"][0, place] = value
    with pytest.raises(SequenceError, match="but there are 2 visuals"):
        model.generate(**given, max_new_tokens=2)


def test_forgotten_pixels_are_an_error() -> None:
    model, given = tiny_flamingo(), inputs()
    del given["pixel_values"]
    with pytest.raises(SequenceError, match="but there are 0 visuals"):
        model(**given)


def test_a_conversation_may_give_all_its_visuals_again() -> None:
    model, given = tiny_flamingo(), inputs(batch=1)
    cache = DynamicCache()
    turn = 7
    with torch.no_grad():
        model(
            input_ids=given["input_ids"][:, :turn],
            visual_index=given["visual_index"][:, :turn],
            pixel_values=given["pixel_values"][:, :1],
            past_key_values=cache,
            use_cache=True,
        )
    again = _generate(model, given, do_sample=False, past_key_values=cache)
    assert torch.equal(again, _generate(model, given, do_sample=False))


@pytest.mark.parametrize("family", ["llama", "gemma3", "lfm2"])
def test_a_flamingo_drafts_for_another(family: str) -> None:
    model, given = tiny_flamingo(family), inputs(batch=1)
    plain = _generate(model, given, do_sample=False)
    drafted = _generate(model, given, do_sample=False, assistant_model=copy.deepcopy(model))
    assert torch.equal(drafted, plain)


def test_only_what_is_known_is_kept() -> None:
    with pytest.raises(SequenceError, match="keep_visuals is 'lats'"):
        check_index(None, None, torch.zeros(1, 1, 4), "lats")


def test_another_thread_that_compiles_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model, given = tiny_flamingo(), inputs()
    with torch.no_grad():
        plain = model(**given).logits
        # This is what every thread is told while one of them compiles.
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda: True)
        assert torch.equal(model(**given).logits, plain)
        assert _TRACED.conditioning is None


def test_two_models_on_one_language_model_do_not_mix() -> None:
    first, given = tiny_flamingo(), inputs()
    with torch.no_grad():
        before = first(**given).logits
        second = build_flamingo(
            first.language_model,
            first.vision_encoder,
            image_token_id=IMAGE,
            eoc_token_id=EOC,
            num_latents=4,
            resampler_layers=1,
            resampler_heads=2,
            resampler_head_dim=8,
        ).eval()
        words = given["input_ids"].clamp(max=IMAGE - 1)
        alone = first.language_model(words).logits
        closed = second(**{**given, "input_ids": words}).logits
        assert torch.equal(closed[..., :IMAGE], alone)
        assert torch.equal(first(**given).logits, before)
