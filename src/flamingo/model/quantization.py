"""The frozen language model in 8-bit integers: the same answers, nearly, from less memory."""

from __future__ import annotations

from collections import Counter

from torch import Tensor, nn

from flamingo.foundation.errors import ConfigError, LanguageModelError
from flamingo.model.flamingo import FlamingoForConditionalGeneration
from flamingo.model.int8_linear import Int8Linear

_LEAST_SHARE = 0.5


def quantize_language_model(model: FlamingoForConditionalGeneration) -> None:
    """Keeps the weights of the language model's decoder layers as 8-bit integers, in place.

    Each `nn.Linear` in them becomes an `Int8Linear`. Embeddings, output head, norms and
    convolutions stay as they are, and so does all that is new: resampler, gated layers, rows of
    new tokens. The vision encoder stays too: it is small beside a language model, and reads many
    rows at once, which integers do not make faster.

    The trained parts can be saved afterwards, the whole model not.

    Args:
        model: in evaluation mode, its language model frozen. In bfloat16 on a CPU it then also
            says its words faster; elsewhere only memory is saved.

    Raises:
        ConfigError: the model is being trained, or is in integers already.
        LanguageModelError: most of its decoder layers is in other modules than `nn.Linear`.
    """
    _check_frozen(model)
    layers = model.host.layers
    linears = [module for module in layers.modules() if type(module) is nn.Linear]
    _check_plain(model, linears)
    for linear in linears:
        Int8Linear.quantize_(linear)


def _check_frozen(model: FlamingoForConditionalGeneration) -> None:
    if model.training:
        raise ConfigError(
            "The model is in training mode, and weights in int8 are for inference. "
            "Call model.eval() first."
        )
    trained = [name for name, p in model.language_model.named_parameters() if p.requires_grad]
    if trained:
        raise ConfigError(
            f"The language model is not frozen: {len(trained)} of its parameters are trained "
            f"({trained[0]}, …), and weights in int8 cannot be.\n"
            "For inference, call model.language_model.requires_grad_(False) first."
        )


def _check_plain(model: FlamingoForConditionalGeneration, linears: list[nn.Linear]) -> None:
    """Refuses where little would be quantized, or something a second time."""
    name, layers = type(model.language_model).__name__, model.host.layers
    if any(isinstance(module, Int8Linear) for module in layers.modules()):
        raise ConfigError(f"The decoder layers of {name} are in int8 already.")
    for linear in linears:
        if type(linear.weight.data) is not Tensor or linear.weight.element_size() < 2:
            raise ConfigError(
                f"The decoder layers of {name} have weights that are quantized or divided already "
                f"({type(linear.weight.data).__name__}, {linear.weight.dtype}).\n"
                "Load the language model without that, or leave out int8."
            )
    sizes: Counter[str] = Counter()
    for module in layers.modules():
        sizes[type(module).__name__] += sum(p.numel() for p in module.parameters(recurse=False))
    total, quantizable = sum(sizes.values()), sum(linear.weight.numel() for linear in linears)
    if quantizable < _LEAST_SHARE * total:
        shares = ", ".join(f"{kind} {size / total:.0%}" for kind, size in (+sizes).most_common(3))
        raise LanguageModelError(
            f"int8 is for weights of nn.Linear, which are {quantizable / total:.0%} of the decoder "
            f"layers of {name}. Most is elsewhere: {shares}.\n"
            "Use a language model of nn.Linear (Llama, GPT-NeoX, MPT, OPT, …), or leave out int8."
        )
