from __future__ import annotations

from typing import Any

import pytest

from flamingo.data.datasets import DatasetConfig
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import from_plain, to_plain


def test_the_numbers_of_the_paper_are_the_defaults() -> None:
    limits = {kind: DatasetConfig(kind, "a").token_limit for kind in ("pages", "pairs", "videos")}
    assert limits == {"pages": 256, "pairs": 64, "videos": 64}
    pages = DatasetConfig("pages", "a")
    assert (pages.max_visuals, pages.p_next, pages.space_probability) == (5, 0.5, 0.5)
    assert (pages.num_frames, pages.fps) == (8, 1.0)
    assert DatasetConfig("text", "a", max_tokens=128).token_limit == 128


def test_it_is_written_and_read_as_plain_values() -> None:
    config = DatasetConfig("videos", "a/{0..9}.tar", weight=0.03, shuffle=False)
    assert from_plain(DatasetConfig, to_plain(config)) == config


@pytest.mark.parametrize(
    "settings",
    [
        {"batch": 0},
        {"max_tokens": 4},
        {"max_visuals": 0},
        {"num_frames": 0},
        {"missing_shards": -1},
        {"weight": 0.0},
        {"weight": float("nan")},
        {"fps": float("inf")},
        {"p_next": 1.5},
        {"space_probability": -0.1},
        {"flip": 2.0},
        {"color_jitter": float("nan")},
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, Any]) -> None:
    [(name, value)] = settings.items()
    with pytest.raises(ConfigError, match=f"{name}={value} is impossible"):
        DatasetConfig("pages", "a", **settings)


def test_an_empty_path_is_refused() -> None:
    with pytest.raises(ConfigError, match="has no path"):
        DatasetConfig("pages", "")


def test_an_unknown_kind_has_a_nearest_name() -> None:
    with pytest.raises(ConfigError, match="Did you mean 'pages'"):
        from_plain(DatasetConfig, {"kind": "page", "path": "a"})
