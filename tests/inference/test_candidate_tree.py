"""Candidates that are read as a tree, behind the prompt and in its own row."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import AutoModelForCausalLM, FalconConfig, GPTNeoConfig, PreTrainedConfig

from flamingo.inference.candidate_tree import Tree, can_grow, grown
from flamingo.model.build import build_flamingo
from flamingo.model.growing_cache import GrowingCache
from tests.families import FAMILIES, VOCABULARY
from tests.inference.test_scoring import score_candidates
from tests.tiny import EOC, IMAGE, inputs, randomize, tiny_encoder, tiny_flamingo

NAMES = [[5, 6, first, second, 51] for first in range(10, 20) for second in range(20, 30)]


def words(number: int) -> list[list[int]]:
    draw = random.Random(number)
    return [[draw.randrange(3) for _ in range(draw.randrange(1, 6))] for _ in range(number)]


@pytest.mark.parametrize("most", [1, 4, 7, 1000])
@pytest.mark.parametrize("number", [1, 5, 40])
def test_trees_hold_every_candidate_once(number: int, most: int) -> None:
    candidates = words(number)
    trees = list(grown(candidates, most))
    found: dict[int, list[int]] = {}
    for tree in trees:
        assert len(tree) <= most or len(tree.members) == 1
        for member, nodes in zip(tree.members, tree.asked, strict=True):
            found[member] = [tree.tokens[node] for node in nodes]
            # Each node leads to the next, from the prompt on.
            assert [tree.parents[node] for node in nodes] == [-1, *nodes][: len(nodes)]
            assert [tree.depths[node] for node in nodes] == list(range(len(nodes)))
    assert found == {member: tokens[:-1] for member, tokens in enumerate(candidates)}
    if most == 1000:
        (tree,) = trees
        distinct = {tuple(c[: end + 1]) for c in candidates for end in range(len(c) - 1)}
        assert len(tree) == len(distinct)


def test_a_node_sees_what_leads_to_it() -> None:
    tree = Tree(tokens=[5, 6, 7, 8], parents=[-1, 0, 0, 2], depths=[0, 1, 1, 2])
    assert tree.ancestors().long().tolist() == [
        [1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 1],
    ]  # fmt: skip


def test_the_cost_is_that_of_distinct_beginnings() -> None:
    model, prompt = tiny_flamingo(), inputs(batch=1)
    read: list[int] = []
    model.host.layers[0].register_forward_pre_hook(
        lambda layer, args: read.append(args[0].shape[0] * args[0].shape[1])
    )
    score_candidates(model, prompt, NAMES)
    # Two tokens of all, ten of ten each, and the last but one of a hundred; the prompt first.
    assert read == [12, 1 + 1 + 10 + 100]


@pytest.mark.parametrize(
    ("family", "grows"),
    [(name, name in ("llama", "qwen3", "gpt_neox", "opt", "gpt2")) for name in FAMILIES],
)
def test_which_language_models_read_trees(family: str, grows: bool) -> None:
    model = tiny_flamingo(family)
    cache = GrowingCache(model.config.get_text_config(decoder=True))
    assert can_grow(model, cache) == grows


@pytest.mark.parametrize(
    "config",
    [
        GPTNeoConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_layers=2, num_heads=4, window_size=6,
            attention_types=[[["global", "local"], 1]],
        ),
        FalconConfig(
            vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
            alibi=True,
        ),
    ],
    ids=["gpt_neo", "falcon with alibi"],
)  # fmt: skip
def test_windows_and_biases_that_no_cache_tells_of_are_left_to_rows(
    config: PreTrainedConfig,
) -> None:
    torch.manual_seed(0)
    model = build_flamingo(
        AutoModelForCausalLM.from_config(config),
        tiny_encoder(),
        image_token_id=IMAGE,
        eoc_token_id=EOC,
        eos_token_id=1,
        pad_token_id=2,
        num_latents=4,
        resampler_layers=1,
        resampler_heads=2,
        resampler_head_dim=8,
    )
    randomize(model)
    model.eval()
    prompt = inputs(batch=1)
    alone = [score_candidates(model, prompt, [name])[0] for name in NAMES[:6]]
    assert score_candidates(model, prompt, NAMES[:6]) == pytest.approx(alone, abs=1e-4)


def test_eager_attention_reads_trees_too() -> None:
    model, prompt = tiny_flamingo(), inputs(batch=1)
    fused = score_candidates(model, prompt, NAMES)
    model.language_model.set_attn_implementation("eager")
    assert score_candidates(model, prompt, NAMES) == pytest.approx(fused, abs=1e-4)


def test_the_cache_is_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    model, prompt = tiny_flamingo(), inputs(batch=1)
    caches: list[GrowingCache] = []
    made = GrowingCache.__init__

    def noted(self: GrowingCache, config: object) -> None:
        made(self, config)  # type: ignore[arg-type]
        caches.append(self)

    monkeypatch.setattr(GrowingCache, "__init__", noted)
    score_candidates(model, prompt, NAMES)
    (cache,) = caches
    plain = GrowingCache(model.config.get_text_config(decoder=True))
    with torch.no_grad():
        model(**prompt, past_key_values=plain, use_cache=True)
    assert torch.equal(cache.layers[0].keys, plain.layers[0].keys)
