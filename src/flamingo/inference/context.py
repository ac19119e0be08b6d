"""How much text a language model can read."""

from __future__ import annotations

from torch import nn
from transformers import PreTrainedModel

from flamingo.foundation.errors import SequenceError

_TABLES = ("wpe", "embed_positions", "position_embeddings", "positions_embed")
"""What transformers' causal language models call a table with a row for each position."""


def most_tokens(language_model: PreTrainedModel) -> int | None:
    """How many tokens the model can read, if something in it ends with its last position.

    That is a table of positions (GPT-2, GPT-J, GPT-Neo, OPT) or MPT's bias, whose length is its
    `max_seq_len`. None for all others: rotary models run on past their `max_position_embeddings`.
    Further than they were trained they may get worse, but nothing fails, and nothing is said: the
    miniature has 1,024 and is evaluated on prompts that are longer.
    """
    config = language_model.config.get_text_config(decoder=True)
    is_mpt = config.model_type == "mpt"
    if not is_mpt and not _has_table(language_model):
        return None
    limit = getattr(config, "max_seq_len" if is_mpt else "max_position_embeddings", None)
    return limit if isinstance(limit, int) and limit > 0 else None


def check_length(limit: int | None, num_prompt: int, num_answer: int) -> None:
    """Refuses what a language model cannot read; the last token of an answer is not read.

    Args:
        limit: see `most_tokens`.
        num_prompt: tokens of the longest prompt of a batch.
        num_answer: tokens of the longest answer to one of them, at most.

    Raises:
        SequenceError: they are too many.
    """
    if limit is not None and num_prompt + max(num_answer - 1, 0) > limit:
        raise SequenceError(
            f"The prompt has {num_prompt} tokens and the answer up to {num_answer}, but the "
            f"language model reads at most {limit}. Ask for fewer shots, or shorter texts."
        )


def _has_table(language_model: PreTrainedModel) -> bool:
    tables = [n for n, module in language_model.named_modules() if isinstance(module, nn.Embedding)]
    # GPT-J and CodeGen look their rotations up in a buffer.
    buffers = [name for name, _ in language_model.named_buffers()]
    return any(name.rpartition(".")[2] in _TABLES for name in [*tables, *buffers])
