from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamingo.data.collection.images.fetching.robots import (
    FORBID_ALL,
    RobotRules,
    forbidding_header,
    rules_for_status,
)

NAME = "test-crawl/1.0 (+https://example.org)"


def test_the_rules_for_this_name_count() -> None:
    rules = RobotRules("User-agent: *\nDisallow: /a\nUser-agent: Test-Crawl\nDisallow: /b", NAME)
    assert rules.allow("http://a.org/a")
    assert not rules.allow("http://a.org/b/x.png")
    assert not RobotRules(FORBID_ALL, NAME).allow("http://a.org/x.png")
    assert RobotRules("", NAME).allow("http://a.org/x.png")


def test_delays() -> None:
    assert RobotRules("User-agent: *\nCrawl-delay: 3\nDisallow:", NAME).delay == 3
    assert RobotRules("User-agent: *\nRequest-rate: 2/10\nDisallow:", NAME).delay == 5
    assert RobotRules("User-agent: *\nCrawl-delay: soon\nDisallow:", NAME).delay == 0


@given(st.text(max_size=200))
def test_any_text_is_rules(text: str) -> None:
    rules = RobotRules(text, NAME)
    assert rules.delay >= 0
    assert rules.allow("http://a.org/x.png") in (True, False)


@pytest.mark.parametrize(
    ("status", "text"), [(404, ""), (410, ""), (401, FORBID_ALL), (429, None), (500, None)]
)
def test_missing_rules(status: int, text: str | None) -> None:
    assert rules_for_status(status) == text


def test_headers() -> None:
    assert forbidding_header({}) is None
    assert forbidding_header({"x-robots-tag": "all, max-image-preview:large"}) is None
    assert (
        forbidding_header({"x-robots-tag": "bot: nofollow,NoImageAI"}) == "X-Robots-Tag: noimageai"
    )
