"""What a language model must offer to carry gated layers, found in any transformers causal LM."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from flamingo.foundation.errors import LanguageModelError


@dataclass(frozen=True)
class Host:
    """The places of a causal language model that the bridge touches. All stay the LM's own.

    Attributes:
        layers: the decoder layers, in order.
        embedding: the input embedding.
        head: the module whose output is the logits.
        dim: width of the hidden states that enter a decoder layer.
        is_tied: whether input embedding and head share their weights.
        accepts: the names of the arguments of the LM's `forward`.
    """

    layers: nn.ModuleList
    embedding: nn.Module
    head: nn.Module
    dim: int
    is_tied: bool
    accepts: frozenset[str]

    @classmethod
    def of(cls, language_model: PreTrainedModel) -> Host:
        """Finds the places.

        Raises:
            LanguageModelError: the model lacks one of them; the message says which.
        """
        head = language_model.get_output_embeddings()
        embedding = language_model.get_input_embeddings()
        name = type(language_model).__name__
        if not isinstance(head, nn.Module) or not isinstance(embedding, nn.Module):
            missing = "output head" if embedding is not None else "input embedding"
            raise LanguageModelError(
                f"{name} has no {missing} (get_{'output' if embedding is not None else 'input'}"
                "_embeddings() returns None), so it cannot predict or read the new tokens.\n"
                "Load the causal language model, not its base model: "
                "AutoModelForCausalLM.from_pretrained(...)."
            )
        accepts = frozenset(inspect.signature(language_model.forward).parameters)
        if "inputs_embeds" not in accepts:
            raise LanguageModelError(
                f"{name}.forward takes no `inputs_embeds`, through which the embeddings of new "
                "tokens enter. Use a language model whose forward accepts it."
            )
        if getattr(language_model.config.get_text_config(), "hidden_size_per_layer_input", 0):
            raise LanguageModelError(
                f"{name} feeds token ids into every layer (hidden_size_per_layer_input > 0), which "
                "embeddings of new tokens cannot give. Use a model of the family without it."
            )
        return cls(
            layers=_decoder_layers(language_model),
            embedding=embedding,
            head=head,
            dim=int(language_model.config.get_text_config().hidden_size),
            is_tied=getattr(head, "weight", None) is getattr(embedding, "weight", 0)
            or bool(language_model.config.get_text_config().tie_word_embeddings),
            accepts=accepts,
        )

    def supported(self, **arguments: Any) -> dict[str, Any]:
        """Those of `arguments` that the LM's `forward` takes and that are not `None`."""
        return {
            name: value
            for name, value in arguments.items()
            if value is not None and name in self.accepts
        }


def _decoder_layers(language_model: PreTrainedModel) -> nn.ModuleList:
    """The one `ModuleList` of the model that is as long as its number of layers."""
    count = int(language_model.config.get_text_config().num_hidden_layers)
    found = [
        (name, module)
        for name, module in language_model.named_modules()
        if isinstance(module, nn.ModuleList) and len(module) == count and "." in name
    ]
    outermost = [
        (name, module)
        for name, module in found
        if not any(name.startswith(f"{other}.") for other, _ in found if other != name)
    ]
    if len(outermost) == 1:
        return outermost[0][1]
    lists = {
        name: len(module)
        for name, module in language_model.named_modules()
        if isinstance(module, nn.ModuleList)
    }
    raise LanguageModelError(
        f"{type(language_model).__name__} cannot carry gated layers: its {count} decoder layers "
        f"(config.num_hidden_layers) must be one nn.ModuleList, but {len(outermost)} lists have "
        f"that length. Lists found: {lists or 'none'}.\n"
        "Use a decoder-only language model whose layers stand in a single list."
    )


def position_ids(attention_mask: Tensor) -> Tensor:
    """Positions that count real tokens only, so that padding on either side changes nothing."""
    positions: Tensor = attention_mask.long().cumsum(-1) - 1
    return torch.clamp(positions, min=0)


def silence_dropout(layers: nn.ModuleList) -> None:
    """Sets the dropout rates that decoder layers apply themselves to zero.

    Activation checkpointing only works on layers in training mode, where such a rate would act
    although the layer is frozen.
    """
    for layer in layers:
        for name, value in vars(layer).items():
            if "dropout" in name and isinstance(value, float):
                setattr(layer, name, 0.0)
