"""The deduplication benchmark makes pages with the copies that it says, and finds those."""

from __future__ import annotations

import pytest

from benchmarks.deduplication import measure, report


def test_it_finds_what_it_has_planted() -> None:
    told = measure([200, 400], 100, [2000], repeats=1, planted=320)
    small, large = told["decisions"]
    assert (small["pages"], large["pages"]) == (200, 400)
    assert large["images"] == 1600
    assert large["found"]["same-text"] == 8
    assert 10 <= large["found"]["near-text"] <= 20
    assert [one["pairs"] for one in told["images"]] == [200, 200, 200]
    low, middle, high, others = told["copies"]
    assert high["similarity"] == pytest.approx(0.9, abs=0.05)
    assert high["found"] >= 0.95 * high["copies"] > 20
    assert middle["found"] <= 0.1 * middle["copies"]
    assert low["found"] == others["found"] == 0
    assert told["signatures"]["bytes_per_page"] < 1000
    text = report(told)
    assert "pairs found that are no copies: 0" in text
    assert "datasketch" in text
