from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.sources.addresses import address_hash, canonical


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("HTTP://Example.ORG:80/A b?q=ü#top", "http://example.org/A%20b?q=%C3%BC"),
        ("https://example.org:443", "https://example.org/"),
        ("https://example.org:8443/x", "https://example.org:8443/x"),
        ("<http://example.org/x%20y>", "http://example.org/x%20y"),
        ("http://user:word@example.org/x", "http://example.org/x"),
        ("http://münchen.example/x", "http://xn--mnchen-3ya.example/x"),
        ("http://[::1]:80/x", "http://[::1]/x"),
        ("a/b c.png#x", "a/b%20c.png"),
        ("http://[oh/", "http://[oh/"),
        ("http://x:99999999/", "http://x:99999999/"),
    ],
)
def test_addresses_are_written_one_way(address: str, expected: str) -> None:
    assert canonical(address) == expected


@given(st.text(max_size=40) | st.text(max_size=30).map("http://".__add__))
def test_any_text_has_an_address_and_a_hash(text: str) -> None:
    assert canonical(canonical(text)) == canonical(canonical(canonical(text)))
    assert 0 <= address_hash(text) < 2**64
