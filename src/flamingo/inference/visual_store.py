"""Visual tokens on disk, by the content of the visual: for later processes, and others at once."""

from __future__ import annotations

import hashlib
import json
import os
import warnings
import zlib
from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from flamingo.foundation.errors import DataError
from flamingo.foundation.whole_files import written_whole

_TENSOR = "tokens"


class VisualStore:
    """A folder with one file per visual, named by its fingerprint.

    A lookup opens one file; no list of them is read, so a million is as quick as one. Each is
    written whole or not at all, and processes and threads may use one folder at once: of those that
    write the same visual, the last one's tokens stay. A killed one leaves at most an unfinished
    file (`*.unfinished`), which nobody reads and anybody may delete. A file that a crash of the
    machine or a bad disk has damaged is told by its checksum, and is written again.

    What comes out is bit by bit what was put in. That may differ in last bits from what would be
    computed now: a visual's tokens hang a little on the frames that were encoded beside it.

    Args:
        folder: made when something is put in; may hold the tokens of several models.
        eyes: tells apart what made the tokens, see `eyes_sha256`; those of others are not seen.
    """

    def __init__(self, folder: Path, eyes: str) -> None:
        self.folder, self.eyes = folder, eyes
        self._own = folder / hashlib.sha256(eyes.encode()).hexdigest()[:16]

    def get(self, fingerprint: str) -> Float[Tensor, "latents dim"] | None:
        """The visual's tokens, on the CPU; None if there are none, or damaged ones, with a warning.

        Raises:
            DataError: the file is there but may not be read, or the folder is no folder.
        """
        path = self._path(fingerprint)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            check_is_no_file(path.parent)
            raise DataError(
                f"The visual tokens in {path} cannot be read: {error.strerror}.\n"
                f"Give yourself the right to read {self.folder}, or choose another folder."
            ) from error
        try:
            return self._checked(content, fingerprint)
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            warnings.warn(
                f"{path} does not hold the visual tokens that were written into it: {error!r}. "
                "They are computed again.",
                stacklevel=2,
            )
            return None

    def put(self, fingerprint: str, tokens: Float[Tensor, "latents dim"]) -> None:
        """Keeps the visual's tokens, in their number format, in place of what was there.

        Raises:
            DataError: the disk is full, or the folder cannot be written to.
        """
        plain = tokens.detach().cpu().contiguous()
        about = json.dumps([fingerprint, self.eyes, _checksum(plain)])
        path = self._path(fingerprint)
        try:
            # Not forced to the disk, which would take longer than many an encoder. A crash of the
            # whole machine may damage the file: then its checksum is wrong, `get` warns, and the
            # tokens are computed again.
            with written_whole(path) as unfinished:
                unfinished.write_bytes(save({_TENSOR: plain}, metadata={"about": about}))
        except OSError as error:
            check_is_no_file(path.parent)
            raise DataError(
                f"The visual tokens ({plain.nbytes:,} bytes) cannot be written to {path}: "
                f"{error.strerror}.\nMake room for them, give yourself the right to write there, "
                "choose another folder, or do without one. What was written before stays."
            ) from error

    def _path(self, fingerprint: str) -> Path:
        # Two letters of fan-out: file systems are slow where one folder has a million entries.
        return self._own / fingerprint[:2] / f"{fingerprint}.safetensors"

    def _checked(self, content: bytes, fingerprint: str) -> Tensor:
        tokens = load(content)[_TENSOR]
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = json.loads(header["__metadata__"]["about"])
        if about != [fingerprint, self.eyes, _checksum(tokens)]:
            raise ValueError("the checksum, the visual or the model is another")
        return tokens


def check_is_no_file(folder: Path) -> None:
    """Refuses a file where a folder is or will be made.

    Raises:
        DataError: the folder, or one above it, is a file.
    """
    for place in (folder, *folder.parents):
        if os.path.exists(place) and not os.path.isdir(place):
            raise DataError(
                f"{place} is a file, but visual tokens are kept in a folder.\n"
                "Name a folder; it is made if it is not there."
            )


def _checksum(tokens: Tensor) -> int:
    """Of the values, their number format and their shape."""
    values = tokens.flatten().view(torch.uint8).numpy()
    return zlib.crc32(values.data, zlib.crc32(f"{tokens.dtype} {list(tokens.shape)}".encode()))
