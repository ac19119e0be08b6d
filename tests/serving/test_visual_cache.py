from __future__ import annotations

import numpy as np

from flamingo.sequence import Visual
from flamingo.serving.visual_cache import VisualCache


def visual(width: int) -> Visual:
    return Visual(np.zeros((1, 1, width, 3), np.uint8))


def test_what_was_not_used_for_the_longest_time_goes() -> None:
    cache = VisualCache(30)
    kept = {name: visual(4) for name in "ab"}
    for name, one in kept.items():
        cache.put(name, one)
    assert cache.get("a") is kept["a"]
    cache.put("c", visual(4))
    assert cache.get("b") is None
    assert cache.get("a") is kept["a"]
    assert cache.num_bytes == 24


def test_what_is_too_large_is_not_kept() -> None:
    cache = VisualCache(30)
    cache.put("a", visual(4))
    cache.put("b", visual(11))
    assert cache.get("b") is None
    assert cache.get("a") is not None
    cache.put("a", visual(9))
    assert cache.num_bytes == 12
