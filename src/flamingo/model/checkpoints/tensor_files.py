"""Checkpoints of other projects, read tensor by tensor: never more of them in memory than asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import constants
from huggingface_hub.file_download import repo_folder_name
from torch import Tensor
from transformers.utils.hub import cached_file

from flamingo.foundation.errors import CheckpointError, reason
from flamingo.model.checkpoints.tensor_file import TensorFile, tensor_file

_INDICES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SINGLES = ("model.safetensors", "pytorch_model.bin")


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

    def close(self) -> None:
        """Lets go of what was mapped."""
        for file in self.files:
            file.close()

    def identity(self) -> str:
        """The names of the files, their sizes and times: equal where nothing has changed."""
        found = []
        for file in self.files:
            # A hub's cache has its files under other names that links lead to.
            status = file.path.stat() if file.path.is_file() else None
            seen = None if status is None else (status.st_size, status.st_mtime_ns)
            found.append(f"{file.path.name}: {seen}")
        return "; ".join(found)


def located(source: str | Path, name: str) -> Path | None:
    """Where a file of a folder or of a hub name is; `None` if it is not there.

    Raises:
        CheckpointError: the hub cannot be asked, and has not answered about that name before.
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
        raise _not_fetched(source, reason(error)) from error
    if found is None and not _was_asked(source):
        raise _not_fetched(source, "the hub cannot be reached.")
    return None if found is None else Path(found)


def json_of(path: Path) -> Any:
    """What a file of settings holds.

    Raises:
        CheckpointError: it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"{path} is not JSON: {error}. Fetch it again.") from error


def contents_of(source: str | Path) -> str:
    """What a folder holds, for an error message; of a hub name, what may be wrong."""
    folder = Path(source)
    if not folder.is_dir():
        return "Check the name. Without a network, only files of earlier downloads are found."
    names = sorted(path.name for path in folder.iterdir())
    return f"The folder holds: {', '.join(names[:8]) or '(nothing)'}."


def _was_asked(source: str | Path) -> bool:
    """Whether the hub has ever answered about a name: then its cache has a folder for it."""
    folder = repo_folder_name(repo_id=str(source), repo_type="model")
    return (Path(constants.HF_HUB_CACHE) / folder).is_dir()


def _not_fetched(source: str | Path, why: str) -> CheckpointError:
    return CheckpointError(
        f"{source} cannot be fetched: {why}\n"
        "It is not a folder here, and a name on a hub needs a network or an earlier download."
    )


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
