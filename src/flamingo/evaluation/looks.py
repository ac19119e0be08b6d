"""What visuals look like, in a few bytes each, to find the same ones elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from flamingo.data.perceptual_hash import perceptual_hash
from flamingo.foundation.errors import DataError
from flamingo.sequence import Visual


@dataclass(frozen=True, eq=False)
class Looks:
    """What many visuals look like.

    Args:
        keys: what they are called.
        fingerprints: equal ones have equal pixels.
        hashes: the perceptual hash of each; 0 for a picture of one color, which has none.
        is_plain: which are of one color.
        features: `[visuals, width]`, of a vision encoder; add them with `dataclasses.replace`.

    Raises:
        DataError: they are not equally many.
    """

    keys: tuple[str, ...]
    fingerprints: tuple[str, ...]
    hashes: npt.NDArray[np.uint64]
    is_plain: npt.NDArray[np.bool_]
    features: npt.NDArray[Any] | None = None

    def __post_init__(self) -> None:
        counts = {name: len(value) for name, value in vars(self).items() if value is not None}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{count} {name}" for name, count in counts.items())
            raise DataError(f"There are {told}. Give one of each for every visual.")

    @classmethod
    def of(cls, visuals: Iterable[tuple[str, Visual]]) -> Looks:
        """Looks at visuals with their names, one by one; none of them is kept."""
        looks = [(key, one.fingerprint(), perceptual_hash(one)) for key, one in visuals]
        return cls(
            keys=tuple(key for key, _, _ in looks),
            fingerprints=tuple(fingerprint for _, fingerprint, _ in looks),
            hashes=np.array([value or 0 for _, _, value in looks], np.uint64),
            is_plain=np.array([value is None for _, _, value in looks], np.bool_),
        )
