"""Vanilla cross-attention: inside of a frozen decoder layer, as in the original Transformer."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from flamingo.model.conditioning import current_conditioning, is_own
from flamingo.model.gated_xattn_dense import GatedXattn
from flamingo.model.variants.insertion import Insertion
from flamingo.model.visibility import Visibility


class VanillaXattn(GatedXattn):
    """Gated cross-attention without a feed-forward of its own.

    Paper: Table 3 ("Vanilla xattn"); v1 says that it keeps the tanh gate.
    """

    def forward(
        self,
        text: Float[Tensor, "batch tokens dim"],
        keys: Float[Tensor, "stored heads positions head_dim"] | None,
        values: Float[Tensor, "stored heads positions head_dim"] | None,
        visibility: Visibility | None,
        visual_tokens: Float[Tensor, "batch visuals latents visual_dim"] | None = None,
    ) -> Float[Tensor, "batch tokens dim"] | None:
        """What is to be added to the text, which the layer's residual does not hold yet."""
        return self.seen(text, keys, values, visibility, visual_tokens)


class VanillaConditioner:
    """Adds what is seen to the sum after self-attention, by two hooks on a decoder layer's parts.

    The sum goes two ways: into the feed-forward half, and past it. What is seen is added to what
    the first part of that half is given, and once more to what its last part returns. Outside of a
    conditioned pass nothing happens. Both hooks are inside of what activation checkpointing runs
    again, so no checkpointing of its own is needed.
    """

    checkpoint: Any = None

    def __init__(self, index: int, block: VanillaXattn, place: Insertion) -> None:
        self.index = index
        self.block = block
        place.entry.register_forward_pre_hook(self.enter, with_kwargs=True)
        place.end.register_forward_hook(self.leave)

    def enter(
        self, part: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Looks at the visuals, and lets the feed-forward half read what was seen."""
        conditioning = current_conditioning()
        if conditioning is None or not is_own(conditioning.blocks, self.index, self.block):
            return None
        visibility = conditioning.visibility
        if visibility is None:
            return None
        text = args[0] if args else kwargs["hidden_states"]
        # Some families flatten rows and tokens into one before their feed-forward.
        rows = text.reshape(*visibility.visual_index.shape, text.shape[-1])
        seen = self.block(rows, *conditioning.seen_by(self.index, self.block))
        if seen is None:
            return None
        conditioning.pending[self.index] = seen
        if args:
            return (text + seen.reshape(text.shape), *args[1:]), kwargs
        return args, {**kwargs, "hidden_states": text + seen.reshape(text.shape)}

    def leave(self, part: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        """Adds what was seen to the way past the feed-forward half as well."""
        conditioning = current_conditioning()
        if conditioning is None or not is_own(conditioning.blocks, self.index, self.block):
            return output
        seen = conditioning.pending.pop(self.index, None)
        if seen is None:
            return output
        if isinstance(output, tuple):
            return (output[0] + seen.reshape(output[0].shape), *output[1:])
        return output + seen.reshape(output.shape)
