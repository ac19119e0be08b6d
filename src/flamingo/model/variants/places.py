"""Which decoder layers a gated layer belongs to."""

from __future__ import annotations

from flamingo.foundation.errors import ConfigError
from flamingo.model.config import FlamingoConfig


def gated_places(config: FlamingoConfig, num_layers: int) -> list[int]:
    """The decoder layer, from 0, of each gated layer; of grafted ones their places in the stack.

    Raises:
        ConfigError: the first one lies behind the last decoder layer.

    Paper: Sec. 3.3, Table 3 ("XATTN-DENSE frequency", "Single in middle").
    """
    if config.xattn_kind == "grafting":
        # In the paper's 3B model, 13 pairs on 24 layers: its table counts 0.1B more than for
        # gated layers before every decoder layer, which is one such pair.
        return list(range(config.grafted_layers or num_layers // 2 + 1))
    if config.xattn_at == "middle":
        return [num_layers // 2]
    if config.xattn_offset >= num_layers:
        raise ConfigError(
            f"xattn_offset is {config.xattn_offset}, but the language model has {num_layers} "
            "layers, so there would be no gated layer. Give a number below that."
        )
    return list(range(config.xattn_offset, num_layers, config.xattn_every))
