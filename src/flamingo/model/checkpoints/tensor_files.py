"""Checkpoints of other projects, read tensor by tensor: never more of them in memory than asked."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from transformers.utils.hub import cached_file

from flamingo.foundation.errors import CheckpointError

_WRAPPERS = {"module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"}
"""What training in parallel leaves in names."""
_NESTED = ("model_state_dict", "state_dict", "model")
"""Where a training's checkpoint keeps its weights, beside the optimizer's state."""
_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SINGLES = ("model.safetensors", "pytorch_model.bin")


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
            f"{path} holds more than tensors, or is damaged: {str(error).strip().splitlines()[0]}\n"
            "A pickled file can carry code that runs when it is opened, so only tensors, numbers "
            "and texts are read from it. If you trust whoever made it, open it yourself and save "
            "its state dict alone."
        ) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"{path} cannot be read: {str(error).strip().splitlines()[0] or type(error).__name__}\n"
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


class TensorFiles:
    """All tensors of a checkpoint, in one file or several.

    Args:
        files: in order.

    Raises:
        CheckpointError: a name is in two of them.
    """

    def __init__(self, files: list[TensorFile]) -> None:
        self.files = files
        self._owner: dict[str, TensorFile] = {}
        for file in files:
            for name in file.shapes:
                if name in self._owner:
                    raise CheckpointError(
                        f"{name} is both in {self._owner[name].path} and in {file.path}.\n"
                        "Files of two checkpoints are mixed up; fetch one of them anew."
                    )
                self._owner[name] = file

    @classmethod
    def open(cls, source: str | Path) -> TensorFiles:
        """The tensors of a folder or of a hub name, in any of transformers' layouts.

        Raises:
            CheckpointError: there are none, a file of theirs is missing, cut off, or holds code.
        """
        for name in _INDICES:
            index = located(source, name)
            if index is not None:
                return cls([*_shards(source, index)])
        for name in _SINGLES:
            path = located(source, name)
            if path is not None:
                return cls([tensor_file(path)])
        raise CheckpointError(
            f"{source} has no weights: none of {', '.join((*_INDICES, *_SINGLES))} is there.\n"
            f"{contents_of(source)}"
        )

    def __contains__(self, name: str) -> bool:
        return name in self._owner

    def __iter__(self) -> Iterator[str]:
        return iter(self._owner)

    def file_of(self, name: str) -> TensorFile:
        """The file that a tensor is in."""
        return self._owner[name]

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self._owner[name].shapes[name]

    def dtype(self, name: str) -> torch.dtype:
        """The number format of a tensor."""
        return self._owner[name].dtype(name)

    def read(self, name: str) -> Tensor:
        """One tensor."""
        return self._owner[name].read(name)


def tensor_file(path: Path) -> TensorFile:
    """The tensors of one file, whichever of the two kinds it is.

    Raises:
        CheckpointError: it is cut off, or holds code.
    """
    return SafetensorsFile(path) if path.suffix == ".safetensors" else PickledFile(path)


def located(source: str | Path, name: str) -> Path | None:
    """Where a file of a folder or of a hub name is; `None` if it is not there.

    Raises:
        CheckpointError: the hub cannot be asked.
    """
    folder = Path(source)
    if folder.is_dir():
        return folder / name if (folder / name).is_file() else None
    try:
        found = cached_file(
            str(source),
            name,
            _raise_exceptions_for_missing_entries=False,
        )
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{source} cannot be fetched: {str(error).strip().splitlines()[0]}\n"
            "It is not a folder here, and a name on a hub needs a network or an earlier download."
        ) from error
    return None if found is None else Path(found)


def contents_of(source: str | Path) -> str:
    """What a folder holds, for an error message; nothing to say of a hub name."""
    folder = Path(source)
    if not folder.is_dir():
        return "Check the name."
    names = sorted(path.name for path in folder.iterdir())
    return f"The folder holds: {', '.join(names[:8]) or '(nothing)'}."


def _shards(source: str | Path, index: Path) -> Iterator[TensorFile]:
    try:
        names = dict.fromkeys(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(
            f"{index} is no index of shards: {type(error).__name__}: {error}. Fetch it again."
        ) from error
    for name in names:
        # An index is a file of others: it must not lead out of its folder.
        path = None if Path(name).name != name else located(source, name)
        if path is None:
            raise CheckpointError(
                f"{index} names the file {name!r}, which is not beside it.\n"
                f"The checkpoint is incomplete; fetch that file. {contents_of(source)}"
            )
        yield tensor_file(path)
