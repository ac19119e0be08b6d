"""Watches a training step operation by operation: FLOPs, and bytes that are alive at the peak."""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry, sdpa_backward_flop, sdpa_flop

Phase = Literal["forward", "backward", "recomputation"]

OUTSIDE = "loss"
"""What runs in no part: the objective itself."""
GRADIENTS = "gradients"
"""Bytes of the gradients of trained parameters."""
CASTS = "casts"
"""Bytes of low-precision copies of parameters, which autocast makes and keeps for the step."""

_MARK = "part of the model"
_aten = torch.ops.aten
_FORMULAS: dict[Any, Any] = {
    # Newer releases of torch have these two in their own registry, which then wins.
    _aten._scaled_dot_product_flash_attention_for_cpu: sdpa_flop,
    _aten._scaled_dot_product_flash_attention_for_cpu_backward: sdpa_backward_flop,
    **flop_registry,
}


@dataclass
class Flops:
    """Floating-point operations of one part; a multiplication with its addition counts as two."""

    forward: int = 0
    backward: int = 0
    recomputation: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.forward + self.backward + self.recomputation


@dataclass
class StepMeter(TorchDispatchMode):
    """Counts what one training step computes and holds, by part of the model.

    Runs around real tensors and around fake ones alike, since it looks at shapes and at which
    storages are alive. Not counted: what a kernel allocates for itself while it runs, and
    operations without a matrix product or convolution.

    Args:
        parts: modules by the name of their part; a module inside of another one wins.
        persistent: tensors that exist before and after the step, which are not counted.

    Attributes:
        flops: by part.
        live: bytes alive now, by (part, phase).
        peak: bytes that were alive when most were.
        at_peak: these by (part, phase).
    """

    parts: Mapping[str, Iterable[nn.Module]]
    persistent: Iterable[Tensor] = ()
    flops: dict[str, Flops] = field(default_factory=dict)
    live: Counter[tuple[str, Phase]] = field(default_factory=Counter)
    peak: int = 0
    at_peak: Counter[tuple[str, Phase]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        super().__init__()
        self._open = [OUTSIDE]
        self._going_back = OUTSIDE
        self._known: dict[int, tuple[tuple[str, Phase], int]] = {}
        self._watches: dict[int, weakref.finalize] = {}
        self._weights = {_key(tensor) for tensor in self.persistent}
        self._total = 0

    @contextmanager
    def watching(self, model: nn.Module) -> Iterator[StepMeter]:
        """Counts everything that runs inside, with hooks that tell the parts apart."""
        handles: list[Any] = []
        for part, modules in self.parts.items():
            for module in modules:
                handles.append(module.register_forward_pre_hook(self._enter(part)))
                # Checkpointed layers stop in the middle of their second run, by an exception.
                handles.append(module.register_forward_hook(self._leave(part), always_call=True))
        for parameter in model.parameters():
            if parameter.requires_grad:
                hook = parameter.register_post_accumulate_grad_hook(self._file_gradient)
                handles.append(hook)
        try:
            with self:
                yield self
        finally:
            for handle in handles:
                handle.remove()
            for watch in self._watches.values():
                watch.detach()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Runs an operation and takes down its FLOPs and what it leaves in memory."""
        output = func(*args, **(kwargs or {}))
        part, phase = self._place()
        formula = _FORMULAS.get(func._overloadpacket)
        if formula is not None:
            flops = self.flops.setdefault(part, Flops())
            number = formula(*args, **(kwargs or {}), out_val=output)
            setattr(flops, phase, getattr(flops, phase) + number)
        if func is _aten._to_copy.default and _key(args[0]) in self._weights:
            part = CASTS
        for tensor in tree_leaves(output):
            if isinstance(tensor, Tensor):
                self._file(tensor, part, phase)
        return output

    def _place(self) -> tuple[str, Phase]:
        """The part and the phase that are running now."""
        if torch._C._current_autograd_node() is None:
            return self._open[-1], "forward"
        # Gradients are computed with grad mode off; what runs with it on is a second forward.
        if not torch.is_grad_enabled():
            return self._going_back, "backward"
        # It may begin inside of a module, behind the hooks that say which one it is.
        return self._open[-1] if len(self._open) > 1 else self._going_back, "recomputation"

    def _enter(self, part: str) -> Any:
        return lambda module, args: self._open.append(part)

    def _leave(self, part: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            self._open.pop()
            if torch._C._current_autograd_node() is not None:
                return
            for tensor in tree_leaves(output):
                if isinstance(tensor, Tensor) and tensor.grad_fn is not None:
                    self._mark(tensor.grad_fn, part)

        return hook

    def _mark(self, node: Any, part: str) -> None:
        """The backward pass of `part` begins at `node`; the innermost module comes first."""
        if _MARK not in node.metadata:
            node.metadata[_MARK] = part
            node.register_prehook(lambda gradients: setattr(self, "_going_back", part))

    def _file(self, tensor: Tensor, part: str, phase: Phase) -> None:
        key = _key(tensor)
        if key in self._known or key in self._weights:
            return
        storage = tensor.untyped_storage()
        size = storage.nbytes()
        self._known[key] = ((part, phase), size)
        self._watches[key] = weakref.finalize(storage, self._forget, key)
        self.live[part, phase] += size
        self._total += size
        if self._total > self.peak:
            self.peak, self.at_peak = self._total, self.live.copy()

    def _forget(self, key: int) -> None:
        self._watches.pop(key, None)
        place, size = self._known.pop(key)
        self.live[place] -= size
        self._total -= size

    def _file_gradient(self, parameter: Tensor) -> None:
        assert parameter.grad is not None
        key = _key(parameter.grad)
        if key in self._known:
            place, size = self._known[key]
            self._known[key] = ((GRADIENTS, "backward"), size)
            self.live[place] -= size
            self.live[GRADIENTS, "backward"] += size


def _key(tensor: Tensor) -> int:
    return tensor.untyped_storage()._cdata
