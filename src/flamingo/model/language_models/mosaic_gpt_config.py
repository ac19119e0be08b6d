"""The settings of a MosaicGPT, under the names that MosaicML gave them."""

from __future__ import annotations

from typing import Any

from transformers import PreTrainedConfig

from flamingo.foundation.errors import ConfigError

_ONLY = {
    "alibi": (True, "positions are known here by ALiBi alone"),
    "learned_pos_emb": (False, "positions are known here by ALiBi alone"),
    "no_bias": (True, "its projections and norms have weights alone here"),
    "prefix_lm": (False, "each token sees only what is before it here"),
    "attn_uses_sequence_id": (False, "a row is one sequence here"),
    "embedding_fraction": (1, "the embedding takes its whole gradient here"),
    "tie_word_embeddings": (True, "its head is its embedding"),
}
"""Settings of which one value can run, and why no other can."""


class MosaicGPTConfig(PreTrainedConfig):
    """Says how large a MosaicGPT is; the defaults are MPT-1B's.

    Reads the `config.json` of a released model. What that says besides about training (`init_…`,
    `param_init_fn`, `fan_mode`, `verbose`, `init_device`), kernels (`attn_impl`,
    `low_precision_layernorm`) and its tokenizer is kept and does nothing. The names of the fields
    are those of MosaicML's code; the file itself is known from memory, not checked.

    Args:
        d_model: width.
        n_heads: attention heads, a power of two.
        n_layers: decoder layers.
        mlp_ratio: hidden width of the feed-forward divided by `d_model`.
        max_seq_len: tokens of the training sequences; longer ones are read as well.
        vocab_size: rows of the embedding.
        attn_qk_ln: whether queries and keys are normalized over all heads at once.
        attn_clip_qkv: bound on the size of queries, keys and values; none if `None`.
        softmax_scale: what scores are multiplied by; `None` takes 1 / √(width of a head).
        logit_scale: what logits are multiplied by: a number, "inv_sqrt_d_model", or `None`.
        alibi_bias_max: the slope of head h of H is 2^(-alibi_bias_max · h / H), h from 1.
        attn_pdrop: dropout rate of attention weights.
        resid_pdrop: dropout rate of what attention and feed-forward add.
        emb_pdrop: dropout rate of the embeddings.
        init_std: spread of new weights (MosaicML's own start was another; no released model asks).
        use_cache: not read. Released files say `false`, which reads the whole prompt for each new
            token; here it is always true, and `use_cache=False` can be said to `generate`.
        **kwargs: of every transformers configuration, and what a released file says besides.

    Raises:
        ConfigError: the file asks for what this model does not do.
    """

    model_type = "mosaic_gpt"
    attribute_map = {  # noqa: RUF012
        "hidden_size": "d_model",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
        "max_position_embeddings": "max_seq_len",
        "initializer_range": "init_std",
    }

    def __init__(
        self,
        *,
        d_model: int = 2048,
        n_heads: int = 16,
        n_layers: int = 24,
        mlp_ratio: int = 4,
        max_seq_len: int = 2048,
        vocab_size: int = 50368,
        attn_qk_ln: bool = True,
        attn_clip_qkv: int | float | None = None,
        softmax_scale: int | float | None = None,
        logit_scale: int | float | str | None = None,
        alibi_bias_max: int | float = 8,
        attn_pdrop: int | float = 0.0,
        resid_pdrop: int | float = 0.0,
        emb_pdrop: int | float = 0.0,
        init_std: int | float = 0.02,
        use_cache: bool = True,
        **kwargs: Any,
    ) -> None:
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.mlp_ratio = mlp_ratio
        self.max_seq_len = max_seq_len
        self.vocab_size = vocab_size
        self.attn_qk_ln = attn_qk_ln
        self.attn_clip_qkv = attn_clip_qkv
        self.softmax_scale = softmax_scale
        self.logit_scale = logit_scale
        self.alibi_bias_max = alibi_bias_max
        self.attn_pdrop = attn_pdrop
        self.resid_pdrop = resid_pdrop
        self.emb_pdrop = emb_pdrop
        self.init_std = init_std
        self.use_cache = True
        # It names code beside the weights, which is not run here and not saved again.
        kwargs.pop("auto_map", None)
        kwargs.setdefault("tie_word_embeddings", True)
        for name in ("pad_token_id", "bos_token_id", "eos_token_id"):
            kwargs.setdefault(name, None)
        self._check(kwargs)
        super().__init__(**kwargs)

    @property
    def logit_factor(self) -> float:
        """What logits are multiplied by."""
        if self.logit_scale == "inv_sqrt_d_model":
            return float(self.d_model**-0.5)
        return 1.0 if self.logit_scale is None else float(self.logit_scale)

    def _check(self, others: dict[str, Any]) -> None:
        for name, (value, why) in _ONLY.items():
            if others.get(name, value) != value:
                raise ConfigError(
                    f"A MosaicGPT with {name}={others[name]!r} cannot run: {why}. "
                    f"Use a model that was trained with {name}={value!r}."
                )
        if self.n_heads < 1 or self.n_heads & (self.n_heads - 1):
            raise ConfigError(
                f"n_heads is {self.n_heads}, but ALiBi's slopes are only agreed on for a power of "
                "two. Give 1, 2, 4, 8, …"
            )
        if self.d_model % self.n_heads:
            raise ConfigError(
                f"d_model is {self.d_model}, which {self.n_heads} heads (n_heads) cannot share. "
                "Give a multiple."
            )
        if isinstance(self.logit_scale, str) and self.logit_scale != "inv_sqrt_d_model":
            raise ConfigError(
                f"logit_scale is {self.logit_scale!r}, but must be a number, 'inv_sqrt_d_model' "
                "or None."
            )
