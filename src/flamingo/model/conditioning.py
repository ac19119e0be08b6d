"""How visuals reach the gated layers while a stock language model runs its own loop.

A language model of transformers knows nothing of visuals and passes nothing on. What the gated
layers need is therefore laid down beside the call, in a context variable: each thread has its
own, so two threads may generate on one model. Activation checkpointing, which runs layers a second
time when the pass is long over, finds it again (`checkpoint_conditioned`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.cache_utils import Cache

from flamingo.model.gated_xattn_dense import GatedXattn
from flamingo.model.new_tokens import NewTokens
from flamingo.model.visibility import Visibility
from flamingo.model.visual_cache import VisualCacheLayer, num_forgotten, num_known, visual_layers
from flamingo.model.visuals import check_range


@dataclass(frozen=True)
class Conditioning:
    """What one forward pass is conditioned on.

    Attributes:
        visual_tokens: of the visuals that are new in this pass, if any.
        visibility: which visual each token sees; `None` where there are no visuals at all.
        kept: a cache layer per gated layer, where keys and values are kept between passes.
        blocks: the gated layers that this pass is for. Others may hang on the same language
            model, and stay silent.
        new_tokens: the rows that this pass is for.
        cache: of the language model; grafted layers keep their own text in it.
        attention_mask: which tokens are real, for grafted layers.
        logits_to_keep: how many of what grafted layers give need logits; 0 for all.
        keeps_last: whether only the last visual is kept, for tokens to come that see no other.
        pending: what gated layers inside of a decoder layer saw, until that layer's end.
    """

    visual_tokens: Float[Tensor, "batch visuals latents visual_dim"] | None
    visibility: Visibility | None
    kept: list[VisualCacheLayer] | None
    blocks: nn.ModuleList
    new_tokens: NewTokens | None
    cache: Cache | None = None
    attention_mask: Tensor | dict[str, Tensor | None] | None = None
    logits_to_keep: int | Tensor = 0
    keeps_last: bool = False
    pending: dict[int, Tensor] = field(default_factory=dict)

    @classmethod
    def prepare(
        cls,
        visual_tokens: Float[Tensor, "batch visuals latents visual_dim"] | None,
        visual_index: Int[Tensor, "batch tokens"] | None,
        cache: Cache | None,
        *,
        num_latents: int,
        num_lm_layers: int,
        blocks: nn.ModuleList,
        new_tokens: NewTokens | None,
        sees_all_previous: bool = False,
        attention_mask: Tensor | dict[str, Tensor | None] | None = None,
        logits_to_keep: int | Tensor = 0,
        keeps_last: bool = False,
    ) -> Conditioning:
        """Gathers what the gated layers of one pass share.

        Raises:
            SequenceError: φ points to a visual that was never given.
        """
        kept, num_visuals, forgotten = None, 0, 0
        if cache is not None:
            kept = visual_layers(cache, num_lm_layers=num_lm_layers, num_gated=len(blocks))
            num_visuals, forgotten = num_known(cache, num_latents), num_forgotten(cache)
        is_decoding, keeps_last = keeps_last, keeps_last and not (num_visuals or sees_all_previous)
        if visual_tokens is not None:
            num_visuals += visual_tokens.shape[1]
        visibility = None
        if visual_index is not None:
            check_range(visual_index, num_visuals, forgotten, is_decoding=is_decoding)
            if num_visuals:
                # New visuals are kept row by row, and all others then too.
                is_shared = kept is not None and visual_tokens is None
                visibility = Visibility.of(
                    (visual_index - forgotten).clamp(min=0) if forgotten else visual_index,
                    num_visuals - forgotten,
                    num_latents,
                    sees_all_previous=sees_all_previous,
                    rows=kept[0].rows if kept is not None and is_shared else None,
                )
        return cls(
            visual_tokens, visibility, kept, blocks, new_tokens, cache, attention_mask,
            logits_to_keep, keeps_last,
        )  # fmt: skip

    def seen_by(
        self, index: int, block: GatedXattn
    ) -> tuple[Tensor | None, Tensor | None, Visibility | None, Tensor | None]:
        """What gated layer number `index` is given: keys, values, visibility, visual tokens.

        Keys and values are of new visuals, of kept ones, or of both. Where nothing is kept, the
        layer gets the visual tokens themselves.
        """
        if self.kept is None:
            return None, None, self.visibility, self.visual_tokens
        kept = self.kept[index]
        if self.visual_tokens is not None:
            new = block.keys_values(self.visual_tokens)
            if self.keeps_last:
                kept.keep_last(*new, num_visuals=self.visual_tokens.shape[1])
                return *new, self.visibility, None
            keys, values = kept.update(*new)
            return keys, values, self.visibility, None
        if kept.get_seq_length():
            return kept.keys, kept.values, self.visibility, None
        return None, None, self.visibility, None


_CURRENT: ContextVar[Conditioning | None] = ContextVar("flamingo_conditioning", default=None)


class _Traced:
    """What a pass is conditioned on while torch.compile traces it as a whole.

    Tracing cannot set context variables. What it sees set and read here becomes part of the graph:
    when that runs, nothing is laid down at all. Code that is not traced never looks here, also
    while another thread compiles (`is_compiling` would be true for it as well).
    """

    conditioning: Conditioning | None = None


_TRACED = _Traced()


def current_conditioning() -> Conditioning | None:
    """What the pass that runs now is conditioned on, if it is."""
    if torch.compiler.is_dynamo_compiling() and _TRACED.conditioning is not None:
        return _TRACED.conditioning
    return _CURRENT.get()


@contextmanager
def conditioned_on(conditioning: Conditioning | None) -> Iterator[None]:
    """Lays `conditioning` down for the gated layers that run inside."""
    if torch.compiler.is_dynamo_compiling():
        _TRACED.conditioning = conditioning
        yield
        _TRACED.conditioning = None
        return
    token = _CURRENT.set(conditioning)
    try:
        yield
    finally:
        _CURRENT.reset(token)


class Conditioner:
    """Runs a gated layer on what enters a decoder layer: a forward pre-hook, and all of the bridge.

    Outside of a conditioned pass it does nothing, so the language model still works alone. It is
    an object and not a closure so that a deep copy of the model copies the link as well.
    """

    def __init__(self, index: int, block: GatedXattn) -> None:
        self.index = index
        self.block = block
        self.checkpoint: Callable[..., Any] | None = None

    def __call__(
        self, layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Replaces the hidden states, wherever the language model's loop puts them."""
        conditioning = current_conditioning()
        if conditioning is None or not is_own(conditioning.blocks, self.index, self.block):
            return None
        hidden = args[0] if args else kwargs["hidden_states"]
        # A large language model may lie on several devices; the new layers lie on one.
        own = self.block.attention.to_queries.weight.device
        inputs = (hidden.to(own), *conditioning.seen_by(self.index, self.block))
        if self.checkpoint is not None and self.block.training:
            seen = self.checkpoint(self.block, *inputs)
        else:
            seen = self.block(*inputs)
        seen = seen.to(hidden.device)
        if args:
            return (seen, *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": seen}


def is_own(blocks: nn.ModuleList, index: int, block: GatedXattn) -> bool:
    """Whether a pass that is for `blocks` is for this one."""
    return index < len(blocks) and blocks[index] is block


class HeadExtender:
    """Adds the new tokens' columns to the logits: a forward hook on the output head.

    Whatever the language model does to its logits after the head, it then does to all of them.
    """

    def __init__(self, new_tokens: NewTokens) -> None:
        self.new_tokens = new_tokens

    def __call__(self, head: nn.Module, args: tuple[Any, ...], logits: Tensor) -> Tensor:
        """Extends the logits inside of a conditioned pass, and leaves them alone outside of one."""
        conditioning = current_conditioning()
        if conditioning is None or conditioning.new_tokens is not self.new_tokens:
            return logits
        return self.new_tokens.extend(logits, args[0])


def checkpoint_conditioned(checkpoint: Callable[..., Any]) -> Callable[..., Any]:
    """An activation checkpointing function whose second run sees what the first one saw.

    Needed where a decoder layer's hooks are inside of what is run again, which differs between
    releases of transformers.
    """

    def run(layer: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        conditioning = current_conditioning()

        def again(*inputs: Any) -> Any:
            with conditioned_on(conditioning):
                return layer(*inputs)

        return checkpoint(again, *args, **kwargs)

    return run
