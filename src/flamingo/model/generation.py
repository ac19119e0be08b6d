"""What `generate` must know of visuals, and of prompts: each is read once, whatever the beams."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import DynamicCache, GenerationConfig, GenerationMixin
from transformers.cache_utils import Cache

from flamingo.model.growing_cache import GrowingCache
from flamingo.model.visual_cache import num_known


class FlamingoGeneration(GenerationMixin):
    """The parts of transformers' generation loop that are different for a Flamingo.

    Visuals are encoded and the prompt is read before beams, or samples, multiply the rows, so
    never once per beam; keys and values of visuals enter the cache with the first pass and are not
    computed again; and each new token sees what the token before it saw (a generated token never
    is an `<image>`).
    """

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        next_sequence_length: int | None = None,
        past_key_values: Cache | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        is_first_iteration: bool | None = False,
        visual_index: Tensor | None = None,
        visual_tokens: Tensor | None = None,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """The arguments of the next forward pass, cut to the tokens that it reads."""
        inputs: dict[str, Any] = super().prepare_inputs_for_generation(
            input_ids,
            next_sequence_length=next_sequence_length,
            past_key_values=past_key_values,
            attention_mask=attention_mask,
            inputs_embeds=inputs_embeds,
            is_first_iteration=is_first_iteration,
            **kwargs,
        )
        read_now = inputs.get("input_ids")
        length = (inputs["inputs_embeds"] if read_now is None else read_now).shape[1]
        if visual_tokens is not None and not _was_handed_over(past_key_values, visual_tokens):
            new = self._not_yet_kept(visual_tokens, visual_index, past_key_values)
            if new is not None:
                inputs["visual_tokens"] = new
        if visual_index is not None:
            start = input_ids.shape[1] - length
            if visual_index.shape[1] > input_ids.shape[1] and past_key_values is not None:
                # φ covers the whole sequence, but only a later piece of it is in `input_ids`.
                start = int(past_key_values.get_seq_length())
            inputs["visual_index"] = _columns(visual_index, max(0, start), length)
        return inputs

    def _not_yet_kept(
        self, visual_tokens: Tensor, visual_index: Tensor | None, cache: Cache | None
    ) -> Tensor | None:
        """The visuals that the cache lacks, where a conversation's are all given once more.

        φ tells: where it never points past the given visuals, they are counted from the first one
        of the sequence, and those that are kept are among them.
        """
        kept = num_known(cache, self.config.num_latents)
        counted_from_first = (
            visual_index is not None and int(visual_index.max()) <= visual_tokens.shape[1]
        )
        if not kept or not counted_from_first:
            return visual_tokens
        return visual_tokens[:, kept:] if visual_tokens.shape[1] > kept else None

    def _maybe_prepare_encoder_kwargs_for_generation(
        self, inputs_tensor: Tensor, model_kwargs: dict[str, Any], *args: Any, **kwargs: Any
    ) -> dict[str, Any]:
        """Encodes the visuals; runs before the rows are repeated for beams or samples."""
        pixels = model_kwargs.pop("pixel_values", None)
        frame_mask = model_kwargs.pop("frame_mask", None)
        features = model_kwargs.pop("visual_features", None)
        has_visuals = pixels is not None or features is not None
        if has_visuals and model_kwargs.get("visual_tokens") is None:
            with torch.no_grad():
                model_kwargs["visual_tokens"] = self.encode_visuals(pixels, frame_mask, features)
        return model_kwargs

    def _prepare_cache_for_generation(
        self,
        generation_config: GenerationConfig,
        model_kwargs: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        """The cache that was given, or a static one where it is asked for, or one that grows."""
        given = model_kwargs.get("past_key_values")
        super()._prepare_cache_for_generation(generation_config, model_kwargs, *args, **kwargs)
        made = model_kwargs.get("past_key_values")
        if given is None and isinstance(made, DynamicCache) and not made.offloading:
            config = self.config.get_text_config(decoder=True)
            cache = GrowingCache(config)
            if generation_config.is_assistant:
                cache.activate_past_recording()
            model_kwargs["past_key_values"] = cache
            # Read in chunks, a later one may see an earlier visual.
            if generation_config.prefill_chunk_size is None and _all_see_the_last(model_kwargs):
                model_kwargs["keep_visuals"] = "last"

    def _expand_inputs_for_generation(
        self, expand_size: int = 1, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, dict[str, Any]]:
        """Repeats the rows for beams or samples, but no visual tokens: `_prefill` may need none."""
        visual_tokens = kwargs.pop("visual_tokens", None)
        input_ids, kwargs = super()._expand_inputs_for_generation(expand_size, *args, **kwargs)
        return input_ids, {**kwargs, "visual_tokens": visual_tokens}

    def _prefill(
        self,
        input_ids: Tensor,
        generation_config: GenerationConfig,
        model_kwargs: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Reads the prompts, each once; then come the rows of its beams or samples."""
        times = max(generation_config.num_beams or 1, generation_config.num_return_sequences or 1)
        cache: Any = model_kwargs.get("past_key_values")
        visual_tokens = model_kwargs.get("visual_tokens")
        if times == 1 or not _can_share(cache, len(input_ids), times, generation_config):
            if visual_tokens is not None and len(visual_tokens) < len(input_ids):
                model_kwargs["visual_tokens"] = visual_tokens.repeat_interleave(times, dim=0)
            return super()._prefill(input_ids, generation_config, model_kwargs, *args, **kwargs)
        # The rows of one prompt stand side by side and are the same up to here.
        firsts = {
            name: value[::times] if isinstance(value, Tensor) and value.dim() else value
            for name, value in model_kwargs.items()
            if name != "visual_tokens"
        }
        firsts["visual_tokens"] = visual_tokens
        output = super()._prefill(input_ids[::times], generation_config, firsts, *args, **kwargs)
        cache.repeat_rows(len(input_ids) // times, times)
        output.logits = output.logits.repeat_interleave(times, dim=0)
        return output

    def _update_model_kwargs_for_generation(
        self,
        outputs: Any,
        model_kwargs: dict[str, Any],
        is_encoder_decoder: bool = False,
        num_new_tokens: int = 1,
    ) -> dict[str, Any]:
        """New tokens see what the last one saw."""
        model_kwargs = super()._update_model_kwargs_for_generation(
            outputs, model_kwargs, is_encoder_decoder, num_new_tokens
        )
        index = model_kwargs.get("visual_index")
        if index is not None:
            model_kwargs["visual_index"] = _columns(index, 0, index.shape[1] + num_new_tokens)
        return model_kwargs


def _all_see_the_last(model_kwargs: dict[str, Any]) -> bool:
    """Whether each row's last token, and so all that follow it, sees the last of the visuals."""
    visual_tokens, index = model_kwargs.get("visual_tokens"), model_kwargs.get("visual_index")
    if visual_tokens is None or index is None:
        return False
    return bool((index[:, -1] == visual_tokens.shape[1]).all())


def _can_share(cache: Cache | None, num_rows: int, times: int, how: GenerationConfig) -> bool:
    """Whether prompts can be read once for all of their rows, with all that is asked for."""
    if not isinstance(cache, GrowingCache) or how.output_attentions or how.output_hidden_states:
        return False
    # A cache of the user's own may have a row for each beam already.
    return cache.num_rows in (None, num_rows // times)


def _columns(
    index: Int[Tensor, "batch known"], start: int, length: int
) -> Int[Tensor, "batch length"]:
    """`length` columns of φ from `start` on; past its end the last column goes on."""
    missing = start + length - index.shape[1]
    if missing > 0:
        index = torch.cat([index, index[:, -1:].expand(-1, missing)], dim=1)
    return index[:, start : start + length].contiguous()


def _was_handed_over(cache: Cache | None, visual_tokens: Tensor) -> bool:
    """Whether these visual tokens are in the cache already; if not, notes that they are now."""
    if cache is None:
        return False
    if getattr(cache, "visual_tokens_read", None) is visual_tokens:
        return True
    cache.visual_tokens_read = visual_tokens
    return False
