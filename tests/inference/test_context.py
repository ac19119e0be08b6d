"""A limit is known for the language models that fail behind it, and for no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    CodeGenConfig,
    GPT2Config,
    GPTJConfig,
    GPTNeoConfig,
    PreTrainedConfig,
    PreTrainedModel,
    XGLMConfig,
)

from flamingo import Predictor, Request, build_flamingo
from flamingo.foundation.errors import SequenceError
from flamingo.inference.context import check_length, most_tokens
from tests.families import FAMILIES, IDS
from tests.inference.test_predictor import SUPPORTS, picture
from tests.tiny import tiny_encoder
from tests.tiny_predictor import tiny_predictor

LIMIT = 12
SMALL = {"vocab_size": 50, "n_embd": 32, "n_layer": 1, "n_head": 4, "rotary_dim": 4, **IDS}
OTHERS: dict[str, Callable[[], PreTrainedConfig]] = {
    "gptj": lambda: GPTJConfig(**SMALL),
    "codegen": lambda: CodeGenConfig(**SMALL),
    "gpt_neo": lambda: GPTNeoConfig(
        vocab_size=50, hidden_size=32, num_layers=1, num_heads=4,
        attention_types=[[["global"], 1]], **IDS,
    ),
    "xglm": lambda: XGLMConfig(vocab_size=50, d_model=32, num_layers=1, attention_heads=4, **IDS),
}  # fmt: skip
HAVE_A_LIMIT = {"gpt2", "opt", "mpt", "gptj", "codegen", "gpt_neo"}


def short_model(family: str) -> PreTrainedModel:
    """A language model with `LIMIT` positions."""
    config = {**FAMILIES, **OTHERS}[family]()
    name = "max_seq_len" if family == "mpt" else "max_position_embeddings"
    setattr(config, name, LIMIT)
    model: PreTrainedModel = AutoModelForCausalLM.from_config(config)
    return model.eval()


def read(model: PreTrainedModel, num_tokens: int) -> None:
    ids = torch.full((1, num_tokens), 5)
    with torch.no_grad():
        model(input_ids=ids, attention_mask=torch.ones_like(ids))


@pytest.mark.parametrize("family", [*FAMILIES, *OTHERS])
def test_the_limit_is_where_transformers_fails(family: str) -> None:
    model = short_model(family)
    limit = most_tokens(model)
    read(model, LIMIT)
    if family in HAVE_A_LIMIT:
        assert limit == LIMIT
        with pytest.raises((IndexError, RuntimeError)):
            read(model, LIMIT + 1)
    else:
        assert limit is None
        read(model, 2 * LIMIT)


def test_the_last_token_of_an_answer_is_not_read() -> None:
    check_length(LIMIT, LIMIT, 1)
    check_length(LIMIT, LIMIT - 3, 4)
    check_length(None, 10 * LIMIT, 4)
    with pytest.raises(
        SequenceError,
        match=r"The prompt has 10 tokens and the answer up to 4, but the language model reads at "
        r"most 12\. Ask for fewer shots, or shorter texts",
    ):
        check_length(LIMIT, 10, 4)


PROMPT = Request.of(picture(3), supports=SUPPORTS).prompt()


def predictor_of(limit: int) -> Predictor:
    """Around a GPT-2 with so many positions, closed gates and random weights."""
    plain = tiny_predictor()
    ids = plain.encoder.prepared.ids
    config = GPT2Config(
        vocab_size=len(plain.processor.tokenizer), n_embd=32, n_layer=2, n_head=4,
        n_positions=limit, bos_token_id=ids.bos, eos_token_id=ids.eos,
    )  # fmt: skip
    model = build_flamingo(
        AutoModelForCausalLM.from_config(config), tiny_encoder(), image_token_id=ids.image[0],
        eoc_token_id=ids.eoc, eos_token_id=ids.eos, pad_token_id=ids.pad, num_latents=4,
        resampler_layers=1, resampler_heads=2, resampler_head_dim=8,
    )  # fmt: skip
    return Predictor(model, plain.processor)


def num_tokens(predictor: Predictor) -> int:
    return len(predictor.encoder(PROMPT, is_complete=False))


def test_a_predictor_refuses_what_is_too_long() -> None:
    num_prompt = num_tokens(tiny_predictor())
    predictor = predictor_of(num_prompt + 2)
    assert predictor.encode([PROMPT]).input_ids.shape == (1, num_prompt)
    refused = f"The prompt has {num_prompt} tokens and the answer up to 4"
    for memory in (None, predictor.visual_memory()):
        predictor.complete([PROMPT], num_beams=1, max_new_tokens=3, memory=memory)
        with pytest.raises(SequenceError, match=refused):
            predictor.complete([PROMPT], num_beams=1, max_new_tokens=4, memory=memory)
    # Two words and `<EOC>`, of which it reads two; then three words.
    assert len(predictor.score(PROMPT, [" red circle"])) == 1
    with pytest.raises(SequenceError, match=refused):
        predictor.score(PROMPT, [" red circle", " red circle red"])


def test_a_prompt_that_is_too_long_by_itself() -> None:
    num_prompt = num_tokens(tiny_predictor())
    with pytest.raises(SequenceError, match=f"has {num_prompt} tokens .* at most {num_prompt - 1}"):
        predictor_of(num_prompt - 1).encode([PROMPT])
