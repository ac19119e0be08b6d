from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from flamingo.evaluation.browser import Record, browser_page
from flamingo.evaluation.thumbnails import thumbnails
from flamingo.foundation.errors import ConfigError
from flamingo.sequence import Visual

RECORD = Record(
    task="coco",
    shots=4,
    control="none",
    query="17",
    prompt="<image>Output: A cat.<EOC><image>Output:",
    supports=("3", "5"),
    prediction="A dog.",
    references=("A dog runs.", "A dog."),
    value=0.5,
)


class Page(HTMLParser):
    """The elements of a page as a browser finds them, with what its script elements hold."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self.lasttag == "script" and self.cdata_elem == "script":
            self.scripts[-1] += data

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.scripts[0])


TAGS = [tag for tag, _ in Page(browser_page("Answers", [RECORD], [])).elements]


def test_a_record_is_in_the_page() -> None:
    (record,) = Page(browser_page("Answers", [RECORD], ["A note."])).data["records"]
    assert record["prediction"] == "A dog."
    assert record["references"] == ["A dog runs.", "A dog."]
    assert (record["value"], record["supports"]) == (0.5, ["3", "5"])


@settings(max_examples=12, deadline=None)
@given(
    st.text() | st.sampled_from(["</script><script>alert(1)</script>", "<!--<script>", "\u2028"])
)
def test_no_text_breaks_out(text: str) -> None:
    record = replace(
        RECORD, prediction=text, prompt=text, query=text, task=text, references=(text,)
    )
    page = Page(browser_page("Answers", [replace(record, candidates=((text, -1.0),))], []))
    assert [tag for tag, _ in page.elements] == TAGS
    (found,) = page.data["records"]
    assert {found[name] for name in ("prediction", "prompt", "query", "task")} == {text}
    assert found["candidates"][0][1] == text


def test_title_and_notes_are_escaped() -> None:
    page = browser_page("<i>& title", [], ["</p><script>bad()</script>"])
    assert "<i>&" not in page
    assert "bad()</script>" not in page
    assert "&lt;i&gt;&amp; title" in page


def test_nothing_points_outside() -> None:
    page = Page(browser_page("Answers", [RECORD], []))
    assert not [attrs for _, attrs in page.elements if {"src", "href"} & attrs.keys()]
    (policy,) = (attrs["content"] for _, attrs in page.elements if "http-equiv" in attrs)
    assert str(policy).startswith("default-src 'none'; img-src data:;")


def test_the_likeliest_candidates_are_kept_and_the_right_one() -> None:
    scores = tuple((f"class {number}", -0.5 * number) for number in range(100))
    record = replace(RECORD, candidates=scores[::-1], references=("class 40",))
    (found,) = Page(browser_page("Answers", [record], [])).data["records"]
    assert [one[0] for one in found["candidates"]] == [1, 2, 3, 4, 5, 41]
    assert [one[1] for one in found["candidates"]][-1] == "class 40"
    assert [one[4] for one in found["candidates"]] == [False] * 5 + [True]
    assert found["candidates"][0][3] == pytest.approx(1 - math.exp(-0.5), abs=1e-4)
    assert found["num_candidates"] == 100


def test_what_is_no_number_is_null() -> None:
    record = replace(RECORD, value=math.nan, candidates=(("a", -math.inf), ("b", -1.0)))
    (found,) = Page(browser_page("Answers", [record], [])).data["records"]
    assert found["value"] is None
    assert found["candidates"] == [[1, "b", -1.0, 1.0, False], [2, "a", None, 0.0, False]]


def test_pictures_are_asked_for_once_per_query_and_stored_once() -> None:
    asked = []

    def pictures(record: Record) -> tuple[str, ...]:
        asked.append((record.task, record.query))
        return thumbnails([Visual(np.full((1, 4, 4, 3), len(asked), np.uint8))])

    def records() -> Iterator[Record]:
        for shots in (0, 4, 8):
            for query in ("1", "2"):
                yield replace(RECORD, shots=shots, query=query)

    data = Page(browser_page("Answers", records(), [], pictures)).data
    assert asked == [("coco", "1"), ("coco", "2")]
    assert len(data["pictures"]) == 2
    assert [one["pictures"] for one in data["records"]] == [[0], [1]] * 3


def test_a_picture_from_elsewhere_is_refused() -> None:
    record = replace(RECORD, thumbnails=("https://example.org/cat.jpg",))
    with pytest.raises(ConfigError, match="not a picture in itself"):
        browser_page("Answers", [record], [])


def _opened(url: str) -> Image.Image:
    head, _, content = url.partition(",")
    assert head == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_a_picture_becomes_small() -> None:
    (url,) = thumbnails([Visual(np.zeros((1, 300, 600, 3), np.uint8))])
    assert _opened(url).size == (160, 80)
    (url,) = thumbnails([Visual(np.zeros((1, 30, 60, 3), np.uint8))])
    assert _opened(url).size == (60, 30)


@pytest.mark.parametrize(("num_frames", "shown"), [(8, [0, 4, 7]), (3, [0, 1, 2]), (2, [0, 1])])
def test_a_clip_shows_first_middle_and_last_frame(num_frames: int, shown: list[int]) -> None:
    frames = np.arange(num_frames, dtype=np.uint8)[:, None, None, None] * np.full((16, 16, 3), 30)
    urls = thumbnails([Visual(frames.astype(np.uint8))])
    grays = [round(float(np.asarray(_opened(url)).mean()) / 30) for url in urls]
    assert grays == shown
