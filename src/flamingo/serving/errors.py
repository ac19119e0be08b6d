"""Why a request was not answered, beside what `foundation.errors` names."""

from __future__ import annotations

from flamingo.foundation.errors import FlamingoError


class Busy(FlamingoError):  # noqa: N818 (what it is, not what happened)
    """More is asked than the server takes on; later it will.

    Args:
        message: what there is too much of.
        retry_after: seconds after which to try again.
    """

    def __init__(self, message: str, retry_after: int | float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Stopping(FlamingoError):  # noqa: N818
    """The server finishes what it accepted and takes nothing new."""


class JobTimeout(FlamingoError):  # noqa: N818
    """A job took longer than one may."""


class TooLarge(FlamingoError):  # noqa: N818
    """A request is above one of the server's `Limits`."""


class Unknown(FlamingoError):  # noqa: N818
    """What is asked for by name is not there."""


class KeyRefused(FlamingoError):  # noqa: N818
    """No key was given, or none that is known."""


class StorageFull(FlamingoError):  # noqa: N818
    """Something cannot be kept because the disk has no room."""
