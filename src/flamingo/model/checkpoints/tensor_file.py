"""One file of another project's checkpoint, read tensor by tensor, and never with its code."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from flamingo.foundation.errors import CheckpointError, reason

_WRAPPERS = {"module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
"""What training in parallel leaves in names."""
_NESTED = ("model_state_dict", "state_dict", "model")
"""Where a training's checkpoint keeps its weights, beside the optimizer's state."""


@runtime_checkable
class TensorFile(Protocol):
    """One file of tensors.

    Attributes:
        path: the file.
        shapes: of its tensors, by name.
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]]

    def read(self, name: str) -> Tensor:
        """One tensor, backed by the file where that is possible."""

    def dtype(self, name: str) -> torch.dtype:
        """The number format of a tensor."""

    def close(self) -> None:
        """Lets go of what was mapped; the file can still be read again."""


class SafetensorsFile:
    """A file of safetensors.

    Raises:
        CheckpointError: it is cut off or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: Any = None
        file = self._open()
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: tuple(file.get_slice(name).get_shape())
            for name in file.keys()  # noqa: SIM118
        }

    def read(self, name: str) -> Tensor:
        """One tensor."""
        tensor: Tensor = self._open().get_tensor(name)
        return tensor

    def dtype(self, name: str) -> torch.dtype:
        """The number format of a tensor."""
        # One row is enough to know, and is read alone.
        part = self._open().get_slice(name)
        row: Tensor = part[:1] if self.shapes[name] else self.read(name)
        return row.dtype

    def close(self) -> None:
        """Lets go of the mapping."""
        self._opened = None

    def _open(self) -> Any:
        if self._opened is None:
            try:
                self._opened = safe_open(self.path, framework="pt")
            except SafetensorError as error:
                raise CheckpointError(
                    f"{self.path} is not a whole file of safetensors: {error}.\n"
                    f"It has {self.path.stat().st_size:,} bytes. A download that broke off looks "
                    "like this: fetch the file again."
                ) from error
        return self._opened


class PickledFile:
    """A file that `torch.save` wrote, of which nothing but tensors and plain values is accepted.

    Raises:
        CheckpointError: it is cut off, or holds more than that, such as code.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: dict[str, Tensor] | None = None
        self.shapes: Mapping[str, tuple[int, ...]] = {
            name: tuple(tensor.shape) for name, tensor in self._open().items()
        }

    def read(self, name: str) -> Tensor:
        """One tensor."""
        return self._open()[name]

    def dtype(self, name: str) -> torch.dtype:
        """The number format of a tensor."""
        return self._open()[name].dtype

    def close(self) -> None:
        """Lets go of the mapping."""
        self._opened = None

    def _open(self) -> dict[str, Tensor]:
        if self._opened is None:
            self._opened = _unwrapped(self.path, _unpickled(self.path))
        return self._opened


class LoadedTensors:
    """Tensors that are in memory already, as if they were in a file.

    Args:
        name: what an error calls them.
        tensors: by name.
    """

    def __init__(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        self.path = Path(name)
        self.shapes: Mapping[str, tuple[int, ...]] = {n: tuple(t.shape) for n, t in tensors.items()}
        self._tensors = tensors

    def read(self, name: str) -> Tensor:
        """One tensor."""
        return self._tensors[name]

    def dtype(self, name: str) -> torch.dtype:
        """The number format of a tensor."""
        return self._tensors[name].dtype

    def close(self) -> None:
        """Nothing to let go of."""


def _unpickled(path: Path) -> Any:
    try:
        # Only the newer of torch's two formats can be mapped.
        with path.open("rb") as file:
            is_zip = file.read(2) == b"PK"
        return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{path} holds more than tensors, or is damaged: {reason(error)}\n"
            "A pickled file can carry code that runs when it is opened, so only tensors, numbers "
            "and texts are read from it. If you trust whoever made it, open it yourself and save "
            "its state dict alone."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {reason(error)}\n"
            f"It has {path.stat().st_size:,} bytes. A download that broke off looks like this: "
            "fetch the file again."
        ) from error


def _unwrapped(path: Path, loaded: Any) -> dict[str, Tensor]:
    """The weights, without what stands around them and around their names."""
    if isinstance(loaded, dict):
        for name in _NESTED:
            if isinstance(loaded.get(name), dict):
                loaded = loaded[name]
                break
    if not isinstance(loaded, dict) or not loaded:
        raise CheckpointError(
            f"{path} holds a {type(loaded).__name__} and no state dict.\n"
            f"It should hold tensors by name, or these under one of {', '.join(_NESTED)}."
        )
    others = [name for name, value in loaded.items() if not isinstance(value, Tensor)]
    if others:
        raise CheckpointError(
            f"{path} has {len(others)} entries that are no tensors, such as {others[0]!r} "
            f"({type(loaded[others[0]]).__name__}), so it is not a state dict."
        )
    return {_bare(name): tensor for name, tensor in loaded.items()}


def _bare(name: str) -> str:
    return ".".join(part for part in name.split(".") if part not in _WRAPPERS)


def tensor_file(path: Path) -> TensorFile:
    """The tensors of one file, whichever of the two kinds it is.

    Raises:
        CheckpointError: it is cut off, or holds code.
    """
    return SafetensorsFile(path) if path.suffix == ".safetensors" else PickledFile(path)
