"""The paper's benchmarks by name."""

from __future__ import annotations

from collections.abc import Mapping

from flamingo.evaluation.benchmarks.benchmark import Benchmark
from flamingo.evaluation.benchmarks.image_benchmarks import IMAGE_BENCHMARKS
from flamingo.evaluation.benchmarks.video_benchmarks import VIDEO_BENCHMARKS
from flamingo.foundation.errors import ConfigError, nearest

_PAPER_ORDER = (
    *("okvqa", "vqav2", "coco", "msvdqa", "vatex", "imagenet", "kinetics700"),
    *("vizwiz", "flickr30k", "msrvttqa", "ivqa", "youcook2", "star", "visdial", "textvqa"),
    *("nextqa", "hateful-memes", "rareact"),
)
_BY_NAME = {one.name: one for one in (*IMAGE_BENCHMARKS, *VIDEO_BENCHMARKS)}

BENCHMARKS: Mapping[str, Benchmark] = {name: _BY_NAME[name] for name in _PAPER_ORDER}
"""The development benchmarks, then the held-out ones, in the order of Table 1."""
DEVELOPMENT_BENCHMARKS = tuple(name for name, one in BENCHMARKS.items() if not one.is_held_out)
HELD_OUT_BENCHMARKS = tuple(name for name, one in BENCHMARKS.items() if one.is_held_out)


def benchmark_named(name: str) -> Benchmark:
    """The benchmark called `name`.

    Raises:
        ConfigError: there is none; the message lists those that there are.
    """
    if name not in BENCHMARKS:
        raise ConfigError(f"there is no benchmark named {name!r}. {nearest(name, BENCHMARKS)}")
    return BENCHMARKS[name]
