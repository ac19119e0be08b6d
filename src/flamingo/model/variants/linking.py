"""Hangs the new layers on the language model, where their kind has its place."""

from __future__ import annotations

from typing import Any

from torch import nn
from transformers import PreTrainedModel

from flamingo.model.conditioning import Conditioner
from flamingo.model.config import FlamingoConfig
from flamingo.model.language_model import Host
from flamingo.model.variants.grafting import Grafter
from flamingo.model.variants.insertion import insertion_points
from flamingo.model.variants.places import gated_places
from flamingo.model.variants.vanilla import VanillaConditioner

Link = Conditioner | VanillaConditioner | Grafter
"""What runs new layers. Its `checkpoint` is the activation checkpointing function, if any."""


def linked(
    blocks: nn.ModuleList, config: FlamingoConfig, host: Host, language_model: PreTrainedModel
) -> list[Link]:
    """Hangs `blocks` on the language model.

    Raises:
        LanguageModelError: its decoder layers have no place for vanilla cross-attention.
    """
    if config.xattn_kind == "grafting":
        grafter = Grafter(blocks)
        host.head.register_forward_pre_hook(grafter)
        return [grafter]
    layers = [host.layers[place] for place in gated_places(config, len(host.layers))]
    each: Any = enumerate(blocks)
    if config.xattn_kind == "vanilla":
        places = insertion_points(language_model, layers)
        return [VanillaConditioner(i, block, places[i]) for i, block in each]
    links: list[Link] = []
    for index, block in each:
        conditioner = Conditioner(index, block)
        layers[index].register_forward_pre_hook(conditioner, with_kwargs=True)
        links.append(conditioner)
    return links
