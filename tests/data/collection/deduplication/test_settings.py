"""Numbers that no rule can work with are refused before anything is read."""

from __future__ import annotations

import pytest

from flamingo.data.collection.deduplication import DeduplicationSettings
from flamingo.foundation.errors import ConfigError
from flamingo.foundation.records import from_plain, to_plain


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("near_text", 0.0),
        ("near_text", 1.1),
        ("near_text", 0.01),
        ("image_bits", 17),
        ("benchmark_bits", -1),
        ("max_pages_of_image", 0),
        ("max_uses_of_address", 0),
        ("max_pages_of_paragraph", 0),
        ("min_words", -1),
    ],
)
def test_impossible_numbers_are_refused(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=name):
        DeduplicationSettings(**{name: value})


def test_settings_can_be_written_and_read() -> None:
    own = DeduplicationSettings(near_text=None, near_in_corpus="remove")
    assert from_plain(DeduplicationSettings, to_plain(own)) == own
    with pytest.raises(ConfigError, match="near_in_page"):
        from_plain(DeduplicationSettings, {"near_in_page": "delete"})
