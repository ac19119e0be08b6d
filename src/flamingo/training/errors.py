"""What can go wrong in the middle of a run."""

from __future__ import annotations

from flamingo.foundation.errors import FlamingoError


class NonFiniteLossError(FlamingoError):
    """The loss or its gradient is infinite or not a number."""
