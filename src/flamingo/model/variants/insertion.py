"""Where "between self-attention and feed-forward" is, in a decoder layer of any family.

A pre-norm decoder layer computes y = x + Attention(Norm(x)) and then y + FeedForward(Norm(y)).
The sum y has no name, but it can be told from its way: it is what the first child after the
attention is given, and neither the layer's input nor what another child returned. One pass over a
few tokens finds that child (the second norm, or the feed-forward where it has none before it), and
the last child of the layer, whose output is added to y.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from flamingo.foundation.errors import LanguageModelError

_TOLERANCE = 0.02
"""Of what is left unexplained where a layer is tried out; 16-bit weights need as much."""


@dataclass(frozen=True)
class Insertion:
    """The two children of a decoder layer between which the feed-forward half lies.

    Attributes:
        entry: the child that is given the sum after self-attention.
        end: the child whose output is added to that sum.
    """

    entry: nn.Module
    end: nn.Module


@dataclass
class _Trace:
    """What the children of one layer were given and returned, in the order of their calls."""

    layer_input: Tensor | None = None
    layer_output: Tensor | None = None
    calls: list[tuple[nn.Module, Tensor | None, Tensor | None]] = field(default_factory=list)

    def sums(self) -> Iterator[tuple[nn.Module, Tensor]]:
        """The children that are given a tensor which no child returned, and that tensor."""
        known: list[Tensor | None] = [self.layer_input]
        for child, given, returned in self.calls:
            if given is not None and not any(given is each for each in known):
                yield child, given
            known += [given, returned]

    def sum_before(self, entry: nn.Module) -> Tensor:
        """The sum that `entry` is given."""
        return next(given for child, given in self.sums() if child is entry)


def insertion_points(language_model: PreTrainedModel, layers: list[nn.Module]) -> list[Insertion]:
    """Finds the place in each of `layers`, and tries it out where the weights are there.

    Raises:
        LanguageModelError: a layer has no such place, or a sum that is used in another way.
    """
    traces = _trace(language_model, layers, [])
    found = [
        _found(language_model, layer, trace) for layer, trace in zip(layers, traces, strict=True)
    ]
    if not next(language_model.parameters()).is_meta:
        _try_out(language_model, layers, traces, found)
    return found


def _try_out(
    language_model: PreTrainedModel,
    layers: list[nn.Module],
    traces: list[_Trace],
    found: list[Insertion],
) -> None:
    """Silences each layer's feed-forward half, but for a known tensor that its last part returns.

    The layer must then return the sum and that tensor, both times the same number.
    """
    known = [
        trace.sum_before(place.entry).flip(-1) for trace, place in zip(traces, found, strict=True)
    ]
    changes = [(place.entry, _silence) for place in found]
    changes += [(place.end, _adder(each)) for place, each in zip(found, known, strict=True)]
    again = _trace(language_model, layers, changes)
    for layer, trace, place, added in zip(layers, again, found, known, strict=True):
        assert trace.layer_output is not None
        if not _is_sum(trace.layer_output, trace.sum_before(place.entry), added):
            raise _refusal(
                language_model,
                layer,
                "self-attention and feed-forward are not simply added to what they read (as where "
                "norms stand behind the sums, or the feed-forward is scaled)",
            )


def _is_sum(output: Tensor, first: Tensor, second: Tensor) -> bool:
    """Whether `output` is `first + second`, but for one scale and one shift."""
    centered = [(flat - flat.mean(0)).flatten() for flat in map(_rows, (output, first, second))]
    whole, parts = centered[0], torch.stack(centered[1:], dim=1)
    weights = torch.linalg.lstsq(parts, whole[:, None]).solution[:, 0]
    rest = (whole - parts @ weights).norm() / whole.norm().clamp(min=1e-6)
    is_even = (weights[0] - weights[1]).abs() <= _TOLERANCE * weights[0].abs()
    return bool(is_even and weights[0] > 0 and rest < _TOLERANCE)


def _rows(hidden: Tensor) -> Tensor:
    return hidden.float().flatten(0, -2).cpu()


def _found(language_model: PreTrainedModel, layer: nn.Module, trace: _Trace) -> Insertion:
    entry = next((child for child, _ in trace.sums()), None)
    if entry is None:
        raise _refusal(
            language_model,
            layer,
            "none of its parts is given the sum of the layer's input and its self-attention "
            "(as where self-attention and feed-forward run side by side)",
        )
    return Insertion(entry, trace.calls[-1][0])


def _refusal(language_model: PreTrainedModel, layer: nn.Module, why: str) -> LanguageModelError:
    return LanguageModelError(
        f"{type(language_model).__name__} cannot carry vanilla cross-attention: in its "
        f"{type(layer).__name__} {why}.\n"
        "Use a language model of pre-norm layers (Llama, Qwen, Gemma, LFM2, …), or "
        "xattn_kind='gated_xattn_dense', which needs no place inside of a layer."
    )


Change = tuple[nn.Module, Callable[..., Any]]
"""A part of the language model, and a forward hook that changes its output."""


def _trace(
    language_model: PreTrainedModel, layers: list[nn.Module], changes: list[Change]
) -> list[_Trace]:
    """What happens in each of `layers` while the language model reads four tokens."""
    traces = [_Trace() for _ in layers]
    handles: list[Any] = [part.register_forward_hook(change) for part, change in changes]
    try:
        for layer, trace in zip(layers, traces, strict=True):
            handles += _notes(layer, trace)
        with _evaluating(language_model), torch.no_grad():
            _read_four_tokens(language_model, layers, traces)
    finally:
        for handle in handles:
            handle.remove()
    return traces


def _notes(layer: nn.Module, trace: _Trace) -> list[Any]:
    """The hooks that write down what a layer and its children are given and return."""
    return [
        layer.register_forward_hook(_layer_noter(trace), with_kwargs=True),
        layer.register_forward_pre_hook(_input_noter(trace), with_kwargs=True),
        *(
            child.register_forward_hook(_child_noter(trace), with_kwargs=True)
            for child in layer.children()
        ),
    ]


def _read_four_tokens(
    language_model: PreTrainedModel, layers: list[nn.Module], traces: list[_Trace]
) -> None:
    embedding: Any = language_model.get_input_embeddings()
    device = embedding.weight.device
    ids = torch.arange(4, device=device)[None] % embedding.weight.shape[0]
    if device.type != "meta":
        language_model(input_ids=ids, use_cache=False)
        return
    # Without contents, most families can read only where the mask is made already; some only
    # where it is not.
    mask = torch.ones(1, 1, 4, 4, dtype=torch.bool, device=device)
    for given in ({"attention_mask": mask}, {}):
        for trace in traces:
            trace.calls.clear()
        try:
            language_model(input_ids=ids, use_cache=False, **given)
        except (RuntimeError, ValueError, TypeError) as error:
            reason = error
        else:
            return
    raise _refusal(
        language_model, layers[0], f"nothing can be found before it has weights ({reason})"
    )


@contextmanager
def _evaluating(language_model: PreTrainedModel) -> Iterator[None]:
    training = [module for module in language_model.modules() if module.training]
    language_model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def _first(value: Any) -> Tensor | None:
    """The hidden states of what a module is given or returns."""
    if isinstance(value, tuple) and value:
        value = value[0]
    return value if isinstance(value, Tensor) else None


def _given(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor | None:
    return _first(args) if args else _first(kwargs.get("hidden_states"))


def _input_noter(trace: _Trace) -> Callable[..., None]:
    def note(layer: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        trace.layer_input = _given(args, kwargs)

    return note


def _layer_noter(trace: _Trace) -> Callable[..., None]:
    def note(layer: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        trace.layer_output = _first(output)

    return note


def _child_noter(trace: _Trace) -> Callable[..., None]:
    def note(child: nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> None:
        trace.calls.append((child, _given(args, kwargs), _first(output)))

    return note


def _silence(child: nn.Module, args: Any, output: Any) -> Any:
    if isinstance(output, tuple):
        return (torch.zeros_like(output[0]), *output[1:])
    return torch.zeros_like(output)


def _adder(known: Tensor) -> Callable[..., Any]:
    def add(child: nn.Module, args: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (output[0] + known.reshape(output[0].shape), *output[1:])
        return output + known.reshape(output.shape)

    return add
