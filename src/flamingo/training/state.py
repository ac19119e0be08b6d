"""Checkpoints: written whole or not at all, checked before use, made of safe formats only."""

from __future__ import annotations

import json
import os
import re
import shutil
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.distributed.checkpoint.hf_storage import (
    HuggingFaceStorageReader,
    HuggingFaceStorageWriter,
)
from torch.distributed.checkpoint.staging import BlockingAsyncStager
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save

from flamingo.foundation.records import json_text
from flamingo.training.identity import (
    Identity,
    check_identity,
    digest_of,
    persistent_buffers,
)
from flamingo.training.optimizers import Optimizers
from flamingo.training.processes import Processes

MANIFEST = "checkpoint.json"
_FOLDER = re.compile(r"step-(\d{6,})")


class Checkpoints:
    """The checkpoints of one run: `step-000500/`, … in one folder.

    A checkpoint holds the trained parameters, the persistent buffers and the optimizers' state,
    as safetensors of `torch.distributed.checkpoint`: every process writes its own part, and any
    number of processes reads it back. Frozen parameters are there by a fingerprint only. Random
    numbers need no state: they are a function of the seed and the step. A folder without a
    manifest, or whose files are not what the manifest says, does not count.

    Args:
        folder: where they are; all processes must see the same one.
        keep: how many stay besides the final one.
        warn: called with a sentence about every folder that is passed over.
        identity: what the model is, apart from what it learns.
        processes: those that train together.
        is_async: writes from a copy in memory while the training goes on.
    """

    def __init__(
        self,
        folder: Path,
        keep: int,
        warn: Callable[[str], None],
        identity: Identity,
        processes: Processes | None = None,
        *,
        is_async: bool = False,
    ) -> None:
        self.folder, self.keep, self.warn, self.identity = folder, keep, warn, identity
        self.processes = processes or Processes()
        self.group = self.processes.own_group()
        self.writer = ThreadPoolExecutor(1) if is_async else None
        self.writing: Future[None] | None = None

    def save(self, step: int, model: nn.Module, optimizers: Optimizers, final_step: int) -> Path:
        """Writes the checkpoint of `step` updates, then removes those no longer needed."""
        self.finish()
        target = self.folder / f"step-{step:06d}"
        # Safetensors take no other memory layout, such as convolutions like.
        tensors = {name: t.contiguous() for name, t in _tensors(model, optimizers).items()}
        if self.writer is None:
            self._write(step, target, tensors, final_step)
        else:
            copy: Any = BlockingAsyncStager().stage(tensors)
            self.writing = self.writer.submit(self._write, step, target, copy, final_step)
        return target

    def finish(self) -> None:
        """Waits until the checkpoint that is being written is on the disk; raises its error."""
        writing, self.writing = self.writing, None
        if writing is not None:
            writing.result()

    def newest(self) -> Path | None:
        """The newest complete checkpoint, or None; says which newer ones are not complete."""
        found = self._newest() if self.processes.is_first else None
        return self.processes.gathered(found)[0]

    def load(self, path: Path, model: nn.Module, optimizers: Optimizers) -> int:
        """Puts a checkpoint into a model and its optimizers; returns the updates behind it.

        Raises:
            CheckpointError: it belongs to a model of another shape.
        """
        record = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        check_identity(path, record["model"], self.identity)
        with _quiet():
            load(
                _tensors(model, optimizers),
                storage_reader=HuggingFaceStorageReader(str(path)),
                process_group=self.group,
                no_dist=self.processes.count == 1,
            )
        return int(record["step"])

    def _write(self, step: int, target: Path, tensors: dict[str, Tensor], final_step: int) -> None:
        others = Processes(self.processes.share, self.group)
        temporary = target.with_name(f".{target.name}.writing")
        if others.is_first:
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
        others.wait()
        with _quiet():
            save(
                tensors,
                storage_writer=HuggingFaceStorageWriter(str(temporary), save_distributed=True),
                process_group=self.group,
                no_dist=others.count == 1,
            )
        own = temporary.glob(f"shard-{others.share.index + 1:05d}-*")
        digests = others.gathered({path.name: digest_of(path) for path in own})
        if others.is_first:
            files = {name: digest for part in digests for name, digest in part.items()}
            record = {"format": 2, "step": step, "files": files, "model": self.identity}
            (temporary / MANIFEST).write_text(json_text(record), encoding="utf-8")
            _flush(temporary)
            if target.exists():
                shutil.rmtree(target)
            os.replace(temporary, target)
            self._remove_old(final_step)
        others.wait()

    def _newest(self) -> Path | None:
        for path in reversed(self._folders()):
            reason = _fault(path)
            if reason is None:
                return path
            self.warn(f"The checkpoint {path} is passed over: {reason}.")
        return None

    def _folders(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        found = [path for path in self.folder.iterdir() if _FOLDER.fullmatch(path.name)]
        return sorted(found, key=_step_of)

    def _remove_old(self, final_step: int) -> None:
        others = [path for path in self._folders() if _step_of(path) != final_step]
        for path in others[: -self.keep]:
            shutil.rmtree(path)


def _tensors(model: nn.Module, optimizers: Optimizers) -> dict[str, Tensor]:
    """Everything that training changes, itself: what is loaded into it is loaded into the run."""
    # The optimizers' parameters, and not the model's: in a sharded model those come and go.
    learned = {**optimizers.named, **persistent_buffers(model)}
    return {
        **{f"model/{name}": tensor.detach() for name, tensor in learned.items()},
        **{f"optimizer/{name}": tensor for name, tensor in optimizers.tensors().items()},
    }


def _step_of(path: Path) -> int:
    match = _FOLDER.fullmatch(path.name)
    assert match is not None
    return int(match[1])


def _fault(path: Path) -> str | None:
    try:
        record = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        for name, digest in record["files"].items():
            if digest_of(path / name) != digest:
                return f"{name} is not the file that was written"
        if record["format"] != 2:
            return f"it is of format {record['format']}, and this version reads format 2"
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return f"{MANIFEST} cannot be read"
    return None


def _flush(folder: Path) -> None:
    """Makes sure that the files are on the disk before the folder gets its final name."""
    for path in _with_files(folder):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _with_files(folder: Path) -> Iterator[Path]:
    yield from folder.iterdir()
    if os.name == "posix":
        yield folder


class _quiet(warnings.catch_warnings):  # noqa: N801
    """PyTorch warns that a single process is a single process."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        warnings.filterwarnings("ignore", message="torch.distributed is disabled")
        return entered
