"""Whether a server's memory grows with the requests that it answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np


@dataclass(frozen=True)
class Sample:
    """The server's memory at a moment.

    Attributes:
        requests: that were answered since the first sample.
        rss: bytes in memory.
        peak: bytes in memory, at most so far.
        prefix_bytes: of these, keys and values of prompts' beginnings that the engine keeps.
        num_visuals: visuals whose tokens the engine keeps.
    """

    requests: int
    rss: int
    peak: int
    prefix_bytes: int
    num_visuals: int


def slope(samples: Sequence[Sample]) -> float | None:
    """KB that are added for 1,000 requests, by least squares; None of fewer than three samples."""
    if len(samples) < 3:
        return None
    requests = np.array([one.requests for one in samples], dtype=np.float64)
    kilobytes = np.array([one.rss for one in samples], dtype=np.float64) / 1024
    return float(np.polyfit(requests, kilobytes, 1)[0] * 1000)


def facts(samples: Sequence[Sample]) -> dict[str, object]:
    """What a report says of them; of the second half too, where caches have had time to fill."""
    half = samples[len(samples) // 2 :]
    return {
        "samples": [asdict(one) for one in samples],
        "kb_per_1000_requests": slope(samples),
        "kb_per_1000_requests_in_second_half": slope(half),
    }
