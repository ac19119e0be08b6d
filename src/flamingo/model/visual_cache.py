"""Keys and values of the visuals, kept beside the language model's own while it decodes."""

from __future__ import annotations

from transformers.cache_utils import Cache, DynamicLayer


class VisualCacheLayer(DynamicLayer):
    """One gated layer's keys and values. They grow with visuals, not with tokens.

    Taking back tokens (assisted decoding) therefore takes nothing from here, and reordering
    beams, repeating and selecting rows work as in any other layer of a cache.
    """

    is_compileable = True

    def crop(self, tokens_to_remove: int) -> None:
        """Keeps everything: a rejected token is no reason to forget a visual."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        """The number of visual tokens, whatever the number of queries."""
        return self.get_seq_length(), 0


def visual_layers(cache: Cache, *, num_lm_layers: int, num_gated: int) -> list[VisualCacheLayer]:
    """The cache's layers for visuals; added behind those of the language model where missing."""
    present = [layer for layer in cache.layers if isinstance(layer, VisualCacheLayer)]
    if present:
        return present
    if cache.layer_class_to_replicate is not None:
        # A cache that makes its layers as they come would put the first of them behind ours.
        missing = num_lm_layers - len(cache.layers)
        cache.layers.extend(cache.layer_class_to_replicate() for _ in range(missing))
    added = [VisualCacheLayer() for _ in range(num_gated)]
    cache.layers.extend(added)
    return added


def num_kept(cache: Cache | None, num_latents: int) -> int:
    """How many visuals per row a cache holds."""
    layers = cache.layers if cache is not None else []
    kept = next((layer for layer in layers if isinstance(layer, VisualCacheLayer)), None)
    return 0 if kept is None else kept.get_seq_length() // num_latents
