"""Spellings of one address become one, and dates become numbers that grow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.deduplication.addresses import (
    canonical_address,
    domain_of,
    is_url,
    moment_of,
)


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("HTTP://Example.ORG/A/b?Q=1", "http://example.org/A/b?Q=1"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org:443/a#part", "https://example.org/a"),
        ("http://example.org:443/a", "http://example.org:443/a"),
        ("https://e.org/a?utm_source=x&id=3&FBCLID=4&b=", "https://e.org/a?id=3&b="),
        ("https://e.org/a?utm_medium=x", "https://e.org/a"),
        ("https://e.org/a?reference=1&cutm_x=2", "https://e.org/a?reference=1&cutm_x=2"),
        ("Pages/A.html#part", "Pages/A.html#part"),
        ("data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
        ("http://[::1", "http://[::1"),
    ],
)
def test_one_spelling_for_one_page(address: str, canonical: str) -> None:
    assert canonical_address(address) == canonical


@given(st.text(max_size=40).map(lambda end: f"https://{end}") | st.text(max_size=40))
def test_whatever_a_page_is_called_its_canonical_address_is_canonical(address: str) -> None:
    canonical = canonical_address(address)
    assert canonical_address(canonical) == canonical
    assert is_url(canonical) == is_url(address)
    domain_of(address)


@pytest.mark.parametrize(
    ("address", "domain"),
    [
        ("https://www.Example.org/a", "example.org"),
        ("http://me@example.org:80?b", "example.org:80"),
        ("docs/www.example.org/a.html", ""),
    ],
)
def test_domains(address: str, domain: str) -> None:
    assert domain_of(address) == domain


def test_later_dates_are_larger_however_they_are_written() -> None:
    dates = [None, "2020", "20210304050607", "2021-03-04T05:06:08.9Z", "2021-03-05"]
    moments = [moment_of(date) for date in dates]
    assert moments == sorted(set(moments))
    assert moments[0] == moment_of("Thu, 04 Mar 2021") == 0
    assert moment_of("2021-03-04T05:06:07Z") == moment_of("20210304050607") == 20210304050607
