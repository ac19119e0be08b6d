"""Files that clients upload, to name them in later requests."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flamingo.serving.errors import Busy, TooLarge, Unknown
from flamingo.serving.limits import Limits

_MOST_NAME = 255


@dataclass(frozen=True)
class UploadedFile:
    """A file of a client.

    Attributes:
        id: that nobody can guess.
        owner: who alone may see it.
        filename: as the client calls it, without folders; nothing is stored under it.
        purpose: as the client says.
        created: in seconds since 1970.
        content: of it.
    """

    id: str
    owner: str
    filename: str
    purpose: str
    created: int
    content: bytes = field(repr=False)


class UploadedFiles:
    """Keeps files in memory for a while; may be used by several threads.

    Args:
        limits: `visual_bytes` of one file, `uploads` and `upload_bytes` of all.
        seconds: after which a file is gone.
        clock: that this goes by.
    """

    def __init__(
        self,
        limits: Limits,
        seconds: int | float = 3600,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._seconds, self._clock = limits, seconds, clock
        self._lock = threading.Lock()
        self._files: dict[str, tuple[float, UploadedFile]] = {}
        self._num_bytes = 0

    def create(self, owner: str, filename: str, purpose: str, content: bytes) -> UploadedFile:
        """Keeps a file.

        Raises:
            TooLarge: it is larger than one may be.
            Busy: there is no room until others are gone.
        """
        limits = self._limits
        if len(content) > limits.visual_bytes:
            raise TooLarge(
                f"The file has {len(content):,} bytes, more than the limit of "
                f"{limits.visual_bytes:,}.\nSend a smaller picture or a shorter clip."
            )
        number, name = f"file-{secrets.token_hex(16)}", _shown(filename.replace("\\", "/"))
        created = int(time.time())
        file = UploadedFile(
            number, owner, name.rpartition("/")[2] or "file", _shown(purpose), created, content
        )
        with self._lock:
            self._forget_old()
            is_full = self._num_bytes + len(content) > limits.upload_bytes
            if is_full or len(self._files) >= limits.uploads:
                raise Busy(
                    f"The server holds {len(self._files):,} files of {self._num_bytes:,} bytes, "
                    "and has no room for one more.\nDelete some, or wait until some are gone.",
                    retry_after=self._until_next(),
                )
            self._files[file.id] = (self._clock() + self._seconds, file)
            self._num_bytes += len(content)
        return file

    def get(self, owner: str, id: str) -> UploadedFile:
        """A file.

        Raises:
            Unknown: there is none, or it is another's.
        """
        with self._lock:
            return self._found(owner, id)

    def list(self, owner: str) -> list[UploadedFile]:
        """All files of an owner, the newest one first."""
        with self._lock:
            self._forget_old()
            return [file for _, file in reversed(self._files.values()) if file.owner == owner]

    def delete(self, owner: str, id: str) -> None:
        """Forgets a file.

        Raises:
            Unknown: there is none, or it is another's.
        """
        with self._lock:
            self._forget(self._found(owner, id))

    def _found(self, owner: str, id: str) -> UploadedFile:
        self._forget_old()
        _, file = self._files.get(id, (0.0, None))
        if file is None or file.owner != owner:
            raise Unknown(
                f"There is no file {id[:100]!r}.\nFiles are kept for {self._seconds:g} s. "
                "Upload it again."
            )
        return file

    def _forget_old(self) -> None:
        now = self._clock()
        # They stand in the order in which they end.
        while self._files:
            end, file = next(iter(self._files.values()))
            if end > now:
                return
            self._forget(file)

    def _forget(self, file: UploadedFile) -> None:
        del self._files[file.id]
        self._num_bytes -= len(file.content)

    def _until_next(self) -> float:
        ends = [end for end, _ in self._files.values()]
        return max(1.0, min(ends) - self._clock()) if ends else 1.0


def _shown(text: str) -> str:
    """What can be shown of a text, not too long: its end counts, where the kind of file stands."""
    return "".join(one for one in text if one.isprintable())[-_MOST_NAME:]
