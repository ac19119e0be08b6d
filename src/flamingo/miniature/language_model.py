"""The miniature's language model: a stock transformers family in a size that a laptop trains."""

from __future__ import annotations

from dataclasses import dataclass

from transformers import Lfm2Config, Lfm2ForCausalLM, PreTrainedTokenizerBase


@dataclass(frozen=True)
class LanguageModelShape:
    """Sizes of the language model.

    Args:
        num_layers: short convolutions and attention take turns, a convolution first.
        dim: width of the hidden states.
        feed_forward_dim: width inside the gated feed-forwards.
        num_heads: attention heads.
        num_taps: how many tokens a short convolution sees, the current one included.
        context: most tokens of a sequence.
    """

    num_layers: int = 6
    dim: int = 192
    feed_forward_dim: int = 512
    num_heads: int = 6
    num_taps: int = 4
    context: int = 1024


def build_language_model(
    shape: LanguageModelShape, tokenizer: PreTrainedTokenizerBase
) -> Lfm2ForCausalLM:
    """An untrained language model for this tokenizer.

    The family has short convolutions, through which a token sees its neighbors from the first
    layer on. Whether plain attention does as well with this curriculum was not tried
    (`docs/lab-notes.md`).
    """
    kinds = ("conv", "full_attention")
    config = Lfm2Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.dim,
        num_hidden_layers=shape.num_layers,
        layer_types=[kinds[i % 2] for i in range(shape.num_layers)],
        intermediate_size=shape.feed_forward_dim,
        block_auto_adjust_ff_dim=False,
        num_attention_heads=shape.num_heads,
        num_key_value_heads=shape.num_heads,
        conv_L_cache=shape.num_taps,
        max_position_embeddings=shape.context,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        # Two products and a softmax are faster than the fused kernel's backward on a CPU.
        attn_implementation="eager",
    )
    return Lfm2ForCausalLM(config)
